// The floor of `tools/bench kafka`: what Kafka to filter to Kafka costs with librdkafka alone.
//
//   bench_kafka fill BROKERS TOPIC MESSAGES   messages with a key of digits and 100 bytes of value
//   bench_kafka loop BROKERS FROM TO          sends on those whose key begins with less than 5,
//   from
//                                             the first to the last; prints how many
#include <librdkafka/rdkafka.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

namespace {

constexpr int kPatience = 60'000;  // milliseconds
constexpr size_t kMessagesPerCall = 4096;

[[noreturn]] void give_up(const char* words) {
  std::fprintf(stderr, "bench_kafka: %s\n", words);
  std::exit(1);
}

rd_kafka_t* make(rd_kafka_type_t type, const std::map<std::string, std::string>& settings) {
  std::array<char, 512> words{};
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  for (const auto& [name, value] : settings) {
    if (rd_kafka_conf_set(conf, name.c_str(), value.c_str(), words.data(), words.size()))
      give_up(words.data());
  }
  rd_kafka_t* client = rd_kafka_new(type, conf, words.data(), words.size());
  if (!client) give_up(words.data());
  return client;
}

rd_kafka_t* make_producer(const std::string& brokers) {
  return make(RD_KAFKA_PRODUCER, {{"bootstrap.servers", brokers},
                                  {"enable.idempotence", "true"},
                                  {"partitioner", "murmur2_random"},
                                  {"delivery.report.only.error", "true"}});
}

void send(rd_kafka_t* producer, rd_kafka_topic_t* topic, const void* key, size_t key_size,
          const void* value, size_t value_size) {
  while (rd_kafka_produce(topic, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY,
                          const_cast<void*>(value), value_size, key, key_size, nullptr) != 0) {
    if (rd_kafka_last_error() != RD_KAFKA_RESP_ERR__QUEUE_FULL)
      give_up(rd_kafka_err2str(rd_kafka_last_error()));
    rd_kafka_poll(producer, 10);
  }
}

void fill(const std::string& brokers, const std::string& name, long count) {
  rd_kafka_t* producer = make_producer(brokers);
  rd_kafka_topic_t* topic = rd_kafka_topic_new(producer, name.c_str(), nullptr);
  std::string value = R"({"id": 0000000000, "text": ")";
  value.resize(98, 'x');
  value += "\"}";
  for (long i = 0; i < count; ++i) {
    const std::string key = std::to_string(i * 7919 % 1'000'003);
    send(producer, topic, key.data(), key.size(), value.data(), value.size());
  }
  if (rd_kafka_flush(producer, kPatience)) give_up("not everything arrived");
  rd_kafka_topic_destroy(topic);
  rd_kafka_destroy(producer);
}

void loop(const std::string& brokers, const std::string& from, const std::string& to) {
  rd_kafka_t* consumer = make(RD_KAFKA_CONSUMER, {{"bootstrap.servers", brokers},
                                                  {"group.id", "bench_kafka"},
                                                  {"enable.auto.commit", "false"},
                                                  {"enable.partition.eof", "true"}});
  rd_kafka_t* producer = make_producer(brokers);
  rd_kafka_topic_t* topic = rd_kafka_topic_new(producer, to.c_str(), nullptr);
  rd_kafka_topic_partition_list_t* all = rd_kafka_topic_partition_list_new(1);
  rd_kafka_topic_partition_list_add(all, from.c_str(), 0)->offset = RD_KAFKA_OFFSET_BEGINNING;
  rd_kafka_assign(consumer, all);
  rd_kafka_queue_t* queue = rd_kafka_queue_get_consumer(consumer);
  std::vector<rd_kafka_message_t*> messages(kMessagesPerCall);
  long sent = 0;
  for (bool ended = false; !ended;) {
    ssize_t count = rd_kafka_consume_batch_queue(queue, 100, messages.data(), 1);
    if (count == 1)
      count += rd_kafka_consume_batch_queue(queue, 0, messages.data() + 1, kMessagesPerCall - 1);
    for (ssize_t i = 0; i < count; ++i) {
      rd_kafka_message_t* message = messages[static_cast<size_t>(i)];
      if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) ended = true;
      const bool taken =
          !message->err && message->key_len > 0 && static_cast<const char*>(message->key)[0] < '5';
      if (taken) {
        send(producer, topic, message->key, message->key_len, message->payload, message->len);
        ++sent;
      }
      rd_kafka_message_destroy(message);
    }
    rd_kafka_poll(producer, 0);
  }
  if (rd_kafka_flush(producer, kPatience)) give_up("not everything arrived");
  std::printf("%ld\n", sent);
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words.size() != 4) give_up("fill BROKERS TOPIC MESSAGES, or loop BROKERS FROM TO");
  if (words[0] == "fill")
    fill(words[1], words[2], std::stol(words[3]));
  else
    loop(words[1], words[2], words[3]);
  return 0;
}
