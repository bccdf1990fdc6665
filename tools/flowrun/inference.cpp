#include "tools/flowrun/inference.h"

#include <algorithm>
#include <array>
#include <map>

#include "runtime/columnar/builder.h"
#include "runtime/format/csv_reader.h"
#include "runtime/format/json_infer.h"
#include "runtime/format/json_reader.h"
#include "runtime/operator/table_reader.h"

namespace flowrun {
namespace {

constexpr std::array kSeparators = {",", ";", "\t", "|"};
constexpr int64_t kRareShare = 100;  // seen in fewer than one of so many records: rare

ColumnPtr column_of(const std::vector<std::string>& lines) {
  StringBuilder builder(Type::string());
  for (const std::string& line : lines) builder.append(line);
  return builder.finish();
}

// The lines that are JSON objects, and each one's own type.
struct JsonObjects {
  std::vector<std::string> lines;
  std::map<std::string, int64_t> present;  // fields that are there
};

// Fields of null and of empty objects are no part of a type that is inferred alone, unless null is
// a string.
JsonObjects json_objects(const std::vector<std::string>& lines) {
  JsonObjects objects;
  for (const std::string& line : lines) {
    const auto type = infer_json_type(line, {});
    if (!type || type->id() != TypeId::struct_) continue;
    objects.lines.push_back(line);
    for (const Field& field : type->fields()) ++objects.present[field.name];
  }
  return objects;
}

Result<InferredRecords> infer_json(const JsonObjects& objects, InferredRecords records) {
  records.format = InferredRecords::Format::json;
  records.bad = records.records - std::ssize(objects.lines);
  std::string array = "[";
  for (const std::string& line : objects.lines) {
    if (array.size() > 1) array += ',';
    array += line;
  }
  FLOWRUN_TRY(const Type type, infer_json_type(array + "]", {}));
  const std::vector<Field> fields(type.element().fields().begin(), type.element().fields().end());
  const SchemaPtr schema = Schema::make(fields);
  FLOWRUN_TRY(const auto reader,
              JsonReader::make(schema, {}, std::vector<bool>(fields.size(), true)));
  FLOWRUN_TRY(const ReadRows rows, reader->read(*column_of(objects.lines)));
  for (size_t i = 0; i < fields.size(); ++i) {
    InferredColumn column;
    column.name = fields[i].name;
    column.type = fields[i].type;
    const auto present = objects.present.find(column.name);
    column.present = present == objects.present.end() ? 0 : present->second;
    for (int64_t row = 0; row < rows.num_rows; ++row)
      column.values += rows.columns[i]->is_null(row) ? 0 : 1;
    records.columns.push_back(std::move(column));
  }
  return records;
}

// The separator that stands as often, more than never, in every one of the first lines; "" if none
// does.
std::string separator_of(const std::vector<std::string>& lines) {
  constexpr size_t kLinesLooked = 20;
  for (const char* separator : kSeparators) {
    const auto times = [&](const std::string& line) {
      return std::ranges::count(line, separator[0]);
    };
    const auto first = times(lines.front());
    const std::span looked(lines.data(), std::min(lines.size(), kLinesLooked));
    const bool everywhere = std::ranges::all_of(looked, [&](const std::string& line) {
      return times(line) >= first;  // values in quotes may have more
    });
    if (first > 0 && everywhere) return separator;
  }
  return {};
}

// Lines put together again where values in quotes hold line ends; the last one is left out if it
// is cut off.
std::vector<std::string> whole_records(const std::vector<std::string>& lines,
                                       const std::string& separator, bool may_be_cut) {
  RecordFormat format{.kind = RecordFormat::Kind::csv};
  format.csv.source = true;
  format.csv.multi_line = true;
  format.csv.sep = separator;
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  std::vector<RecordPlace> places;
  text_file_options(format).cut(text, !may_be_cut, places);
  std::vector<std::string> records;
  for (const RecordPlace& place : places) records.push_back(text.substr(place.offset, place.size));
  return records;
}

// A first line of names that are all different and none a number, above at least one record.
bool has_header(const std::vector<std::string>& names, size_t lines) {
  std::vector<std::string> sorted = names;
  std::ranges::sort(sorted);
  const bool distinct = std::ranges::adjacent_find(sorted) == sorted.end();
  const bool words = std::ranges::all_of(names, [](const std::string& name) {
    const char first = name.empty() ? '0' : name[0];
    return !(first >= '0' && first <= '9') && first != '-' && first != '+';
  });
  return lines > 1 && distinct && words;
}

Result<InferredRecords> infer_csv(const std::vector<std::string>& lines, InferredRecords records) {
  records.format = InferredRecords::Format::csv;
  records.multi_line = std::ranges::any_of(
      lines, [](const std::string& line) { return line.find('\n') != std::string::npos; });
  const std::string separator = separator_of(lines);
  if (!separator.empty()) records.separator = separator;
  CsvReadOptions options;
  options.source = true;
  options.sep = records.separator;
  options.multi_line = records.multi_line;
  records.header = has_header(csv_column_names(lines.front(), options), lines.size());
  options.header = records.header;
  options.infer_schema = true;
  FLOWRUN_TRY(const auto inference, CsvInference::make(options));
  inference->add(*column_of(lines));
  FLOWRUN_TRY(const SchemaPtr schema, inference->schema());
  FLOWRUN_TRY(const auto reader,
              CsvReader::make(schema, options, std::vector<bool>(schema->num_fields(), true)));
  const std::vector<std::string> body(lines.begin() + (records.header ? 1 : 0), lines.end());
  FLOWRUN_TRY(const ReadRows rows, reader->read(*column_of(body)));
  records.records = std::ssize(body);
  records.bad = std::ssize(rows.bad);
  for (size_t i = 0; i < schema->num_fields(); ++i) {
    InferredColumn column{schema->field(i).name, schema->field(i).type, rows.num_rows, 0};
    for (int64_t row = 0; row < rows.num_rows; ++row)
      column.values += rows.columns[i]->is_null(row) ? 0 : 1;
    records.columns.push_back(std::move(column));
  }
  return records;
}

}  // namespace

bool InferredRecords::is_common(const InferredColumn& column) const {
  return format != Format::json || column.present * kRareShare >= records;
}

Result<InferredRecords> infer_records(const std::vector<std::string>& lines, bool is_csv) {
  InferredRecords records;
  records.records = std::ssize(lines);
  if (lines.empty()) return records;
  if (is_csv) return infer_csv(lines, std::move(records));
  const JsonObjects objects = json_objects(lines);
  if (objects.lines.size() * 2 > lines.size()) return infer_json(objects, std::move(records));
  constexpr size_t kLinesToBeSure = 2;
  if (lines.size() >= kLinesToBeSure && !separator_of(lines).empty() && separator_of(lines) != "|")
    return infer_csv(lines, std::move(records));
  records.columns.push_back({"value", Type::string(), records.records, records.records});
  return records;
}

std::vector<std::string> join_csv_records(std::vector<std::string> lines, bool may_be_cut) {
  for (const char* separator : kSeparators) {
    if (lines.empty() || lines.front().find(separator) == std::string::npos) continue;
    std::vector<std::string> records = whole_records(lines, separator, may_be_cut);
    const bool joined = !records.empty() && records.size() < lines.size();
    if (joined && separator_of(records) == separator) return records;
  }
  return lines;
}

}  // namespace flowrun
