#include "runtime/state/pattern_paths.h"

#include <algorithm>

namespace flowrun {

namespace {

constexpr uint32_t kNone = 0xffffffff;

// The registers of a path that takes row `row` as one of `variable`.
void note_row(const PatternProgram& program, size_t variable, int32_t row,
              std::span<int32_t> registers) {
  const std::span<int32_t> firsts =
      registers.subspan(program.first_at[variable], program.firsts[variable]);
  if (const auto free = std::ranges::find(firsts, kNoRow); free != firsts.end()) *free = row;
  const std::span<int32_t> lasts =
      registers.subspan(program.last_at[variable], program.lasts[variable]);
  if (lasts.empty()) return;
  std::shift_right(lasts.begin(), lasts.end(), 1);
  lasts[0] = row;
}

}  // namespace

void PatternProgram::place_registers() {
  num_registers = 0;
  first_at.clear();
  last_at.clear();
  for (size_t variable = 0; variable < firsts.size(); ++variable) {
    first_at.push_back(num_registers);
    last_at.push_back(num_registers + firsts[variable]);
    num_registers += firsts[variable] + lasts[variable];
  }
}

void PatternPaths::begin(const PatternProgram& program) {
  ways_.clear();
  steps_.clear();
  paths_.assign(1, kRoot);
  registers_.assign(program.num_registers, kNoRow);
  for (const PatternAutomaton::Place place : program.automaton.start()) ways_.push_back({place, 0});
  live_steps_ = num_rows_ = 0;
}

void PatternPaths::close() {
  std::erase_if(ways_, [](const Way& way) { return way.place != kDone; });
}

void PatternPaths::candidates(const PatternProgram& program, uint64_t variables,
                              std::vector<Candidate>& out) const {
  for (uint32_t i = 0; i < ways_.size(); ++i) {
    if (ways_[i].place == kDone) return;
    const size_t variable = program.automaton.variable(ways_[i].place);
    if (variables >> variable & 1) out.push_back({i, static_cast<uint32_t>(variable)});
  }
}

void PatternPaths::registers_after(const PatternProgram& program, const Candidate& candidate,
                                   std::span<int32_t> registers) const {
  const size_t from = ways_[candidate.way].path * program.num_registers;
  std::copy_n(registers_.begin() + static_cast<std::ptrdiff_t>(from), program.num_registers,
              registers.begin());
  note_row(program, candidate.variable, static_cast<int32_t>(num_rows_), registers);
}

void PatternPaths::rows_after(const Candidate& candidate, size_t variable,
                              std::vector<int32_t>& rows) const {
  const size_t begin = rows.size();
  auto row = static_cast<int32_t>(num_rows_);
  if (candidate.variable == variable) rows.push_back(row);
  for (uint32_t step = paths_[ways_[candidate.way].path]; step != kRoot;
       step = steps_[step].before) {
    --row;
    if (steps_[step].variable == variable) rows.push_back(row);
  }
  std::reverse(rows.begin() + static_cast<std::ptrdiff_t>(begin), rows.end());
}

bool PatternPaths::same_past(const PatternProgram& program, uint32_t a, uint32_t b) const {
  const auto of = [&](uint32_t path) {
    return registers_.begin() + static_cast<std::ptrdiff_t>(path * program.num_registers);
  };
  if (!std::equal(of(a), of(a) + static_cast<std::ptrdiff_t>(program.num_registers), of(b)))
    return false;
  if (program.all_rows == 0) return true;
  uint32_t left = paths_[a];
  uint32_t right = paths_[b];
  for (; left != right; left = steps_[left].before, right = steps_[right].before) {
    const size_t one = steps_[left].variable;
    const size_t other = steps_[right].variable;
    const uint64_t seen = program.all_rows >> one | program.all_rows >> other;
    if (one != other && (seen & 1) != 0) return false;
  }
  return true;
}

bool PatternPaths::advance(const PatternProgram& program, std::span<const Candidate> candidates,
                           std::span<const uint8_t> verdicts, Scratch& scratch) {
  ways_.swap(scratch.ways);
  paths_.swap(scratch.paths);
  registers_.swap(scratch.registers);
  ways_.clear();
  paths_.clear();
  registers_.clear();
  const std::vector<Way>& ways = scratch.ways;
  const std::vector<uint32_t>& paths = scratch.paths;
  const std::vector<int32_t>& registers = scratch.registers;
  const size_t width = program.num_registers;
  bool done = false;
  scratch.newest.resize(program.automaton.num_places(), kNone);
  scratch.before.clear();
  for (size_t i = 0; i < candidates.size() && !done; ++i) {
    if (!verdicts[i]) continue;
    const Way& way = ways[candidates[i].way];
    const auto path = static_cast<uint32_t>(paths_.size());
    paths_.push_back(static_cast<uint32_t>(steps_.size()));
    steps_.push_back({paths[way.path], static_cast<uint8_t>(candidates[i].variable)});
    const auto from = registers.begin() + static_cast<std::ptrdiff_t>(way.path * width);
    registers_.insert(registers_.end(), from, from + static_cast<std::ptrdiff_t>(width));
    note_row(program, candidates[i].variable, static_cast<int32_t>(num_rows_),
             std::span(registers_).last(width));
    done = follow(program, way.place, path, scratch);
  }
  if (!done && !ways.empty() && ways.back().place == kDone) {
    ways_.push_back({kDone, static_cast<uint32_t>(paths_.size())});
    paths_.push_back(paths[ways.back().path]);
    registers_.resize(registers_.size() + width, kNoRow);
  }
  for (const Way& way : ways_) {
    if (way.place != kDone) scratch.newest[way.place] = kNone;
  }
  ++num_rows_;
  if (steps_.size() > 2 * live_steps_ + 256) drop_dead_steps();
  return ways_.size() <= kMostWays;
}

bool PatternPaths::follow(const PatternProgram& program, PatternAutomaton::Place place,
                          uint32_t path, Scratch& scratch) {
  for (const PatternAutomaton::Place to : program.automaton.next(place)) {
    if (to == kDone) {
      ways_.push_back({kDone, path});
      return true;
    }
    uint32_t same = scratch.newest[to];
    while (same != kNone && !same_past(program, ways_[same].path, path))
      same = scratch.before[same];
    if (same != kNone) continue;
    scratch.before.push_back(scratch.newest[to]);
    scratch.newest[to] = static_cast<uint32_t>(ways_.size());
    ways_.push_back({to, path});
  }
  return false;
}

void PatternPaths::drop_dead_steps() {
  std::vector<uint32_t> numbers(steps_.size(), kNone);
  constexpr uint32_t kLive = 0;
  for (const uint32_t path : paths_) {
    for (uint32_t step = path; step != kRoot && numbers[step] == kNone; step = steps_[step].before)
      numbers[step] = kLive;
  }
  // A step stands behind those before it.
  uint32_t live = 0;
  for (uint32_t step = 0; step < steps_.size(); ++step) {
    if (numbers[step] == kNone) continue;
    numbers[step] = live;
    Step moved = steps_[step];
    if (moved.before != kRoot) moved.before = numbers[moved.before];
    steps_[live++] = moved;
  }
  steps_.resize(live);
  live_steps_ = live;
  for (uint32_t& path : paths_) {
    if (path != kRoot) path = numbers[path];
  }
}

std::vector<uint8_t> PatternPaths::variables() const {
  std::vector<uint8_t> variables;
  for (uint32_t step = paths_[ways_.front().path]; step != kRoot; step = steps_[step].before)
    variables.push_back(steps_[step].variable);
  std::ranges::reverse(variables);
  return variables;
}

int64_t PatternPaths::memory_bytes() const {
  return static_cast<int64_t>(
      ways_.capacity() * sizeof(Way) + paths_.capacity() * sizeof(uint32_t) +
      registers_.capacity() * sizeof(int32_t) + steps_.capacity() * sizeof(Step));
}

}  // namespace flowrun
