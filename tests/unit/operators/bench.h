#pragma once
// What tests of operators stand on: options from short values, columns from lists, an emitter that
// keeps.

#include <initializer_list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/columnar/builder.h"
#include "runtime/operator/option_reading.h"
#include "runtime/operator/registry.h"

namespace flowrun::test {

inline RawValue list(const std::vector<std::string>& items) {
  std::vector<RawValue> values;
  for (const std::string& item : items) values.push_back(RawValue::scalar(item));
  return RawValue::list(std::move(values));
}

inline RawValue map(const std::vector<std::pair<std::string, std::string>>& entries) {
  std::vector<std::pair<std::string, RawValue>> values;
  for (const auto& [key, value] : entries) values.emplace_back(key, RawValue::scalar(value));
  return RawValue::map(std::move(values));
}

// An option's value: text as YAML would write it, a list or a map.
struct Value {
  Value(const char* text) : raw(RawValue::scalar(text)) {}  // NOLINT: implicit for short tests
  Value(std::string text) : raw(RawValue::scalar(std::move(text))) {}       // NOLINT
  Value(int64_t number) : raw(RawValue::scalar(std::to_string(number))) {}  // NOLINT
  Value(RawValue value) : raw(std::move(value)) {}                          // NOLINT
  RawValue raw;
};
using Values = std::vector<std::pair<std::string, Value>>;

inline RawValue raw_options(const Values& values) {
  std::vector<std::pair<std::string, RawValue>> entries;
  for (const auto& [name, value] : values) entries.emplace_back(name, value.raw);
  return RawValue::map(std::move(entries));
}

template <class T>
ColumnPtr column(Type type, const std::vector<std::optional<T>>& values) {
  FixedBuilder<T> builder(std::move(type));
  for (const auto& value : values) value ? builder.append(*value) : builder.append_null();
  return builder.finish();
}

inline ColumnPtr bigints(const std::vector<std::optional<int64_t>>& values) {
  return column<int64_t>(Type::bigint(), values);
}
inline ColumnPtr doubles(const std::vector<std::optional<double>>& values) {
  return column<double>(Type::double_(), values);
}
inline ColumnPtr strings(const std::vector<std::optional<std::string>>& values) {
  StringBuilder builder(Type::string());
  for (const auto& value : values) value ? builder.append(*value) : builder.append_null();
  return builder.finish();
}

inline RecordBatch batch(const std::vector<std::pair<std::string, ColumnPtr>>& columns) {
  std::vector<Field> fields;
  std::vector<ColumnPtr> values;
  for (const auto& [name, values_of] : columns) {
    fields.push_back({name, values_of->type()});
    values.push_back(values_of);
  }
  const int64_t rows = values.empty() ? 0 : values[0]->size();
  return {Schema::make(std::move(fields)), rows, std::move(values)};
}

// Keeps what an operator emits.
class KeepingEmitter final : public Emitter {
 public:
  Status emit(size_t port, RecordBatch rows) override {
    if (rows.num_rows() > 0) batches[port].push_back(std::move(rows));
    return {};
  }
  [[nodiscard]] bool wanted(size_t) const override { return true; }
  void count(Metric metric, int64_t rows) override { counts[metric] += rows; }
  void observe(int64_t event_time) override { observed = event_time; }
  void warn(std::string_view reason) override { warnings.emplace_back(reason); }

  std::map<size_t, std::vector<RecordBatch>> batches;
  std::map<Metric, int64_t> counts;
  std::optional<int64_t> observed;
  std::vector<std::string> warnings;
};

// Rows as text: "1, x, null; 2, y, 3".
std::string text_of(const RecordBatch& rows);

// A registry of all operators and functions, and what factories need.
class Bench {
 public:
  Bench();
  ~Bench();

  Result<std::unique_ptr<Transform>> transform(const std::string& name, const Values& values);
  Result<std::unique_ptr<Stateful>> stateful(const std::string& name, const Values& values);
  Result<MadeSource> source(const std::string& name, const Values& values);
  Result<std::unique_ptr<Sink>> sink(const std::string& name, const Values& values);

  [[nodiscard]] const Registry& registry() const;

  MakeContext context;
  std::string printed;  // by console sinks
  std::map<std::string, LiveTable> tables;
  std::map<std::string, std::unique_ptr<StaticTable>> static_tables;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace flowrun::test
