#pragma once
// Row patterns matched the slow way: every way is tried, the preferred one first, as SQL says it.

#include <functional>
#include <optional>
#include <vector>

#include "runtime/state/row_pattern.h"

namespace flowrun::test {

using VariablePath = std::vector<size_t>;  // the variable of each row

class PatternByHand {
 public:
  // May the row behind `path` be one of `variable`?
  using Takes = std::function<bool(const VariablePath& path, size_t variable)>;
  explicit PatternByHand(Takes takes) : takes_(std::move(takes)) {}

  // The preferred match that begins at the first row.
  std::optional<VariablePath> best(const PatternPart& root) {
    std::optional<VariablePath> found;
    path_.clear();
    match(root, [&] {
      found = path_;
      return true;
    });
    return found;
  }

 private:
  using Then = std::function<bool()>;

  bool match(const PatternPart& part, const Then& then) {
    switch (part.kind) {
      case PatternPart::Kind::variable: {
        if (!takes_(path_, part.variable)) return false;
        path_.push_back(part.variable);
        if (then()) return true;
        path_.pop_back();
        return false;
      }
      case PatternPart::Kind::sequence:
        return sequence(part, 0, then);
      case PatternPart::Kind::choice:
        for (const PatternPart& way : part.parts) {
          if (match(way, then)) return true;
        }
        return false;
      case PatternPart::Kind::repeat:
        return repeat(part, 0, then);
    }
    return false;
  }

  bool sequence(const PatternPart& part, size_t at, const Then& then) {
    if (at == part.parts.size()) return then();
    return match(part.parts[at], [&, at] { return sequence(part, at + 1, then); });
  }

  bool repeat(const PatternPart& part, int64_t rounds, const Then& then) {
    if (rounds < part.least) return round(part, rounds, then);
    const bool may = !part.most || rounds < *part.most;
    if (part.reluctant) return then() || (may && round(part, rounds, then));
    return (may && round(part, rounds, then)) || then();
  }

  // A round that takes no row is the last one.
  bool round(const PatternPart& part, int64_t rounds, const Then& then) {
    const size_t before = path_.size();
    return match(part.parts[0], [&, before] {
      if (path_.size() == before && rounds >= part.least) return then();
      return repeat(part, rounds + 1, then);
    });
  }

  Takes takes_;
  VariablePath path_;
};

}  // namespace flowrun::test
