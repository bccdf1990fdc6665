#pragma once
// Numbers and times as people read them on the terminal.

#include <cstdint>
#include <string>

namespace flowrun {

std::string with_separators(int64_t value);                   // 1234567 -> "1,234,567"
std::string size_text(int64_t bytes);                         // 1258291 -> "1.2 MiB"
std::string plural(int64_t count, const std::string& thing);  // "1 node", "2 nodes"
std::string seconds_text(int64_t microseconds);  // 250000 -> "0.25 s", 12'000'000 -> "12 s"
std::string time_of_day(int64_t microseconds);   // "14:03:05", UTC
std::string utc_text(int64_t microseconds);      // "2026-03-01T14:03:05.120Z"

}  // namespace flowrun
