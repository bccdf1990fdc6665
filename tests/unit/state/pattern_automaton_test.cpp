// Row patterns: what is refused, and that the automaton finds the match that SQL prefers.
#include <rapidcheck.h>

#include <catch2/catch.hpp>

#include "runtime/state/pattern_paths.h"
#include "tests/unit/pattern_by_hand.h"

namespace flowrun {
namespace {

using test::PatternByHand;
using test::VariablePath;

Error refusal(std::string_view text) {
  const auto pattern = parse_row_pattern(text);
  if (!pattern) return pattern.error();
  const auto automaton = PatternAutomaton::compile(*pattern);
  REQUIRE_FALSE(automaton);
  return automaton.error();
}

PatternAutomaton automaton_of(std::string_view text) {
  const auto pattern = parse_row_pattern(text);
  REQUIRE(pattern);
  auto automaton = PatternAutomaton::compile(*pattern);
  REQUIRE(automaton);
  return *automaton;
}

TEST_CASE("a pattern that is wrong is refused where it is wrong") {
  const std::vector<std::pair<std::string, size_t>> kCases = {
      {"A B)", 3},    {"A |", 3},  {"(A", 2},  {"A ()", 2}, {"A{3,2}", 1},  {"A{0}", 1},
      {"A{}", 1},     {"A{,}", 1}, {"A**", 2}, {"^A", 0},   {"{- A -}", 0}, {"permute(A, B)", 0},
      {"A{1001}", 2}, {"A, B", 1}, {"`A", 0},  {"", 0}};
  for (const auto& [text, offset] : kCases) {
    INFO(text);
    CHECK(refusal(text).offset == offset);
  }
  for (const char* text : {"A*", "A? B*", "A{0,} B{,3}", "(A | B*)"}) {
    INFO(text);
    CHECK(refusal(text).message.find("no row at all") != std::string::npos);
  }
  CHECK(refusal("((A{1,100}){1,100})").message.find("unfolds") != std::string::npos);
}

TEST_CASE("what a match waits for is known before it runs") {
  for (const char* text : {"A B*", "A+", "A (B | C)*", "A (B+ C)*", "A B* C?", "A B* (C B)?"}) {
    INFO(text);
    CHECK(automaton_of(text).may_wait_for_ever());
  }
  for (const char* text : {"A B* C", "A B*?", "A{2,9}", "A B+? C*?", "A (B | C)"}) {
    INFO(text);
    CHECK_FALSE(automaton_of(text).may_wait_for_ever());
  }
  CHECK(automaton_of("A (B | C D){2} E?").most_rows() == 6);
  CHECK_FALSE(automaton_of("A B+ C").most_rows());
}

// Random rows: which variables each may be, and a value that conditions compare.
struct Row {
  uint64_t variables;
  int64_t value;
};

// Conditions of the test: B is above the B before it, C differs from the first A, and D comes only
// while the Bs sum up to less than 6.
constexpr size_t kA = 0, kB = 1, kC = 2, kD = 3;

bool condition(const std::vector<Row>& rows, size_t variable, size_t row,
               std::optional<size_t> last_b, std::optional<size_t> first_a, int64_t sum_of_b) {
  if (variable == kB && last_b) return rows[row].value > rows[*last_b].value;
  if (variable == kC && first_a) return rows[row].value != rows[*first_a].value;
  if (variable == kD) return sum_of_b < 6;
  return true;
}

std::optional<VariablePath> by_hand(const RowPattern& pattern, const std::vector<Row>& rows,
                                    bool with_conditions) {
  PatternByHand hand([&](const VariablePath& path, size_t variable) {
    const size_t row = path.size();
    if (row == rows.size() || !(rows[row].variables >> variable & 1)) return false;
    if (!with_conditions) return true;
    std::optional<size_t> last_b;
    std::optional<size_t> first_a;
    int64_t sum = 0;
    for (size_t i = 0; i < path.size(); ++i) {
      if (path[i] == kB) last_b = i, sum += rows[i].value;
      if (path[i] == kA && !first_a) first_a = i;
    }
    return condition(rows, variable, row, last_b, first_a, sum);
  });
  return hand.best(pattern.root);
}

std::optional<VariablePath> by_automaton(const PatternProgram& program,
                                         const std::vector<Row>& rows, bool with_conditions) {
  PatternPaths paths;
  PatternPaths::Scratch scratch;
  paths.begin(program);
  for (size_t row = 0; row < rows.size() && !paths.won() && !paths.failed(); ++row) {
    std::vector<PatternPaths::Candidate> candidates;
    paths.candidates(program, rows[row].variables, candidates);
    std::vector<uint8_t> verdicts(candidates.size(), 1);
    for (size_t i = 0; with_conditions && i < candidates.size(); ++i) {
      std::vector<int32_t> registers(program.num_registers);
      paths.registers_after(program, candidates[i], registers);
      const int32_t last_b = registers[program.last_at[kB] + 1];
      const int32_t first_a = registers[program.first_at[kA]];
      std::vector<int32_t> all_b;
      paths.rows_after(candidates[i], kB, all_b);
      int64_t sum = 0;
      for (const int32_t b : all_b) sum += rows[static_cast<size_t>(b)].value;
      const auto found = [](int32_t position) {
        return position == kNoRow ? std::nullopt
                                  : std::optional<size_t>(static_cast<size_t>(position));
      };
      verdicts[i] =
          condition(rows, candidates[i].variable, row, found(last_b), found(first_a), sum);
    }
    RC_ASSERT(paths.advance(program, candidates, verdicts, scratch));
  }
  paths.close();
  if (!paths.won()) return std::nullopt;
  const std::vector<uint8_t> variables = paths.variables();
  return VariablePath(variables.begin(), variables.end());
}

std::string pattern_text(int depth) {
  const int kind = depth == 0 ? 0 : *rc::gen::inRange(0, 5);
  if (kind <= 1) return std::string(1, *rc::gen::element('A', 'B', 'C', 'D'));
  const std::string first = pattern_text(depth - 1);
  if (kind == 2) return "(" + first + " | " + pattern_text(depth - 1) + ")";
  if (kind == 3) return first + " " + pattern_text(depth - 1);
  const std::string quantifier =
      *rc::gen::element<std::string>("*", "+", "?", "{2}", "{1,2}", "{,2}", "{2,}");
  return "(" + first + ")" + quantifier + (*rc::gen::inRange(0, 2) == 0 ? "?" : "");
}

TEST_CASE("the automaton finds the match that trying all ways in order finds") {
  for (const bool with_conditions : {false, true}) {
    CHECK(rc::check([with_conditions] {
      // The four stand before it, so that their numbers are known.
      RowPattern pattern;
      pattern.variables = {"A", "B", "C", "D"};
      const auto parsed = parse_row_pattern("A | B | C | D | (" + pattern_text(3) + ")");
      RC_ASSERT(parsed.has_value());
      pattern.root = parsed->root.parts.back();
      const auto automaton = PatternAutomaton::compile(pattern);
      RC_PRE(automaton.has_value());
      PatternProgram program;
      program.automaton = *automaton;
      program.firsts = {1, 0, 0, 0};
      program.lasts = {0, 2, 0, 0};
      program.all_rows = uint64_t{1} << kB;
      if (!with_conditions) program.firsts = program.lasts = {0, 0, 0, 0};
      if (!with_conditions) program.all_rows = 0;
      program.place_registers();
      std::vector<Row> rows(*rc::gen::inRange<size_t>(1, 8));
      for (Row& row : rows) {
        row.variables = *rc::gen::inRange<uint64_t>(1, 16);
        row.value = *rc::gen::inRange<int64_t>(0, 5);
      }
      RC_ASSERT(by_automaton(program, rows, with_conditions) ==
                by_hand(pattern, rows, with_conditions));
    }));
  }
}

TEST_CASE("a long match takes memory by its rows, and few ways") {
  const auto pattern = parse_row_pattern("A (B | C)* D");
  REQUIRE(pattern);
  PatternProgram program;
  program.automaton = automaton_of("A (B | C)* D");
  program.firsts = program.lasts = std::vector<size_t>(4, 0);
  program.place_registers();
  PatternPaths paths;
  PatternPaths::Scratch scratch;
  paths.begin(program);
  for (int row = 0; row < 100'000; ++row) {
    std::vector<PatternPaths::Candidate> candidates;
    paths.candidates(program, row == 0 ? 1 : 6, candidates);
    REQUIRE(
        paths.advance(program, candidates, std::vector<uint8_t>(candidates.size(), 1), scratch));
  }
  CHECK(paths.memory_bytes() < 100'000 * 40);
}

}  // namespace
}  // namespace flowrun
