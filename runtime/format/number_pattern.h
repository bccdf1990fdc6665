#pragma once
// NumberPattern: the patterns of to_number and to_char, "$99,999.00S".
//
//   FLOWRUN_TRY(const NumberPattern pattern, NumberPattern::compile("9,999.99"));
//   pattern.type();                      // decimal(6,2)
//   pattern.parse("1,234.5");            // 123450
//   pattern.format(12345, 1, out);       // "1,234.50"
//
// In any case: 0 or 9 a digit (a run that begins with 0 before the point reads exactly as many, and
// writes zeros in front, not spaces), . or D the point, , or G between groups, $ the currency, S a
// sign, MI a minus sign, PR angle brackets around what is negative. Digits that find no place are
// written as #.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/status.h"
#include "runtime/columnar/column.h"

namespace flowrun {

// Immutable and thread-safe.
class NumberPattern {
 public:
  // Errors: `invalid`, saying what the pattern lacks.
  static Result<NumberPattern> compile(std::string_view pattern);

  // The decimal that holds every number of the pattern.
  [[nodiscard]] const Type& type() const { return type_; }
  // The unscaled value, at the scale of type(); nothing if the text does not match.
  [[nodiscard]] std::optional<Decimal128> parse(std::string_view text) const;
  void format(Decimal128 unscaled, int scale, std::string& out) const;

 private:
  struct Run {  // digits between separators
    int count = 0;
    bool exact = false;
  };
  struct Token {
    enum class Kind : uint8_t { digits, point, dollar, sign, minus, open, close };
    Kind kind;
    std::vector<Run> runs = {};  // of digits, from the left
  };
  class Reader;
  class Parser;
  class Formatter;

  std::vector<Token> tokens_;
  Type type_;
};

}  // namespace flowrun
