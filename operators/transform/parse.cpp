// parse. Texts, one record each, to columns by a schema.

#include <fmt/format.h>

#include <memory>
#include <utility>
#include <vector>

#include "runtime/operator/decode.h"
#include "runtime/operator/option_specs.h"
#include "runtime/operator/reader_options.h"
#include "runtime/operator/record_formats.h"

namespace flowrun {

namespace {

OperatorSpec spec() {
  using namespace option;
  return {
      .name = "parse",
      .kind = OperatorKind::transform,
      .summary = "Reads records in JSON, CSV or a plugin's format from a text column",
      .doc =
          "The schema's columns take the row's place. A field of the wrong type is null and makes "
          "the record a "
          "corrupt one; a text that is no record gives nulls (Spark's PERMISSIVE mode). Corrupt "
          "records are "
          "counted, and offered with reason and raw text on the port `errors`. A record is judged "
          "by the columns "
          "that are read; `errors`, `corrupt_record` and an `on_error` other than keep make all of "
          "them count.",
      .primary = word("parse", {"json", "csv"}, "the format").naming(NameRole::record_format),
      .options = together(
          {{required(schema("schema", "names and types of the record's fields")),
            column("column", "the text column to read").with_default("value"),
            list_of(column("keep_columns", "columns of the input to keep, before the others")),
            column("as", "one struct column of this name in place of the columns")},
           reader_option_specs("parse")}),
      .ports = {"errors"},
      .examples = {{"Sensor records from a socket", R"(
watches: { source: socket, port: 9999 }
readings:
  from: watches
  parse: json
  schema: { Arrival_Time: bigint, User: string, x: double }
screen: { from: readings, sink: console }
)"}},
  };
}

Result<std::unique_ptr<Transform>> make(const Options& options, const MakeContext& context) {
  DecodeOptions decode;
  decode.format = options.text("parse");
  decode.schema = options.at("schema").schema;
  decode.corrupt = corrupt_records_option(options);
  decode.column = options.at("column");
  if (options.has("corrupt_record")) decode.corrupt_column = options.text("corrupt_record");
  if (const OptionValue* kept = options.find("keep_columns")) decode.keep_columns = kept->items;
  if (options.has("as")) decode.as = options.text("as");
  FLOWRUN_TRY(const RecordReading reading,
              RecordReading::of(decode.format, options, context, false));
  FLOWRUN_TRY(decode.make_reader, reading.reader_of(decode.schema));
  return make_decode(std::move(decode));
}

}  // namespace

void register_parse(Registry& registry) { registry.add_transform(spec(), make); }

}  // namespace flowrun
