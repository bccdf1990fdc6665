#pragma once
// Dates and timestamps as text, by Spark's rules for casts. With format/civil.h (the calendar),
// format/time_zone.h (zones) and format/datetime_pattern.h (patterns such as "yyyy-MM-dd") it is
// all there is to know about time in one include.
//
//   append_date(16489, out)                              // "2015-02-23"
//   append_timestamp(1424686735500000, utc, out)         // "2015-02-23 10:18:55.5"
//   parse_timestamp("2015-02-23T10:18:55+02:00", utc)    // 1424679535000000
//
// Dates are days, timestamps microseconds since 1970-01-01 (UTC).

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/format/civil.h"
#include "runtime/format/datetime_pattern.h"
#include "runtime/format/time_zone.h"

namespace flowrun {

// "yyyy-MM-dd"; years beyond 9999 with a plus, negative ones with a minus.
void append_date(int32_t days, std::string& out);
// "yyyy-MM-dd HH:mm:ss" in `zone`, with a fraction as long as need be.
void append_timestamp(int64_t micros, const TimeZone& zone, std::string& out);
// As above for a run of rows: `wall` remembers the zone's span.
void append_timestamp(int64_t micros, LocalTime& wall, std::string& out);
// "yyyy-MM-dd'T'HH:mm:ss.SSSXXX": what Spark's to_json and CSV writer use by default.
// With digits = 6, SSSSSS: nothing is lost.
void append_iso_timestamp(int64_t micros, LocalTime& wall, std::string& out, int digits = 3);

// "2015", "2015-2", "2015-02-23", and anything after a space or T behind a day. White space around
// is trimmed. Nothing if the text is no date, or one whose day does not exist.
std::optional<int32_t> parse_date(std::string_view text);
// A date, optionally followed by [T ]h[:m[:s[.fraction][zone]]]; or a time of day alone, which
// counts today by the machine's clock. Local times are those of `zone` unless the text names one.
std::optional<int64_t> parse_timestamp(std::string_view text, const TimeZone& zone);
std::optional<int64_t> parse_timestamp(std::string_view text, LocalTime& wall);

// Without the characters that Spark trims before a cast: white space and ISO control characters.
std::string_view trim_for_cast(std::string_view text);

// The day on which an instant falls; the instant at which a local day begins (saturated, as dates
// reach farther than timestamps).
int32_t date_of_timestamp(int64_t micros, LocalTime& wall);
int64_t timestamp_of_date(int32_t days, LocalTime& wall);

}  // namespace flowrun
