#include "runtime/operator/http/json_template.h"

#include <fmt/format.h>
#include <rapidjson/error/en.h>
#include <rapidjson/reader.h>

namespace flowrun {

namespace {

constexpr std::string_view kOpen = "{{", kClose = "}}";

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

// Whether the text behind `part` stands in quotes, given whether that before it did.
bool quoted_after(std::string_view part, bool quoted) {
  for (size_t i = 0; i < part.size(); ++i) {
    if (part[i] == '\\' && quoted) {
      ++i;
    } else if (part[i] == '"') {
      quoted = !quoted;
    }
  }
  return quoted;
}

Status check_json(const std::string& sample) {
  rapidjson::Reader reader;
  rapidjson::StringStream stream(sample.c_str());
  rapidjson::BaseReaderHandler<> ignored;
  const rapidjson::ParseResult parsed = reader.Parse(stream, ignored);
  if (parsed) return {};
  return Error::invalid(
      fmt::format("this would not be JSON: {} — write JSON with {{{{column}}}} where values belong",
                  rapidjson::GetParseError_En(parsed.Code())));
}

}  // namespace

Result<JsonTemplate> JsonTemplate::compile(std::string_view text, const SchemaPtr& schema,
                                           JsonWriteOptions options) {
  JsonTemplate made;
  made.options_ = std::move(options);
  std::string sample;
  bool quoted = false;
  size_t at = 0;
  while (true) {
    const size_t open = text.find(kOpen, at);
    const size_t close = open == std::string_view::npos ? open : text.find(kClose, open);
    if (close == std::string_view::npos) break;
    const std::string_view before = text.substr(at, open - at);
    const std::string_view name = trimmed(text.substr(open + 2, close - open - 2));
    auto column = schema->find(name);
    if (!column) return std::move(column.error()).at_offset(open + 2);
    quoted = quoted_after(before, quoted);
    made.pieces_.push_back({std::string(before), static_cast<int>(*column), quoted});
    sample.append(before).append(quoted ? "" : "null");
    at = close + kClose.size();
  }
  made.pieces_.push_back({std::string(text.substr(at)), -1, false});
  sample.append(text.substr(at));
  FLOWRUN_RETURN_IF_ERROR(check_json(sample));
  return made;
}

void JsonTemplate::append(const RecordBatch& batch, int64_t row, std::string& out) const {
  for (const Piece& piece : pieces_) {
    out += piece.before;
    if (piece.column < 0) break;
    const Column& column = *batch.column(static_cast<size_t>(piece.column));
    if (!piece.quoted) {
      append_json(column, row, options_, out);
      continue;
    }
    if (column.is_null(row)) continue;
    const size_t begin = out.size();
    append_json(column, row, options_, out);
    if (out[begin] == '"') {
      out.pop_back();
      out.erase(begin, 1);
    } else if (const std::string value = out.substr(begin); value.find('"') != std::string::npos) {
      out.resize(begin);  // an array or an object, as text
      append_json_string(value, out);
      out.pop_back();
      out.erase(begin, 1);
    }
  }
}

}  // namespace flowrun
