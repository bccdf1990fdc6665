#include "runtime/expr/literal.h"

#include <fast_float/fast_float.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "runtime/columnar/builder.h"
#include "runtime/format/datetime.h"
#include "runtime/format/decimal.h"
#include "runtime/format/interval.h"
#include "runtime/format/text.h"
#include "runtime/format/time_zone.h"

namespace flowrun {

namespace {

template <class T>
ColumnPtr one(const Type& type, T value) {
  FixedBuilder<T> builder(type);
  builder.append(value);
  return builder.finish();
}

Error out_of_range(std::string_view text, std::string_view type) {
  return Error::invalid(fmt::format("{} is out of the range of {}", text, type));
}

template <class T>
Result<ColumnPtr> integer(std::string_view text, const Type& type) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size())
    return out_of_range(text, type.simple_string());
  return one(type, value);
}

template <class T>
Result<ColumnPtr> floating(std::string_view text, const Type& type) {
  T value{};
  const auto [end, error] = fast_float::from_chars(text.data(), text.data() + text.size(), value);
  const bool finite = std::isfinite(value);
  if (error != std::errc{} || end != text.data() + text.size() || !finite) {
    return out_of_range(text, type.simple_string());
  }
  return one(type, value);
}

// The decimal with just the digits that are written: 1.50 is decimal(3,2), 1e3 is not written so.
Result<ColumnPtr> decimal(std::string_view text) {
  std::string_view digits = text;
  if (digits.starts_with('-')) digits.remove_prefix(1);
  int exponent = 0;
  if (const size_t e = digits.find_first_of("eE"); e != std::string_view::npos) {
    std::string_view power = digits.substr(e + 1);
    if (power.starts_with('+')) power.remove_prefix(1);
    std::from_chars(power.data(), power.data() + power.size(), exponent);
    digits = digits.substr(0, e);
  }
  const size_t point = digits.find('.');
  std::string_view whole = digits.substr(0, point);
  const std::string_view fraction =
      point == std::string_view::npos ? std::string_view() : digits.substr(point + 1);
  whole.remove_prefix(std::min(whole.find_first_not_of('0'), whole.size()));
  int scale = static_cast<int>(fraction.size()) - exponent;
  int precision = static_cast<int>(whole.size() + fraction.size());
  if (whole.empty()) {
    const size_t zeros = std::min(fraction.find_first_not_of('0'), fraction.size());
    precision = static_cast<int>(fraction.size() - zeros);
  }
  if (scale < 0) {
    precision -= scale;
    scale = 0;
  }
  precision = std::max({precision, scale, 1});
  if (precision > kMaxDecimalPrecision) {
    return Error::invalid(fmt::format("{} has more than {} digits", text, kMaxDecimalPrecision));
  }
  const auto value = parse_decimal(text, precision, scale);
  if (!value) return out_of_range(text, "decimal");
  return one(Type::decimal(precision, scale), *value);
}

Error bad_literal(std::string_view word, std::string_view text) {
  return Error::invalid(fmt::format("{} '{}' is no such value", word, text));
}

Result<ColumnPtr> binary(std::string_view text) {
  std::string bytes;
  std::string padded(text.size() % 2 == 1 ? "0" : "");
  padded += text;
  for (size_t i = 0; i < padded.size(); i += 2) {
    unsigned value = 0;
    const auto [end, error] = std::from_chars(padded.data() + i, padded.data() + i + 2, value, 16);
    if (error != std::errc{} || end != padded.data() + i + 2) return bad_literal("X", text);
    bytes += static_cast<char>(value);
  }
  StringBuilder builder(Type::binary());
  builder.append(bytes);
  return builder.finish();
}

Result<ColumnPtr> interval_column(const WrittenInterval& interval) {
  if (interval.first <= IntervalUnit::month && interval.last > IntervalUnit::month) {
    return Error::invalid("an interval has years and months, or days and less, not both");
  }
  if (interval.last <= IntervalUnit::month) {
    return one(Type::year_month_interval(interval.first, interval.last), interval.value.months);
  }
  constexpr int64_t kMicrosPerDay = 86'400'000'000;
  int64_t micros = 0;
  if (__builtin_mul_overflow(int64_t{interval.value.days}, kMicrosPerDay, &micros) ||
      __builtin_add_overflow(micros, interval.value.microseconds, &micros)) {
    return Error::invalid("the interval is too long");
  }
  return one(Type::day_time_interval(interval.first, interval.last), micros);
}

constexpr std::array<std::string_view, 20> kUnits = {
    "year",        "years",        "month",       "months",       "week",    "weeks",   "day",
    "days",        "hour",         "hours",       "minute",       "minutes", "second",  "seconds",
    "millisecond", "milliseconds", "microsecond", "microseconds", "quarter", "quarters"};

}  // namespace

Result<ColumnPtr> number_literal(std::string_view text) {
  const char last = text.back();
  const std::string_view body = text.substr(0, text.size() - 1);
  const bool big = text.size() > 2 && (text.ends_with("bd") || text.ends_with("BD") ||
                                       text.ends_with("Bd") || text.ends_with("bD"));
  if (big) return decimal(text.substr(0, text.size() - 2));
  switch (last) {
    case 'l':
    case 'L':
      return integer<int64_t>(body, Type::bigint());
    case 's':
    case 'S':
      return integer<int16_t>(body, Type::smallint());
    case 'y':
    case 'Y':
      return integer<int8_t>(body, Type::tinyint());
    case 'f':
    case 'F':
      return floating<float>(body, Type::real());
    case 'd':
    case 'D':
      return floating<double>(body, Type::double_());
    default:
      break;
  }
  if (text.find_first_of("eE") != std::string_view::npos)
    return floating<double>(text, Type::double_());
  if (text.find('.') != std::string_view::npos) return decimal(text);
  if (auto value = integer<int32_t>(text, Type::integer())) return value;
  if (auto value = integer<int64_t>(text, Type::bigint())) return value;
  return decimal(text);
}

bool is_literal_type(std::string_view word) {
  return word == "date" || word == "timestamp" || word == "timestamp_ltz" || word == "x";
}

Result<ColumnPtr> typed_literal(std::string_view word, std::string_view text) {
  if (word == "x") return binary(text);
  if (word == "date") {
    const auto days = parse_date(text);
    if (!days) return bad_literal("DATE", text);
    return one(Type::date(), *days);
  }
  const auto micros = parse_timestamp(text, TimeZone::utc());
  if (!micros) return bad_literal("TIMESTAMP", text);
  return one(Type::timestamp(), *micros);
}

bool is_interval_unit(std::string_view word) {
  return std::ranges::find(kUnits, word) != kUnits.end();
}

Result<ColumnPtr> interval_literal(std::span<const IntervalPart> parts) {
  std::string text;
  for (const IntervalPart& part : parts) text += part.value + " " + part.unit + " ";
  FLOWRUN_TRY(const WrittenInterval interval, parse_written_interval(text));
  return interval_column(interval);
}

Result<ColumnPtr> interval_literal(std::string_view text) {
  FLOWRUN_TRY(const WrittenInterval interval, parse_written_interval(text));
  return interval_column(interval);
}

Result<ColumnPtr> interval_literal(std::string_view text, std::string_view from,
                                   std::string_view to) {
  const auto first = find_interval_unit(from);
  const auto last = find_interval_unit(to);
  if (!first || !last || *first >= *last ||
      (*first <= IntervalUnit::month) != (*last <= IntervalUnit::month)) {
    return Error::invalid(fmt::format("an interval cannot run from {} to {}", from, to));
  }
  if (*last <= IntervalUnit::month) {
    FLOWRUN_TRY(const int32_t months, parse_year_month_interval(text, *first, *last));
    return one(Type::year_month_interval(*first, *last), months);
  }
  FLOWRUN_TRY(const int64_t micros, parse_day_time_interval(text, *first, *last));
  return one(Type::day_time_interval(*first, *last), micros);
}

std::string literal_name(const Column& value) {
  if (value.is_null(0)) return "NULL";
  std::string text;
  if (value.type().id() == TypeId::binary) {
    for (const char c : value.string(0))
      text += fmt::format("{:02X}", static_cast<unsigned char>(c));
    return "X'" + text + "'";
  }
  append_text(value, 0, TimeZone::utc(), text);
  if (value.type().id() == TypeId::date) return "DATE '" + text + "'";
  if (value.type().id() == TypeId::timestamp) return "TIMESTAMP '" + text + "'";
  return text;
}

}  // namespace flowrun
