#pragma once
// DecimalFormat: numbers written by a pattern of java.text.DecimalFormat, in the US locale.
//
//   FLOWRUN_TRY(const DecimalFormat format, DecimalFormat::compile("#,##0.00"));
//   format.append(DecimalDigits::of_double(1234.5), out);   // "1,234.50"
//
// A pattern is prefix, number, suffix, and perhaps another of these behind `;` whose prefix and
// suffix negative numbers take. In the number `0` is a digit, `#` one that may be missing, `,`
// parts groups, `.` is the point, `E0` asks for an exponent. `%` and `‰` multiply; 'text' is taken
// as it is. Rounding is half to even.

#include <string>
#include <string_view>

#include "runtime/base/status.h"
#include "runtime/format/decimal_digits.h"

namespace flowrun {

// Immutable and thread-safe.
class DecimalFormat {
 public:
  // Errors: `data`, as Spark reads the pattern when a row is there.
  static Result<DecimalFormat> compile(std::string_view pattern);
  // Groups of three and so many digits behind the point: "#,##0.00".
  static DecimalFormat with_places(int places);

  void append(DecimalDigits number, std::string& out) const;
  // NaN and the infinities too.
  void append_double(double value, std::string& out) const;

 private:
  struct Affixes {
    std::string prefix;
    std::string suffix;
  };
  class Reader;

  void append_scientific(DecimalDigits number, std::string& out) const;
  void append_plain(const DecimalDigits& number, std::string& out) const;

  Affixes positive_;
  Affixes negative_{"-", ""};
  int group_size_ = 0;  // 0: no groups
  int least_whole_ = 1;
  int most_whole_ = 0;  // with an exponent only
  int least_fraction_ = 0;
  int most_fraction_ = 0;
  int shift_ = 0;                  // of the point, for per cent and per mille
  int least_exponent_digits_ = 0;  // 0: no exponent
  bool always_shows_point_ = false;
};

}  // namespace flowrun
