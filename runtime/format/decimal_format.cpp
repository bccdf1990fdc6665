#include "runtime/format/decimal_format.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace flowrun {

// Reads a pattern as java.text.DecimalFormat.applyPattern does.
class DecimalFormat::Reader {
 public:
  explicit Reader(std::string_view pattern) : pattern_(pattern) {}

  Result<DecimalFormat> read() {
    FLOWRUN_RETURN_IF_ERROR(affix(format_.positive_.prefix));
    FLOWRUN_RETURN_IF_ERROR(number());
    FLOWRUN_RETURN_IF_ERROR(affix(format_.positive_.suffix));
    format_.negative_ = {"-" + format_.positive_.prefix, format_.positive_.suffix};
    if (more() && pattern_[at_] == ';') {
      ++at_;
      FLOWRUN_RETURN_IF_ERROR(negative());
    }
    if (more()) return malformed();
    return format_;
  }

 private:
  [[nodiscard]] bool more() const { return at_ < pattern_.size(); }
  [[nodiscard]] bool at_number() const {
    return more() && std::string_view("#0,.").find(pattern_[at_]) != std::string_view::npos;
  }
  [[nodiscard]] Error malformed() const {
    return Error::data(fmt::format("`{}` is no number pattern — one is \"#,##0.00\"", pattern_));
  }

  // Text up to the number, the `;` or the end.
  Status affix(std::string& out) {
    bool quoted = false;
    for (; more(); ++at_) {
      const char c = pattern_[at_];
      if (c == '\'') {
        if (at_ + 1 < pattern_.size() && pattern_[at_ + 1] == '\'') {
          out += '\'';
          ++at_;
        } else {
          quoted = !quoted;
        }
      } else if (!quoted && (c == ';' || at_number())) {
        break;
      } else {
        if (!quoted && c == '%') format_.shift_ = 2;
        if (!quoted && pattern_.substr(at_).starts_with("‰")) format_.shift_ = 3;
        out += c;
      }
    }
    if (quoted) return malformed();
    return {};
  }

  // The negative number's own digits say nothing; only what stands around them counts.
  Status negative() {
    Affixes affixes;
    FLOWRUN_RETURN_IF_ERROR(affix(affixes.prefix));
    while (at_number() || (more() && pattern_[at_] == 'E')) ++at_;
    FLOWRUN_RETURN_IF_ERROR(affix(affixes.suffix));
    const bool same =
        affixes.prefix == format_.positive_.prefix && affixes.suffix == format_.positive_.suffix;
    if (!same) format_.negative_ = std::move(affixes);
    return {};
  }

  Status number() {
    for (; more(); ++at_) {
      const char c = pattern_[at_];
      if (c == '#') {
        ++(zeros_ > 0 ? right_ : left_);
      } else if (c == '0') {
        if (right_ > 0) return malformed();
        ++zeros_;
      } else if (c == ',') {
        group_ = 0;
        continue;
      } else if (c == '.') {
        if (point_ >= 0) return malformed();
        point_ = left_ + zeros_ + right_;
        continue;
      } else {
        break;
      }
      if (group_ >= 0 && point_ < 0) ++group_;
    }
    if (more() && pattern_[at_] == 'E') {
      for (++at_; more() && pattern_[at_] == '0'; ++at_) ++format_.least_exponent_digits_;
      if (left_ + zeros_ < 1 || format_.least_exponent_digits_ < 1) return malformed();
    }
    return set_digits();
  }

  Status set_digits() {
    if (zeros_ == 0 && left_ > 0 && point_ >= 0) {  // "###.##" means "##0.##"
      const int place = std::max(point_, 1);
      right_ = left_ - place;
      left_ = place - 1;
      zeros_ = 1;
    }
    const int total = left_ + zeros_ + right_;
    const bool misplaced = point_ >= 0 ? point_ < left_ || point_ > left_ + zeros_ : right_ > 0;
    if (misplaced || group_ == 0) return malformed();
    const int point = point_ >= 0 ? point_ : total;
    format_.least_whole_ = point - left_;
    format_.most_whole_ = left_ + format_.least_whole_;
    format_.most_fraction_ = total - point;
    format_.least_fraction_ = point_ >= 0 ? left_ + zeros_ - point_ : 0;
    format_.group_size_ = std::max(group_, 0);
    format_.always_shows_point_ = point_ == 0 || point_ == total;
    return {};
  }

  std::string_view pattern_;
  size_t at_ = 0;
  DecimalFormat format_;
  int left_ = 0;  // # before the zeros
  int zeros_ = 0;
  int right_ = 0;  // # behind them
  int point_ = -1;
  int group_ = -1;
};

Result<DecimalFormat> DecimalFormat::compile(std::string_view pattern) {
  return Reader(pattern).read();
}

DecimalFormat DecimalFormat::with_places(int places) {
  DecimalFormat format;
  format.group_size_ = 3;
  format.least_fraction_ = places;
  format.most_fraction_ = places;
  return format;
}

void DecimalFormat::append(DecimalDigits number, std::string& out) const {
  number.shift(shift_);
  const Affixes& affixes = number.negative() ? negative_ : positive_;
  out += affixes.prefix;
  if (least_exponent_digits_ > 0) {
    append_scientific(std::move(number), out);
  } else {
    number.round(most_fraction_, DecimalDigits::Rounding::half_even);
    append_plain(number, out);
  }
  out += affixes.suffix;
}

void DecimalFormat::append_double(double value, std::string& out) const {
  if (std::isnan(value)) {
    out += "NaN";
  } else if (std::isinf(value)) {
    const Affixes& affixes = value < 0 ? negative_ : positive_;
    out += affixes.prefix + "∞" + affixes.suffix;
  } else {
    append(DecimalDigits::of_double(value), out);
  }
}

void DecimalFormat::append_plain(const DecimalDigits& number, std::string& out) const {
  const std::string digits = number.whole();
  const std::string fraction = number.fraction(least_fraction_);
  const size_t least = digits.empty() && fraction.empty() ? 1 : static_cast<size_t>(least_whole_);
  std::string whole(std::max(least, digits.size()) - digits.size(), '0');
  whole += digits;
  out += grouped_digits(whole, group_size_);
  if (!fraction.empty() || always_shows_point_) out += '.';
  out += fraction;
}

// The exponent is a multiple of the number of whole digits, where that may vary.
void DecimalFormat::append_scientific(DecimalDigits number, std::string& out) const {
  const int significant = most_whole_ + most_fraction_;
  if (significant > 0) number.round_significant(significant, DecimalDigits::Rounding::half_even);
  int exponent = number.point();
  int least_whole = least_whole_;
  if (most_whole_ > 1 && most_whole_ > least_whole_) {
    exponent = exponent >= 1 ? (exponent - 1) / most_whole_ * most_whole_
                             : (exponent - most_whole_) / most_whole_ * most_whole_;
    least_whole = 1;
  } else {
    exponent -= least_whole_;
  }
  const int whole = number.zero() ? least_whole : number.point() - exponent;
  const int least = std::max(least_whole_ + least_fraction_, whole);
  std::string digits = number.digits();
  if (static_cast<int>(digits.size()) < least) digits.resize(static_cast<size_t>(least), '0');
  const auto split = static_cast<size_t>(std::max(whole, 0));
  out += digits.substr(0, split);
  if (digits.size() > split || always_shows_point_) out += '.';
  out += digits.substr(split);
  if (number.zero()) exponent = 0;
  out +=
      fmt::format("E{}{:0{}}", exponent < 0 ? "-" : "", std::abs(exponent), least_exponent_digits_);
}

}  // namespace flowrun
