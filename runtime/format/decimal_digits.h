#pragma once
// DecimalDigits: a finite number as the decimal digits it is written with, and rounding of those.
//
//   DecimalDigits number = DecimalDigits::of_double(1234.5);
//   number.round(0, DecimalDigits::Rounding::half_even);
//   number.whole();        // "1234"
//   number.fraction(2);    // "00"
//
// What formatters of numbers have in common: Java's Formatter (format/java_format.h) rounds the
// digits half up, its DecimalFormat (format/decimal_format.h) half to even by the exact value.

#include <cstdint>
#include <string>

#include "runtime/columnar/column.h"

namespace flowrun {

class DecimalDigits {
 public:
  enum class Rounding : uint8_t {
    half_up,    // of the digits as they stand
    half_even,  // a tie goes by the value that the digits stand for, then to the even digit
  };

  static DecimalDigits of_decimal(Decimal128 unscaled, int scale);
  // The fewest digits that read back as `value`. REQUIRES: finite.
  static DecimalDigits of_double(double value);

  // Negative, -0.0 included.
  [[nodiscard]] bool negative() const { return negative_; }
  [[nodiscard]] bool zero() const { return digits_.empty(); }
  // The value is 0.d1d2d3... times ten to the power of point(); 0 for zero.
  [[nodiscard]] int point() const { return point_; }
  // Without zeros at either end.
  [[nodiscard]] const std::string& digits() const { return digits_; }

  // Times ten to the power of `exponent`.
  void shift(int exponent) { point_ += zero() ? 0 : exponent; }
  // To so many digits behind the point.
  void round(int places, Rounding rounding);
  // To so many digits in all.
  void round_significant(int count, Rounding rounding) { round(count - point_, rounding); }

  // The digits before the point, "" for none.
  [[nodiscard]] std::string whole() const;
  // The digits behind the point, filled up to `least` with zeros.
  [[nodiscard]] std::string fraction(int least) const;

 private:
  [[nodiscard]] bool rounds_away(size_t keep, Rounding rounding) const;
  void normalize();

  bool negative_ = false;
  std::string digits_;
  int point_ = 0;
  double exact_ = 0;  // what the digits of a double stand for
  bool is_exact_ = true;
};

// Groups of `size` digits, counted from the right, parted by commas: "1,234,567".
std::string grouped_digits(const std::string& digits, int size);

}  // namespace flowrun
