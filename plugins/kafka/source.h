#pragma once
// The source: messages as rows, replayable.

#include <atomic>
#include <chrono>
#include <flowrun/plugin.hpp>
#include <optional>
#include <string>
#include <vector>

#include "plugins/kafka/messages.h"
#include "plugins/kafka/partitions.h"

namespace kafka {

// Partitions are assigned by itself, never by a group: where it stands is in flowrun's offsets
// alone. Absent brokers are `unavailable`; behind that flowrun opens it anew.
class KafkaSource final : public flowrun::plugin::Source {
 public:
  static flowrun::plugin::Spec spec();
  explicit KafkaSource(const flowrun::plugin::Options& options);
  ~KafkaSource() override { close(); }

  flowrun::plugin::Schema bind() override { return rows_.schema(); }
  void narrow(const std::vector<bool>& wanted) override { rows_.narrow(wanted); }
  void open(std::optional<std::string> offset) override;
  flowrun::plugin::Chunk read(int64_t timeout) override;
  void cancel() override { cancelled_ = true; }
  void close() override;
  // Brokers answer, and have the topics.
  void probe() override;
  void stop_at_end() override { stops_ = true; }

 private:
  using Clock = std::chrono::steady_clock;
  struct Partition {
    int64_t next = 0;
    std::optional<int64_t> end;  // stop there; nothing: never
    bool done() const { return end && next >= *end; }
  };
  using Partitions = std::map<std::string, std::map<int32_t, Partition>, std::less<>>;

  void take_partitions(const Selection::Found& found);
  Partition begin_at(const std::string& topic, int32_t partition, int64_t start);
  void assign();
  void look_for_partitions();
  void pass_over_gone();
  // The messages that are there; waits for the first one.
  void poll(int timeout);
  void take(const rd_kafka_message_t& message);
  flowrun::plugin::Error error_of(const rd_kafka_message_t& message) const;
  size_t num_partitions() const;
  bool done() const;
  std::string offset() const;

  Settings settings_;
  Selection selection_;
  std::chrono::microseconds refresh_;
  bool fail_on_data_loss_;
  MessageColumns rows_;
  bool stops_ = false;
  std::atomic<bool> cancelled_{false};

  Complaints complaints_;
  QueuePtr queue_;  // before the client: it is the client's
  HandlePtr client_;
  Partitions partitions_;
  bool begun_ = false;         // opened once: partitions that are new now came later
  Partition* last_ = nullptr;  // of the last message: the next one is mostly of the same
  rd_kafka_topic_t* last_topic_ = nullptr;
  int32_t last_partition_ = 0;
  std::vector<rd_kafka_message_t*> batch_;
  std::optional<flowrun::plugin::Error> failure_;
  std::vector<std::pair<std::string, int32_t>> gone_;  // partitions whose next message is no more
  Clock::time_point next_refresh_{};
};

}  // namespace kafka
