#include "runtime/operator/row_text.h"

#include <fmt/format.h>

#include <utility>

#include "runtime/format/csv_writer.h"
#include "runtime/format/json_writer.h"
#include "runtime/operator/option_specs.h"

namespace flowrun {

namespace {

// Lines by one of the writers of runtime/format.
template <class Lines>
class LineWriter final : public RowWriter {
 public:
  LineWriter(const Lines& lines, bool header) : lines_(lines), header_(header) {}
  Status begin(std::string& out) override {
    if constexpr (requires { lines_.append_header(out); }) {
      if (header_) lines_.append_header(out);
    }
    return {};
  }
  Status write(const RecordBatch& batch, std::string& out) override {
    lines_.append_lines(batch, out);
    return {};
  }

 private:
  const Lines& lines_;
  bool header_;
};

template <class Lines>
class LineText final : public RowText {
 public:
  LineText(Lines lines, std::string_view extension, bool header = false)
      : lines_(std::move(lines)), extension_(extension), header_(header) {}
  [[nodiscard]] Result<std::unique_ptr<RowWriter>> make_writer() const override {
    return std::make_unique<LineWriter<Lines>>(lines_, header_);
  }
  [[nodiscard]] std::string_view extension() const override { return extension_; }

 private:
  Lines lines_;
  std::string_view extension_;
  bool header_;
};

// One string column, a line per row; a null is an empty line, as Spark writes it.
struct PlainLines {
  static void append_lines(const RecordBatch& batch, std::string& out) {
    const Column& column = *batch.column(0);
    for (int64_t row = 0; row < batch.num_rows(); ++row) {
      if (column.is_valid(row)) out += column.string(row);
      out += '\n';
    }
  }
};

using PatternPtr = std::shared_ptr<const DateTimePattern>;

Result<PatternPtr> pattern(const Options& options, std::string_view name) {
  const OptionValue* option = options.find(name);
  if (!option) return PatternPtr();
  auto compiled = DateTimePattern::compile(option->text, DateTimePattern::Use::format);
  if (!compiled) return option->place(std::move(compiled.error()));
  return std::make_shared<const DateTimePattern>(std::move(*compiled));
}

// Empty text is "none".
Result<char> character(const Options& options, std::string_view name, char fallback) {
  const OptionValue* option = options.find(name);
  if (!option) return fallback;
  if (option->text.size() > 1) {
    return Error::invalid(
               fmt::format("`{}` is one character, and `{}` is more", name, option->text))
        .at(option->position);
  }
  return option->text.empty() ? '\0' : option->text[0];
}

Result<std::unique_ptr<RowText>> make_csv(const Options& options, const SchemaPtr& schema,
                                          const TimeZone& zone) {
  CsvWriteOptions csv;
  csv.header = options.boolean_or("header", false);
  csv.sep = options.text_or("sep", csv.sep);
  csv.null_value = options.text_or("null_value", csv.null_value);
  csv.empty_value = options.text_or("empty_value", csv.empty_value);
  csv.zone = &zone;
  FLOWRUN_TRY(csv.quote, character(options, "quote", csv.quote));
  FLOWRUN_TRY(csv.escape, character(options, "escape", csv.escape));
  FLOWRUN_TRY(csv.date_format, pattern(options, "date_format"));
  FLOWRUN_TRY(csv.timestamp_format, pattern(options, "timestamp_format"));
  const bool header = csv.header;
  FLOWRUN_TRY(CsvRowWriter writer, CsvRowWriter::make(schema, std::move(csv)));
  return std::make_unique<LineText<CsvRowWriter>>(std::move(writer), "csv", header);
}

Result<std::unique_ptr<RowText>> make_json(const Options& options, const SchemaPtr& schema,
                                           const TimeZone& zone) {
  JsonWriteOptions json;
  json.ignore_null_fields = options.boolean_or("ignore_null_fields", true);
  json.zone = &zone;
  FLOWRUN_TRY(json.date_format, pattern(options, "date_format"));
  FLOWRUN_TRY(json.timestamp_format, pattern(options, "timestamp_format"));
  return make_json_text(schema, std::move(json));
}

}  // namespace

std::unique_ptr<RowText> make_json_text(const SchemaPtr& schema, JsonWriteOptions options) {
  return std::make_unique<LineText<JsonRowWriter>>(JsonRowWriter(schema, std::move(options)),
                                                   "jsonl");
}

std::vector<OptionSpec> row_text_option_specs() {
  using namespace option;
  return {
      word("format", {"json", "csv", "text"},
           "json: an object per line; csv; text: the one string column as it is.")
          .with_default("json")
          .naming(NameRole::row_format),
      boolean("ignore_null_fields", "json: a null field is left out.")
          .with_default("true")
          .when("format", "json"),
      text("date_format", "Spark's pattern for dates."),
      text("timestamp_format", "Spark's pattern for timestamps."),
      boolean("header", "csv: the first line holds the names.")
          .with_default("false")
          .when("format", "csv"),
      text("sep", "csv: what stands between values.").with_default(",").when("format", "csv"),
      text("quote", "csv: the character around values that need it; empty: none.")
          .with_default("\"")
          .when("format", "csv"),
      text("escape", "csv: the character before a quote inside quotes.")
          .with_default("\\")
          .when("format", "csv"),
      text("null_value", "csv: what stands for null.").when("format", "csv"),
      text("empty_value", "csv: what stands for an empty string.")
          .with_default("\"\"")
          .when("format", "csv"),
  };
}

Result<std::unique_ptr<RowText>> make_row_text(const Options& options, const SchemaPtr& schema,
                                               const TimeZone& zone) {
  const std::string format = options.text_or("format", "json");
  if (format == "csv") return make_csv(options, schema, zone);
  if (format == "json") return make_json(options, schema, zone);
  if (schema->num_fields() != 1 || schema->field(0).type.id() != TypeId::string) {
    return Error::invalid(fmt::format(
        "format text takes one string column, and there are: {} — select one, or use format json",
        schema->ddl()));
  }
  return std::make_unique<LineText<PlainLines>>(PlainLines(), "txt");
}

}  // namespace flowrun
