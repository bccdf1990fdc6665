#pragma once
// TextEdits: pieces of a text replaced where they stand, everything around them left as it is; and
// where the pieces of a YAML text begin and end.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/position.h"
#include "runtime/config/scalar_source.h"

namespace flowrun {

// Not thread-safe.
class TextEdits {
 public:
  void replace(size_t begin, size_t end, std::string by) {
    edits_.push_back({begin, end, std::move(by)});
  }
  void insert(size_t at, std::string what) { replace(at, at, std::move(what)); }
  // None if two edits overlap.
  [[nodiscard]] std::optional<std::string> apply(std::string_view text) const;

 private:
  struct Edit {
    size_t begin, end;
    std::string by;
  };
  std::vector<Edit> edits_;
};

// A YAML text by its lines. It reads no more YAML than it must to find ends and comments: whoever
// edits by it reads the result again. The text outlives it.
class YamlPieces {
 public:
  explicit YamlPieces(std::string_view text) : text_(text), lines_(text) {}

  // The value at `position`, anchors left out.
  [[nodiscard]] size_t begin_of(const Position& position) const;
  // Behind the value that begins there: { }, [ ] and quotes to their end, else what stands on its
  // line and on the lines indented as far as it. `in_flow`: it stands inside { } or [ ].
  [[nodiscard]] size_t end_of(size_t begin, bool in_flow) const;
  [[nodiscard]] bool is_flow(size_t begin) const {
    return begin < text_.size() && (text_[begin] == '{' || text_[begin] == '[');
  }
  [[nodiscard]] size_t line_of(size_t at) const;     // where its line begins
  [[nodiscard]] size_t line_after(size_t at) const;  // where the next one does
  [[nodiscard]] size_t column_of(size_t at) const { return at - line_of(at); }
  // The comments between two places, "# why" each.
  [[nodiscard]] std::vector<std::string> comments(size_t begin, size_t end) const;
  // A top-level key and all that belongs to it; both 0 if it is absent.
  [[nodiscard]] std::pair<size_t, size_t> extent_of_key(std::string_view key) const;

 private:
  // Where the comment of the line begins that `at` stands in, looking from `at` on; its end if it
  // has none.
  [[nodiscard]] size_t comment_from(size_t at) const;
  [[nodiscard]] size_t quote_end(size_t begin) const;
  [[nodiscard]] size_t bracket_end(size_t begin) const;
  [[nodiscard]] bool opens_quote(size_t at) const;
  [[nodiscard]] bool opens_comment(size_t at) const;
  [[nodiscard]] size_t without_spaces(size_t begin, size_t end) const;

  std::string_view text_;
  LineIndex lines_;
};

}  // namespace flowrun
