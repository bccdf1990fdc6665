#include "runtime/format/tz_database.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>

namespace flowrun {
namespace {

constexpr int64_t kSecondsLimit = std::numeric_limits<int64_t>::max() / kMicrosPerSecond;
constexpr size_t kHeaderBytes = 44;

int64_t to_micros(int64_t seconds) {
  if (seconds > kSecondsLimit) return std::numeric_limits<int64_t>::max();
  if (seconds < -kSecondsLimit) return std::numeric_limits<int64_t>::min();
  return seconds * kMicrosPerSecond;
}

// A day of the year on which clocks change, and the second of that day, in local time before the
// change.
struct YearlyChange {
  enum class Kind : uint8_t {
    month_week_day,
    julian_no_leap,
    day_of_year
  } kind = Kind::day_of_year;
  int month = 0;
  int week = 0;
  int day = 0;
  int32_t second = 2 * 3600;

  // Seconds since 1970-01-01 00:00 on the local clock.
  [[nodiscard]] int64_t local_seconds(int64_t year) const {
    int64_t days = days_from_civil(year, 1, 1);
    if (kind == Kind::day_of_year) {
      days += day;
    } else if (kind == Kind::julian_no_leap) {
      days += day - 1 + (is_leap_year(year) && day >= 60 ? 1 : 0);
    } else {
      const int64_t first = days_from_civil(year, month, 1);
      const int64_t weekday = floor_mod(first + 4, 7);  // Sunday is 0
      days = first + floor_mod(day - weekday, 7) + (week - 1) * 7;
      if (days >= first + days_in_month(year, month)) days -= 7;
    }
    return days * kSecondsPerDay + second;
  }
};

// "CET-1CEST,M3.5.0,M10.5.0/3": the rule that goes on for ever.
struct FutureRule {
  std::string standard_name;
  std::string daylight_name;  // empty: no daylight time
  int32_t standard_offset = 0;
  int32_t daylight_offset = 0;
  YearlyChange start;
  YearlyChange end;
};

// A cursor over the footer's text. Every reader returns false on text that does not fit.
class RuleParser {
 public:
  explicit RuleParser(std::string_view text) : text_(text) {}

  std::optional<FutureRule> parse() {
    FutureRule rule;
    if (!read_name(rule.standard_name) || !read_offset(rule.standard_offset)) return std::nullopt;
    rule.standard_offset = -rule.standard_offset;
    if (text_.empty()) return rule;
    if (!read_name(rule.daylight_name)) return std::nullopt;
    rule.daylight_offset = rule.standard_offset + 3600;
    if (!text_.empty() && text_[0] != ',') {
      if (!read_offset(rule.daylight_offset)) return std::nullopt;
      rule.daylight_offset = -rule.daylight_offset;
    }
    if (!read_change(rule.start) || !read_change(rule.end) || !text_.empty()) return std::nullopt;
    return rule;
  }

 private:
  bool take(char c) {
    if (text_.empty() || text_[0] != c) return false;
    text_.remove_prefix(1);
    return true;
  }
  bool read_number(int& value) {
    size_t digits = 0;
    value = 0;
    while (digits < text_.size() && digits < 4 && text_[digits] >= '0' && text_[digits] <= '9') {
      value = value * 10 + (text_[digits++] - '0');
    }
    text_.remove_prefix(digits);
    return digits > 0;
  }
  bool read_name(std::string& name) {
    const bool quoted = take('<');
    size_t size = 0;
    while (size < text_.size() &&
           (quoted ? text_[size] != '>'
                   : std::isalpha(static_cast<unsigned char>(text_[size])) != 0)) {
      ++size;
    }
    name = text_.substr(0, size);
    text_.remove_prefix(size);
    return size > 0 && (!quoted || take('>'));
  }
  // [+-]hh[:mm[:ss]], in seconds.
  bool read_offset(int32_t& seconds) {
    const int sign = take('-') ? -1 : (take('+'), 1);
    int hours = 0;
    int minutes = 0;
    int rest = 0;
    if (!read_number(hours)) return false;
    if (take(':') && !read_number(minutes)) return false;
    if (take(':') && !read_number(rest)) return false;
    seconds = sign * (hours * 3600 + minutes * 60 + rest);
    return true;
  }
  bool read_change(YearlyChange& change) {
    if (!take(',')) return false;
    if (take('M')) {
      change.kind = YearlyChange::Kind::month_week_day;
      if (!read_number(change.month) || !take('.') || !read_number(change.week) || !take('.') ||
          !read_number(change.day) || change.month < 1 || change.month > 12) {
        return false;
      }
    } else {
      change.kind =
          take('J') ? YearlyChange::Kind::julian_no_leap : YearlyChange::Kind::day_of_year;
      if (!read_number(change.day)) return false;
    }
    return !take('/') || read_offset(change.second);
  }

  std::string_view text_;
};

class Region final : public TimeZone {
 public:
  struct Offset {
    int32_t seconds = 0;
    bool daylight = false;
    std::string abbreviation;
  };
  struct Change {
    int64_t at;     // seconds
    size_t offset;  // in force from then on
  };

  explicit Region(std::string name) : TimeZone(std::move(name)) {}

  std::vector<Offset> offsets;
  size_t first_offset = 0;  // before the first change
  std::vector<Change> changes;
  std::optional<FutureRule> future;

 private:
  [[nodiscard]] Span lookup(int64_t micros) const override;
  [[nodiscard]] Span lookup_future(int64_t seconds) const;
};

TimeZone::Span Region::lookup(int64_t micros) const {
  const int64_t seconds = floor_div(micros, kMicrosPerSecond);
  const auto next =
      std::upper_bound(changes.begin(), changes.end(), seconds,
                       [](int64_t at, const Change& change) { return at < change.at; });
  if (next == changes.end() && future) return lookup_future(seconds);
  const Offset& offset = offsets[next == changes.begin() ? first_offset : std::prev(next)->offset];
  Span span;
  span.offset = offset.seconds;
  span.daylight = offset.daylight;
  span.abbreviation = offset.abbreviation;
  if (next != changes.begin()) span.begin = to_micros(std::prev(next)->at);
  if (next != changes.end()) span.end = to_micros(next->at);
  return span;
}

TimeZone::Span Region::lookup_future(int64_t seconds) const {
  Span span;
  const int64_t last = changes.empty() ? -kSecondsLimit : changes.back().at;
  span.begin = to_micros(last);
  span.offset = future->standard_offset;
  span.abbreviation = future->standard_name;
  if (future->daylight_name.empty()) return span;
  // The changes of the years around, in order; the last one before `seconds` counts.
  const int64_t year = civil_from_days(floor_div(seconds, kSecondsPerDay)).year;
  struct Point {
    int64_t at;
    bool daylight;
  };
  std::array<Point, 6> points{};
  size_t count = 0;
  for (int64_t y = year - 1; y <= year + 1; ++y) {
    points[count++] = {future->start.local_seconds(y) - future->standard_offset, true};
    points[count++] = {future->end.local_seconds(y) - future->daylight_offset, false};
  }
  std::sort(points.begin(), points.end(),
            [](const Point& a, const Point& b) { return a.at < b.at; });
  for (const Point& point : points) {
    if (point.at > seconds) {
      span.end = to_micros(point.at);
      break;
    }
    span.begin = to_micros(std::max(point.at, last));
    span.daylight = point.daylight;
    span.offset = point.daylight ? future->daylight_offset : future->standard_offset;
    span.abbreviation = point.daylight ? future->daylight_name : future->standard_name;
  }
  return span;
}

int64_t big_endian(const char* bytes, size_t width) {
  uint64_t value = 0;
  for (size_t i = 0; i < width; ++i) value = (value << 8) | static_cast<uint8_t>(bytes[i]);
  return width == 4 ? static_cast<int32_t>(value) : static_cast<int64_t>(value);
}

// The six counts of a TZif header, in its order.
struct Counts {
  size_t is_utc, is_standard, leaps, changes, offsets, characters;
  [[nodiscard]] size_t block_bytes(size_t time_width) const {
    return changes * (time_width + 1) + offsets * 6 + characters + leaps * (time_width + 4) +
           is_standard + is_utc;
  }
};

std::optional<Counts> read_header(std::string_view file, size_t at) {
  if (file.size() < at + kHeaderBytes || file.substr(at, 4) != "TZif") return std::nullopt;
  const auto count = [&](size_t i) {
    return static_cast<size_t>(static_cast<uint32_t>(big_endian(file.data() + at + 20 + 4 * i, 4)));
  };
  return Counts{count(0), count(1), count(2), count(3), count(4), count(5)};
}

// Fills `region` from the 64-bit block at `at`.
bool read_block(std::string_view file, size_t at, const Counts& counts, Region& region) {
  const char* times = file.data() + at;
  const char* indices = times + counts.changes * 8;
  const char* offsets = indices + counts.changes;
  const char* names = offsets + counts.offsets * 6;
  for (size_t i = 0; i < counts.offsets; ++i) {
    const char* entry = offsets + 6 * i;
    const auto name_at = static_cast<size_t>(static_cast<uint8_t>(entry[5]));
    if (name_at >= counts.characters) return false;
    const std::string_view rest(names + name_at, counts.characters - name_at);
    region.offsets.push_back({static_cast<int32_t>(big_endian(entry, 4)), entry[4] != 0,
                              std::string(rest.substr(0, rest.find('\0')))});
  }
  for (size_t i = 0; i < counts.changes; ++i) {
    const auto offset = static_cast<size_t>(static_cast<uint8_t>(indices[i]));
    if (offset >= region.offsets.size()) return false;
    region.changes.push_back({big_endian(times + 8 * i, 8), offset});
  }
  return !region.offsets.empty();
}

// A region's name cannot leave the database's folder, and is none of its variants (posix/, right/).
bool is_region_name(std::string_view name) {
  if (name.empty() || name[0] < 'A' || name[0] > 'Z') return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '/' || c == '_' || c == '+' ||
           c == '-';
  });
}

}  // namespace

std::unique_ptr<const TimeZone> read_tz_region(const std::string& name) {
  if (!is_region_name(name)) return nullptr;
  const char* folder = std::getenv("TZDIR");
  const std::string path =
      std::string(folder != nullptr ? folder : "/usr/share/zoneinfo") + "/" + name;
  // A part of the world alone, such as Europe, is a folder, which a stream throws on.
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) return nullptr;
  std::ifstream stream(path, std::ios::binary);
  const std::string file{std::istreambuf_iterator<char>(stream), {}};
  const auto first = read_header(file, 0);
  if (!first || file[4] < '2') return nullptr;
  const size_t second_at = kHeaderBytes + first->block_bytes(4);
  const auto counts = read_header(file, second_at);
  if (!counts) return nullptr;
  const size_t block = second_at + kHeaderBytes;
  const size_t footer = block + counts->block_bytes(8);
  auto region = std::make_unique<Region>(name);
  if (file.size() < footer + 2 || !read_block(file, block, *counts, *region)) return nullptr;
  std::string_view rule = std::string_view(file).substr(footer + 1);
  rule = rule.substr(0, rule.find('\n'));
  if (!rule.empty()) {
    region->future = RuleParser(rule).parse();
    if (!region->future) return nullptr;
  }
  return region;
}

}  // namespace flowrun
