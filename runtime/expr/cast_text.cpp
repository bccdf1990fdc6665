// Text as numbers, and casts to string and binary.
#include <fast_float/fast_float.h>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>

#include "runtime/columnar/type.h"
#include "runtime/expr/cast_themes.h"
#include "runtime/format/datetime.h"
#include "runtime/format/text.h"

namespace flowrun {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Java's String.trim.
std::string_view trim_like_java(std::string_view text) {
  while (!text.empty() && static_cast<unsigned char>(text.front()) <= ' ') text.remove_prefix(1);
  while (!text.empty() && static_cast<unsigned char>(text.back()) <= ' ') text.remove_suffix(1);
  return text;
}

// What Spark takes when Java does not: words without regard to case.
template <class T>
std::optional<T> floating_word(std::string_view text) {
  const std::string word = lower_name(text);
  if (word == "nan") return std::numeric_limits<T>::quiet_NaN();
  const bool negative = word.starts_with('-');
  const std::string_view rest =
      std::string_view(word).substr(negative || word.starts_with('+') ? 1 : 0);
  if (rest == "inf" || rest == "infinity") {
    return negative ? -std::numeric_limits<T>::infinity() : std::numeric_limits<T>::infinity();
  }
  // Java's own NaN may have a sign.
  if (text == "+NaN" || text == "-NaN") return std::numeric_limits<T>::quiet_NaN();
  return std::nullopt;
}

// Digits of 0x1.8p3 behind the 0x.
template <class T>
std::optional<T> hex_floating(std::string_view digits) {
  if (digits.find_first_of("pP") == std::string_view::npos) return std::nullopt;
  T value{};
  const char* end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, value, std::chars_format::hex);
  if (stop != end || error == std::errc::invalid_argument) return std::nullopt;
  return value;
}

template <class T>
std::optional<T> plain_floating(std::string_view digits) {
  if (digits.empty() || (!is_digit(digits[0]) && digits[0] != '.')) return std::nullopt;
  T value{};
  const char* end = digits.data() + digits.size();
  const auto [stop, error] = fast_float::from_chars(digits.data(), end, value);
  if (stop != end || error == std::errc::invalid_argument) return std::nullopt;
  return value;
}

// The same bytes under another type.
ColumnPtr relabel(const Column& column, const Type& to) {
  Column::Parts parts = column.parts();
  parts.type = to;
  return Column::make(std::move(parts));
}

template <class In>
ColumnPtr integer_to_binary(const Column& column) {
  StringBuilder builder(Type::binary());
  builder.reserve(column.size());
  const std::span<const In> values = column.values<In>();
  for (int64_t i = 0; i < column.size(); ++i) {
    if (column.is_null(i)) {
      builder.append_null();
      continue;
    }
    std::array<char, sizeof(In)> bytes{};
    auto rest = static_cast<uint64_t>(static_cast<int64_t>(values[static_cast<size_t>(i)]));
    for (size_t b = bytes.size(); b-- > 0; rest >>= 8) bytes[b] = static_cast<char>(rest & 0xff);
    builder.append({bytes.data(), bytes.size()});
  }
  return builder.finish();
}

}  // namespace

std::optional<int64_t> parse_integer(std::string_view text, bool allow_fraction) {
  text = trim_for_cast(text);
  if (text.empty()) return std::nullopt;
  const bool negative = text[0] == '-';
  if (negative || text[0] == '+') text.remove_prefix(1);
  if (text.empty()) return std::nullopt;
  int64_t value = 0;
  size_t i = 0;
  for (; i < text.size() && is_digit(text[i]); ++i) {
    const int64_t digit = text[i] - '0';
    // Towards the sign, so that the least number fits.
    if (__builtin_mul_overflow(value, int64_t{10}, &value) ||
        __builtin_add_overflow(value, negative ? -digit : digit, &value)) {
      return std::nullopt;
    }
  }
  if (i == text.size()) return value;
  if (text[i] != '.' || !allow_fraction) return std::nullopt;
  for (++i; i < text.size(); ++i) {
    if (!is_digit(text[i])) return std::nullopt;
  }
  return value;
}

template <class T>
std::optional<T> parse_floating(std::string_view text) {
  text = trim_like_java(text);
  if (text.empty()) return std::nullopt;
  std::string_view digits = text;
  const bool negative = digits[0] == '-';
  if (negative || digits[0] == '+') digits.remove_prefix(1);
  const bool hex = digits.size() > 2 && digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'X');
  // Java's suffixes: 1d, 1.5F.
  if (digits.size() > 1 && std::string_view("dDfF").find(digits.back()) != std::string_view::npos) {
    digits.remove_suffix(1);
  }
  const auto value = hex ? hex_floating<T>(digits.substr(2)) : plain_floating<T>(digits);
  if (value) return negative ? -*value : *value;
  return floating_word<T>(text);
}
template std::optional<float> parse_floating<float>(std::string_view);
template std::optional<double> parse_floating<double>(std::string_view);

std::optional<bool> parse_boolean(std::string_view text) {
  const std::string word = lower_name(trim_for_cast(text));
  for (const char* yes : {"t", "true", "y", "yes", "1"}) {
    if (word == yes) return true;
  }
  for (const char* no : {"f", "false", "n", "no", "0"}) {
    if (word == no) return false;
  }
  return std::nullopt;
}

Result<ColumnPtr> cast_to_string(const CastRequest& request) {
  const Column& column = request.column;
  if (request.from().id() == TypeId::binary) return relabel(column, request.to);
  StringBuilder builder(request.to);
  builder.reserve(column.size());
  std::string text;
  LocalTime wall(request.zone);
  const bool is_time = request.from().id() == TypeId::timestamp;
  for (int64_t i = 0; i < column.size(); ++i) {
    if (column.is_null(i)) {
      builder.append_null();
      continue;
    }
    text.clear();
    if (is_time) {
      append_timestamp(column.values<int64_t>()[static_cast<size_t>(i)], wall, text);
    } else {
      append_text(column, i, request.zone, text);
    }
    builder.append(text);
  }
  return builder.finish();
}

Result<ColumnPtr> cast_to_binary(const CastRequest& request) {
  switch (request.from().id()) {
    case TypeId::tinyint:
      return integer_to_binary<int8_t>(request.column);
    case TypeId::smallint:
      return integer_to_binary<int16_t>(request.column);
    case TypeId::integer:
      return integer_to_binary<int32_t>(request.column);
    case TypeId::bigint:
      return integer_to_binary<int64_t>(request.column);
    default:
      return relabel(request.column, request.to);
  }
}

}  // namespace flowrun
