#include "runtime/operator/record_formats.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "runtime/operator/reader_options.h"
#include "runtime/operator/repeated_names.h"

namespace flowrun {

namespace {

Status check_names(const Schema& schema) {
  const std::vector<std::string> repeated = repeated_names(schema);
  if (repeated.empty()) return ok_status();
  return Error::invalid(
      fmt::format("several columns are named {}, and a written row has each name once — rename "
                  "them, or select what is wanted",
                  fmt::join(repeated, ", ")));
}

}  // namespace

Result<RecordReading> RecordReading::of(std::string_view format, const Options& options,
                                        const MakeContext& context, bool source) {
  RecordReading reading(options, context);
  reading.plugged_ = plugged_format(format, context);
  if (reading.plugged_) return reading;
  FLOWRUN_TRY(reading.built_in_,
              record_format_option(format, options, source, context.expressions->timezone));
  return reading;
}

Result<MakeRecordReader> RecordReading::reader_of(const SchemaPtr& schema) const {
  if (!plugged_) return built_in_.reader_of(schema);
  if (schema) return plugged_->make(schema, options_, context_);
  Error error = Error::invalid(
      fmt::format("format {} needs a `schema:` — write the names and types of its fields",
                  plugged_->spec.name));
  const OptionValue* format = options_.find("format");
  return format ? std::move(error).at(format->position) : error;
}

Result<MakeRowText> row_text_option(const Options& options, const MakeContext& context) {
  FLOWRUN_TRY(const TimeZone* zone, find_time_zone(context.expressions->timezone));
  const RegisteredFormat* plugged = plugged_format(options.text_or("format", "json"), context);
  return MakeRowText([options, context, zone,
                      plugged](const SchemaPtr& schema) -> Result<std::unique_ptr<RowText>> {
    FLOWRUN_RETURN_IF_ERROR(check_names(*schema));
    return plugged ? plugged->make_text(schema, options, context)
                   : make_row_text(options, schema, *zone);
  });
}

}  // namespace flowrun
