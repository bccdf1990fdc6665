#pragma once
// PatternAutomaton: a row pattern as places and the ways between them, in the order of preference.
//
//   FLOWRUN_TRY(PatternAutomaton automaton, PatternAutomaton::compile(pattern));
//   automaton.start()       // the places that the first row may take
//   automaton.next(place)   // those that the row behind it may take; kDone: the match may end here
//
// A place takes one row of one variable. Its list of next places is in SQL's order of preference:
// alternatives as they are written, one more round before the end for a greedy quantifier, the end
// first for a reluctant one. Counted quantifiers are unfolded, so that a place is all there is to
// know of how far a match has come.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "runtime/state/row_pattern.h"

namespace flowrun {

// Immutable; thread-safe.
class PatternAutomaton {
 public:
  using Place = uint32_t;
  static constexpr Place kDone = 0xffffffff;
  static constexpr size_t kMostPlaces = 1000;

  // Refuses what unfolds into more than kMostPlaces, and patterns that may match no row at all.
  static Result<PatternAutomaton> compile(const RowPattern& pattern);

  [[nodiscard]] size_t num_places() const { return variables_.size(); }
  [[nodiscard]] size_t variable(Place place) const { return variables_[place]; }
  // Without kDone: every match has a row.
  [[nodiscard]] std::span<const Place> start() const { return lists_.back(); }
  // kDone stands last if it is there: what would come behind it is never preferred.
  [[nodiscard]] std::span<const Place> next(Place place) const { return lists_[place]; }

  // The most rows a match can have; none if there is no bound.
  [[nodiscard]] std::optional<size_t> most_rows() const { return most_rows_; }
  // Can a match that is complete wait for ever whether a longer one is preferred? True of `A B*`,
  // not of `A B* C`, `A B*?` or `A B{0,9}`.
  [[nodiscard]] bool may_wait_for_ever() const;
  // The variables, a bit each, that the first row of a match may be.
  [[nodiscard]] uint64_t first_variables() const;

 private:
  friend class PatternCompiler;

  std::vector<size_t> variables_;          // by place
  std::vector<bool> looping_;              // by place: it stands in a quantifier without a bound
  std::vector<std::vector<Place>> lists_;  // by place; the last one is start()
  std::optional<size_t> most_rows_;
};

}  // namespace flowrun
