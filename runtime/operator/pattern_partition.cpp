#include "runtime/operator/pattern_partition.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <numeric>

#include "runtime/columnar/builder.h"

namespace flowrun {

namespace {

constexpr size_t kNoCondition = static_cast<size_t>(-1);
// Little garbage is not worth a copy.
constexpr int64_t kMuchGarbage = 1024;

struct LaterDeadline {
  template <class Deadline>
  bool operator()(const Deadline& a, const Deadline& b) const {
    return a.time > b.time;
  }
};

}  // namespace

PatternPartition::PatternPartition(const PatternShape& shape, size_t number, size_t count)
    : shape_(shape),
      number_(number),
      count_(count),
      table_(shape.key_types),
      rows_(shape.stored),
      first_variables_(shape.program.automaton.first_variables()),
      condition_at_(shape.variables.size(), kNoCondition) {
  for (size_t variable = 0; variable < shape.variables.size(); ++variable) {
    if (!shape.conditions[variable]) continue;
    condition_at_[variable] = conditions_.size();
    conditions_.emplace_back(*shape.conditions[variable]);
  }
  asked_.resize(conditions_.size());
  for (const PatternFormula& measure : shape.measures) measures_.emplace_back(measure);
}

void PatternPartition::merge(std::span<const RecordBatch> batches) {
  for (const RecordBatch& batch : batches) insert(batch);
}

void PatternPartition::insert(const RecordBatch& carried) {
  std::vector<uint32_t> groups(static_cast<size_t>(carried.num_rows()), 0);
  const std::span<const ColumnPtr> columns(carried.columns());
  if (!shape_.key_types.empty()) table_.find_or_add(columns.first(shape_.key_types.size()), groups);
  keys_.resize(shape_.key_types.empty() ? 1 : table_.size());
  const auto stored = columns.subspan(shape_.first_stored_column());
  const auto times = stored[shape_.time_column]->values<int64_t>();
  const auto variables = columns[shape_.variables_column()]->values<int64_t>();
  const int64_t first =
      rows_.add({shape_.stored, carried.num_rows(), {stored.begin(), stored.end()}});
  for (size_t i = 0; i < groups.size(); ++i) {
    const PatternRow row{first + static_cast<int64_t>(i), times[i],
                         std::bit_cast<uint64_t>(variables[i])};
    waiting_.push_back({row, groups[i]});
    std::ranges::push_heap(waiting_, later_row);
  }
  live_rows_ += carried.num_rows();
}

int64_t PatternPartition::end_of(int64_t time) const {
  if (!shape_.within || time > kNoEnd - *shape_.within) return kNoEnd;
  return time + *shape_.within;
}

void PatternPartition::activate(uint32_t number) {
  Key& key = keys_[number];
  if (key.active) return;
  key.active = true;
  key_bytes_ -= bytes_of(key);
  active_.push_back(number);
}

void PatternPartition::drain(int64_t watermark) {
  std::vector<Waiting> due;
  while (!waiting_.empty() && waiting_.front().row.time <= watermark) {
    std::ranges::pop_heap(waiting_, later_row);
    due.push_back(waiting_.back());
    waiting_.pop_back();
  }
  if (!shape_.ties.empty()) order_ties(due);
  for (const Waiting& row : due) {
    activate(row.key);
    keys_[row.key].rows.push_back(row.row);
  }
}

void PatternPartition::order_ties(std::vector<Waiting>& due) const {
  std::vector<int64_t> numbers;
  for (const Waiting& row : due) numbers.push_back(row.row.number);
  std::vector<size_t> columns;
  for (size_t i = 0; i < shape_.ties.size(); ++i)
    columns.push_back(shape_.stored->num_fields() - shape_.ties.size() + i);
  const RecordBatch values = rows_.gather(numbers, columns);
  std::vector<size_t> order(due.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::stable_sort(order, [&](size_t a, size_t b) {
    if (due[a].row.time != due[b].row.time) return due[a].row.time < due[b].row.time;
    for (size_t i = 0; i < columns.size(); ++i) {
      const int difference = shape_.ties[i].compare(
          *values.column(columns[i]), static_cast<int64_t>(a), static_cast<int64_t>(b));
      if (difference != 0) return difference < 0;
    }
    return false;
  });
  std::vector<Waiting> ordered;
  for (const size_t i : order) ordered.push_back(due[i]);
  due = std::move(ordered);
}

void PatternPartition::expire(int64_t watermark) {
  while (!deadlines_.empty() && deadlines_.front().time <= watermark) {
    std::ranges::pop_heap(deadlines_, LaterDeadline{});
    const Deadline passed = deadlines_.back();
    deadlines_.pop_back();
    Key& key = keys_[passed.key];
    if (key.deadline != passed.time) continue;
    key.deadline = kNoDeadline;
    activate(passed.key);
  }
}

Status PatternPartition::evict(const Epoch& epoch) {
  drain(epoch.watermark);
  expire(epoch.watermark);
  if (active_.empty()) return {};
  FLOWRUN_RETURN_IF_ERROR(search(epoch));
  FLOWRUN_RETURN_IF_ERROR(put_out(epoch));
  for (const uint32_t key : active_) trim(key, epoch.watermark);
  active_.clear();
  if (rows_.size() > 2 * live_rows_ + kMuchGarbage) compact();
  return {};
}

Status PatternPartition::search(const Epoch& epoch) {
  std::vector<uint32_t> moving = active_;
  while (!moving.empty()) {
    for (const uint32_t key : moving) {
      FLOWRUN_TRY(const bool asks, move_on(key, epoch.watermark));
      static_cast<void>(asks);
    }
    if (num_asking_ == 0) return {};
    FLOWRUN_RETURN_IF_ERROR(answer(epoch.context));
    moving.clear();
    for (const Asking& asked : std::span(asking_).first(num_asking_)) {
      FLOWRUN_RETURN_IF_ERROR(advance(keys_[asked.key], asked));
      moving.push_back(asked.key);
    }
    num_asking_ = 0;
  }
  return {};
}

Result<bool> PatternPartition::move_on(uint32_t number, int64_t watermark) {
  Key& key = keys_[number];
  while (true) {
    if (!key.begun) {
      while (key.start < key.rows.size() && !(key.rows[key.start].variables & first_variables_))
        ++key.start;
      if (key.start == key.rows.size()) return false;
      key.paths.begin(shape_.program);
      key.begun = true;
    }
    if (key.paths.won()) {
      finish_match(number);
      continue;
    }
    if (key.paths.failed()) {
      ++key.start;
      key.begun = false;
      continue;
    }
    const size_t at = key.start + key.paths.num_rows();
    const int64_t end = end_of(key.rows[key.start].time);
    const bool more = at < key.rows.size();
    if (more ? key.rows[at].time > end : end <= watermark) {
      key.paths.close();
      continue;
    }
    if (!more) return false;
    if (ask(number)) return true;
    FLOWRUN_RETURN_IF_ERROR(advance(key, asking_[--num_asking_]));
  }
}

bool PatternPartition::ask(uint32_t number) {
  const Key& key = keys_[number];
  if (num_asking_ == asking_.size()) asking_.emplace_back();
  Asking& asking = asking_[num_asking_++];
  asking.key = number;
  asking.candidates.clear();
  key.paths.candidates(shape_.program, key.rows[key.start + key.paths.num_rows()].variables,
                       asking.candidates);
  asking.verdicts.assign(asking.candidates.size(), 1);
  bool asked = false;
  for (size_t i = 0; i < asking.candidates.size(); ++i) {
    const size_t condition = condition_at_[asking.candidates[i].variable];
    if (condition == kNoCondition) continue;
    conditions_[condition].add(CandidateRun(key.rows, key.start, shape_.within, shape_.program,
                                            key.paths, asking.candidates[i]));
    asked_[condition].push_back({num_asking_ - 1, i});
    asked = true;
  }
  return asked;
}

Status PatternPartition::answer(const EvaluationContext& context) {
  for (size_t i = 0; i < conditions_.size(); ++i) {
    if (asked_[i].empty()) continue;
    FLOWRUN_TRY(const ColumnPtr truth, conditions_[i].answer(rows_, shape_.variables, context));
    for (size_t q = 0; q < asked_[i].size(); ++q) {
      const auto row = static_cast<int64_t>(q);
      asking_[asked_[i][q].asking].verdicts[asked_[i][q].candidate] =
          truth->is_valid(row) && truth->boolean(row);
    }
    asked_[i].clear();
  }
  return {};
}

Status PatternPartition::advance(Key& key, const Asking& asked) {
  if (key.paths.advance(shape_.program, asked.candidates, asked.verdicts, scratch_)) return {};
  return Error::data(fmt::format(
      "the pattern can match the rows of one key in more than {} ways at once — let its conditions "
      "exclude one another, or bound its quantifiers",
      PatternPaths::kMostWays));
}

size_t PatternPartition::rows_to_skip(std::span<const uint8_t> variables) const {
  if (shape_.after.kind == AfterMatch::Kind::past_last_row) return variables.size();
  if (shape_.after.kind == AfterMatch::Kind::next_row) return 1;
  size_t rows = 0;
  for (size_t i = 0; i < variables.size(); ++i) {
    if (variables[i] != shape_.after.variable) continue;
    rows = i;
    if (shape_.after.kind == AfterMatch::Kind::first) break;
  }
  // Neither may the search begin where it began, nor end because a match lacks the variable.
  return std::max(rows, size_t{1});
}

void PatternPartition::finish_match(uint32_t number) {
  Key& key = keys_[number];
  const std::vector<uint8_t> variables = key.paths.variables();
  const MatchRun run(key.rows, key.start, shape_.within, variables);
  for (PatternQuestions& measure : measures_) measure.add(run);
  matches_.push_back({number, key.rows[key.start + variables.size() - 1].time});
  key.start += rows_to_skip(variables);
  key.begun = false;
}

Status PatternPartition::put_out(const Epoch& epoch) {
  if (matches_.empty()) return {};
  std::vector<uint32_t> groups;
  std::vector<int32_t> order(matches_.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(
      order, {}, [&](int32_t match) { return matches_[static_cast<size_t>(match)].last_time; });
  for (const Match& match : matches_) groups.push_back(match.key);
  std::vector<ColumnPtr> columns;
  if (!shape_.key_types.empty()) columns = table_.keys(groups);
  for (PatternQuestions& measure : measures_) {
    FLOWRUN_TRY(columns.emplace_back(), measure.answer(rows_, shape_.variables, epoch.context));
  }
  const RecordBatch found(shape_.output, static_cast<int64_t>(groups.size()), std::move(columns));
  matched_.add(epoch.id, found.take(order));
  matches_.clear();
  return {};
}

void PatternPartition::trim(uint32_t number, int64_t watermark) {
  Key& key = keys_[number];
  key.active = false;
  size_t kept = std::min(key.start, static_cast<size_t>(shape_.most_back));
  const bool open = key.start < key.rows.size();
  // No later row sees what is longer ago than `within`.
  if (!open && kept > 0 && end_of(key.rows.back().time) <= watermark) kept = 0;
  const size_t dropped = key.start - kept;
  key.rows.erase(key.rows.begin(), key.rows.begin() + static_cast<std::ptrdiff_t>(dropped));
  key.start = kept;
  live_rows_ -= static_cast<int64_t>(dropped);
  if (key.rows.empty()) {
    key = Key{};
  } else {
    const int64_t deadline = end_of(key.rows[open ? key.start : key.rows.size() - 1].time);
    if (key.deadline != deadline) {
      key.deadline = deadline;
      deadlines_.push_back({deadline, number});
      std::ranges::push_heap(deadlines_, LaterDeadline{});
    }
  }
  key_bytes_ += bytes_of(key);
}

// Drops rows that nobody needs, keys without rows, and deadlines that were overtaken.
void PatternPartition::compact() {
  std::vector<bool> used(keys_.size());
  for (size_t i = 0; i < keys_.size(); ++i) used[i] = !keys_[i].rows.empty();
  for (const Waiting& row : waiting_) used[row.key] = true;
  std::vector<uint32_t> groups;
  std::vector<uint32_t> numbers(keys_.size());
  for (uint32_t i = 0; i < keys_.size(); ++i) {
    if (!used[i] && !shape_.key_types.empty()) continue;
    numbers[i] = static_cast<uint32_t>(groups.size());
    groups.push_back(i);
  }
  std::vector<Key> keys;
  std::vector<int64_t> kept;
  deadlines_.clear();
  key_bytes_ = 0;
  for (const uint32_t group : groups) {
    Key& key = keys.emplace_back(std::move(keys_[group]));
    for (PatternRow& row : key.rows) {
      kept.push_back(row.number);
      row.number = static_cast<int64_t>(kept.size()) - 1;
    }
    if (key.deadline != kNoDeadline)
      deadlines_.push_back({key.deadline, static_cast<uint32_t>(keys.size() - 1)});
    key_bytes_ += bytes_of(key);
  }
  std::ranges::make_heap(deadlines_, LaterDeadline{});
  keys_ = std::move(keys);
  if (!shape_.key_types.empty()) table_.keep(groups);
  // Numbers tell which of two rows of one time came first. What is in order is a heap.
  std::ranges::sort(waiting_, {}, [](const Waiting& row) { return row.row.number; });
  for (Waiting& row : waiting_) {
    kept.push_back(row.row.number);
    row = {{static_cast<int64_t>(kept.size()) - 1, row.row.time, row.row.variables},
           numbers[row.key]};
  }
  std::ranges::make_heap(waiting_, later_row);
  rows_.keep(kept);
}

int64_t PatternPartition::bytes_of(const Key& key) {
  return static_cast<int64_t>(key.rows.capacity() * sizeof(PatternRow)) + key.paths.memory_bytes();
}

int64_t PatternPartition::memory_bytes() const {
  return key_bytes_ +
         static_cast<int64_t>(keys_.capacity() * sizeof(Key) +
                              waiting_.capacity() * sizeof(Waiting) +
                              deadlines_.capacity() * sizeof(Deadline)) +
         rows_.memory_bytes() + table_.memory_bytes() + matched_.memory_bytes();
}

}  // namespace flowrun
