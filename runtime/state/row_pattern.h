#pragma once
// RowPattern: the text of a row pattern, as SQL's MATCH_RECOGNIZE writes it, taken apart.
//
//   FLOWRUN_TRY(RowPattern pattern, parse_row_pattern("A (B | C)+? D{2,4}"));
//   pattern.variables   // A, B, C, D, in the order of their first mention
//
// What may stand in it, from what binds least to what binds most:
//   A | B                          one or the other, the first is preferred
//   A B                            one after the other, with no row between
//   A* A+ A? A{n} A{n,} A{n,m} A{,m}   so many times, as many as possible; with a ? behind it as
//                                  few as possible
//   A  `a name`  ( ... )           a variable: one row; a group

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/status.h"

namespace flowrun {

struct PatternPart {
  enum class Kind : uint8_t {
    variable,  // one row of it
    sequence,  // parts, one after the other
    choice,    // one of the parts, the first preferred
    repeat,    // parts[0], least to most times
  };
  Kind kind = Kind::variable;
  size_t variable = 0;
  int64_t least = 0;
  std::optional<int64_t> most = {};  // none: without a bound
  bool reluctant = false;
  std::vector<PatternPart> parts = {};
};

struct RowPattern {
  // Rows remember by a bit each which variables they may be.
  static constexpr size_t kMostVariables = 64;

  std::vector<std::string> variables;  // as first written
  PatternPart root;

  // By name without regard to case.
  [[nodiscard]] std::optional<size_t> find(std::string_view name) const;
};

// Errors carry the offset in the text.
Result<RowPattern> parse_row_pattern(std::string_view text);

}  // namespace flowrun
