#include "runtime/format/json_writer.h"

#include <rapidjson/document.h>
#include <catch2/catch.hpp>

#include <cmath>
#include <limits>

#include "runtime/columnar/builder.h"
#include "tests/support/json_rows.h"

using namespace flowrun;

namespace {

constexpr auto kMicroseconds = JsonWriteOptions::Fraction::microseconds;

std::string written(const RecordBatch& batch, const JsonWriteOptions& options) {
  std::string out;
  JsonRowWriter(batch.schema(), options).append_lines(batch, out);
  return out;
}

std::string string_as_json(std::string_view text) {
  std::string out;
  append_json_string(text, out);
  return out;
}

}  // namespace

TEST_CASE("rows are written as to_json writes them, with and without nulls") {
  const RecordBatch batch = rows_from_json(
      "i int, s struct<a: int, b: string>, l array<int>, m map<string,int>",
      R"({"i": 1, "s": {"a": null, "b": "x"}, "l": [1, null], "m": {"k": null, "é": 2}}
{}
{"s": {}, "l": [], "m": {}})");
  CHECK(written(batch, {}) == R"({"i":1,"s":{"b":"x"},"l":[1,null],"m":{"k":null,"é":2}}
{}
{"s":{},"l":[],"m":{}}
)");
  CHECK(written(batch, {.ignore_null_fields = false}) ==
        R"({"i":1,"s":{"a":null,"b":"x"},"l":[1,null],"m":{"k":null,"é":2}}
{"i":null,"s":null,"l":null,"m":null}
{"i":null,"s":{"a":null,"b":null},"l":[],"m":{}}
)");
}

TEST_CASE("scalars are written as Spark writes them") {
  const RecordBatch batch = rows_from_json(
      "t tinyint, l bigint, b boolean, d double, f float, x decimal(38,10), bin binary, dt date, "
      "ts timestamp",
      R"({"t": -128, "l": -9223372036854775808, "b": true, "d": 1e10, "f": 0.1, "x": 1e-10, "bin": "AQIDqg==", "dt": "0001-01-01", "ts": "2026-03-01T12:34:56.789012Z"}
{"t": 1, "l": 0, "b": false, "d": -0.0, "f": 1, "x": 1.5, "bin": "", "dt": "9999-12-31", "ts": "1969-12-31T23:59:59.999999Z"})");
  CHECK(
      written(batch, {}) ==
      R"({"t":-128,"l":-9223372036854775808,"b":true,"d":1.0E10,"f":0.1,"x":1E-10,"bin":"AQIDqg==","dt":"0001-01-01","ts":"2026-03-01T12:34:56.789Z"}
{"t":1,"l":0,"b":false,"d":-0.0,"f":1.0,"x":1.5000000000,"bin":"","dt":"9999-12-31","ts":"1969-12-31T23:59:59.999Z"}
)");
  CHECK(written(batch, {.fraction = kMicroseconds}).find("\"2026-03-01T12:34:56.789012Z\"") !=
        std::string::npos);
  const TimeZone& zone = **find_time_zone("-02:30");
  CHECK(written(batch, {.zone = &zone}).find("\"2026-03-01T10:04:56.789-02:30\"") !=
        std::string::npos);
}

TEST_CASE("what JSON numbers cannot say is written as a string") {
  const double infinity = std::numeric_limits<double>::infinity();
  FixedBuilder<double> doubles(Type::double_());
  for (const double value : {std::nan(""), infinity, -infinity}) doubles.append(value);
  FixedBuilder<CalendarInterval> intervals{Type(TypeId::calendar_interval)};
  FixedBuilder<int64_t> durations(Type::day_time_interval(IntervalUnit::day, IntervalUnit::day));
  for (int i = 0; i < 3; ++i) {
    intervals.append({i, 0, 0});
    durations.append(i * 86'400'000'000);
  }
  const RecordBatch batch(
      Schema::make({{"d", Type::double_()}, {"i", intervals.type()}, {"y", durations.type()}}), 3,
      {doubles.finish(), intervals.finish(), durations.finish()});
  CHECK(written(batch, {}) == R"({"d":"NaN","i":"0 seconds","y":"INTERVAL '0' DAY"}
{"d":"Infinity","i":"1 months","y":"INTERVAL '1' DAY"}
{"d":"-Infinity","i":"2 months","y":"INTERVAL '2' DAY"}
)");
}

TEST_CASE("text is escaped where it must be, and repaired") {
  CHECK(string_as_json("é/\"\\\n\x1b\x7f") == "\"é/\\\"\\\\\\n\\u001B\x7f\"");
  CHECK(string_as_json("a long text without anything to escape") ==
        "\"a long text without anything to escape\"");
  CHECK(string_as_json("0123456789\xff z") == "\"0123456789\xef\xbf\xbd z\"");
  CHECK(string_as_json("") == "\"\"");
}

TEST_CASE("every byte at every place of a text reads back") {
  for (int byte = 0; byte < 128; ++byte) {
    for (size_t place = 0; place < 20; ++place) {
      std::string text(20, 'x');
      text[place] = static_cast<char>(byte);
      rapidjson::Document document;
      const std::string json = string_as_json(text);
      document.Parse(json.c_str(), json.size());
      REQUIRE(!document.HasParseError());
      REQUIRE(std::string(document.GetString(), document.GetStringLength()) == text);
    }
  }
}
