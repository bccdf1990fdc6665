#include <algorithm>
#include <boost/multiprecision/cpp_int.hpp>

#include "runtime/format/decimal.h"

namespace flowrun {
namespace {

namespace mp = boost::multiprecision;
// Wide enough for 38 digits shifted by 39 + 38: every intermediate below is exact.
using Wide = mp::number<mp::cpp_int_backend<512, 512, mp::signed_magnitude, mp::unchecked, void>>;

constexpr int kMinimumScale = 6;
constexpr int kContextDigits = 39;  // of Spark's MathContext, HALF_UP
constexpr int kQuotientScale = 39;  // Spark divides to this scale, then rounds to the result's

Wide wide_power(int exponent) {
  Wide power = 1;
  while (exponent > 0) {
    const int step = std::min(exponent, kMaxDecimalPrecision);
    power *= Wide(decimal_power(step));
    exponent -= step;
  }
  return power;
}

// a / b, halves away from zero. REQUIRES: b > 0.
Wide divide_half_up(const Wide& a, const Wide& b) {
  Wide quotient = a / b;
  Wide rest = a % b;
  const bool negative = a < 0;
  if (negative) rest = -rest;
  if (rest * 2 >= b) quotient += negative ? -1 : 1;
  return quotient;
}

std::optional<Decimal128> narrow(const Wide& value, int scale, const Type& result) {
  const Wide scaled = scale > result.scale()
                          ? divide_half_up(value, wide_power(scale - result.scale()))
                          : value * wide_power(result.scale() - scale);
  const Wide limit = wide_power(result.precision());
  if (scaled >= limit || scaled <= -limit) return std::nullopt;
  return static_cast<Decimal128>(scaled);
}

// The sum at the larger scale, if 128 bits hold it.
std::optional<Decimal128> narrow_sum(Decimal128 a, int a_scale, Decimal128 b, int b_scale) {
  const int scale = std::max(a_scale, b_scale);
  Decimal128 sum = 0;
  if (__builtin_mul_overflow(a, decimal_power(scale - a_scale), &a) ||
      __builtin_mul_overflow(b, decimal_power(scale - b_scale), &b) ||
      __builtin_add_overflow(a, b, &sum)) {
    return std::nullopt;
  }
  return sum;
}

// As BigDecimal.round(MathContext(39, HALF_UP)); `scale` follows.
void round_to_context(Wide& value, int& scale) {
  Wide limit = wide_power(kContextDigits);
  int drop = 0;
  const Wide size = value < 0 ? Wide(-value) : value;
  while (size >= limit) {
    limit *= 10;
    ++drop;
  }
  if (drop == 0) return;
  value = divide_half_up(value, wide_power(drop));
  scale -= drop;
}

bool fits_64(Decimal128 value) { return value == static_cast<int64_t>(value); }

}  // namespace

Type decimal_type_for(const Type& type) {
  switch (type.id()) {
    case TypeId::tinyint:
      return Type::decimal(3, 0);
    case TypeId::smallint:
      return Type::decimal(5, 0);
    case TypeId::integer:
      return Type::decimal(10, 0);
    case TypeId::bigint:
      return Type::decimal(20, 0);
    default:
      return type;
  }
}

Type decimal_common_type(const Type& a, const Type& b) {
  const int scale = std::max(a.scale(), b.scale());
  const int whole = std::max(a.precision() - a.scale(), b.precision() - b.scale());
  return Type::decimal(std::min(whole + scale, kMaxDecimalPrecision),
                       std::min(scale, kMaxDecimalPrecision));
}

Type adjusted_decimal_type(int precision, int scale) {
  if (precision <= kMaxDecimalPrecision) return Type::decimal(precision, scale);
  const int whole = precision - scale;
  return Type::decimal(kMaxDecimalPrecision,
                       std::max(kMaxDecimalPrecision - whole, std::min(scale, kMinimumScale)));
}

Type decimal_add_type(const Type& a, const Type& b) {
  const int scale = std::max(a.scale(), b.scale());
  const int whole = std::max(a.precision() - a.scale(), b.precision() - b.scale());
  return adjusted_decimal_type(whole + scale + 1, scale);
}

Type decimal_multiply_type(const Type& a, const Type& b) {
  return adjusted_decimal_type(a.precision() + b.precision() + 1, a.scale() + b.scale());
}

Type decimal_divide_type(const Type& a, const Type& b) {
  const int scale = std::max(kMinimumScale, a.scale() + b.precision() + 1);
  return adjusted_decimal_type(a.precision() - a.scale() + b.scale() + scale, scale);
}

Type decimal_remainder_type(const Type& a, const Type& b) {
  const int scale = std::max(a.scale(), b.scale());
  const int whole = std::min(a.precision() - a.scale(), b.precision() - b.scale());
  return adjusted_decimal_type(whole + scale, scale);
}

int compare_decimals(Decimal128 a, int a_scale, Decimal128 b, int b_scale) {
  if (a_scale != b_scale) {
    const int scale = std::max(a_scale, b_scale);
    Decimal128 a_same = 0;
    Decimal128 b_same = 0;
    if (__builtin_mul_overflow(a, decimal_power(scale - a_scale), &a_same)) return a < 0 ? -1 : 1;
    if (__builtin_mul_overflow(b, decimal_power(scale - b_scale), &b_same)) return b < 0 ? 1 : -1;
    a = a_same;
    b = b_same;
  }
  return a < b ? -1 : a > b ? 1 : 0;
}

std::optional<Decimal128> add_decimals(Decimal128 a, int a_scale, Decimal128 b, int b_scale,
                                       const Type& result) {
  const int scale = std::max(a_scale, b_scale);
  if (const auto sum = narrow_sum(a, a_scale, b, b_scale)) {
    return rescale_decimal(*sum, scale, result.precision(), result.scale());
  }
  return narrow(Wide(a) * wide_power(scale - a_scale) + Wide(b) * wide_power(scale - b_scale),
                scale, result);
}

std::optional<Decimal128> subtract_decimals(Decimal128 a, int a_scale, Decimal128 b, int b_scale,
                                            const Type& result) {
  return add_decimals(a, a_scale, -b, b_scale, result);
}

std::optional<Decimal128> multiply_decimals(Decimal128 a, int a_scale, Decimal128 b, int b_scale,
                                            const Type& result) {
  Decimal128 product = 0;
  int scale = a_scale + b_scale;
  if (!__builtin_mul_overflow(a, b, &product) && fits_precision(product, kMaxDecimalPrecision)) {
    return rescale_decimal(product, scale, result.precision(), result.scale());
  }
  Wide wide = Wide(a) * Wide(b);
  round_to_context(wide, scale);
  return narrow(wide, scale, result);
}

std::optional<Decimal128> divide_decimals(Decimal128 a, int a_scale, Decimal128 b, int b_scale,
                                          const Type& result) {
  if (b == 0) return std::nullopt;
  const int shift = result.scale() + b_scale - a_scale;
  Decimal128 shifted = 0;
  // A divisor this small leaves no quotient so close to a half that rounding twice would matter.
  if (shift >= 0 && shift <= kMaxDecimalPrecision && fits_64(b) && result.scale() <= 20 &&
      !__builtin_mul_overflow(a, decimal_power(shift), &shifted)) {
    const Decimal128 rest = shifted % b;
    const Decimal128 twice = rest < 0 ? -2 * rest : 2 * rest;
    Decimal128 quotient = shifted / b;
    if (twice >= (b < 0 ? -b : b)) quotient += (shifted < 0) == (b < 0) ? 1 : -1;
    return fits_precision(quotient, result.precision()) ? std::optional(quotient) : std::nullopt;
  }
  Wide dividend(a);
  Wide divisor(b);
  if (b < 0) {
    dividend = -dividend;
    divisor = -divisor;
  }
  const int exact = kQuotientScale + b_scale - a_scale;
  return narrow(divide_half_up(dividend * wide_power(exact), divisor), kQuotientScale, result);
}

std::optional<Decimal128> remainder_of_decimals(Decimal128 a, int a_scale, Decimal128 b,
                                                int b_scale, const Type& result) {
  if (b == 0) return std::nullopt;
  const int scale = std::max(a_scale, b_scale);
  const Wide rest =
      (Wide(a) * wide_power(scale - a_scale)) % (Wide(b) * wide_power(scale - b_scale));
  return narrow(rest, scale, result);
}

std::optional<Decimal128> positive_remainder_of_decimals(Decimal128 a, int a_scale, Decimal128 b,
                                                         int b_scale, const Type& result) {
  if (b == 0) return std::nullopt;
  const int scale = std::max(a_scale, b_scale);
  const Wide divisor = Wide(b) * wide_power(scale - b_scale);
  const Wide rest = (Wide(a) * wide_power(scale - a_scale)) % divisor;
  return narrow(rest < 0 ? Wide((rest + divisor) % divisor) : rest, scale, result);
}

std::optional<int64_t> divide_decimals_integrally(Decimal128 a, int a_scale, Decimal128 b,
                                                  int b_scale) {
  if (b == 0) return std::nullopt;
  const int scale = std::max(a_scale, b_scale);
  const Wide quotient =
      (Wide(a) * wide_power(scale - a_scale)) / (Wide(b) * wide_power(scale - b_scale));
  const Wide size = quotient < 0 ? Wide(-quotient) : quotient;
  const auto low = static_cast<uint64_t>(size & Wide(~uint64_t{0}));
  return static_cast<int64_t>(quotient < 0 ? 0 - low : low);
}

}  // namespace flowrun
