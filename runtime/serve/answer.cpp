#include "runtime/serve/answer.h"

#include <fmt/format.h>

#include <charconv>

#include "runtime/format/csv_writer.h"
#include "runtime/format/json_writer.h"
#include "runtime/format/show.h"
#include "runtime/serve/arrow_stream.h"
#include "runtime/sql/sql_value.h"

namespace flowrun {

namespace {

JsonWriteOptions json_options(const TimeZone& zone) {
  JsonWriteOptions options;
  options.ignore_null_fields = false;
  options.fraction = JsonWriteOptions::Fraction::microseconds;
  options.zone = &zone;
  return options;
}

std::string json(const SqlResult& result, const TimeZone& zone) {
  const JsonWriteOptions options = json_options(zone);
  std::string out = "{\"columns\":[";
  const Schema& schema = *result.rows.schema();
  for (size_t i = 0; i < schema.num_fields(); ++i) {
    out += i > 0 ? ",{\"name\":" : "{\"name\":";
    append_json_string(schema.field(i).name, out);
    out += ",\"type\":";
    append_json_string(schema.field(i).type.simple_string(), out);
    out += '}';
  }
  out += "],\"rows\":[";
  for (int64_t row = 0; row < result.rows.num_rows(); ++row) {
    out += row > 0 ? ",[" : "[";
    for (size_t i = 0; i < schema.num_fields(); ++i) {
      if (i > 0) out += ',';
      append_json(*result.rows.column(i), row, options, out);
    }
    out += ']';
  }
  out += result.more ? "],\"more\":true}\n" : "],\"more\":false}\n";
  return out;
}

// CSV has no place for what is nested: its text stands there.
Result<std::string> csv(const RecordBatch& rows, const TimeZone& zone) {
  std::vector<Field> fields(rows.schema()->fields().begin(), rows.schema()->fields().end());
  std::vector<ColumnPtr> columns = rows.columns();
  for (size_t i = 0; i < fields.size(); ++i) {
    const bool fits = !fields[i].type.is_nested() && fields[i].type.id() != TypeId::binary &&
                      fields[i].type.id() != TypeId::timestamp;
    if (fits && fields[i].type.id() != TypeId::null) continue;
    columns[i] = column_as_text(columns[i], zone);
    fields[i].type = Type::string();
  }
  const RecordBatch plain(Schema::make(std::move(fields)), rows.num_rows(), std::move(columns));
  CsvWriteOptions options;
  options.escape = '"';
  FLOWRUN_TRY(const CsvRowWriter writer, CsvRowWriter::make(plain.schema(), options));
  std::string out;
  writer.append_header(out);
  writer.append_lines(plain, out);
  return out;
}

Result<std::string> text(const ApiRequest& request, const SqlResult& result, const TimeZone& zone) {
  ShowOptions options;
  constexpr int64_t kMost = 10'000'000;
  FLOWRUN_TRY(options.rows, query_number(request, "rows", options.rows, 0, kMost));
  const auto truncate = request.query.find("truncate");
  if (truncate != request.query.end() && truncate->second == "false") {
    options.truncate = -1;
  } else if (truncate == request.query.end() || truncate->second != "true") {
    FLOWRUN_TRY(options.truncate, query_number(request, "truncate", options.truncate, 0, kMost));
  }
  const auto vertical = request.query.find("vertical");
  options.vertical = vertical != request.query.end() && vertical->second == "true";
  return show_frame(result.rows, options, zone);
}

std::string form_asked_for(const ApiRequest& request) {
  const auto format = request.query.find("format");
  if (format != request.query.end()) return format->second;
  const std::string_view accept = request.header("accept");
  if (accept.find("application/json") != std::string_view::npos) return "json";
  if (accept.find(kArrowStreamType) != std::string_view::npos) return "arrow";
  if (accept.find("text/csv") != std::string_view::npos) return "csv";
  if (accept.find("application/x-ndjson") != std::string_view::npos) return "ndjson";
  if (accept.find("text/plain") != std::string_view::npos) return "text";
  return "json";
}

}  // namespace

Result<int64_t> query_number(const ApiRequest& request, const std::string& name, int64_t fallback,
                             int64_t least, int64_t most) {
  const auto found = request.query.find(name);
  if (found == request.query.end()) return fallback;
  const std::string& written = found->second;
  int64_t number = 0;
  const auto [end, failure] =
      std::from_chars(written.data(), written.data() + written.size(), number);
  const bool whole = failure == std::errc() && end == written.data() + written.size();
  if (whole && number >= least && number <= most) return number;
  return Error::invalid(
      fmt::format("`{}` must be a whole number from {} to {}", name, least, most));
}

Result<ApiResponse> answer_rows(const ApiRequest& request, const SqlResult& result,
                                const TimeZone& zone) {
  ApiResponse response;
  if (result.more) response.headers.emplace_back("Flowrun-More-Rows", "true");
  const std::string form = form_asked_for(request);
  if (form == "json") {
    response.body = json(result, zone);
  } else if (form == "ndjson") {
    response.content_type = "application/x-ndjson";
    JsonRowWriter(result.rows.schema(), json_options(zone))
        .append_lines(result.rows, response.body);
  } else if (form == "csv") {
    response.content_type = "text/csv; charset=utf-8; header=present";
    FLOWRUN_TRY(response.body, csv(result.rows, zone));
  } else if (form == "arrow") {
    response.content_type = kArrowStreamType;
    FLOWRUN_TRY(response.body, arrow_stream(result.rows));
  } else if (form == "text") {
    response.content_type = "text/plain; charset=utf-8";
    FLOWRUN_TRY(response.body, text(request, result, zone));
  } else {
    return Error::invalid("`format` must be json, ndjson, csv, arrow or text");
  }
  return response;
}

}  // namespace flowrun
