#include "plugins/kafka/sink.h"

namespace kafka {

namespace {

constexpr int64_t kMicrosecondsPerMillisecond = 1000;

constexpr const char* kDoc =
    "Sends column value (string or binary) of each row, and key, headers, topic and partition if "
    "there are such columns. Other columns are not sent: `select: [\"to_json(struct(*)) as "
    "value\"]` makes one of all.\n\n"
    "Guarantee: with `delivery: at_least_once` rows are sent as they come, and have reached the "
    "brokers before their epoch counts as done. With `delivery: transactional` an epoch's rows are "
    "first made safe in a file, then sent in one transaction that also stores the epoch's number: "
    "readers of committed messages see each row once. Rows of one key and partition keep their "
    "order; a producer is idempotent in both.";

bool transactional(const sdk::Options& options) {
  return options.text("delivery") == "transactional";
}

std::string transactional_id(const sdk::Options& options) {
  std::string id = options.text("transactional_id");
  if (id.empty())
    throw sdk::Error::invalid(
        "`delivery: transactional` needs a `transactional_id:` — a name that no other sink has");
  for (const char c : id) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '.' && c != '_' && c != '-')
      throw sdk::Error::option("transactional_id", "a name has letters, digits and .-_ only");
  }
  return id;
}

Settings settings_of(const sdk::Options& options) {
  const std::string patience =
      std::to_string(options.integer("delivery_timeout") / kMicrosecondsPerMillisecond);
  Settings::Values own{{"enable.idempotence", "true"},
                       {"delivery.report.only.error", "true"},
                       {"partitioner", options.text("partitioner")},
                       {"compression.type", options.text("compression")}};
  Settings::Values defaults{{"queue.buffering.max.kbytes", "32768"},
                            {"reconnect.backoff.max.ms", "2000"}};
  if (transactional(options))
    own["transactional.id"] = transactional_id(options);
  else
    own["message.timeout.ms"] = patience;
  return {options, own, defaults};
}

std::unique_ptr<Delivery> delivery_of(const sdk::Options& options, Settings settings,
                                      const std::atomic<bool>& cancelled) {
  if (!transactional(options)) return make_direct_delivery(std::move(settings), cancelled);
  if (options.text("topic").empty())
    throw sdk::Error::invalid(
        "`delivery: transactional` needs `topic:`, the one that numbers of epochs belong to — "
        "rows may still name another in their column");
  return make_transactional_delivery(
      std::move(settings),
      {transactional_id(options), options.text("spool"), options.text("topic"),
       std::chrono::milliseconds(options.integer("delivery_timeout") /
                                 kMicrosecondsPerMillisecond)},
      cancelled);
}

}  // namespace

sdk::Spec KafkaSink::spec() {
  sdk::Spec spec = RecordReader::with_options(
      with_connection_options(sdk::Spec("kafka", "Sends rows as Kafka's messages.").doc(kDoc)));
  return std::move(spec)
      .option(sdk::word("delivery", {"at_least_once", "transactional"}, "What is promised.")
                  .with_default("at_least_once"))
      .option(
          sdk::text("transactional_id", "The name by which brokers know this sink over restarts.")
              .when("delivery", "transactional"))
      .option(sdk::path("spool", "The folder for rows that wait for their transaction.")
                  .with_default("kafka-spool")
                  .when("delivery", "transactional"))
      .option(sdk::word("partitioner",
                        {"murmur2_random", "murmur2", "consistent_random", "consistent",
                         "fnv1a_random", "fnv1a", "random"},
                        "How a key becomes a partition: murmur2 as Java's clients and Spark do it, "
                        "consistent (CRC32) as librdkafka's; _random: rows without a key go "
                        "anywhere.")
                  .with_default("murmur2_random"))
      .option(sdk::word("compression", {"none", "gzip", "snappy", "lz4", "zstd"},
                        "How batches of messages are compressed.")
                  .with_default("none"))
      .option(sdk::duration("delivery_timeout",
                            "For how long a row is tried to be sent before the run fails.")
                  .with_default("5 minutes"))
      .example(
          "Alerts, exactly once",
          "alerts: { from: rows, sink: kafka, brokers: \"${env:KAFKA:-localhost:9092}\", topic: "
          "alerts, delivery: transactional, transactional_id: alerts-writer }",
          "key STRING, value STRING")
      .example(
          "Keyed by a column",
          "alerts: { from: rows, sink: kafka, brokers: \"${env:KAFKA:-localhost:9092}\", topic: "
          "alerts, key_column: user }",
          "user STRING, value STRING");
}

KafkaSink::KafkaSink(const sdk::Options& options)
    : settings_(settings_of(options)),
      reader_(options),
      delivery_(delivery_of(options, settings_, cancelled_)) {}

// By a consumer: a producer would have a missing topic made, and could drive out one that runs.
void KafkaSink::probe() {
  Complaints complaints;
  ConfPtr conf = settings_.conf({{"allow.auto.create.topics", "false"}});
  complaints.attach(conf.get());
  const HandlePtr client = make_client(RD_KAFKA_CONSUMER, std::move(conf));
  TopicPtr topic;
  if (!reader_.topic().empty())
    topic.reset(rd_kafka_topic_new(client.get(), reader_.topic().c_str(), nullptr));
  const MetadataPtr answer =
      read_metadata(client.get(), Asked::known, topic.get(), settings_, complaints, cancelled_);
  for (int i = 0; i < answer->topic_cnt; ++i) {
    const std::string words = words_against(answer->topics[i]);
    if (!words.empty()) throw sdk::Error::data(words);
  }
}

}  // namespace kafka
