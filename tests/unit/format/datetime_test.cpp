#include "runtime/format/datetime.h"

#include <rapidcheck.h>
#include <catch2/catch.hpp>

using namespace flowrun;

namespace {

const TimeZone& zone(std::string_view name) {
  const auto found = find_time_zone(name);
  REQUIRE(found);
  return **found;
}

std::string date_text(int32_t days) {
  std::string out;
  append_date(days, out);
  return out;
}

std::string timestamp_text(int64_t micros, std::string_view name = "UTC") {
  std::string out;
  append_timestamp(micros, zone(name), out);
  return out;
}

std::string as_utc(std::string_view text, std::string_view name = "UTC") {
  const auto micros = parse_timestamp(text, zone(name));
  return micros ? timestamp_text(*micros) : "nothing";
}

std::string as_date(std::string_view text) {
  const auto days = parse_date(text);
  return days ? date_text(*days) : "nothing";
}

std::string formatted(std::string_view pattern, std::string_view timestamp,
                      std::string_view name = "UTC") {
  const auto compiled = DateTimePattern::compile(pattern, DateTimePattern::Use::format);
  if (!compiled) return compiled.error().message;
  std::string out;
  LocalTime wall(zone(name));
  compiled->format(*parse_timestamp(timestamp, wall.zone()), wall, out);
  return out;
}

std::string parsed(std::string_view pattern, std::string_view text) {
  const auto compiled = DateTimePattern::compile(pattern, DateTimePattern::Use::parse);
  if (!compiled) return compiled.error().message;
  LocalTime wall(TimeZone::utc());
  const auto micros = compiled->parse_timestamp(text, wall);
  return micros ? timestamp_text(*micros) : "nothing";
}

}  // namespace

TEST_CASE("a day and its civil date are one") {
  CHECK(rc::check("days to civil and back", [](int32_t days) {
    const CivilDate date = civil_from_days(days);
    RC_ASSERT(is_valid_date(date.year, date.month, date.day));
    RC_ASSERT(days_from_civil(date.year, date.month, date.day) == days);
  }));
  CHECK(rc::check("a date printed reads back", [] {
    const auto days = static_cast<int32_t>(*rc::gen::inRange<int64_t>(-800'000, 100'000'000));
    RC_ASSERT(parse_date(date_text(days)) == days);
  }));
  CHECK(civil_from_days(-719468) == CivilDate{0, 3, 1});
  CHECK(iso_week(days_from_civil(2017, 1, 1)) == 52);
  CHECK(iso_week_year(days_from_civil(2024, 12, 30)) == 2025);
  CHECK(iso_day_of_week(0) == 4);
}

TEST_CASE("a timestamp printed reads back in every zone") {
  const std::string name = GENERATE(as<std::string>{}, "UTC", "Europe/Paris", "America/New_York",
                                    "+05:30", "Australia/Lord_Howe", "Pacific/Apia");
  const TimeZone& where = zone(name);
  CHECK(rc::check(name, [&where] {
    const int64_t micros =
        *rc::gen::inRange<int64_t>(-62'135'596'800'000'000, 253'402'300'800'000'000);
    LocalTime wall(where);
    const int64_t local = wall.to_local(micros);
    const int64_t again = wall.to_utc(local);
    // Of two instants with one local time the earlier is found.
    RC_ASSERT(wall.to_local(again) == local);
    RC_ASSERT(again <= micros);
    std::string text;
    append_timestamp(micros, wall, text);
    RC_ASSERT(parse_timestamp(text, where) == again);
  }));
}

TEST_CASE("timestamps are printed as Spark casts them to string") {
  CHECK(timestamp_text(0) == "1970-01-01 00:00:00");
  CHECK(timestamp_text(-1) == "1969-12-31 23:59:59.999999");
  CHECK(timestamp_text(1424686735500000) == "2015-02-23 10:18:55.5");
  CHECK(timestamp_text(1424686735175822, "Europe/Paris") == "2015-02-23 11:18:55.175822");
  CHECK(timestamp_text(253402300800000000) == "+10000-01-01 00:00:00");
  CHECK(timestamp_text(*parse_timestamp("-0001-01-01", zone("UTC"))) == "-0001-01-01 00:00:00");
}

TEST_CASE("zones keep local mean time before their first rule and their last rule after it") {
  CHECK(as_utc("1500-03-01 00:00:00", "America/New_York") == "1500-03-01 04:56:02");
  CHECK(as_utc("2060-07-01 00:00:00", "Europe/Paris") == "2060-06-30 22:00:00");
  CHECK(as_utc("2060-01-01 00:00:00", "Europe/Paris") == "2059-12-31 23:00:00");
  CHECK(as_utc("2100-01-01 00:00:00", "Australia/Sydney") == "2099-12-31 13:00:00");
  CHECK(as_utc("2024-03-31 02:30:00", "Europe/Paris") == "2024-03-31 01:30:00");  // a gap
  CHECK(as_utc("2024-10-27 02:30:00", "Europe/Paris") == "2024-10-27 00:30:00");  // an overlap
  CHECK(as_utc("2024-03-10 02:30:00", "America/New_York") == "2024-03-10 07:30:00");
}

TEST_CASE("zones have the names that Spark takes") {
  CHECK(zone("Z").is_utc());
  CHECK(zone("UTC").name() == "UTC");
  CHECK(zone("+1").name() == "+01:00");
  CHECK(zone("-0130").name() == "-01:30");
  CHECK(zone("+1:30").name() == "+01:30");
  CHECK(zone("GMT+3").span_at(0).offset == 3 * 3600);
  CHECK(zone("UTC-03:00").span_at(0).offset == -3 * 3600);
  CHECK(zone("PST").name() == "America/Los_Angeles");
  for (const char* name : {"Nowhere/City", "", "+19:00", "../etc/passwd", "posix/UTC", "utc",
                           "+1:2:3", "Europe", "Europe/"}) {
    CHECK_FALSE(find_time_zone(name));
  }
}

TEST_CASE("text becomes a date by the rules of Spark's cast") {
  CHECK(as_date("2015") == "2015-01-01");
  CHECK(as_date("2015-2-3") == "2015-02-03");
  CHECK(as_date(" 2015-02-23T10:00 ") == "2015-02-23");
  CHECK(as_date("2015-02-23 anything") == "2015-02-23");
  CHECK(as_date("-2015-02-23") == "-2015-02-23");
  CHECK(as_date("99999-01-01") == "+99999-01-01");
  CHECK(as_date("2015-02 ") == "2015-02-01");
  for (const char* text : {"", "15-02-23", "2015-02-29", "2015-13-01", "02/23/2015", "today2",
                           "2015-002-01", "9999999-12-31", "2015-02 x"}) {
    CAPTURE(text);
    CHECK(as_date(text) == "nothing");
  }
}

TEST_CASE("text becomes a timestamp by the rules of Spark's cast") {
  CHECK(as_utc("2015-02") == "2015-02-01 00:00:00");
  CHECK(as_utc("2015-02-23 10") == "2015-02-23 10:00:00");
  CHECK(as_utc("2015-02-23 10:18:55.123456789") == "2015-02-23 10:18:55.123456");
  CHECK(as_utc("2015-02-23 10:18:55.") == "2015-02-23 10:18:55");
  CHECK(as_utc("2015-02-23 10:18:55 Z") == "2015-02-23 10:18:55");
  CHECK(as_utc("2015-02-23 10:18:55-0130") == "2015-02-23 11:48:55");
  CHECK(as_utc("2015-02-23 10:18:55 America/New_York") == "2015-02-23 15:18:55");
  CHECK(as_utc("2015-02-23T10:18:55.175+02:00") == "2015-02-23 08:18:55.175");
  CHECK(parse_timestamp("10:18:55", TimeZone::utc()).has_value());
  CHECK(parse_timestamp("T10:18", TimeZone::utc()).has_value());
  for (const char* text :
       {"", "1424686735", "2015-02-23 24:00:00", "2016-12-31 23:59:60", "+10:18",
        "2015-02-23  10:18:55", "2015-02-23 10:18+1", "2015-02-23 10:18:55 Nowhere/City"}) {
    CAPTURE(text);
    CHECK(as_utc(text) == "nothing");
  }
}

TEST_CASE("patterns print what java.time prints") {
  const char* when = "2015-02-23 10:18:55.175822";
  CHECK(formatted("EEE d MMM yyyy", when) == "Mon 23 Feb 2015");
  CHECK(formatted("EEEE, MMMM dd G yy", when) == "Monday, February 23 AD 15");
  CHECK(formatted("DDD D Q QQQ QQQQ F", when) == "054 54 1 Q1 1st quarter 2");
  CHECK(formatted("h K k H a", "2015-02-23 00:00:00") == "12 0 24 0 AM");
  CHECK(formatted("S SSS SSSSSSSSS", when) == "1 175 175822000");
  CHECK(formatted("'it''s' yyyy[-MM]", when) == "it's 2015-02");
  CHECK(formatted("VV z zzzz X XXX x xxx Z O", when) ==
        "UTC UTC Coordinated Universal Time Z Z +00 +00:00 +0000 GMT");
  CHECK(formatted("z zzzz X XXX Z ZZZZZ O OOOO", when, "Europe/Paris") ==
        "CET Central European Standard Time +01 +01:00 +0100 +01:00 GMT+1 GMT+01:00");
  CHECK(formatted("yyyy y", "+12015-02-23") == "+12015 12015");
}

TEST_CASE("patterns read strictly") {
  CHECK(parsed("dd/MM/yyyy", "23/02/2015") == "2015-02-23 00:00:00");
  CHECK(parsed("dd/MM/yyyy", "23/2/2015") == "nothing");
  CHECK(parsed("d/M/yyyy H:mm", "1/12/2010 8:26") == "2010-12-01 08:26:00");
  CHECK(parsed("yyyyMMddHHmmss", "20150223101855") == "2015-02-23 10:18:55");
  CHECK(parsed("yyyy-DDD", "2015-054") == "2015-02-23 00:00:00");
  CHECK(parsed("MMM d, yy", "feb 23, 15") == "2015-02-23 00:00:00");
  CHECK(parsed("yyyy-MM-dd HH:mm:ss[.SSS]", "2015-02-23 10:18:55") == "2015-02-23 10:18:55");
  CHECK(parsed("yyyy-MM-dd HH:mm:ss[.SSS]", "2015-02-23 10:18:55.1") == "2015-02-23 10:18:55.1");
  CHECK(parsed("MM/dd/yyyy hh:mm a", "02/23/2015 10:18 PM") == "2015-02-23 22:18:00");
  CHECK(parsed("yyyy-MM-dd kk", "2015-02-23 24") == "2015-02-23 00:00:00");
  CHECK(parsed("yyyy-MM-dd'T'HH:mm:ssZ", "2015-02-23T10:18:55+0200") == "2015-02-23 08:18:55");
  CHECK(parsed("yyyy-MM-dd HH VV", "2015-02-23 10 Europe/Paris") == "2015-02-23 09:00:00");
  CHECK(parsed("yyyy-MM-dd", "2015-02-30") == "nothing");
  CHECK(parsed("yyyy-MM-dd", "2015-02-23 extra") == "nothing");
  CHECK(parsed("HH:mm", "10:18") == "1970-01-01 10:18:00");
}

TEST_CASE("patterns refuse the letters that Spark refuses") {
  for (const char* pattern :
       {"Y", "w", "A", "b", "yyyyyyy", "MMMMM", "i", "{", "'open", "VVV", "hhh", "]"}) {
    CAPTURE(pattern);
    CHECK_FALSE(DateTimePattern::compile(pattern, DateTimePattern::Use::format));
  }
  for (const char* pattern : {"E", "Q", "F", "q"}) {
    CHECK(DateTimePattern::compile(pattern, DateTimePattern::Use::format).has_value() == true);
    CHECK_FALSE(DateTimePattern::compile(pattern, DateTimePattern::Use::parse));
  }
  CHECK(DateTimePattern::compile("w", DateTimePattern::Use::parse).error().message ==
        "letter `w` is week-based and not supported — use the function extract instead, in `w`");
}
