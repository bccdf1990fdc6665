#include "runtime/format/text.h"

#include <rapidcheck.h>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdlib>
#include <limits>

#include "tests/support/json_rows.h"

using namespace flowrun;

namespace {

std::string text_of(double value) {
  std::string out;
  append_double(value, out);
  return out;
}

std::string text_of(float value) {
  std::string out;
  append_float(value, out);
  return out;
}

std::string day_time(IntervalUnit first, IntervalUnit last, int64_t micros) {
  std::string out;
  append_day_time(Type::day_time_interval(first, last), micros, out);
  return out;
}

std::string year_month(IntervalUnit first, IntervalUnit last, int32_t months) {
  std::string out;
  append_year_month(Type::year_month_interval(first, last), months, out);
  return out;
}

std::string calendar(CalendarInterval value) {
  std::string out;
  append_interval(value, out);
  return out;
}

std::string scientific(Decimal128 value, int scale) {
  std::string out;
  append_decimal_scientific(value, scale, out);
  return out;
}

}  // namespace

TEST_CASE("floating point is written in Java's notation") {
  CHECK(text_of(0.0) == "0.0");
  CHECK(text_of(-0.0) == "-0.0");
  CHECK(text_of(1e7) == "1.0E7");
  CHECK(text_of(9999999.0) == "9999999.0");
  CHECK(text_of(12345678.9) == "1.23456789E7");
  CHECK(text_of(0.001) == "0.001");
  CHECK(text_of(0.00093) == "9.3E-4");
  CHECK(text_of(-123.456) == "-123.456");
  CHECK(text_of(4.9e-324) == "4.9E-324");
  CHECK(text_of(2 * 4.9e-324) == "9.9E-324");
  CHECK(text_of(std::numeric_limits<double>::max()) == "1.7976931348623157E308");
  CHECK(text_of(std::numeric_limits<double>::quiet_NaN()) == "NaN");
  CHECK(text_of(-std::numeric_limits<double>::infinity()) == "-Infinity");
  CHECK(text_of(0.1f) == "0.1");
  CHECK(text_of(1e10f) == "1.0E10");
  CHECK(text_of(1.4e-45f) == "1.4E-45");
  CHECK(text_of(16777216.0f) == "1.6777216E7");
}

TEST_CASE("every double reads back") {
  CHECK(rc::check([](uint64_t bits) {
    const auto value = std::bit_cast<double>(bits);
    RC_PRE(std::isfinite(value));
    RC_ASSERT(std::strtod(text_of(value).c_str(), nullptr) == value);
  }));
}

TEST_CASE("intervals are written with their units") {
  using enum IntervalUnit;
  CHECK(day_time(day, day, 86'400'000'000) == "INTERVAL '1' DAY");
  CHECK(day_time(day, second, 93'784'567'000) == "INTERVAL '1 02:03:04.567' DAY TO SECOND");
  CHECK(day_time(day, second, -1) == "INTERVAL '-0 00:00:00.000001' DAY TO SECOND");
  CHECK(day_time(second, second, 1'500'000) == "INTERVAL '01.5' SECOND");
  CHECK(day_time(hour, minute, 5'400'000'000) == "INTERVAL '01:30' HOUR TO MINUTE");
  CHECK(day_time(minute, minute, 5'400'000'000) == "INTERVAL '90' MINUTE");
  CHECK(day_time(day, second, std::numeric_limits<int64_t>::min()) ==
        "INTERVAL '-106751991 04:00:54.775808' DAY TO SECOND");
  CHECK(year_month(year, month, 14) == "INTERVAL '1-2' YEAR TO MONTH");
  CHECK(year_month(month, month, -14) == "INTERVAL '-14' MONTH");
  CHECK(year_month(year, year, 24) == "INTERVAL '2' YEAR");
  CHECK(calendar({14, 3, 3'600'000'000 + 500'000}) ==
        "1 years 2 months 3 days 1 hours 0.5 seconds");
  CHECK(calendar({0, 0, -90'000'000}) == "-1 minutes -30 seconds");
  CHECK(calendar({0, 0, 0}) == "0 seconds");
}

TEST_CASE("small decimals take an exponent when cast and none when shown") {
  CHECK(scientific(1, 7) == "1E-7");
  CHECK(scientific(-123, 10) == "-1.23E-8");
  CHECK(scientific(0, 8) == "0E-8");
  CHECK(scientific(1, 6) == "0.000001");
  CHECK(scientific(-150, 2) == "-1.50");
}

TEST_CASE("nested values are written by their parts") {
  const RecordBatch batch = rows_from_json(
      "v struct<a: array<int>, m: map<string,double>, b: binary, t: timestamp>",
      R"({"v": {"a": [1, null], "m": {"k": 1e10}, "b": "YWI=", "t": "2026-03-01T12:34:56.7Z"}})");
  const TimeZone& zone = **find_time_zone("UTC");
  std::string text;
  append_text(*batch.column(0), 0, zone, text);
  CHECK(text == "{[1, null], {k -> 1.0E10}, ab, 2026-03-01 12:34:56.7}");
  text.clear();
  append_text(*batch.column(0), 0, zone, text, TextStyle::show);
  CHECK(text == "{[1, NULL], {k -> 1.0E10}, [61 62], 2026-03-01 12:34:56.7}");
}
