#include "runtime/format/interval.h"

#include <rapidcheck.h>
#include <catch2/catch.hpp>

using namespace flowrun;

namespace {

constexpr int64_t kSecond = 1'000'000;

std::string day_time(int64_t micros, IntervalUnit first, IntervalUnit last) {
  std::string out;
  append_day_time_interval(micros, first, last, out);
  return out;
}

std::string calendar(const CalendarInterval& interval) {
  std::string out;
  append_calendar_interval(interval, out);
  return out;
}

}  // namespace

TEST_CASE("durations are read in every form that Spark takes") {
  CHECK(parse_duration("10 seconds") == 10 * kSecond);
  CHECK(parse_duration("  interval   1 day ") == 86400 * kSecond);
  CHECK(parse_duration("1 WEEK") == 7 * 86400 * kSecond);
  CHECK(parse_duration("1 hour 30 minutes") == 5400 * kSecond);
  CHECK(parse_duration("-15 minutes") == -900 * kSecond);
  CHECK(parse_duration("- 15 minutes +1 minute") == -840 * kSecond);
  CHECK(parse_duration("1.5 seconds") == 1'500'000);
  CHECK(parse_duration("-.25 second") == -250'000);
  CHECK(parse_duration("1.123456789 seconds") == 1'123'456);
  CHECK(parse_duration("5 milliseconds 3 microseconds") == 5003);
  CHECK(parse_duration("interval '10' seconds") == 10 * kSecond);
  CHECK(parse_duration("interval '1 02:03:04.5' day to second") == 93784500000);
  CHECK(parse_duration("INTERVAL -'10:20' HOUR TO MINUTE") == -37200 * kSecond);
  CHECK(parse_duration("INTERVAL '2 days 3 hours'") == 51 * 3600 * kSecond);
}

TEST_CASE("what is no duration is refused") {
  for (const char* text :
       {"", "interval", "10", "10seconds", "10 parsecs", "1.5 days", "1 month", "seconds",
        "10 seconds 5", "99999999999999999999 days", "intervals 1 day", "1.1234567891 seconds",
        "interval '1 25:00' day to minute", "interval '1' second to day", ". seconds"}) {
    CAPTURE(text);
    CHECK_FALSE(parse_duration(text));
  }
  CHECK(parse_duration("1 month").error().message ==
        "`1 month` has no fixed length — write days or less, months and years vary");
}

TEST_CASE("an interval remembers the units between which it was written") {
  const auto hours = parse_written_interval("2 weeks 3 hours");
  REQUIRE(hours);
  CHECK(hours->first == IntervalUnit::day);
  CHECK(hours->last == IntervalUnit::hour);
  CHECK(hours->value == CalendarInterval{0, 14, 3 * 3600 * kSecond});
  CHECK(parse_interval("interval '1-2' year to month") == CalendarInterval{14, 0, 0});
  CHECK_FALSE(parse_interval("interval '1-13' year to month"));
}

TEST_CASE("intervals are printed as Spark prints them") {
  using enum IntervalUnit;
  CHECK(day_time(86400 * kSecond, day, day) == "INTERVAL '1' DAY");
  CHECK(day_time(93784500000, day, second) == "INTERVAL '1 02:03:04.5' DAY TO SECOND");
  CHECK(day_time(-3600 * kSecond, day, hour) == "INTERVAL '-0 01' DAY TO HOUR");
  CHECK(day_time(10000, second, second) == "INTERVAL '00.01' SECOND");
  CHECK(day_time(5400 * kSecond, minute, minute) == "INTERVAL '90' MINUTE");
  std::string months;
  append_year_month_interval(-14, year, month, months);
  CHECK(months == "INTERVAL '-1-2' YEAR TO MONTH");
  CHECK(calendar({14, 3, -5'500'000}) == "1 years 2 months 3 days -5.5 seconds");
  CHECK(calendar({0, 0, 0}) == "0 seconds");
}

TEST_CASE("a printed interval reads back") {
  CHECK(rc::check("day to second", [] {
    const int64_t micros =
        *rc::gen::inRange<int64_t>(-1'000'000'000'000'000, 1'000'000'000'000'000);
    const auto read = parse_duration(day_time(micros, IntervalUnit::day, IntervalUnit::second));
    RC_ASSERT(read == micros);
  }));
}
