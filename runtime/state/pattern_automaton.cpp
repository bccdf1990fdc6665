#include "runtime/state/pattern_automaton.h"

#include <fmt/format.h>

#include <algorithm>

namespace flowrun {

namespace {

bool may_be_empty(const PatternPart& part) {
  switch (part.kind) {
    case PatternPart::Kind::variable:
      return false;
    case PatternPart::Kind::sequence:
      return std::ranges::all_of(part.parts, may_be_empty);
    case PatternPart::Kind::choice:
      return std::ranges::any_of(part.parts, may_be_empty);
    case PatternPart::Kind::repeat:
      return part.least == 0 || may_be_empty(part.parts[0]);
  }
  return false;
}

std::optional<size_t> most_rows_of(const PatternPart& part) {
  if (part.kind == PatternPart::Kind::variable) return 1;
  if (part.kind == PatternPart::Kind::repeat) {
    const std::optional<size_t> inner = most_rows_of(part.parts[0]);
    if (!part.most || !inner) return std::nullopt;
    return *inner * static_cast<size_t>(*part.most);
  }
  size_t rows = 0;
  for (const PatternPart& inner : part.parts) {
    const std::optional<size_t> more = most_rows_of(inner);
    if (!more) return std::nullopt;
    rows = part.kind == PatternPart::Kind::choice ? std::max(rows, *more) : rows + *more;
  }
  return rows;
}

}  // namespace

// Builds a graph of places and forks backwards, each part before what follows it, and then reads
// off it what each place leads to.
class PatternCompiler {
 public:
  Result<PatternAutomaton> compile(const RowPattern& pattern) {
    nodes_.push_back({Kind::done, 0, {}});
    FLOWRUN_TRY(const size_t begin, build(pattern.root, 0));
    PatternAutomaton automaton;
    std::vector<size_t> places;
    for (size_t i = 0; i < nodes_.size(); ++i) {
      if (nodes_[i].kind != Kind::place) continue;
      nodes_[i].place = static_cast<PatternAutomaton::Place>(places.size());
      places.push_back(i);
      automaton.variables_.push_back(nodes_[i].variable);
      automaton.looping_.push_back(nodes_[i].looping);
    }
    automaton.most_rows_ = most_rows_of(pattern.root);
    for (const size_t node : places) automaton.lists_.push_back(reached(nodes_[node].to[0]));
    automaton.lists_.push_back(reached(begin));
    if (std::ranges::find(automaton.start(), PatternAutomaton::kDone) != automaton.start().end()) {
      return Error::invalid(
          "the pattern can match no row at all — let one variable stand in it that must come, as "
          "`A+` in place of `A*`");
    }
    return automaton;
  }

 private:
  enum class Kind : uint8_t { done, place, fork };
  struct Node {
    Kind kind;
    size_t variable;         // place
    std::vector<size_t> to;  // place: what follows; fork: the ways, the preferred one first
    PatternAutomaton::Place place = 0;
    bool looping = false;
  };

  Result<size_t> add(Node node) {
    constexpr size_t kMostNodes = 4 * PatternAutomaton::kMostPlaces;
    num_places_ += node.kind == Kind::place ? 1 : 0;
    if (num_places_ > PatternAutomaton::kMostPlaces || nodes_.size() > kMostNodes) {
      return Error::invalid(fmt::format(
          "the pattern unfolds into more than {} places — quantifiers within quantifiers multiply; "
          "lower the numbers, or write `+` or `*`",
          PatternAutomaton::kMostPlaces));
    }
    nodes_.push_back(std::move(node));
    return nodes_.size() - 1;
  }

  // The node at which `part`, followed by node `behind`, begins.
  Result<size_t> build(const PatternPart& part, size_t behind) {
    switch (part.kind) {
      case PatternPart::Kind::variable:
        return add({Kind::place, part.variable, {behind}});
      case PatternPart::Kind::sequence: {
        size_t begin = behind;
        for (auto inner = part.parts.rbegin(); inner != part.parts.rend(); ++inner) {
          FLOWRUN_TRY(begin, build(*inner, begin));
        }
        return begin;
      }
      case PatternPart::Kind::choice: {
        std::vector<size_t> ways;
        for (const PatternPart& inner : part.parts) {
          FLOWRUN_TRY(ways.emplace_back(), build(inner, behind));
        }
        return add({Kind::fork, 0, std::move(ways)});
      }
      case PatternPart::Kind::repeat:
        return build_repeat(part, behind);
    }
    return behind;
  }

  Result<size_t> fork(size_t more, size_t behind, bool reluctant) {
    return add({Kind::fork, 0,
                reluctant ? std::vector<size_t>{behind, more} : std::vector<size_t>{more, behind}});
  }

  Result<size_t> build_repeat(const PatternPart& part, size_t behind) {
    const PatternPart& inner = part.parts[0];
    size_t begin = behind;
    int64_t needed = part.least;
    if (!part.most) {
      FLOWRUN_TRY(const size_t loop, fork(behind, behind, part.reluctant));
      FLOWRUN_TRY(const size_t body, build(inner, loop));
      nodes_[loop].to[part.reluctant ? 1 : 0] = body;
      for (size_t i = loop + 1; i < nodes_.size(); ++i) nodes_[i].looping = true;
      // A round that takes no row is the last one. Where the inner part may be empty the loop is
      // therefore entered by its body, behind a fork of its own: (x+)? for x*.
      begin = loop;
      if (needed > 0) {
        begin = body;
        --needed;
      } else if (may_be_empty(inner)) {
        FLOWRUN_TRY(begin, fork(body, behind, part.reluctant));
      }
    } else {
      for (int64_t i = part.least; i < *part.most; ++i) {
        FLOWRUN_TRY(const size_t body, build(inner, begin));
        FLOWRUN_TRY(begin, fork(body, behind, part.reluctant));
      }
    }
    for (int64_t i = 0; i < needed; ++i) {
      FLOWRUN_TRY(begin, build(inner, begin));
    }
    return begin;
  }

  // The places that come next, from the preferred one on; nothing stands behind kDone.
  std::vector<PatternAutomaton::Place> reached(size_t from) const {
    std::vector<PatternAutomaton::Place> places;
    std::vector<bool> seen(nodes_.size());
    std::vector<size_t> open{from};
    while (!open.empty()) {
      const size_t node = open.back();
      open.pop_back();
      if (seen[node]) continue;
      seen[node] = true;
      if (nodes_[node].kind == Kind::done) {
        places.push_back(PatternAutomaton::kDone);
        break;
      }
      if (nodes_[node].kind == Kind::place) {
        places.push_back(nodes_[node].place);
      } else {
        open.insert(open.end(), nodes_[node].to.rbegin(), nodes_[node].to.rend());
      }
    }
    return places;
  }

  std::vector<Node> nodes_;
  size_t num_places_ = 0;
};

Result<PatternAutomaton> PatternAutomaton::compile(const RowPattern& pattern) {
  return PatternCompiler().compile(pattern);
}

bool PatternAutomaton::may_wait_for_ever() const {
  // By place: can it go on without end?
  std::vector<bool> endless = looping_;
  for (bool changed = true; changed;) {
    changed = false;
    for (Place place = 0; place < num_places(); ++place) {
      if (endless[place]) continue;
      const auto leads = [&](Place to) { return to != kDone && endless[to]; };
      endless[place] = std::ranges::any_of(next(place), leads);
      changed |= endless[place];
    }
  }
  for (const std::vector<Place>& list : lists_) {
    if (list.empty() || list.back() != kDone) continue;
    if (std::any_of(list.begin(), list.end() - 1, [&](Place to) { return endless[to]; }))
      return true;
  }
  return false;
}

uint64_t PatternAutomaton::first_variables() const {
  uint64_t variables = 0;
  for (const Place place : start()) variables |= uint64_t{1} << variable(place);
  return variables;
}

}  // namespace flowrun
