#pragma once
// LikePattern: SQL's LIKE, compiled.
//
//   FLOWRUN_TRY(LikePattern pattern, LikePattern::compile("a\\_%", "\\"));
//   pattern.matches("a_bc")   // true

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/status.h"

namespace flowrun {

// Immutable. `%` stands for any text, `_` for one character; behind the escape both stand for
// themselves.
class LikePattern {
 public:
  // `escape` is one character. Errors (`data`): it stands at the end, or before anything but `%`,
  // `_` and itself.
  static Result<LikePattern> compile(std::string_view pattern, std::string_view escape);
  [[nodiscard]] bool matches(std::string_view text) const;

 private:
  // What stands between two `%`.
  struct Piece {
    std::string bytes;
    std::string wild;  // for each byte: is it a `_` that stands for a character?
    bool has_wild = false;

    [[nodiscard]] size_t match_at(std::string_view text, size_t at) const;  // the length, or npos
    [[nodiscard]] bool ends(std::string_view text, size_t from) const;
  };

  std::vector<Piece> pieces_;  // one more than there are `%`; any may be empty
};

}  // namespace flowrun
