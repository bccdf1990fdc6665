#include "runtime/expr/evaluate_text.h"

#include "runtime/format/json_writer.h"
#include "runtime/format/time_zone.h"

namespace flowrun {

namespace {

void append_key(std::string_view key, std::string& out) {
  out += out.empty() ? '{' : ',';
  append_json_string(key, out);
  out += ':';
}

void append_text_entry(std::string_view key, std::string_view text, std::string& out) {
  append_key(key, out);
  append_json_string(text, out);
}

std::string failed(std::string out, std::string_view key, const Error& error) {
  append_text_entry(key, error.message, out);
  if (error.offset) {
    append_key("offset", out);
    out += std::to_string(*error.offset);
  }
  return out + "}";
}

}  // namespace

std::string evaluate_text(std::string_view text, const RecordBatch& batch,
                          const ExpressionEnvironment& environment,
                          const EvaluationContext& context) {
  std::string out;
  append_text_entry("expr", text, out);
  const Binder binder(Scope{batch.schema()}, environment);
  const auto expression = binder.bind(text);
  if (!expression) return failed(std::move(out), "error", expression.error());
  append_text_entry("name", (*expression)->name(), out);
  append_text_entry("type", (*expression)->type().simple_string(), out);
  const auto zone = find_time_zone(context.timezone);
  if (!zone) return failed(std::move(out), "runtime_error", zone.error());
  const auto column = (*expression)->evaluate(batch, context);
  if (!column) return failed(std::move(out), "runtime_error", column.error());
  JsonWriteOptions options;
  options.ignore_null_fields = false;
  options.fraction = JsonWriteOptions::Fraction::microseconds;
  options.zone = *zone;
  append_key("values", out);
  out += '[';
  for (int64_t row = 0; row < batch.num_rows(); ++row) {
    if (row > 0) out += ',';
    append_json(**column, row, options, out);
  }
  return out + "]}";
}

}  // namespace flowrun
