#pragma once
// PatternPaths: the ways in which one run of rows may still match a pattern, best first.
//
//   PatternPaths paths;
//   paths.begin(program);                       // before the first row
//   while (!paths.failed() && !paths.won()) {
//     paths.candidates(program, row_bits, candidates);     // who could take the next row
//     ... judge each candidate ...
//     if (!paths.advance(program, candidates, verdicts, scratch)) ...  // too many
//   }
//   if (paths.won()) paths.variables();         // one per row of the match
//
// How: an automaton is run by a list of ways in SQL's order of preference, each a place that waits
// for the next row and the path that led to it. A way that is complete cuts off all that stand
// behind it, so the match is decided when it stands first. Two ways at one place have the same
// future if their conditions cannot tell their pasts apart; the second is then dropped. What
// conditions can see of the past is held in registers: the positions of the first and last rows of
// a variable. Without such conditions there are thus never more ways than places.

#include <cstdint>
#include <span>
#include <vector>

#include "runtime/state/pattern_automaton.h"

namespace flowrun {

// A pattern and what its conditions can see of the rows before. Immutable once made.
struct PatternProgram {
  PatternAutomaton automaton;
  // By variable: how many of its first and of its last rows conditions look at, the row at hand
  // among them.
  std::vector<size_t> firsts;
  std::vector<size_t> lasts;
  // Variables, a bit each, all of whose rows a condition looks at (an aggregate).
  uint64_t all_rows = 0;

  // Positions of a variable's rows in a path's registers: first_at + k the (k+1)th of the firsts.
  std::vector<size_t> first_at = {};
  std::vector<size_t> last_at = {};
  size_t num_registers = 0;

  // Numbers the registers; called once, when firsts and lasts are known.
  void place_registers();
};

// Positions count the rows of the run from 0.
inline constexpr int32_t kNoRow = -1;

// Not thread-safe.
class PatternPaths {
  struct Way {
    PatternAutomaton::Place place;
    uint32_t path;
  };

 public:
  static constexpr size_t kMostWays = 10'000;

  // A way that would take the next row, as a row of `variable`.
  struct Candidate {
    uint32_t way;
    uint32_t variable;
  };
  // What advance needs beside the paths; shared by all paths of one thread.
  struct Scratch {
    std::vector<uint32_t> newest;  // by place: the way that was added there last
    std::vector<uint32_t> before;  // by way: the one before it at its place
    // As they were before the row.
    std::vector<Way> ways;
    std::vector<uint32_t> paths;
    std::vector<int32_t> registers;
  };

  void begin(const PatternProgram& program);
  [[nodiscard]] bool failed() const { return ways_.empty(); }
  // The best way is complete.
  [[nodiscard]] bool won() const { return !ways_.empty() && ways_.front().place == kDone; }
  // No further row may be taken: complete ways alone count from now on.
  void close();

  // The ways that take a row whose bits of `variables` say what it may be, best first.
  void candidates(const PatternProgram& program, uint64_t variables,
                  std::vector<Candidate>& out) const;
  // The registers of a way once it has taken the next row. REQUIRES: as many as num_registers.
  void registers_after(const PatternProgram& program, const Candidate& candidate,
                       std::span<int32_t> registers) const;
  // The positions of the variable's rows on the candidate's way, that of the next row among them
  // if it is of that variable; in order. All rows without a variable.
  void rows_after(const Candidate& candidate, size_t variable, std::vector<int32_t>& rows) const;
  // Takes the next row: verdicts[i] says whether candidate i passed. False if that makes more than
  // kMostWays. REQUIRES: the candidates of the last call.
  [[nodiscard]] bool advance(const PatternProgram& program, std::span<const Candidate> candidates,
                             std::span<const uint8_t> verdicts, Scratch& scratch);

  [[nodiscard]] size_t num_rows() const { return num_rows_; }
  // The variable of each row of the match. REQUIRES: won().
  [[nodiscard]] std::vector<uint8_t> variables() const;
  [[nodiscard]] int64_t memory_bytes() const;

 private:
  static constexpr PatternAutomaton::Place kDone = PatternAutomaton::kDone;
  static constexpr uint32_t kRoot = 0xffffffff;  // the path without rows

  // One row of a path, shared by all paths that go on from it.
  struct Step {
    uint32_t before;
    uint8_t variable;
  };

  // The path has taken a row at `place`: adds the ways that go on from there. True if one is
  // complete.
  bool follow(const PatternProgram& program, PatternAutomaton::Place place, uint32_t path,
              Scratch& scratch);
  // Can no condition tell the two paths apart?
  [[nodiscard]] bool same_past(const PatternProgram& program, uint32_t a, uint32_t b) const;
  void drop_dead_steps();

  std::vector<Way> ways_;
  std::vector<uint32_t> paths_;     // the last step of each
  std::vector<int32_t> registers_;  // of each path, one after the other
  std::vector<Step> steps_;
  size_t live_steps_ = 0;  // when dead ones were dropped last
  size_t num_rows_ = 0;
};

}  // namespace flowrun
