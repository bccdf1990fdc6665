#pragma once
// MessageColumns: messages made the rows that a Kafka source gives, in the columns of Spark's.

#include <librdkafka/rdkafka.h>

#include <flowrun/plugin.hpp>
#include <vector>

namespace kafka {

struct MessageFormat {
  bool text_key = true;  // string, else binary
  bool text_value = true;
  bool headers = false;
};

class MessageColumns {
 public:
  explicit MessageColumns(MessageFormat format) : format_(format) {}

  // Columns that are not wanted are nulls from now on.
  void narrow(const std::vector<bool>& wanted) { wanted_ = wanted; }

  // key, value, topic, partition, offset, timestamp, timestampType and, if asked for, headers.
  flowrun::plugin::Schema schema() const;
  void append(const rd_kafka_message_t& message);
  int64_t num_rows() const { return num_rows_; }
  int64_t bytes() const { return bytes_; }
  // All rows since the last call.
  flowrun::plugin::Batch finish();

 private:
  using Texts = flowrun::plugin::Builder<std::string_view>;
  void append_timestamp(const rd_kafka_message_t& message);
  void append_headers(const rd_kafka_message_t& message);

  MessageFormat format_;
  std::vector<bool> wanted_ = std::vector<bool>(8, true);  // by column
  int64_t num_rows_ = 0;
  Texts keys_;
  Texts values_;
  Texts topics_;
  flowrun::plugin::Builder<int32_t> partitions_;
  flowrun::plugin::Builder<int64_t> offsets_;
  flowrun::plugin::Builder<int64_t> timestamps_;
  flowrun::plugin::Builder<int32_t> timestamp_types_;
  flowrun::plugin::ListOffsets header_lists_;
  Texts header_keys_;
  Texts header_values_;
  int64_t bytes_ = 0;
};

}  // namespace kafka
