#include "tools/flowrun/text.h"

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <cstdlib>

#include "runtime/format/utc_text.h"

namespace flowrun {
std::string with_separators(int64_t value) {
  std::string digits = std::to_string(std::abs(value));
  constexpr size_t kGroup = 3;
  for (size_t end = digits.size(); end > kGroup; end -= kGroup) digits.insert(end - kGroup, ",");
  return value < 0 ? "-" + digits : digits;
}

std::string size_text(int64_t bytes) {
  constexpr double kStep = 1024;
  constexpr std::array<const char*, 5> kUnits = {"B", "KiB", "MiB", "GiB", "TiB"};
  auto size = static_cast<double>(bytes);
  size_t unit = 0;
  while (size >= kStep && unit + 1 < kUnits.size()) {
    size /= kStep;
    ++unit;
  }
  const bool whole = unit == 0 || size == std::floor(size);
  return whole ? fmt::format("{:.0f} {}", size, kUnits[unit])
               : fmt::format("{:.1f} {}", size, kUnits[unit]);
}

std::string plural(int64_t count, const std::string& thing) {
  return with_separators(count) + " " + thing + (count == 1 ? "" : "s");
}

std::string seconds_text(int64_t microseconds) {
  constexpr double kMicrosPerSecond = 1e6;
  return fmt::format("{:.3g} s", static_cast<double>(microseconds) / kMicrosPerSecond);
}

std::string duration_text(int64_t microseconds) {
  constexpr int64_t kMillisecond = 1000, kSecond = 1'000'000;
  struct Unit {
    int64_t size;
    const char* name;
  };
  for (const Unit& unit : {Unit{3600 * kSecond, "hour"},
                           {60 * kSecond, "minute"},
                           {kSecond, "second"},
                           {kMillisecond, "millisecond"}}) {
    if (microseconds % unit.size != 0 || (microseconds == 0 && unit.size != kSecond)) continue;
    const int64_t count = microseconds / unit.size;
    return fmt::format("{} {}{}", count, unit.name, count == 1 ? "" : "s");
  }
  return fmt::format("{} microseconds", microseconds);
}

std::string time_of_day(int64_t microseconds) {
  constexpr size_t kTime = 11, kLength = 8;  // in 2026-03-01T14:03:05.120Z
  return utc_text(microseconds).substr(kTime, kLength);
}

}  // namespace flowrun
