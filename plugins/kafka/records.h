#pragma once
// RecordReader: rows of a batch as the records that a sink sends.

#include <flowrun/plugin.hpp>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace kafka {

// One record. Its texts live as long as what it was read from.
struct Record {
  using Header = std::pair<std::string_view, std::optional<std::string_view>>;
  std::string_view topic;
  int32_t partition = -1;  // -1: the partitioner decides
  std::optional<std::string_view> key;
  std::optional<std::string_view> value;
  std::vector<Header> headers;
};

// Finds the columns once, then reads row after row.
class RecordReader {
 public:
  static flowrun::plugin::Spec with_options(flowrun::plugin::Spec spec);
  explicit RecordReader(const flowrun::plugin::Options& options);

  // Throws Error::option where a column is missing or of another type.
  void bind(const flowrun::plugin::Schema& schema);
  const std::string& topic() const { return topic_; }

  // Calls `with(record)` for each row; the record is used again for the next.
  template <class With>
  void read(const flowrun::plugin::Batch& batch, With with) const {
    Rows rows(*this, batch);
    Record record;
    for (int64_t row = 0; row < batch.num_rows(); ++row) {
      rows.read(row, record);
      with(static_cast<const Record&>(record));
    }
  }

 private:
  using Texts = flowrun::plugin::Values<std::string_view>;
  // The columns of one batch.
  class Rows {
   public:
    Rows(const RecordReader& reader, const flowrun::plugin::Batch& batch);
    void read(int64_t row, Record& record) const;

   private:
    void read_headers(int64_t row, Record& record) const;
    const RecordReader& reader_;
    Texts values_;
    std::optional<Texts> keys_;
    std::optional<Texts> topics_;
    std::optional<flowrun::plugin::Values<int32_t>> partitions_;
    std::optional<flowrun::plugin::Lists> headers_;
    std::optional<Texts> header_keys_;
    std::optional<Texts> header_values_;
  };

  bool named(const std::string& option) const { return !names_.at(option).empty(); }
  std::optional<size_t> find(const flowrun::plugin::Schema& schema, const std::string& option,
                             std::initializer_list<const char*> formats, const char* type) const;

  std::string topic_;
  std::map<std::string, std::string> names_;  // of columns as written, by option; "" if left out
  size_t value_ = 0;
  std::optional<size_t> key_;
  std::optional<size_t> topic_column_;
  std::optional<size_t> partition_;
  std::optional<size_t> headers_;
};

}  // namespace kafka
