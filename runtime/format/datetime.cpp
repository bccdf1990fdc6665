#include "runtime/format/datetime.h"

#include <array>
#include <limits>

#include "runtime/base/clock.h"

namespace flowrun {
namespace {

void append_two(int value, std::string& out) {
  out += static_cast<char>('0' + value / 10);
  out += static_cast<char>('0' + value % 10);
}

// Four digits at least; more of them get a plus.
void append_year(int64_t year, std::string& out) {
  if (year >= 0 && year <= 9999) {
    append_two(static_cast<int>(year / 100), out);
    append_two(static_cast<int>(year % 100), out);
    return;
  }
  out += year < 0 ? '-' : '+';
  std::string digits = std::to_string(year < 0 ? -year : year);
  if (digits.size() < 4) out.append(4 - digits.size(), '0');
  out += digits;
}

void append_civil(const CivilDate& date, std::string& out) {
  append_year(date.year, out);
  out += '-';
  append_two(date.month, out);
  out += '-';
  append_two(date.day, out);
}

void append_clock(const CivilTime& time, std::string& out) {
  append_two(time.hour, out);
  out += ':';
  append_two(time.minute, out);
  out += ':';
  append_two(time.second, out);
}

// Six digits without trailing zeros, but at least `least`.
void append_fraction(int micros, size_t least, std::string& out) {
  std::array<char, 6> digits{};
  for (size_t i = digits.size(); i-- > 0; micros /= 10)
    digits[i] = static_cast<char>('0' + micros % 10);
  size_t size = digits.size();
  while (size > least && digits[size - 1] == '0') --size;
  if (size == 0) return;
  out += '.';
  out.append(digits.data(), size);
}

// Numbers of a text such as 2015-02-23 10:18:55.5: at most nine digits are kept of each.
struct DigitRun {
  int64_t value = 0;
  int digits = 0;
  void add(char c) {
    if (digits < 9) value = value * 10 + (c - '0');
    ++digits;
  }
};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// One or two digits, as months, days, hours, minutes and seconds have.
bool is_short(const DigitRun& run) { return run.digits == 1 || run.digits == 2; }

std::optional<int64_t> checked_days(int64_t year, int64_t month, int64_t day) {
  if (month < 1 || month > 12 || day < 1) return std::nullopt;
  if (day > days_in_month(year, static_cast<int>(month))) return std::nullopt;
  return days_from_civil(year, static_cast<int>(month), static_cast<int>(day));
}

// What stands in a timestamp's text, before it is placed in a zone.
struct TimestampParts {
  int64_t year = 1;
  int64_t month = 1;
  int64_t day = 1;
  int64_t hour = 0;
  int64_t minute = 0;
  int64_t second = 0;
  int64_t micros = 0;
  bool has_date = true;
  std::string_view zone;  // as written; empty: none
};

// Reads digits, and tells what follows them. The grammar is that of Spark's parseTimestampString.
class TimestampScanner {
 public:
  explicit TimestampScanner(std::string_view text) : text_(text) {}

  std::optional<TimestampParts> scan() {
    if (text_.empty()) return std::nullopt;
    if (text_[0] == 'T') {
      parts_.has_date = false;
      ++at_;
      return scan_time(number()) ? std::optional(parts_) : std::nullopt;
    }
    const bool has_sign = text_[0] == '-' || text_[0] == '+';
    if (has_sign) ++at_;
    const DigitRun first = number();
    if (peek() == ':' && !has_sign) {
      parts_.has_date = false;
      return scan_time(first) ? std::optional(parts_) : std::nullopt;
    }
    if (first.digits < 4 || first.digits > 6) return std::nullopt;
    parts_.year = text_[0] == '-' ? -first.value : first.value;
    return scan_after_year() ? std::optional(parts_) : std::nullopt;
  }

 private:
  [[nodiscard]] bool at_end() const { return at_ == text_.size(); }
  [[nodiscard]] char peek() const { return at_end() ? '\0' : text_[at_]; }
  bool take(char c) {
    if (peek() != c || at_end()) return false;
    ++at_;
    return true;
  }
  DigitRun number() {
    DigitRun run;
    while (!at_end() && is_digit(text_[at_])) run.add(text_[at_++]);
    return run;
  }
  bool short_number(int64_t& target) {
    const DigitRun run = number();
    target = run.value;
    return is_short(run);
  }

  bool scan_after_year() {
    if (at_end()) return true;
    if (!take('-') || !short_number(parts_.month)) return false;
    if (at_end()) return true;
    if (!take('-') || !short_number(parts_.day)) return false;
    if (at_end()) return true;
    if (!take(' ') && !take('T')) return false;
    return scan_time(number());
  }

  bool scan_time(const DigitRun& hour) {
    parts_.hour = hour.value;
    if (!is_short(hour)) return false;
    if (at_end()) return true;
    if (!take(':') || !short_number(parts_.minute)) return false;
    if (at_end()) return true;
    if (!take(':') || !short_number(parts_.second)) return false;
    if (take('.')) scan_fraction();
    if (at_end()) return true;
    parts_.zone = trim_for_cast(text_.substr(at_));
    return !parts_.zone.empty();
  }

  // Digits after the sixth are dropped.
  void scan_fraction() {
    int64_t unit = kMicrosPerSecond;
    for (; !at_end() && is_digit(text_[at_]); ++at_) {
      unit /= 10;
      parts_.micros += unit * (text_[at_] - '0');
    }
  }

  std::string_view text_;
  size_t at_ = 0;
  TimestampParts parts_;
};

}  // namespace

std::string_view trim_for_cast(std::string_view text) {
  const auto trimmed = [](char c) { return static_cast<unsigned char>(c) <= 0x20 || c == 0x7f; };
  while (!text.empty() && trimmed(text.front())) text.remove_prefix(1);
  while (!text.empty() && trimmed(text.back())) text.remove_suffix(1);
  return text;
}

void append_date(int32_t days, std::string& out) { append_civil(civil_from_days(days), out); }

void append_timestamp(int64_t micros, LocalTime& wall, std::string& out) {
  const int64_t local = wall.to_local(micros);
  const CivilTime time = civil_time(floor_mod(local, kMicrosPerDay));
  append_civil(civil_from_days(floor_div(local, kMicrosPerDay)), out);
  out += ' ';
  append_clock(time, out);
  append_fraction(time.micros, 0, out);
}

void append_timestamp(int64_t micros, const TimeZone& zone, std::string& out) {
  LocalTime wall(zone);
  append_timestamp(micros, wall, out);
}

void append_iso_timestamp(int64_t micros, LocalTime& wall, std::string& out, int digits) {
  const int64_t local = wall.to_local(micros);
  const CivilTime time = civil_time(floor_mod(local, kMicrosPerDay));
  append_civil(civil_from_days(floor_div(local, kMicrosPerDay)), out);
  out += 'T';
  append_clock(time, out);
  append_fraction(digits == 3 ? time.micros / 1000 * 1000 : time.micros,
                  static_cast<size_t>(digits), out);
  // XXX has no seconds.
  out += offset_name(wall.span(micros).offset / 60 * 60);
}

std::optional<int32_t> parse_date(std::string_view text) {
  text = trim_for_cast(text);
  if (text.empty()) return std::nullopt;
  const bool has_sign = text[0] == '-' || text[0] == '+';
  std::array<DigitRun, 3> parts{};
  parts[1].value = parts[2].value = 1;
  size_t part = 0;
  size_t at = has_sign ? 1 : 0;
  for (; at < text.size() && text[at] != ' ' && text[at] != 'T'; ++at) {
    if (text[at] == '-' && part < 2) {
      parts[++part].value = 0;
    } else if (is_digit(text[at])) {
      parts[part].add(text[at]);
    } else {
      return std::nullopt;
    }
  }
  if (part < 2 && at < text.size()) return std::nullopt;
  if (parts[0].digits < 4 || parts[0].digits > 7) return std::nullopt;
  for (size_t i = 1; i <= part; ++i) {
    if (!is_short(parts[i])) return std::nullopt;
  }
  const int64_t year = text[0] == '-' ? -parts[0].value : parts[0].value;
  const auto days = checked_days(year, parts[1].value, parts[2].value);
  if (!days || *days != static_cast<int32_t>(*days)) return std::nullopt;
  return static_cast<int32_t>(*days);
}

std::optional<int64_t> parse_timestamp(std::string_view text, LocalTime& wall) {
  const auto parts = TimestampScanner(trim_for_cast(text)).scan();
  if (!parts || parts->hour > 23 || parts->minute > 59 || parts->second > 59) return std::nullopt;
  const TimeZone* zone = &wall.zone();
  if (!parts->zone.empty()) {
    const auto named = find_time_zone(parts->zone);
    if (!named) return std::nullopt;
    zone = *named;
  }
  std::optional<LocalTime> other;
  LocalTime& clock = zone == &wall.zone() ? wall : other.emplace(*zone);
  std::optional<int64_t> days;
  if (parts->has_date) {
    days = checked_days(parts->year, parts->month, parts->day);
  } else {
    days = date_of_timestamp(system_clock().now(), clock);
  }
  if (!days) return std::nullopt;
  const int64_t in_day = parts->hour * kMicrosPerHour + parts->minute * kMicrosPerMinute +
                         parts->second * kMicrosPerSecond + parts->micros;
  int64_t local = 0;
  if (__builtin_mul_overflow(*days, kMicrosPerDay, &local) ||
      __builtin_add_overflow(local, in_day, &local)) {
    return std::nullopt;
  }
  return clock.to_utc(local);
}

std::optional<int64_t> parse_timestamp(std::string_view text, const TimeZone& zone) {
  LocalTime wall(zone);
  return parse_timestamp(text, wall);
}

int32_t date_of_timestamp(int64_t micros, LocalTime& wall) {
  return static_cast<int32_t>(floor_div(wall.to_local(micros), kMicrosPerDay));
}

int64_t timestamp_of_date(int32_t days, LocalTime& wall) {
  int64_t local = 0;
  if (__builtin_mul_overflow(static_cast<int64_t>(days), kMicrosPerDay, &local)) {
    return days > 0 ? std::numeric_limits<int64_t>::max() : std::numeric_limits<int64_t>::min();
  }
  return wall.to_utc(local);
}

}  // namespace flowrun
