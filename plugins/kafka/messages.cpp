#include "plugins/kafka/messages.h"

namespace kafka {

namespace sdk = flowrun::plugin;

namespace {

constexpr int64_t kMicrosecondsPerMillisecond = 1000;

// Columns by their place in the schema.
enum : size_t { kKey, kValue, kTopic, kPartition, kOffset, kTimestamp, kTimestampType, kHeaders };

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
  ++num_rows_;
  if (wanted_[kKey]) append_bytes(keys_, message.key, message.key_len);
  if (wanted_[kValue]) append_bytes(values_, message.payload, message.len);
  if (wanted_[kTopic]) topics_.append(rd_kafka_topic_name(message.rkt));
  if (wanted_[kPartition]) partitions_.append(message.partition);
  if (wanted_[kOffset]) offsets_.append(message.offset);
  if (wanted_[kTimestamp] || wanted_[kTimestampType]) append_timestamp(message);
  if (format_.headers) append_headers(message);
  bytes_ += static_cast<int64_t>(message.key_len + message.len);
}

void MessageColumns::append_timestamp(const rd_kafka_message_t& message) {
  rd_kafka_timestamp_type_t type = RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
  const int64_t milliseconds = rd_kafka_message_timestamp(&message, &type);
  if (type == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE)
    timestamps_.append_null();
  else
    timestamps_.append(milliseconds * kMicrosecondsPerMillisecond);
  timestamp_types_.append(number_of(type));
}

// A message without headers has null, as in Spark.
void MessageColumns::append_headers(const rd_kafka_message_t& message) {
  rd_kafka_headers_t* headers = nullptr;
  if (!wanted_[kHeaders] ||
      rd_kafka_message_headers(&message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) {
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
  const sdk::Schema columns = schema();
  std::vector<sdk::Column> finished;
  const auto add = [&](auto& builder) {
    const size_t at = finished.size();
    const bool built = builder.size() == num_rows_;
    finished.push_back(built ? builder.finish() : sdk::nulls(num_rows_, columns[at].format));
  };
  add(keys_);
  add(values_);
  add(topics_);
  add(partitions_);
  add(offsets_);
  add(timestamps_);
  add(timestamp_types_);
  if (format_.headers) {
    finished.push_back(
        header_lists_.finish(sdk::struct_of({header_keys_.finish(), header_values_.finish()})));
  }
  num_rows_ = bytes_ = 0;
  return sdk::Batch(std::move(finished));
}

}  // namespace kafka
