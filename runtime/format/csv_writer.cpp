// Follows the writer of the univocity library that Spark uses: what is quoted, escaped and trimmed.
#include "runtime/format/csv_writer.h"

#include <fmt/format.h>

#include <algorithm>

#include "runtime/format/text.h"

namespace flowrun {

namespace {

bool is_space(char c) { return static_cast<uint8_t>(c) <= ' '; }

class Writer {
 public:
  Writer(const CsvWriteOptions& options, std::string& out)
      : options_(options), wall_(*options.zone), out_(out) {}

  void field(const Column& column, int64_t row) {
    if (column.is_null(row)) {
      out_ += options_.null_value;
      return;
    }
    if (column.type().id() == TypeId::string) {
      text(column.string(row));
      return;
    }
    value_.clear();
    if (column.type().id() == TypeId::timestamp) {
      timestamp(column.values<int64_t>()[static_cast<size_t>(row)]);
    } else if (column.type().id() == TypeId::date && options_.date_format) {
      options_.date_format->format_date(column.values<int32_t>()[static_cast<size_t>(row)],
                                        wall_.zone(), value_);
    } else {
      append_text(column, row, *options_.zone, value_);
    }
    text(value_);
  }

  void text(std::string_view text) {
    if (text.empty()) {
      out_ += options_.empty_value;
      return;
    }
    text = trimmed(text);
    if (text.empty()) {  // white space only
      out_ += options_.null_value;
    } else if (options_.quote != '\0' && (options_.quote_all || needs_quotes(text))) {
      quoted(text);
    } else {
      out_ += text;
    }
  }

 private:
  void timestamp(int64_t micros) {
    if (options_.timestamp_format) {
      options_.timestamp_format->format(micros, wall_, value_);
    } else {
      append_iso_timestamp(micros, wall_, value_);
    }
  }

  [[nodiscard]] std::string_view trimmed(std::string_view text) const {
    if (options_.ignore_leading_white_space) {
      while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
    }
    if (options_.ignore_trailing_white_space) {
      while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
    }
    return text;
  }

  [[nodiscard]] bool needs_quotes(std::string_view text) const {
    return text.find(options_.sep) != std::string_view::npos ||
           std::ranges::any_of(
               text, [&](char c) { return c == options_.quote || c == '\n' || c == '\r'; });
  }

  void quoted(std::string_view text) {
    out_ += options_.quote;
    for (const char c : text) {
      if (c == options_.quote || (c == options_.escape && c != '\0')) out_ += options_.escape;
      out_ += c;
    }
    out_ += options_.quote;
  }

  const CsvWriteOptions& options_;
  LocalTime wall_;
  std::string& out_;
  std::string value_;
};

bool fits_csv(TypeId id) {
  switch (id) {
    case TypeId::binary:
    case TypeId::array:
    case TypeId::map:
    case TypeId::struct_:
      return false;
    default:
      return true;
  }
}

}  // namespace

Result<CsvRowWriter> CsvRowWriter::make(const SchemaPtr& schema, CsvWriteOptions options) {
  for (const Field& field : schema->fields()) {
    if (fits_csv(field.type.id())) continue;
    return Error::invalid(fmt::format(
        "CSV cannot hold column `{}` of type {} — select its parts, or turn it into text with "
        "to_json or base64, or write JSON",
        field.name, field.type.simple_string()));
  }
  return CsvRowWriter(schema, std::move(options));
}

void CsvRowWriter::append_header(std::string& out) const {
  Writer writer(options_, out);
  for (size_t i = 0; i < schema_->num_fields(); ++i) {
    if (i > 0) out += options_.sep;
    writer.text(schema_->field(i).name);
  }
  out += '\n';
}

void CsvRowWriter::append_lines(const RecordBatch& batch, std::string& out) const {
  Writer writer(options_, out);
  for (int64_t row = 0; row < batch.num_rows(); ++row) {
    for (size_t i = 0; i < batch.num_columns(); ++i) {
      if (i > 0) out += options_.sep;
      writer.field(*batch.column(i), row);
    }
    out += '\n';
  }
}

}  // namespace flowrun
