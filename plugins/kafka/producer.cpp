#include "plugins/kafka/producer.h"

#include <array>

namespace kafka {

namespace {

constexpr int kSlice = 100;  // milliseconds between two looks at `cancelled`

// Kafka tells null from empty by the pointer.
void* bytes_of(const std::optional<std::string_view>& text) {
  if (!text) return nullptr;
  return const_cast<char*>(text->data() ? text->data() : "");
}

size_t size_of(const std::optional<std::string_view>& text) { return text ? text->size() : 0; }

}  // namespace

Producer::Producer(const Settings& settings, const std::atomic<bool>& cancelled)
    : settings_(settings), cancelled_(cancelled) {
  ConfPtr conf = settings.conf();
  complaints_.attach(conf.get());
  rd_kafka_conf_set_dr_msg_cb(conf.get(), on_delivery);
  client_ = make_client(RD_KAFKA_PRODUCER, std::move(conf));
}

Producer::~Producer() {
  // What nobody waits for any more is dropped, else destroying would wait for it.
  rd_kafka_purge(client_.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
  rd_kafka_poll(client_.get(), 0);
  topics_.clear();
}

void Producer::await_broker() {
  static_cast<void>(
      read_metadata(client_.get(), Asked::known, nullptr, settings_, complaints_, cancelled_));
}

void Producer::send(const Record& record) {
  rd_kafka_topic_t* to = topic(record.topic);
  while (true) {
    const rd_kafka_resp_err_t code =
        record.headers.empty() ? produce(to, record) : produce_with_headers(to, record);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) break;
    if (code != RD_KAFKA_RESP_ERR__QUEUE_FULL) {
      check();
      throw sdk::Error::io("topic `" + std::string(record.topic) + "`: " + rd_kafka_err2str(code));
    }
    rd_kafka_poll(client_.get(), kSlice);
    check();
  }
}

rd_kafka_resp_err_t Producer::produce(rd_kafka_topic_t* topic, const Record& record) {
  const int done =
      rd_kafka_produce(topic, record.partition, RD_KAFKA_MSG_F_COPY, bytes_of(record.value),
                       size_of(record.value), bytes_of(record.key), size_of(record.key), this);
  return done == 0 ? RD_KAFKA_RESP_ERR_NO_ERROR : rd_kafka_last_error();
}

rd_kafka_resp_err_t Producer::produce_with_headers(rd_kafka_topic_t* topic, const Record& record) {
  HeadersPtr headers(rd_kafka_headers_new(record.headers.size()));
  for (const auto& [name, value] : record.headers) {
    rd_kafka_header_add(headers.get(), name.data(), static_cast<ssize_t>(name.size()),
                        bytes_of(value), static_cast<ssize_t>(size_of(value)));
  }
  std::array<rd_kafka_vu_t, 7> parts{};
  parts[0].vtype = RD_KAFKA_VTYPE_RKT;
  parts[0].u.rkt = topic;
  parts[1].vtype = RD_KAFKA_VTYPE_PARTITION;
  parts[1].u.i32 = record.partition;
  parts[2].vtype = RD_KAFKA_VTYPE_MSGFLAGS;
  parts[2].u.i = RD_KAFKA_MSG_F_COPY;
  parts[3].vtype = RD_KAFKA_VTYPE_VALUE;
  parts[3].u.mem = {bytes_of(record.value), size_of(record.value)};
  parts[4].vtype = RD_KAFKA_VTYPE_KEY;
  parts[4].u.mem = {bytes_of(record.key), size_of(record.key)};
  parts[5].vtype = RD_KAFKA_VTYPE_HEADERS;
  parts[5].u.headers = headers.get();
  parts[6].vtype = RD_KAFKA_VTYPE_OPAQUE;
  parts[6].u.ptr = this;
  const ErrorPtr error(rd_kafka_produceva(client_.get(), parts.data(), parts.size()));
  if (error) return rd_kafka_error_code(error.get());
  static_cast<void>(headers.release());  // the message's now
  return RD_KAFKA_RESP_ERR_NO_ERROR;
}

rd_kafka_topic_t* Producer::topic(std::string_view name) {
  if (last_topic_ && last_name_ == name) return last_topic_;
  auto found = topics_.find(name);
  if (found == topics_.end()) {
    TopicPtr made(rd_kafka_topic_new(client_.get(), std::string(name).c_str(), nullptr));
    if (!made) {
      throw sdk::Error::data("topic `" + std::string(name) +
                             "`: " + rd_kafka_err2str(rd_kafka_last_error()));
    }
    found = topics_.emplace(name, std::move(made)).first;
  }
  last_name_ = name;
  last_topic_ = found->second.get();
  return last_topic_;
}

void Producer::flush() {
  while (rd_kafka_flush(client_.get(), kSlice) != RD_KAFKA_RESP_ERR_NO_ERROR) check();
  check();
}

void Producer::check() {
  rd_kafka_poll(client_.get(), 0);
  if (cancelled_) throw sdk::Error::cancelled();
  complaints_.check_fatal();
  if (!failed_) return;
  const std::lock_guard lock(mutex_);
  throw sdk::Error::io(undelivered_);
}

void Producer::on_delivery(rd_kafka_t*, const rd_kafka_message_t* message, void*) {
  if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) return;
  auto& self = *static_cast<Producer*>(message->_private);
  std::string words = "a row did not reach topic `";
  words += rd_kafka_topic_name(message->rkt);
  words += "`: ";
  words += rd_kafka_message_errstr(message);
  const std::string last = self.complaints_.words();
  if (!last.empty()) words += " (" + last + ")";
  const std::lock_guard lock(self.mutex_);
  if (self.undelivered_.empty()) self.undelivered_ = std::move(words);
  self.failed_ = true;
}

}  // namespace kafka
