#include "runtime/format/interval.h"

#include <algorithm>
#include <array>
#include <limits>

#include "runtime/columnar/type.h"
#include "runtime/format/civil.h"

namespace flowrun {
namespace {

constexpr int64_t kMonthsPerYear = 12;
constexpr size_t kFractionDigits = 9;  // Spark reads nanoseconds and drops the last three

// A unit of the word form: into which part of an interval it goes, and how large it is there.
struct UnitWord {
  std::string_view name;
  int64_t months;
  int64_t days;
  int64_t micros;
  IntervalUnit unit;
};
constexpr std::array<UnitWord, 9> kUnits{{
    {"year", kMonthsPerYear, 0, 0, IntervalUnit::year},
    {"month", 1, 0, 0, IntervalUnit::month},
    {"week", 0, 7, 0, IntervalUnit::day},
    {"day", 0, 1, 0, IntervalUnit::day},
    {"hour", 0, 0, kMicrosPerHour, IntervalUnit::hour},
    {"minute", 0, 0, kMicrosPerMinute, IntervalUnit::minute},
    {"second", 0, 0, kMicrosPerSecond, IntervalUnit::second},
    {"millisecond", 0, 0, kMicrosPerMilli, IntervalUnit::second},
    {"microsecond", 0, 0, 1, IntervalUnit::second},
}};

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

const UnitWord* find_unit(std::string_view name) {
  for (const UnitWord& unit : kUnits) {
    if (name == unit.name) return &unit;
    if (name.size() == unit.name.size() + 1 && name.back() == 's' && name.starts_with(unit.name))
      return &unit;
  }
  return nullptr;
}

Error not_an_interval(std::string_view text, std::string_view why) {
  return Error::invalid("`" + std::string(text) + "` is no interval: " + std::string(why) +
                        " — write such as `10 seconds` or `1 hour 30 minutes`");
}

// A number of a text, with up to nine digits behind the point.
struct Quantity {
  bool negative = false;
  int64_t whole = 0;
  int64_t nanos = 0;
  bool has_fraction = false;

  // The quantity times `unit`, added to `total`; false when it does not fit. Signs are in.
  [[nodiscard]] bool add_to(int64_t& total, int64_t unit) const {
    int64_t product = 0;
    if (__builtin_mul_overflow(negative ? -whole : whole, unit, &product)) return false;
    const int64_t fraction = nanos * unit / 1'000'000'000;
    return !__builtin_add_overflow(total, product, &total) &&
           !__builtin_add_overflow(total, negative ? -fraction : fraction, &total);
  }
};

// Reads tokens off the front of a text in lower case.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) { skip_spaces(); }

  [[nodiscard]] bool at_end() const { return text_.empty(); }
  [[nodiscard]] char peek() const { return text_.empty() ? '\0' : text_[0]; }
  void skip_spaces() {
    while (!text_.empty() && is_space(text_[0])) text_.remove_prefix(1);
  }
  bool take(char c) {
    if (text_.empty() || text_[0] != c) return false;
    text_.remove_prefix(1);
    return true;
  }
  std::string_view word() {
    size_t size = 0;
    while (size < text_.size() && text_[size] >= 'a' && text_[size] <= 'z') ++size;
    const std::string_view found = text_.substr(0, size);
    text_.remove_prefix(size);
    return found;
  }
  // Takes `expected` when it stands here as a whole word.
  bool take_word(std::string_view expected) {
    const std::string_view before = text_;
    if (word() == expected) return true;
    text_ = before;
    return false;
  }
  // What stands before the closing quote.
  std::optional<std::string_view> quoted() {
    if (!take('\'')) return std::nullopt;
    const size_t end = text_.find('\'');
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view inside = text_.substr(0, end);
    text_.remove_prefix(end + 1);
    return inside;
  }
  bool digits(int64_t& value) {
    if (!is_digit(peek())) return false;
    for (value = 0; is_digit(peek()); text_.remove_prefix(1)) {
      if (__builtin_mul_overflow(value, int64_t{10}, &value) ||
          __builtin_add_overflow(value, int64_t{peek() - '0'}, &value)) {
        return false;
      }
    }
    return true;
  }
  // Digits behind a point, as billionths.
  bool fraction(int64_t& nanos) {
    size_t count = 0;
    for (nanos = 0; is_digit(peek()); text_.remove_prefix(1), ++count) {
      if (count == kFractionDigits) return false;
      nanos = nanos * 10 + (peek() - '0');
    }
    for (size_t i = count; i < kFractionDigits; ++i) nanos *= 10;
    return count > 0;
  }
  bool quantity(Quantity& found) {
    found.negative = take('-');
    if (!found.negative) take('+');
    skip_spaces();
    const bool has_whole = is_digit(peek());
    if (has_whole && !digits(found.whole)) return false;
    if (!take('.')) return has_whole;
    found.has_fraction = true;
    return fraction(found.nanos) || (has_whole && found.nanos == 0 && !is_digit(peek()));
  }

 private:
  std::string_view text_;
};

// {[sign] number unit}...
class WordParser {
 public:
  WordParser(std::string_view original, std::string_view lower)
      : original_(original), scanner_(lower) {}

  Result<WrittenInterval> parse() {
    const bool prefixed = scanner_.take_word("interval");
    scanner_.skip_spaces();
    if (scanner_.at_end()) return not_an_interval(original_, "it has no number");
    while (!scanner_.at_end()) {
      FLOWRUN_RETURN_IF_ERROR(part(prefixed));
      scanner_.skip_spaces();
    }
    WrittenInterval result{};
    result.value = {static_cast<int32_t>(months_), static_cast<int32_t>(days_), micros_};
    result.first = first_;
    result.last = last_;
    if (months_ != result.value.months || days_ != result.value.days) return too_large();
    return result;
  }

 private:
  Error too_large() const { return not_an_interval(original_, "it is too large"); }

  Status part(bool quotes) {
    Quantity quantity;
    if (quotes && scanner_.peek() == '\'') {
      const auto inside = scanner_.quoted();
      if (!inside) return not_an_interval(original_, "a quote is open");
      Scanner number(*inside);
      if (!number.quantity(quantity)) return not_an_interval(original_, "a number is wrong");
      number.skip_spaces();
      if (!number.at_end()) return not_an_interval(original_, "a number is wrong");
    } else if (!scanner_.quantity(quantity)) {
      return not_an_interval(original_, "a number is wrong");
    }
    if (!is_space(scanner_.peek()))
      return not_an_interval(original_, "a space must follow each number");
    scanner_.skip_spaces();
    const std::string_view name = scanner_.word();
    const UnitWord* unit = find_unit(name);
    if (unit == nullptr || !(scanner_.at_end() || is_space(scanner_.peek()))) {
      return not_an_interval(original_,
                             "units are year, month, week, day, hour, minute, second, "
                             "millisecond, microsecond");
    }
    if (quantity.has_fraction && unit->name != "second") {
      return not_an_interval(original_, "only seconds take a fraction");
    }
    return add(quantity, *unit);
  }

  Status add(const Quantity& quantity, const UnitWord& unit) {
    if (!quantity.add_to(months_, unit.months) || !quantity.add_to(days_, unit.days) ||
        !quantity.add_to(micros_, unit.micros)) {
      return too_large();
    }
    first_ = std::min(first_, unit.unit);
    last_ = std::max(last_, unit.unit);
    return {};
  }

  std::string_view original_;
  Scanner scanner_;
  int64_t months_ = 0;
  int64_t days_ = 0;
  int64_t micros_ = 0;
  IntervalUnit first_ = IntervalUnit::second;
  IntervalUnit last_ = IntervalUnit::year;
};

// interval [sign] '...' unit to unit, or interval '2 days 3 hours'; nothing if the text has another
// form.
std::optional<Result<WrittenInterval>> parse_standard(std::string_view original,
                                                      std::string_view lower) {
  Scanner scanner(lower);
  if (!scanner.take_word("interval")) return std::nullopt;
  scanner.skip_spaces();
  const bool negative = scanner.take('-');
  if (!negative) scanner.take('+');
  scanner.skip_spaces();
  const auto inside = scanner.quoted();
  if (!inside) return std::nullopt;
  scanner.skip_spaces();
  if (scanner.at_end() && !negative) return WordParser(original, *inside).parse();
  const auto first = find_interval_unit(scanner.word());
  scanner.skip_spaces();
  if (!first || !scanner.take_word("to")) return std::nullopt;
  scanner.skip_spaces();
  const auto last = find_interval_unit(scanner.word());
  if (!last || *first >= *last || !scanner.at_end() ||
      (*first == IntervalUnit::year) != (*last == IntervalUnit::month)) {
    return not_an_interval(original, "its units do not go together");
  }
  WrittenInterval result{{}, *first, *last};
  if (*first == IntervalUnit::year) {
    auto months = parse_year_month_interval(*inside, *first, *last);
    if (!months) return std::move(months.error());
    result.value.months = negative ? -*months : *months;
  } else {
    auto micros = parse_day_time_interval(*inside, *first, *last);
    if (!micros) return std::move(micros.error());
    result.value.days = static_cast<int32_t>(*micros / kMicrosPerDay) * (negative ? -1 : 1);
    result.value.microseconds = *micros % kMicrosPerDay * (negative ? -1 : 1);
  }
  return result;
}

void append_two(int64_t value, std::string& out) {
  if (value < 10) out += '0';
  out += std::to_string(value);
}

// Seconds with as many digits behind the point as need be.
void append_seconds(int64_t micros, std::string& out) {
  out += std::to_string(micros / kMicrosPerSecond);
  int64_t rest = micros % kMicrosPerSecond;
  if (rest == 0) return;
  std::string digits = std::to_string(kMicrosPerSecond + rest).substr(1);
  digits.erase(digits.find_last_not_of('0') + 1);
  out += '.' + digits;
}

void append_units(IntervalUnit first, IntervalUnit last, std::string& out) {
  const auto append = [&out](IntervalUnit unit) {
    for (const char c : interval_unit_name(unit)) out += static_cast<char>(c - 'a' + 'A');
  };
  out += "' ";
  append(first);
  if (first == last) return;
  out += " TO ";
  append(last);
}

uint64_t size_of(int64_t value) {
  return value < 0 ? 0 - static_cast<uint64_t>(value) : static_cast<uint64_t>(value);
}

}  // namespace

std::string_view interval_unit_name(IntervalUnit unit) {
  constexpr std::array<std::string_view, 6> kNames{"year", "month",  "day",
                                                   "hour", "minute", "second"};
  return kNames[static_cast<size_t>(unit)];
}

std::optional<IntervalUnit> find_interval_unit(std::string_view name) {
  const std::string lower = lower_name(name);
  for (const UnitWord& unit : kUnits) {
    if (unit.name != interval_unit_name(unit.unit)) continue;
    if (find_unit(lower) == &unit) return unit.unit;
  }
  return std::nullopt;
}

int64_t micros_of_unit(IntervalUnit unit) {
  switch (unit) {
    case IntervalUnit::day:
      return kMicrosPerDay;
    case IntervalUnit::hour:
      return kMicrosPerHour;
    case IntervalUnit::minute:
      return kMicrosPerMinute;
    default:
      return kMicrosPerSecond;
  }
}

Result<WrittenInterval> parse_written_interval(std::string_view text) {
  const std::string lower = lower_name(text);
  if (auto standard = parse_standard(text, lower)) return std::move(*standard);
  return WordParser(text, lower).parse();
}

Result<CalendarInterval> parse_interval(std::string_view text) {
  FLOWRUN_TRY(const WrittenInterval written, parse_written_interval(text));
  return written.value;
}

Result<int64_t> parse_duration(std::string_view text) {
  FLOWRUN_TRY(const CalendarInterval interval, parse_interval(text));
  if (interval.months != 0) {
    return Error::invalid("`" + std::string(text) +
                          "` has no fixed length — write days or less, months and years vary");
  }
  int64_t micros = 0;
  if (__builtin_mul_overflow(int64_t{interval.days}, kMicrosPerDay, &micros) ||
      __builtin_add_overflow(micros, interval.microseconds, &micros)) {
    return not_an_interval(text, "it is too large");
  }
  return micros;
}

Result<int32_t> parse_year_month_interval(std::string_view text, IntervalUnit first,
                                          IntervalUnit last) {
  Scanner scanner(text);
  const bool negative = scanner.take('-');
  if (!negative) scanner.take('+');
  int64_t years = 0;
  int64_t months = 0;
  const bool both = first != last;
  bool good = scanner.digits(first == IntervalUnit::year ? years : months);
  if (both) good = good && scanner.take('-') && scanner.digits(months) && months < kMonthsPerYear;
  scanner.skip_spaces();
  int64_t total = 0;
  if (!good || !scanner.at_end() || __builtin_mul_overflow(years, kMonthsPerYear, &total) ||
      __builtin_add_overflow(total, months, &total) ||
      total > std::numeric_limits<int32_t>::max()) {
    return not_an_interval(text, both ? "year to month is written '1-2', months below 12"
                                      : "a whole number is wanted");
  }
  return static_cast<int32_t>(negative ? -total : total);
}

Result<int64_t> parse_day_time_interval(std::string_view text, IntervalUnit first,
                                        IntervalUnit last) {
  constexpr std::array<int64_t, 6> kLimits{0, 0, 0, 24, 60, 60};
  Scanner scanner(text);
  const bool negative = scanner.take('-');
  if (!negative) scanner.take('+');
  int64_t total = 0;
  bool good = true;
  for (auto unit = first; good && unit <= last;
       unit = static_cast<IntervalUnit>(static_cast<int>(unit) + 1)) {
    if (unit != first) good = scanner.take(unit == IntervalUnit::hour ? ' ' : ':');
    Quantity quantity;
    quantity.negative = negative;
    good = good && scanner.digits(quantity.whole);
    if (unit == IntervalUnit::second && scanner.take('.'))
      good = good && scanner.fraction(quantity.nanos);
    if (unit != first && quantity.whole >= kLimits[static_cast<size_t>(unit)]) good = false;
    good = good && quantity.add_to(total, micros_of_unit(unit));
  }
  scanner.skip_spaces();
  if (!good || !scanner.at_end()) {
    return not_an_interval(text, "'" + std::string(interval_unit_name(first)) + " to " +
                                     std::string(interval_unit_name(last)) +
                                     "' is written as in '1 02:03:04.5' day to second");
  }
  return total;
}

void append_year_month_interval(int32_t months, IntervalUnit first, IntervalUnit last,
                                std::string& out) {
  const auto size = static_cast<int64_t>(size_of(months));
  out += "INTERVAL '";
  if (months < 0) out += '-';
  if (last == IntervalUnit::year) {
    out += std::to_string(size / kMonthsPerYear);
  } else if (first == IntervalUnit::month) {
    out += std::to_string(size);
  } else {
    out += std::to_string(size / kMonthsPerYear) + '-' + std::to_string(size % kMonthsPerYear);
  }
  append_units(first, last, out);
}

void append_day_time_interval(int64_t micros, IntervalUnit first, IntervalUnit last,
                              std::string& out) {
  out += "INTERVAL '";
  if (micros < 0) out += '-';
  uint64_t rest = size_of(micros);
  for (auto unit = first; unit <= last;
       unit = static_cast<IntervalUnit>(static_cast<int>(unit) + 1)) {
    const auto size = static_cast<uint64_t>(micros_of_unit(unit));
    if (unit != first) out += unit == IntervalUnit::hour ? ' ' : ':';
    if (unit == IntervalUnit::second) {
      if (rest < 10 * size) out += '0';
      append_seconds(static_cast<int64_t>(rest), out);
    } else if (unit == IntervalUnit::day) {
      out += std::to_string(rest / size);
    } else {
      append_two(static_cast<int64_t>(rest / size), out);
    }
    rest %= size;
  }
  append_units(first, last, out);
}

void append_calendar_interval(const CalendarInterval& interval, std::string& out) {
  const size_t start = out.size();
  const auto append = [&](int64_t value, std::string_view unit) {
    if (value == 0) return;
    if (out.size() != start) out += ' ';
    out += std::to_string(value);
    out += ' ';
    out += unit;
  };
  append(interval.months / kMonthsPerYear, "years");
  append(interval.months % kMonthsPerYear, "months");
  append(interval.days, "days");
  append(interval.microseconds / kMicrosPerHour, "hours");
  append(interval.microseconds % kMicrosPerHour / kMicrosPerMinute, "minutes");
  const int64_t seconds = interval.microseconds % kMicrosPerMinute;
  if (seconds != 0) {
    if (out.size() != start) out += ' ';
    if (seconds < 0) out += '-';
    append_seconds(seconds < 0 ? -seconds : seconds, out);
    out += " seconds";
  }
  if (out.size() == start) out += "0 seconds";
}

}  // namespace flowrun
