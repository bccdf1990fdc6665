#include "tools/flowrun/text.h"

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <cmath>
#include <cstdlib>

namespace flowrun {
namespace {

constexpr int64_t kMillisPerSecond = 1000, kMicrosPerMilli = 1000;

}  // namespace

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

std::string time_of_day(int64_t microseconds) { return utc_text(microseconds).substr(11, 8); }

std::string utc_text(int64_t microseconds) {
  using namespace std::chrono;
  const sys_time<std::chrono::microseconds> time{std::chrono::microseconds(microseconds)};
  const auto day = floor<days>(time);
  const year_month_day date(day);
  const int64_t millis = (time - day).count() / kMicrosPerMilli;
  const int64_t seconds = millis / kMillisPerSecond;
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     seconds / 3600, seconds / 60 % 60, seconds % 60, millis % kMillisPerSecond);
}

}  // namespace flowrun
