#include "runtime/format/decimal_digits.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>

#include "runtime/format/decimal.h"

namespace flowrun {

namespace {

// "d.ddde[+-]xx" as digits and the power of ten in front of which they stand.
int read_scientific(std::string_view text, std::string& digits) {
  const size_t e = text.find('e');
  for (const char c : text.substr(0, e)) {
    if (c >= '0' && c <= '9') digits += c;
  }
  return std::atoi(text.data() + e + 1) + 1;
}

// Every digit of the value, not just those that tell it from its neighbours.
std::string all_digits(double value) {
  constexpr int kMost = 770;
  std::array<char, kMost + 16> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size() - 1, std::fabs(value),
                                 std::chars_format::scientific, kMost);
  std::string digits;
  read_scientific({text.data(), static_cast<size_t>(end.ptr - text.data())}, digits);
  return digits;
}

}  // namespace

DecimalDigits DecimalDigits::of_decimal(Decimal128 unscaled, int scale) {
  DecimalDigits number;
  number.negative_ = unscaled < 0;
  append_decimal(unscaled, 0, number.digits_);
  if (number.negative_) number.digits_.erase(0, 1);
  number.point_ = static_cast<int>(number.digits_.size()) - scale;
  number.normalize();
  return number;
}

DecimalDigits DecimalDigits::of_double(double value) {
  DecimalDigits number;
  number.negative_ = std::signbit(value);
  std::array<char, 32> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size() - 1, std::fabs(value),
                                 std::chars_format::scientific);
  number.point_ =
      read_scientific({text.data(), static_cast<size_t>(end.ptr - text.data())}, number.digits_);
  number.exact_ = value;
  number.is_exact_ = false;
  number.normalize();
  return number;
}

void DecimalDigits::normalize() {
  const size_t leading = std::min(digits_.find_first_not_of('0'), digits_.size());
  digits_.erase(0, leading);
  point_ -= static_cast<int>(leading);
  while (!digits_.empty() && digits_.back() == '0') digits_.pop_back();
  if (digits_.empty()) point_ = 0;
}

bool DecimalDigits::rounds_away(size_t keep, Rounding rounding) const {
  if (digits_[keep] != '5') return digits_[keep] > '5';
  if (rounding == Rounding::half_up || keep + 1 < digits_.size()) return true;
  if (!is_exact_) {
    const std::string exact = all_digits(exact_);
    // Digits that were rounded up to the tie stand for less than it.
    if (exact.compare(0, digits_.size(), digits_) < 0) return false;
    if (exact.find_first_not_of('0', digits_.size()) != std::string::npos) return true;
  }
  return keep > 0 && (digits_[keep - 1] - '0') % 2 == 1;
}

void DecimalDigits::round(int places, Rounding rounding) {
  const int keep = point_ + places;
  if (zero() || keep >= static_cast<int>(digits_.size())) return;
  if (keep < 0) {
    digits_.clear();
  } else {
    const auto kept = static_cast<size_t>(keep);
    const bool away = rounds_away(kept, rounding);
    digits_.resize(kept);
    if (away) {
      size_t at = kept;
      while (at > 0 && digits_[at - 1] == '9') digits_[--at] = '0';
      if (at > 0) {
        ++digits_[at - 1];
      } else {
        digits_.insert(0, 1, '1');
        ++point_;
      }
    }
  }
  is_exact_ = true;
  normalize();
}

std::string DecimalDigits::whole() const {
  if (point_ <= 0) return {};
  std::string text = digits_.substr(0, static_cast<size_t>(point_));
  text.resize(static_cast<size_t>(point_), '0');
  return text;
}

std::string DecimalDigits::fraction(int least) const {
  std::string text;
  if (!zero()) {
    if (point_ < 0) text.assign(static_cast<size_t>(-point_), '0');
    const auto from = static_cast<size_t>(std::max(point_, 0));
    if (from < digits_.size()) text += digits_.substr(from);
  }
  const auto wanted = static_cast<size_t>(std::max(least, 0));
  if (text.size() < wanted) text.resize(wanted, '0');
  return text;
}

std::string grouped_digits(const std::string& digits, int size) {
  if (size <= 0) return digits;
  std::string text;
  for (size_t i = 0; i < digits.size(); ++i) {
    if (i > 0 && (digits.size() - i) % static_cast<size_t>(size) == 0) text += ',';
    text += digits[i];
  }
  return text;
}

}  // namespace flowrun
