#include "plugins/kafka/source.h"

#include <algorithm>

namespace kafka {

namespace {

constexpr size_t kMessagesPerRead = 4096;
constexpr int64_t kBytesPerRead = 4 << 20;
constexpr int64_t kMicrosecondsPerMillisecond = 1000;

constexpr const char* kDoc =
    "Rows are the columns of Spark's Kafka source: key, value, topic, partition, offset, "
    "timestamp, "
    "timestampType and, with `include_headers`, headers (array<struct<key: string, value: "
    "binary>>; null when a message has none).\n\n"
    "Where it stands is kept in flowrun's offsets, not in a group. Only what was committed by "
    "transactions is read, unless `properties` say `isolation.level: read_uncommitted`. Brokers "
    "that do not answer are waited for.\n\n"
    "Guarantee: replayable.";

Settings::Values own_settings(const sdk::Options& options) {
  return {{"enable.auto.commit", "false"},
          {"enable.auto.offset.store", "false"},
          {"enable.partition.eof", "true"},
          {"auto.offset.reset", "error"},
          {"group.id", options.text("group")}};
}

// librdkafka fetches ahead; beside flowrun's own bounds a small buffer is enough.
Settings::Values default_settings() {
  return {{"queued.max.messages.kbytes", "32768"},
          {"fetch.wait.max.ms", "100"},
          {"reconnect.backoff.max.ms", "2000"},
          {"allow.auto.create.topics", "false"}};
}

MessageFormat format_of(const sdk::Options& options) {
  return {options.text("key_type") == "string", options.text("value_type") == "string",
          options.boolean("include_headers")};
}

}  // namespace

sdk::Spec KafkaSource::spec() {
  sdk::Spec spec = Selection::with_options(with_connection_options(
      sdk::Spec("kafka", "Reads the messages of Kafka's topics.").doc(kDoc)));
  return std::move(spec)
      .option(sdk::word("value_type", {"string", "binary"},
                        "The type of column value: string, as `parse:` takes it, or binary, as in "
                        "Spark.")
                  .with_default("string"))
      .option(sdk::word("key_type", {"string", "binary"}, "The type of column key.")
                  .with_default("string"))
      .option(sdk::boolean("include_headers", "Adds the column headers.").with_default("false"))
      .option(sdk::text("group",
                        "The group that brokers see it as, for their access rules and metrics. No "
                        "offset is kept there.")
                  .with_default("flowrun"))
      .option(
          sdk::boolean("fail_on_data_loss",
                       "When messages that are due are gone: fail, or go on with the first that "
                       "is there.")
              .with_default("true"))
      .option(sdk::duration("partitions_every", "How often it looks for new partitions and topics.")
                  .with_default("10 seconds"))
      .example(
          "JSON records",
          "orders: { source: kafka, brokers: \"${env:KAFKA:-localhost:9092}\", topics: orders, "
          "starting_offsets: earliest }\n"
          "parsed: { from: orders, parse: json, schema: \"id bigint, price double\" }",
          "");
}

KafkaSource::KafkaSource(const sdk::Options& options)
    : settings_(options, own_settings(options), default_settings()),
      selection_(options),
      refresh_(options.integer("partitions_every")),
      fail_on_data_loss_(options.boolean("fail_on_data_loss")),
      rows_(format_of(options)),
      batch_(kMessagesPerRead) {}

void KafkaSource::open(std::optional<std::string> offset) {
  close();
  complaints_.clear();
  ConfPtr conf = settings_.conf();
  complaints_.attach(conf.get());
  client_ = make_client(RD_KAFKA_CONSUMER, std::move(conf));
  queue_.reset(rd_kafka_queue_get_consumer(client_.get()));
  if (offset) {
    begun_ = true;
    for (auto& [topic, partitions] : parse_positions(*offset)) {
      for (const auto& [partition, next] : partitions) partitions_[topic][partition].next = next;
    }
  }
  const Selection::Found found = selection_.find(client_.get(), settings_, complaints_, cancelled_);
  if (!found.missing.empty()) {
    if (stops_) throw sdk::Error::data(found.missing);
    throw sdk::Error::unavailable(found.missing);
  }
  take_partitions(found);
  begun_ = true;
  for (auto& [topic, partitions] : partitions_) {
    for (auto& [number, partition] : partitions) {
      if (!stops_ || partition.end) continue;
      partition.end =
          read_extent(client_.get(), topic, number, settings_, complaints_, cancelled_).high;
    }
  }
  assign();
  complaints_.clear();
  next_refresh_ = Clock::now() + refresh_;
}

void KafkaSource::probe() {
  Complaints complaints;
  ConfPtr conf = settings_.conf();
  complaints.attach(conf.get());
  const HandlePtr client = make_client(RD_KAFKA_CONSUMER, std::move(conf));
  const Selection::Found found = selection_.find(client.get(), settings_, complaints, cancelled_);
  if (!found.missing.empty()) throw sdk::Error::data(found.missing);
}

void KafkaSource::take_partitions(const Selection::Found& found) {
  for (const auto& [topic, numbers] : found.topics) {
    for (const int32_t number : numbers) {
      const auto known = partitions_.find(topic);
      if (known != partitions_.end() && known->second.count(number) > 0) continue;
      const int64_t start = begun_ ? RD_KAFKA_OFFSET_BEGINNING : selection_.start(topic, number);
      const Partition partition = begin_at(topic, number, start);
      partitions_[topic][number] = partition;
    }
  }
}

// `earliest` and `latest` are numbers from now on: a restart must begin at the same message.
KafkaSource::Partition KafkaSource::begin_at(const std::string& topic, int32_t partition,
                                             int64_t start) {
  if (start >= 0) return {start, std::nullopt};
  const Extent extent =
      read_extent(client_.get(), topic, partition, settings_, complaints_, cancelled_);
  return {start == RD_KAFKA_OFFSET_BEGINNING ? extent.low : extent.high, std::nullopt};
}

void KafkaSource::assign() {
  last_ = nullptr;
  const PartitionListPtr list(rd_kafka_topic_partition_list_new(1));
  for (const auto& [topic, partitions] : partitions_) {
    for (const auto& [number, partition] : partitions) {
      if (partition.done()) continue;
      rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), number)->offset = partition.next;
    }
  }
  const rd_kafka_resp_err_t code = rd_kafka_assign(client_.get(), list.get());
  if (code != RD_KAFKA_RESP_ERR_NO_ERROR) throw sdk::Error::io(rd_kafka_err2str(code));
}

void KafkaSource::look_for_partitions() {
  if (stops_ || Clock::now() < next_refresh_) return;
  next_refresh_ = Clock::now() + refresh_;
  const size_t before = num_partitions();
  take_partitions(selection_.find(client_.get(), settings_, complaints_, cancelled_));
  if (num_partitions() != before) assign();
}

sdk::Chunk KafkaSource::read(int64_t timeout) {
  if (cancelled_) throw sdk::Error::cancelled();
  look_for_partitions();
  pass_over_gone();
  if (!done()) poll(static_cast<int>(timeout / kMicrosecondsPerMillisecond));
  if (cancelled_) throw sdk::Error::cancelled();
  sdk::Chunk chunk;
  chunk.offset = offset();
  if (rows_.num_rows() > 0) {
    chunk.bytes = rows_.bytes();
    chunk.rows = rows_.finish();
  } else {
    rd_kafka_poll(client_.get(), 0);
    complaints_.check_fatal();
    if (failure_) throw sdk::Error(*std::exchange(failure_, std::nullopt));
    if (complaints_.all_down()) throw no_broker(settings_, complaints_);
    chunk.mark = FLOWRUN_IDLE;
  }
  if (done()) chunk.mark = FLOWRUN_STREAM_ENDS;
  return chunk;
}

// Goes on with the first message that is there.
void KafkaSource::pass_over_gone() {
  if (gone_.empty()) return;
  for (const auto& [topic, number] : std::exchange(gone_, {}))
    partitions_[topic][number].next = begin_at(topic, number, RD_KAFKA_OFFSET_BEGINNING).next;
  assign();
}

void KafkaSource::poll(int timeout) {
  // It waits until as many are there as it was asked for: one, then what else has come.
  ssize_t count = rd_kafka_consume_batch_queue(queue_.get(), timeout, batch_.data(), 1);
  while (count > 0) {
    std::vector<MessagePtr> owned;
    for (ssize_t i = 0; i < count; ++i) owned.emplace_back(batch_[static_cast<size_t>(i)]);
    for (const MessagePtr& message : owned) take(*message);
    if (rows_.num_rows() >= static_cast<int64_t>(kMessagesPerRead) || rows_.bytes() > kBytesPerRead)
      return;
    count = rd_kafka_consume_batch_queue(queue_.get(), 0, batch_.data(), kMessagesPerRead);
  }
}

void KafkaSource::take(const rd_kafka_message_t& message) {
  const bool ends = message.err == RD_KAFKA_RESP_ERR__PARTITION_EOF;
  if (message.err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET && !fail_on_data_loss_) {
    gone_.emplace_back(rd_kafka_topic_name(message.rkt), message.partition);
    return;
  }
  if (message.err != RD_KAFKA_RESP_ERR_NO_ERROR && !ends) {
    // Thrown when the rows before it are out, so that the offset fits what was given.
    if (!failure_) failure_ = error_of(message);
    return;
  }
  if (!last_ || last_topic_ != message.rkt || last_partition_ != message.partition) {
    last_ = &partitions_[rd_kafka_topic_name(message.rkt)][message.partition];
    last_topic_ = message.rkt;
    last_partition_ = message.partition;
  }
  Partition& partition = *last_;
  if (ends) {
    partition.next = std::max(partition.next, message.offset);
    return;
  }
  // Fetched before a new assignment, or behind the end.
  if (message.offset < partition.next || partition.done()) return;
  partition.next = message.offset + 1;
  if (partition.end && message.offset >= *partition.end) return;
  rows_.append(message);
}

sdk::Error KafkaSource::error_of(const rd_kafka_message_t& message) const {
  std::string where;
  if (message.rkt) {
    where = "topic `" + std::string(rd_kafka_topic_name(message.rkt)) + "`, partition " +
            std::to_string(message.partition) + ": ";
  }
  const std::string words = where + rd_kafka_message_errstr(&message);
  switch (message.err) {
    case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
      return sdk::Error::data(words + " — set `fail_on_data_loss: false` to go on without it");
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR__FATAL:
      return sdk::Error::io(words);
    default:
      return sdk::Error::unavailable(words);
  }
}

size_t KafkaSource::num_partitions() const {
  size_t count = 0;
  for (const auto& [topic, partitions] : partitions_) count += partitions.size();
  return count;
}

bool KafkaSource::done() const {
  if (!stops_) return false;
  for (const auto& [topic, partitions] : partitions_) {
    for (const auto& [number, partition] : partitions) {
      if (!partition.done()) return false;
    }
  }
  return true;
}

std::string KafkaSource::offset() const {
  Positions positions;
  for (const auto& [topic, partitions] : partitions_) {
    for (const auto& [number, partition] : partitions) positions[topic][number] = partition.next;
  }
  return positions_text(positions);
}

void KafkaSource::close() {
  last_ = nullptr;
  failure_.reset();
  gone_.clear();
  queue_.reset();
  client_.reset();
}

}  // namespace kafka
