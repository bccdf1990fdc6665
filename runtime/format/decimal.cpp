// Text, scales and conversions; arithmetic is in decimal_arithmetic.cpp.
#include "runtime/format/decimal.h"

#include <fast_float/fast_float.h>
#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace flowrun {
namespace {

__extension__ typedef unsigned __int128 Unsigned128;

constexpr auto kPowers = [] {
  std::array<Decimal128, kMaxDecimalPrecision + 1> powers{};
  powers[0] = 1;
  for (size_t i = 1; i < powers.size(); ++i) powers[i] = powers[i - 1] * 10;
  return powers;
}();

Unsigned128 magnitude(Decimal128 value) {
  return value < 0 ? -static_cast<Unsigned128>(value) : static_cast<Unsigned128>(value);
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// A number's text: its significant digits, and the power of ten of the last one.
struct DecimalText {
  bool negative = false;
  std::string_view whole;
  std::string_view fraction;
  int64_t exponent = 0;

  [[nodiscard]] size_t num_digits() const { return whole.size() + fraction.size(); }
  [[nodiscard]] int digit(size_t i) const {
    return (i < whole.size() ? whole[i] : fraction[i - whole.size()]) - '0';
  }
};

std::string_view take_digits(std::string_view& text) {
  size_t size = 0;
  while (size < text.size() && is_digit(text[size])) ++size;
  const std::string_view digits = text.substr(0, size);
  text.remove_prefix(size);
  return digits;
}

bool take_exponent(std::string_view& text, int64_t& exponent) {
  text.remove_prefix(1);
  const bool negative = !text.empty() && text[0] == '-';
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) text.remove_prefix(1);
  const std::string_view digits = take_digits(text);
  int32_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (digits.empty() || error != std::errc()) return false;
  exponent = negative ? -value : value;
  return true;
}

// The grammar of java.math.BigDecimal's constructor, behind String.trim.
std::optional<DecimalText> scan_decimal(std::string_view text) {
  while (!text.empty() && static_cast<unsigned char>(text.front()) <= ' ') text.remove_prefix(1);
  while (!text.empty() && static_cast<unsigned char>(text.back()) <= ' ') text.remove_suffix(1);
  DecimalText number;
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) {
    number.negative = text[0] == '-';
    text.remove_prefix(1);
  }
  number.whole = take_digits(text);
  if (!text.empty() && text[0] == '.') {
    text.remove_prefix(1);
    number.fraction = take_digits(text);
  }
  if (number.num_digits() == 0) return std::nullopt;
  if (!text.empty() && (text[0] == 'e' || text[0] == 'E') &&
      !take_exponent(text, number.exponent)) {
    return std::nullopt;
  }
  if (!text.empty()) return std::nullopt;
  return number;
}

// value / 10^drop, halves away from zero. REQUIRES: drop >= 0.
Decimal128 drop_digits(Decimal128 value, int drop) {
  if (drop > kMaxDecimalPrecision) return 0;
  const Decimal128 divisor = kPowers[static_cast<size_t>(drop)];
  const Decimal128 quotient = value / divisor;
  const Unsigned128 rest = magnitude(value % divisor);
  if (rest < magnitude(divisor) - rest) return quotient;
  return value < 0 ? quotient - 1 : quotient + 1;
}

template <class T>
T nearest(Decimal128 value, int scale) {
  std::string text;
  append_decimal(value, scale, text);
  T result{};
  fast_float::from_chars(text.data(), text.data() + text.size(), result);
  return result;
}

}  // namespace

Decimal128 decimal_power(int exponent) { return kPowers[static_cast<size_t>(exponent)]; }

bool fits_precision(Decimal128 value, int precision) {
  const Decimal128 limit = decimal_power(precision);
  return value < limit && value > -limit;
}

std::optional<Decimal128> parse_decimal(std::string_view text, int precision, int scale) {
  const auto number = scan_decimal(text);
  if (!number) return std::nullopt;
  const size_t size = number->num_digits();
  size_t first = 0;
  while (first < size && number->digit(first) == 0) ++first;
  if (first == size) return 0;
  // So many digits, from the first that counts, stand before the end of the scale.
  const int64_t keep = static_cast<int64_t>(number->whole.size()) - static_cast<int64_t>(first) +
                       number->exponent + scale;
  if (keep > kMaxDecimalPrecision) return std::nullopt;
  if (keep < 0) return 0;
  Decimal128 value = 0;
  const size_t end = first + static_cast<size_t>(keep);
  for (size_t i = first; i < end; ++i) value = value * 10 + (i < size ? number->digit(i) : 0);
  if (end < size && number->digit(end) >= 5) ++value;
  if (!fits_precision(value, precision)) return std::nullopt;
  return number->negative ? -value : value;
}

void append_decimal(Decimal128 value, int scale, std::string& out) {
  std::array<char, 48> digits{};
  size_t at = digits.size();
  Unsigned128 rest = magnitude(value);
  const auto least = static_cast<size_t>(scale) + 1;
  while (rest != 0 || digits.size() - at < least) {
    digits[--at] = static_cast<char>('0' + static_cast<int>(rest % 10));
    rest /= 10;
  }
  if (value < 0) out += '-';
  const size_t size = digits.size() - at;
  out.append(digits.data() + at, size - static_cast<size_t>(scale));
  if (scale == 0) return;
  out += '.';
  out.append(digits.data() + digits.size() - scale, static_cast<size_t>(scale));
}

std::optional<Decimal128> rescale_decimal(Decimal128 value, int from_scale, int precision,
                                          int scale) {
  if (scale < from_scale) {
    value = drop_digits(value, from_scale - scale);
  } else if (scale > from_scale &&
             __builtin_mul_overflow(value, decimal_power(scale - from_scale), &value)) {
    return std::nullopt;
  }
  if (!fits_precision(value, precision)) return std::nullopt;
  return value;
}

std::optional<Decimal128> decimal_from_integer(int64_t value, int precision, int scale) {
  return rescale_decimal(value, 0, precision, scale);
}

std::optional<Decimal128> decimal_from_double(double value, int precision, int scale) {
  if (!std::isfinite(value)) return std::nullopt;
  std::array<char, 32> text{};
  const auto end =
      std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::scientific)
          .ptr;
  return parse_decimal({text.data(), static_cast<size_t>(end - text.data())}, precision, scale);
}

double decimal_to_double(Decimal128 value, int scale) {
  constexpr Decimal128 kExact = Decimal128{1} << 53;
  constexpr int kExactPower = 22;
  if (value < kExact && value > -kExact && scale <= kExactPower) {
    return static_cast<double>(value) / static_cast<double>(decimal_power(scale));
  }
  return nearest<double>(value, scale);
}

float decimal_to_float(Decimal128 value, int scale) {
  constexpr Decimal128 kExact = Decimal128{1} << 24;
  constexpr int kExactPower = 10;
  if (value < kExact && value > -kExact && scale <= kExactPower) {
    return static_cast<float>(value) / static_cast<float>(decimal_power(scale));
  }
  return nearest<float>(value, scale);
}

Decimal128 decimal_integral_part(Decimal128 value, int scale) {
  return value / decimal_power(scale);
}

}  // namespace flowrun
