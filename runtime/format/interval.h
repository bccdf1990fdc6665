#pragma once
// Intervals as Spark writes and reads them.
//
//   parse_interval("1 hour 30 minutes")                    // {0, 0, 5400000000}
//   parse_duration("interval '1 02:00' day to minute")     // 93600000000
//   append_day_time_interval(5400000000, hour, minute, s)  // "INTERVAL '01:30' HOUR TO MINUTE"
//
// Accepted: [interval] {[sign] number unit}... with units from year to microsecond, singular or
// plural, in any case, a fraction with seconds only; the same with the number in quotes after
// `interval`; and the standard forms interval '1-2' year to month, interval '1 02:03:04.5' day to
// second. Errors: `invalid`.

#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/base/status.h"
#include "runtime/columnar/column.h"

namespace flowrun {

// An interval and the units between which it was written: "2 days 3 hours" is day to hour. Weeks
// count as day, milliseconds and microseconds as second.
struct WrittenInterval {
  CalendarInterval value;
  IntervalUnit first;
  IntervalUnit last;
};

Result<WrittenInterval> parse_written_interval(std::string_view text);
// Days are kept apart from hours: a day need not have 24.
Result<CalendarInterval> parse_interval(std::string_view text);
// Microseconds; a day has 24 hours, and months are refused as they have no length.
Result<int64_t> parse_duration(std::string_view text);

// What stands between the quotes of INTERVAL '1-2' YEAR TO MONTH (months) ...
Result<int32_t> parse_year_month_interval(std::string_view text, IntervalUnit first,
                                          IntervalUnit last);
// ... and of INTERVAL '1 02:03:04.5' DAY TO SECOND (microseconds).
Result<int64_t> parse_day_time_interval(std::string_view text, IntervalUnit first,
                                        IntervalUnit last);

// Spark's cast to string of the three kinds.
void append_year_month_interval(int32_t months, IntervalUnit first, IntervalUnit last,
                                std::string& out);
void append_day_time_interval(int64_t micros, IntervalUnit first, IntervalUnit last,
                              std::string& out);
// "1 years 2 days 3 hours 4.5 seconds", "0 seconds".
void append_calendar_interval(const CalendarInterval& interval, std::string& out);

// "day", "DAY TO SECOND" is made of these.
std::string_view interval_unit_name(IntervalUnit unit);
// The unit of "DAY" or "days" in any case (week and parts of seconds are none).
std::optional<IntervalUnit> find_interval_unit(std::string_view name);
// REQUIRES: hour, minute, second or day.
int64_t micros_of_unit(IntervalUnit unit);

}  // namespace flowrun
