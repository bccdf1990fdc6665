#pragma once
// Decimal128 arithmetic with Spark's rounding (HALF_UP) and Spark's result types. A decimal is an
// unscaled integer of up to 38 digits; its scale stands in its type. What does not fit is nothing
// (SQL null).
//
//   parse_decimal("1.005", 10, 2)                         // 101
//   add_decimals(a, 2, b, 4, decimal_add_type(ta, tb))    // scales of a and b, then the result's
//   type
//
// Intermediates are exact, so that only the last step rounds, as with java.math.BigDecimal.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/columnar/column.h"

namespace flowrun {

inline constexpr int kMaxDecimalPrecision = 38;

// 10^exponent. REQUIRES: 0 <= exponent <= 38.
Decimal128 decimal_power(int exponent);
// Has `value` at most `precision` digits?
bool fits_precision(Decimal128 value, int precision);

// Digits with an optional sign, point and exponent, white space around: "-1.5e3". Rounds to
// `scale`.
std::optional<Decimal128> parse_decimal(std::string_view text, int precision, int scale);
// Plain digits, never an exponent: "0.0000000001".
void append_decimal(Decimal128 value, int scale, std::string& out);

// The same number at another scale.
std::optional<Decimal128> rescale_decimal(Decimal128 value, int from_scale, int precision,
                                          int scale);
std::optional<Decimal128> decimal_from_integer(int64_t value, int precision, int scale);
// By way of the shortest text that reads back as `value`, as Spark does it. NaN and infinities are
// nothing.
std::optional<Decimal128> decimal_from_double(double value, int precision, int scale);
// The nearest double or float.
double decimal_to_double(Decimal128 value, int scale);
float decimal_to_float(Decimal128 value, int scale);
// Without its fraction.
Decimal128 decimal_integral_part(Decimal128 value, int scale);

// Negative, zero or positive; exact whatever the scales.
int compare_decimals(Decimal128 a, int a_scale, Decimal128 b, int b_scale);

// The decimal type that holds every value of an integral type; decimals stay what they are.
// REQUIRES: integral or decimal.
Type decimal_type_for(const Type& type);
// The narrowest type that holds the digits of both.
Type decimal_common_type(const Type& a, const Type& b);
// Spark's type for a precision and scale that may exceed 38: digits behind the point go first, but
// six stay.
Type adjusted_decimal_type(int precision, int scale);
Type decimal_add_type(const Type& a, const Type& b);  // of + and -
Type decimal_multiply_type(const Type& a, const Type& b);
Type decimal_divide_type(const Type& a, const Type& b);
Type decimal_remainder_type(const Type& a, const Type& b);

std::optional<Decimal128> add_decimals(Decimal128 a, int a_scale, Decimal128 b, int b_scale,
                                       const Type& result);
std::optional<Decimal128> subtract_decimals(Decimal128 a, int a_scale, Decimal128 b, int b_scale,
                                            const Type& result);
std::optional<Decimal128> multiply_decimals(Decimal128 a, int a_scale, Decimal128 b, int b_scale,
                                            const Type& result);
// Nothing for b = 0 in the four below.
std::optional<Decimal128> divide_decimals(Decimal128 a, int a_scale, Decimal128 b, int b_scale,
                                          const Type& result);
// With the sign of `a`.
std::optional<Decimal128> remainder_of_decimals(Decimal128 a, int a_scale, Decimal128 b,
                                                int b_scale, const Type& result);
// The remainder, with `b` added where that is negative.
std::optional<Decimal128> positive_remainder_of_decimals(Decimal128 a, int a_scale, Decimal128 b,
                                                         int b_scale, const Type& result);
// The quotient without its fraction, as the integer that `div` gives; the low 64 bits if it is
// larger.
std::optional<int64_t> divide_decimals_integrally(Decimal128 a, int a_scale, Decimal128 b,
                                                  int b_scale);

}  // namespace flowrun
