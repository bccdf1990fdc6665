#pragma once
// What source and sink share: how brokers are named and spoken to, and what they last complained
// of.

#include <atomic>
#include <chrono>
#include <flowrun/plugin.hpp>
#include <map>
#include <mutex>
#include <string>

#include "plugins/kafka/handles.h"

namespace kafka {

namespace sdk = flowrun::plugin;

// The options every use of Kafka has: brokers, properties, timeout.
sdk::Spec with_connection_options(sdk::Spec spec);

// The settings of one client. `own` are those that flowrun decides; naming one of them in
// `properties` is refused, as is what librdkafka does not know. `defaults` may be overridden.
class Settings {
 public:
  using Values = std::map<std::string, std::string>;
  // Throws Error::option.
  Settings(const sdk::Options& options, const Values& own, const Values& defaults);

  // A configuration to make one client with, some settings being others.
  ConfPtr conf(const Values& changes = {}) const;
  const std::string& brokers() const { return brokers_; }
  // For how long an absent broker is waited for.
  std::chrono::milliseconds timeout() const { return timeout_; }

 private:
  std::string brokers_;
  std::chrono::milliseconds timeout_;
  Values values_;
};

// What the brokers, or the way to them, last complained of. Thread-safe: librdkafka's callbacks
// write, source and sink read. Must outlive the client that it is attached to.
class Complaints {
 public:
  void attach(rd_kafka_conf_t* conf);
  // The last one's words; "" if there was none since clear().
  std::string words() const;
  // Every broker was lost since clear().
  bool all_down() const { return all_down_; }
  void clear();
  // One that no patience heals: wrong credentials, a broken protocol. Throws Error::io.
  void check_fatal() const;

 private:
  static void on_error(rd_kafka_t* client, int code, const char* words, void* self);
  void take(rd_kafka_t* client, rd_kafka_resp_err_t code, const std::string& words);

  mutable std::mutex mutex_;
  std::string words_;
  std::string fatal_;
  std::atomic<bool> all_down_{false};
};

// REQUIRES: `conf` knows its opaque (Complaints::attach). Takes the configuration. Throws
// Error::io.
HandlePtr make_client(rd_kafka_type_t type, ConfPtr conf);

// Which topics a client is told of.
enum class Asked : uint8_t {
  every,  // all that the cluster has
  known,  // those that this client has spoken of
};

// Asks for topics (of one: `only` is not null), in slices so that `cancelled` is looked at. Throws
// Error::unavailable naming the brokers and their words when there is no answer in time.
MetadataPtr read_metadata(rd_kafka_t* client, Asked asked, rd_kafka_topic_t* only,
                          const Settings& settings, const Complaints& complaints,
                          const std::atomic<bool>& cancelled);

// What brokers say against a topic: "topic `x`: Broker: Unknown topic or partition"; "" if nothing.
std::string words_against(const struct rd_kafka_metadata_topic& topic);

sdk::Error no_broker(const Settings& settings, const Complaints& complaints);

}  // namespace kafka
