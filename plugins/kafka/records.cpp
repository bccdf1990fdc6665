#include "plugins/kafka/records.h"

#include <algorithm>

namespace kafka {

namespace sdk = flowrun::plugin;

namespace {

constexpr const char* kColumns[][3] = {
    {"value_column", "value", "What is sent: string or binary. Null is a tombstone."},
    {"key_column", "key", "The key: string or binary; without the column there is none."},
    {"topic_column", "topic", "The topic of each row, a string; null: that of `topic`."},
    {"partition_column", "partition", "The partition, an int; null: the partitioner decides."},
    {"headers_column", "headers", "The headers: array<struct<key: string, value: binary>>."},
};

bool is_headers(const sdk::Field& field) {
  if (field.format != "+l" || field.children.size() != 1) return false;
  const sdk::Field& element = field.children[0];
  return element.format == "+s" && element.children.size() == 2 &&
         element.children[0].format == "vu" &&
         (element.children[1].format == "vz" || element.children[1].format == "vu");
}

const ArrowArray& child_of(const ArrowArray& array, int64_t i) { return *array.children[i]; }

}  // namespace

sdk::Spec RecordReader::with_options(sdk::Spec spec) {
  spec = std::move(spec).option(
      sdk::text("topic",
                "Where rows go; a column topic is not looked at then, unless `topic_column` names "
                "it. Left out: to the topic in each row's column."));
  for (const auto& [option, name, doc] : kColumns) {
    spec = std::move(spec).option(
        sdk::column(option, std::string(doc) + " Left out: column " + name + ", if there is one."));
  }
  return spec;
}

RecordReader::RecordReader(const sdk::Options& options) : topic_(options.text("topic")) {
  for (const auto& [option, name, doc] : kColumns) names_[option] = options.text(option);
}

std::optional<size_t> RecordReader::find(const sdk::Schema& schema, const std::string& option,
                                         std::initializer_list<const char*> formats,
                                         const char* type) const {
  const bool written = named(option);
  const std::string name = written ? names_.at(option) : option.substr(0, option.find('_'));
  for (size_t i = 0; i < schema.size(); ++i) {
    if (schema[i].name != name) continue;
    const bool fits = formats.size() == 0
                          ? is_headers(schema[i])
                          : std::any_of(formats.begin(), formats.end(), [&](const char* format) {
                              return schema[i].format == format;
                            });
    if (fits) return i;
    throw sdk::Error::option(written ? option : "",
                             "column `" + name + "` must be " + type + " — cast it");
  }
  if (written) static_cast<void>(schema.find(name, "", option));  // says which there are
  return std::nullopt;
}

void RecordReader::bind(const sdk::Schema& schema) {
  const std::optional<size_t> value =
      find(schema, "value_column", {"vu", "vz"}, "a string or binary");
  if (!value)
    throw sdk::Error::invalid(
        "there is no column `value` — make one: `select: [\"to_json(struct(*)) as value\"]`");
  value_ = *value;
  key_ = find(schema, "key_column", {"vu", "vz"}, "a string or binary");
  // What was read from Kafka has a column topic: it must not go back there unasked.
  if (topic_.empty() || named("topic_column"))
    topic_column_ = find(schema, "topic_column", {"vu"}, "a string");
  partition_ = find(schema, "partition_column", {"i"}, "an int");
  headers_ = find(schema, "headers_column", {}, "array<struct<key: string, value: binary>>");
  if (topic_.empty() && !topic_column_)
    throw sdk::Error::invalid(
        "it is not said where rows go — write `topic:`, or add a column topic");
}

RecordReader::Rows::Rows(const RecordReader& reader, const sdk::Batch& batch)
    : reader_(reader), values_(batch.values<std::string_view>(reader.value_)) {
  if (reader.key_) keys_ = batch.values<std::string_view>(*reader.key_);
  if (reader.topic_column_) topics_ = batch.values<std::string_view>(*reader.topic_column_);
  if (reader.partition_) partitions_ = batch.values<int32_t>(*reader.partition_);
  if (!reader.headers_) return;
  headers_.emplace(batch.column(*reader.headers_).raw());
  const ArrowArray& structs = headers_->elements();
  header_keys_.emplace(child_of(structs, 0), "vu");
  header_values_.emplace(child_of(structs, 1), "vz");
}

void RecordReader::Rows::read(int64_t row, Record& record) const {
  const auto text = [row](const Texts& texts) -> std::optional<std::string_view> {
    if (texts.is_null(row)) return std::nullopt;
    return texts[row];
  };
  record.value = text(values_);
  record.key = keys_ ? text(*keys_) : std::nullopt;
  record.topic = reader_.topic_;
  if (topics_ && !topics_->is_null(row)) record.topic = (*topics_)[row];
  if (record.topic.empty())
    throw sdk::Error::data("a row has no topic — write `topic:` for rows whose column is null");
  record.partition = partitions_ && !partitions_->is_null(row) ? (*partitions_)[row] : -1;
  record.headers.clear();
  if (headers_ && !headers_->is_null(row)) read_headers(row, record);
}

void RecordReader::Rows::read_headers(int64_t row, Record& record) const {
  const int64_t base = headers_->elements().offset;  // of a struct, which its children do not know
  for (int64_t i = headers_->begin(row); i < headers_->end(row); ++i) {
    const int64_t at = base + i;
    if (header_keys_->is_null(at)) throw sdk::Error::data("a header has no key");
    record.headers.emplace_back((*header_keys_)[at],
                                header_values_->is_null(at)
                                    ? std::nullopt
                                    : std::optional<std::string_view>((*header_values_)[at]));
  }
}

}  // namespace kafka
