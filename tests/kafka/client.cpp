// Fills and reads topics for tests, with nothing of flowrun's.
//
//   kafka_client BROKERS create TOPIC PARTITIONS
//   kafka_client BROKERS extend TOPIC PARTITIONS
//   kafka_client BROKERS produce TOPIC      lines of stdin: partition, key, value, headers
//   (a=b,c=d) kafka_client BROKERS consume TOPIC      the same with the offset behind the
//   partition; committed
//                                           messages only, from the first to the last one
//   kafka_client BROKERS mark GROUP TOPIC   the offset that the group has for partition 0
// Fields are parted by tabs; null is \N.
#include <librdkafka/rdkafka.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

namespace {

constexpr int kPatience = 120'000;  // milliseconds
constexpr const char* kNull = "\\N";

[[noreturn]] void give_up(const std::string& words) {
  std::fprintf(stderr, "kafka_client: %s\n", words.c_str());
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
  return client ? client : (give_up(words.data()), nullptr);
}

std::vector<std::string> split(const std::string& text, char mark) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, mark);) parts.push_back(part);
  return parts;
}

const rd_kafka_topic_result_t* first_result(rd_kafka_event_t* event, bool create) {
  size_t count = 0;
  const rd_kafka_topic_result_t** results =
      create
          ? rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &count)
          : rd_kafka_CreatePartitions_result_topics(rd_kafka_event_CreatePartitions_result(event),
                                                    &count);
  return count > 0 ? results[0] : nullptr;
}

void change_topic(rd_kafka_t* client, const std::string& topic, size_t partitions, bool create) {
  std::array<char, 512> words{};
  rd_kafka_queue_t* queue = rd_kafka_queue_new(client);
  if (create) {
    rd_kafka_NewTopic_t* wanted = rd_kafka_NewTopic_new(topic.c_str(), static_cast<int>(partitions),
                                                        1, words.data(), words.size());
    rd_kafka_CreateTopics(client, &wanted, 1, nullptr, queue);
    rd_kafka_NewTopic_destroy(wanted);
  } else {
    rd_kafka_NewPartitions_t* wanted =
        rd_kafka_NewPartitions_new(topic.c_str(), partitions, words.data(), words.size());
    rd_kafka_CreatePartitions(client, &wanted, 1, nullptr, queue);
    rd_kafka_NewPartitions_destroy(wanted);
  }
  rd_kafka_event_t* event = rd_kafka_queue_poll(queue, kPatience);
  if (!event) give_up("no answer");
  if (rd_kafka_event_error(event)) give_up(rd_kafka_event_error_string(event));
  const rd_kafka_topic_result_t* result = first_result(event, create);
  if (result && rd_kafka_topic_result_error(result))
    give_up(rd_kafka_topic_result_error_string(result));
  rd_kafka_event_destroy(event);
  rd_kafka_queue_destroy(queue);
}

void produce_line(rd_kafka_t* client, const std::string& topic, const std::string& line) {
  const std::vector<std::string> fields = split(line, '\t');
  rd_kafka_headers_t* headers = rd_kafka_headers_new(0);
  for (const std::string& header : split(fields.size() > 3 ? fields[3] : "", ',')) {
    const size_t equals = header.find('=');
    rd_kafka_header_add(headers, header.c_str(), static_cast<ssize_t>(equals),
                        header.c_str() + equals + 1, -1);
  }
  const auto bytes = [&](size_t i) {
    return fields[i] == kNull ? nullptr : const_cast<char*>(fields[i].data());
  };
  const auto size = [&](size_t i) { return fields[i] == kNull ? 0 : fields[i].size(); };
  rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR__QUEUE_FULL;
  while (code == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
    code = rd_kafka_producev(
        client, RD_KAFKA_V_TOPIC(topic.c_str()), RD_KAFKA_V_PARTITION(std::stoi(fields[0])),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_KEY(bytes(1), size(1)),
        RD_KAFKA_V_VALUE(bytes(2), size(2)), RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_END);
    rd_kafka_poll(client, code ? 100 : 0);
  }
  if (code) give_up(rd_kafka_err2str(code));
}

void print(const rd_kafka_message_t& message) {
  const auto text = [](const void* bytes, size_t size) {
    return bytes ? std::string(static_cast<const char*>(bytes), size) : kNull;
  };
  std::string headers;
  rd_kafka_headers_t* found = nullptr;
  if (!rd_kafka_message_headers(&message, &found)) {
    const char* name = nullptr;
    const void* value = nullptr;
    size_t size = 0;
    for (size_t i = 0; !rd_kafka_header_get_all(found, i, &name, &value, &size); ++i)
      headers += (i > 0 ? "," : "") + std::string(name) + "=" + text(value, size);
  }
  std::cout << message.partition << '\t' << message.offset << '\t'
            << text(message.key, message.key_len) << '\t' << text(message.payload, message.len)
            << '\t' << headers << '\n';
}

// Every partition from its first message to its last one.
void consume(rd_kafka_t* client, const std::string& name) {
  rd_kafka_topic_t* topic = rd_kafka_topic_new(client, name.c_str(), nullptr);
  const struct rd_kafka_metadata* metadata = nullptr;
  if (const auto code = rd_kafka_metadata(client, 0, topic, &metadata, kPatience))
    give_up(rd_kafka_err2str(code));
  rd_kafka_topic_partition_list_t* all = rd_kafka_topic_partition_list_new(1);
  int left = metadata->topics[0].partition_cnt;
  for (int i = 0; i < left; ++i)
    rd_kafka_topic_partition_list_add(all, name.c_str(), i)->offset = RD_KAFKA_OFFSET_BEGINNING;
  rd_kafka_assign(client, all);
  while (left > 0) {
    rd_kafka_message_t* message = rd_kafka_consumer_poll(client, kPatience);
    if (!message) give_up("no message and no end");
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)
      --left;
    else if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR)
      print(*message);
    rd_kafka_message_destroy(message);
  }
  rd_kafka_topic_partition_list_destroy(all);
  rd_kafka_metadata_destroy(metadata);
  rd_kafka_topic_destroy(topic);
  rd_kafka_consumer_close(client);
}

void print_mark(rd_kafka_t* client, const std::string& topic) {
  rd_kafka_topic_partition_list_t* list = rd_kafka_topic_partition_list_new(1);
  rd_kafka_topic_partition_list_add(list, topic.c_str(), 0);
  if (const auto code = rd_kafka_committed(client, list, kPatience))
    give_up(rd_kafka_err2str(code));
  std::cout << list->elems[0].offset << '\n';
  rd_kafka_topic_partition_list_destroy(list);
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  if (words.size() < 3) give_up("BROKERS COMMAND TOPIC ...");
  const std::string& command = words[1];
  std::map<std::string, std::string> settings{{"bootstrap.servers", words[0]}, {"log_level", "0"}};
  if (command == "consume" || command == "mark") {
    settings["group.id"] = command == "mark" ? words[2] : "kafka_client";
    settings["enable.partition.eof"] = "true";
    settings["enable.auto.commit"] = "false";
    rd_kafka_t* client = make(RD_KAFKA_CONSUMER, settings);
    command == "mark" ? print_mark(client, words[3]) : consume(client, words[2]);
    rd_kafka_destroy(client);
    return 0;
  }
  settings["enable.idempotence"] = "true";  // a broker that goes and comes back gets nothing twice
  rd_kafka_t* client = make(RD_KAFKA_PRODUCER, settings);
  if (command == "produce") {
    for (std::string line; std::getline(std::cin, line);) produce_line(client, words[2], line);
    if (rd_kafka_flush(client, kPatience)) give_up("not everything arrived");
  } else {
    change_topic(client, words[2], std::stoul(words[3]), command == "create");
  }
  rd_kafka_destroy(client);
  return 0;
}
