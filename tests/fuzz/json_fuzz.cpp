// Records of JSON: no text may break the reader, and its two paths must agree.
#include "runtime/format/json_reader.h"
#include "tests/fuzz/fuzz_input.h"

using namespace flowrun;

namespace {

const SchemaPtr& schema() {
  static const SchemaPtr schema =
      parse_schema(
          "a bigint, b string, c double, d boolean, e decimal(20,4), f array<int>, "
          "g map<string,double>, h struct<x: tinyint, y: array<struct<z: string>>>, i timestamp, j "
          "date, "
          "k binary, l float, m smallint")
          .value();
  return schema;
}

void check_same(const ReadRows& fast, const ReadRows& exact) {
  FLOWRUN_CHECK(fast.num_rows == exact.num_rows, "both paths make as many rows");
  FLOWRUN_CHECK(fast.bad.size() == exact.bad.size(), "both paths reject the same records");
  for (size_t i = 0; i < fast.columns.size(); ++i) {
    if (!fast.columns[i]) continue;
    for (int64_t row = 0; row < fast.num_rows; ++row) {
      FLOWRUN_CHECK(rows_equal(*fast.columns[i], row, *exact.columns[i], row),
                    "both paths read the same values");
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  FuzzInput input(data, size);
  const uint8_t choice = input.byte();
  JsonReadOptions options;
  options.source = (choice & 1) != 0;
  options.allow_comments = (choice & 2) != 0;
  options.allow_unquoted_field_names = (choice & 4) != 0;
  options.allow_single_quotes = (choice & 8) == 0;
  options.allow_unquoted_control_chars = (choice & 16) != 0;
  options.allow_backslash_escaping_any_character = (choice & 32) != 0;
  options.allow_numeric_leading_zeros = (choice & 64) != 0;
  std::vector<bool> wanted(schema()->num_fields(), true);
  if ((choice & 128) != 0) wanted[1] = wanted[7] = false;
  const ColumnPtr lines = lines_of(input.rest());
  const auto fast = JsonReader::make(schema(), options, wanted);
  const auto exact = JsonReader::make(schema(), options, wanted);
  FLOWRUN_CHECK(fast && exact, "the schema can be read");
  (*exact)->use_exact_only();
  check_same(*(*fast)->read(*lines), *(*exact)->read(*lines));
  return 0;
}
