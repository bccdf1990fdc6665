#pragma once
// Numbers and times as people read them on the terminal.

#include <cstdint>
#include <string>

namespace flowrun {

std::string with_separators(int64_t value);                   // 1234567 -> "1,234,567"
std::string size_text(int64_t bytes);                         // 1258291 -> "1.2 MiB"
std::string plural(int64_t count, const std::string& thing);  // "1 node", "2 nodes"
std::string seconds_text(int64_t microseconds);   // 250000 -> "0.25 s", 12'000'000 -> "12 s"
std::string duration_text(int64_t microseconds);  // as options take it: "1500 milliseconds"
std::string time_of_day(int64_t microseconds);    // "14:03:05", UTC

}  // namespace flowrun
