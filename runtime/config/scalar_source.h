#pragma once
// Where the text of a scalar stands in the source, character by character: what lets an error
// inside an expression point into an escaped string or a block of several lines.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/operator/options.h"

namespace flowrun {

// A text by lines. REQUIRES of all calls: the source lives as long; offsets are at most its size.
class LineIndex {
 public:
  explicit LineIndex(std::string_view source);
  [[nodiscard]] std::string_view source() const { return source_; }
  // Line and column count from 1.
  [[nodiscard]] TextMark mark_at(size_t offset) const;
  [[nodiscard]] size_t offset_of(int32_t line, int32_t column) const;

 private:
  std::string_view source_;
  std::vector<size_t> starts_;
};

struct ScalarSource {
  size_t offset = 0;            // of the scalar itself, behind its anchor and tag
  int32_t length = 0;           // on its first line
  bool quoted = false;          // by quotes
  std::vector<TextMark> marks;  // empty if the text stands in one piece (behind the quote, if any)
};

// Finds the scalar with the text `text` whose node (anchor and tag included) begins at `offset`.
ScalarSource locate_scalar(const LineIndex& lines, size_t offset, std::string_view text);

// The offset behind anchors, tags, white space and comments.
size_t skip_properties(std::string_view source, size_t offset);

}  // namespace flowrun
