#include "plugins/kafka/messages.h"

namespace kafka {

namespace sdk = flowrun::plugin;

namespace {

constexpr int64_t kMicrosecondsPerMillisecond = 1000;

void append_bytes(sdk::Builder<std::string_view>& column, const void* bytes, size_t size) {
  bytes ? column.append({static_cast<const char*>(bytes), size}) : column.append_null();
}

// Spark's numbers: -1 none, 0 when it was made, 1 when the broker took it.
int32_t number_of(rd_kafka_timestamp_type_t type) {
  switch (type) {
    case RD_KAFKA_TIMESTAMP_CREATE_TIME:
      return 0;
    case RD_KAFKA_TIMESTAMP_LOG_APPEND_TIME:
      return 1;
    default:
      return -1;
  }
}

}  // namespace

sdk::Schema MessageColumns::schema() const {
  namespace types = sdk::types;
  sdk::Schema schema{{"key", format_.text_key ? types::string() : types::binary()},
                     {"value", format_.text_value ? types::string() : types::binary()},
                     {"topic", types::string()},
                     {"partition", types::integer()},
                     {"offset", types::bigint()},
                     {"timestamp", types::timestamp()},
                     {"timestampType", types::integer()}};
  if (!format_.headers) return schema;
  return schema.with(sdk::types::array(
      "headers",
      sdk::types::struct_("element", {{"key", types::string()}, {"value", types::binary()}})));
}

void MessageColumns::append(const rd_kafka_message_t& message) {
  append_bytes(keys_, message.key, message.key_len);
  append_bytes(values_, message.payload, message.len);
  topics_.append(rd_kafka_topic_name(message.rkt));
  partitions_.append(message.partition);
  offsets_.append(message.offset);
  rd_kafka_timestamp_type_t type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
  const int64_t milliseconds = rd_kafka_message_timestamp(&message, &type);
  if (type == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE)
    timestamps_.append_null();
  else
    timestamps_.append(milliseconds * kMicrosecondsPerMillisecond);
  timestamp_types_.append(number_of(type));
  if (format_.headers) append_headers(message);
  bytes_ += static_cast<int64_t>(message.key_len + message.len);
}

// A message without headers has null, as in Spark.
void MessageColumns::append_headers(const rd_kafka_message_t& message) {
  rd_kafka_headers_t* headers = nullptr;
  if (rd_kafka_message_headers(&message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) {
    header_lists_.append_null();
    return;
  }
  const char* name = nullptr;
  const void* value = nullptr;
  size_t size = 0;
  size_t count = 0;
  for (;
       rd_kafka_header_get_all(headers, count, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR;
       ++count) {
    header_keys_.append(name);
    append_bytes(header_values_, value, size);
  }
  header_lists_.append(static_cast<int64_t>(count));
}

sdk::Batch MessageColumns::finish() {
  std::vector<sdk::Column> columns{
      keys_.finish(),    values_.finish(),     topics_.finish(),         partitions_.finish(),
      offsets_.finish(), timestamps_.finish(), timestamp_types_.finish()};
  if (format_.headers) {
    columns.push_back(
        header_lists_.finish(sdk::struct_of({header_keys_.finish(), header_values_.finish()})));
  }
  bytes_ = 0;
  return sdk::Batch(std::move(columns));
}

}  // namespace kafka
