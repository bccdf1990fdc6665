#pragma once
// Producer: sends records through one client of librdkafka, and knows when they arrived.

#include <atomic>
#include <flowrun/plugin.hpp>
#include <map>
#include <mutex>
#include <string>

#include "plugins/kafka/connection.h"
#include "plugins/kafka/records.h"

namespace kafka {

// Not thread-safe, but for `cancelled`, which others set: calls that wait then throw
// Error::cancelled.
class Producer {
 public:
  Producer(const Settings& settings, const std::atomic<bool>& cancelled);
  Producer(const Producer&) = delete;
  Producer& operator=(const Producer&) = delete;
  ~Producer();

  // Throws Error::unavailable when no broker answers in time.
  void await_broker();
  // Copies the record; waits while too much is on its way. Throws Error::io with the broker's words
  // when this or an earlier record was refused for good.
  void send(const Record& record);
  // Waits until every record has arrived.
  void flush();
  rd_kafka_t* client() { return client_.get(); }
  // Serves callbacks, throws what cannot heal.
  void check();

 private:
  rd_kafka_topic_t* topic(std::string_view name);
  rd_kafka_resp_err_t produce(rd_kafka_topic_t* topic, const Record& record);
  rd_kafka_resp_err_t produce_with_headers(rd_kafka_topic_t* topic, const Record& record);
  static void on_delivery(rd_kafka_t*, const rd_kafka_message_t* message, void*);

  const Settings& settings_;
  const std::atomic<bool>& cancelled_;
  Complaints complaints_;
  HandlePtr client_;
  std::map<std::string, TopicPtr, std::less<>> topics_;
  std::string last_name_;
  rd_kafka_topic_t* last_topic_ = nullptr;
  std::mutex mutex_;
  std::string undelivered_;  // why a record was given up
  std::atomic<bool> failed_{false};
};

}  // namespace kafka
