#include "runtime/format/csv_writer.h"

#include <catch2/catch.hpp>

#include "tests/support/json_rows.h"

using namespace flowrun;

namespace {

std::string written(std::string_view ddl, std::string_view lines, const CsvWriteOptions& options) {
  const RecordBatch batch = rows_from_json(ddl, lines);
  const auto writer = CsvRowWriter::make(batch.schema(), options);
  REQUIRE(writer);
  std::string out;
  if (options.header) writer->append_header(out);
  writer->append_lines(batch, out);
  return out;
}

}  // namespace

TEST_CASE("rows are written by Spark's defaults: quoted when needed, null and empty apart") {
  CHECK(written("i int, s string, `a,b` string", R"({"i": 1, "s": "plain", "a,b": "a,b"}
{"s": "", "a,b": "say \"hi\""}
{"i": 3, "s": "two\nlines", "a,b": "back\\slash"}
{"i": 4, "s": "  trimmed ", "a,b": "both\\, and"}
{"i": 5, "s": "   "})",
                {.header = true}) == R"(i,s,"a,b"
1,plain,"a,b"
,"","say \"hi\""
3,"two
lines",back\slash
4,trimmed,"both\\, and"
5,,
)");
}

TEST_CASE("scalars are written as in casts, times in ISO form") {
  CHECK(
      written(
          "d double, x decimal(5,2), b boolean, dt date, ts timestamp",
          R"({"d": 1e10, "x": 1.5, "b": true, "dt": "2026-03-01", "ts": "2026-03-01T12:34:56.789012Z"})",
          {}) == "1.0E10,1.50,true,2026-03-01,2026-03-01T12:34:56.789Z\n");
}

TEST_CASE("separator, quote, escape and the words for null and empty are options") {
  const CsvWriteOptions options{.sep = "||",
                                .quote = '\'',
                                .escape = '\'',
                                .null_value = "NULL",
                                .empty_value = "-",
                                .ignore_leading_white_space = false,
                                .ignore_trailing_white_space = false};
  CHECK(written("a string, b string, c string, d string",
                R"({"a": "x||y", "b": "it's", "c": null, "d": ""}
{"a": " a ", "b": "|", "c": "\"", "d": "d"})",
                options) == "'x||y'||'it''s'||NULL||-\n a |||||\"||d\n");
}

TEST_CASE("columns that CSV cannot hold are refused by name") {
  const auto writer = CsvRowWriter::make(parse_schema("a int, deep array<int>").value(), {});
  REQUIRE(!writer);
  CHECK(writer.error().message.find("`deep` of type array<int>") != std::string::npos);
}
