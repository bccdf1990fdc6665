// Records of CSV: no text may break inference, the reader or the writer.
#include "runtime/format/csv_reader.h"
#include "runtime/format/csv_writer.h"
#include "tests/fuzz/fuzz_input.h"

using namespace flowrun;

namespace {

CsvReadOptions options_of(FuzzInput& input) {
  static constexpr const char* kSeparators[] = {",", ";", "\t", "||"};
  const uint8_t choice = input.byte();
  CsvReadOptions options;
  options.sep = kSeparators[choice & 3];
  options.source = (choice & 4) != 0;
  options.multi_line = (choice & 8) != 0;
  options.quote = (choice & 16) != 0 ? '\0' : '"';
  options.escape = (choice & 32) != 0 ? '"' : '\\';
  options.comment = (choice & 64) != 0 ? '#' : '\0';
  options.ignore_leading_white_space = options.ignore_trailing_white_space = (choice & 128) != 0;
  options.infer_schema = true;
  return options;
}

void read(const Column& lines, const SchemaPtr& schema, const CsvReadOptions& options) {
  const auto reader =
      CsvReader::make(schema, options, std::vector<bool>(schema->num_fields(), true));
  FLOWRUN_CHECK(reader, "the schema can be read");
  const ReadRows rows = *(*reader)->read(lines);
  const RecordBatch batch(schema, rows.num_rows, rows.columns);
  const auto writer = CsvRowWriter::make(schema, {.sep = options.sep});
  FLOWRUN_CHECK(writer, "the schema can be written");
  std::string out;
  writer->append_lines(batch, out);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const SchemaPtr fixed =
      parse_schema("a bigint, b string, c double, d boolean, e decimal(20,4), f timestamp, g date")
          .value();
  FuzzInput input(data, size);
  const CsvReadOptions options = options_of(input);
  const ColumnPtr lines = lines_of(input.rest());
  read(*lines, fixed, options);
  const auto inference = CsvInference::make(options);
  FLOWRUN_CHECK(inference, "the options are right");
  (*inference)->add(*lines);
  if (const auto inferred = (*inference)->schema(); inferred && (*inferred)->num_fields() < 100) {
    read(*lines, *inferred, options);
  }
  return 0;
}
