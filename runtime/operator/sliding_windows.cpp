#include "runtime/operator/sliding_windows.h"

#include <algorithm>
#include <numeric>

namespace flowrun {

namespace {

constexpr size_t kWindowsPerRun = 16384;

std::vector<Type> key_types(const AggregationShape& shape) {
  std::vector<Type> types;
  for (const ExpressionPtr& key : shape.keys) types.push_back(key->type());
  return types;
}

std::vector<uint32_t> numbers_from(size_t first, size_t end) {
  std::vector<uint32_t> numbers(end - first);
  std::iota(numbers.begin(), numbers.end(), static_cast<uint32_t>(first));
  return numbers;
}

}  // namespace

SlidingWindows::SlidingWindows(const AggregationShape& shape)
    : shape_(shape), grid_(*shape.window), keys_(key_types(shape)) {
  if (shape.keys.empty()) panes_of_.resize(1);
}

void SlidingWindows::add(const GroupTable& panes, size_t from) {
  const std::vector<uint32_t> added = numbers_from(from, panes.size());
  std::vector<uint32_t> keys(added.size());
  if (!shape_.keys.empty()) {
    std::vector<ColumnPtr> columns;
    for (size_t i = 0; i < shape_.keys.size(); ++i) columns.push_back(panes.key(i + 1, added));
    keys_.find_or_add(columns, keys);
    panes_of_.resize(keys_.size());
  }
  const ColumnPtr begins = panes.key(0, added);
  const std::span<const int64_t> times = begins->values<int64_t>();
  for (size_t i = 0; i < added.size(); ++i) {
    std::vector<Pane>& own = panes_of_[keys[i]];
    const bool newest = own.empty() || own.back().begin < times[i];
    key_of_.push_back(keys[i]);
    const auto place =
        newest ? own.end() : std::ranges::upper_bound(own, times[i], {}, &Pane::begin);
    own.insert(place, {times[i], added[i]});
  }
}

void SlidingWindows::renumber(std::span<const uint32_t> numbers) {
  std::vector<uint32_t> kept;
  const auto gone = static_cast<size_t>(std::ranges::count(numbers, GroupTable::kNoGroup));
  key_of_.resize(numbers.size() - gone);
  for (size_t key = 0; key < panes_of_.size(); ++key) {
    std::vector<Pane>& own = panes_of_[key];
    for (Pane& pane : own) pane.number = numbers[pane.number];
    std::erase_if(own, [](const Pane& pane) { return pane.number == GroupTable::kNoGroup; });
    if (own.empty()) continue;
    for (const Pane& pane : own) key_of_[pane.number] = static_cast<uint32_t>(kept.size());
    if (kept.size() != key) panes_of_[kept.size()] = std::move(own);
    kept.push_back(static_cast<uint32_t>(key));
  }
  if (shape_.keys.empty() || kept.size() == panes_of_.size()) return;
  keys_.keep(kept);
  panes_of_.resize(kept.size());
}

std::vector<uint32_t> SlidingWindows::keys_asked(const WindowQuestion& question) const {
  if (!question.touched) return numbers_from(0, panes_of_.size());
  std::vector<uint32_t> keys;
  for (const uint32_t pane : question.touched->panes) keys.push_back(key_of_[pane]);
  std::ranges::sort(keys);
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  return keys;
}

// Where the windows begin that the question asks for.
std::vector<int64_t> SlidingWindows::list_windows(std::span<const Pane> panes,
                                                  const WindowQuestion& question,
                                                  std::span<const EpochId> touched) const {
  std::vector<int64_t> begins;
  for (const Pane& pane : panes) {
    int64_t begin = grid_.first_window_after(std::max(pane.begin, question.after));
    if (grid_.end_of(begin) > question.until) break;
    if (question.touched && touched[pane.number] <= question.touched->since) continue;
    const int64_t last = grid_.last_window(pane.begin);
    if (!begins.empty()) begin = std::max(begin, begins.back() + grid_.slide);
    for (; begin <= last && grid_.end_of(begin) <= question.until; begin += grid_.slide)
      begins.push_back(begin);
  }
  return begins;
}

void SlidingWindows::add_key(size_t key, std::span<const int64_t> begins,
                             std::span<const EpochId> touched, Run& run) const {
  const std::vector<Pane>& panes = panes_of_[key];
  const auto in_first = std::ranges::lower_bound(panes, begins.front(), {}, &Pane::begin);
  const size_t base = run.panes.size();
  for (auto pane = in_first; pane != panes.end(); ++pane) {
    if (pane->begin >= grid_.end_of(begins.back())) break;
    run.panes.push_back(pane->number);
    run.blocks.push_back(grid_.block_of(pane->begin));
    run.keys.push_back(key);
    run.touched.push_back(touched[pane->number]);
  }
  const std::span<const Pane> items(in_first, panes.end());
  const size_t count = run.panes.size() - base;
  size_t first = 0;
  size_t end = 0;
  for (const int64_t begin : begins) {
    while (items[first].begin < begin) ++first;
    while (end < count && items[end].begin < grid_.end_of(begin)) ++end;
    run.windows.push_back({begin, base + first, base + end - 1});
    run.pairs += end - first;
  }
}

SlidingWindows::Parts SlidingWindows::parts_of(const Run& run, const Window& window) {
  Parts parts;
  // Its first pane stands in a block that begins before it does, or it holds that block's start.
  const bool cuts = run.blocks[window.first] < window.begin;
  if (cuts) parts.suffix = window.first;
  if (!cuts || !run.same_block(window.first, window.last)) parts.prefix = window.last;
  return parts;
}

std::vector<EpochId> SlidingWindows::last_touches(const Run& run) {
  std::vector<EpochId> prefix = run.touched;
  std::vector<EpochId> suffix = run.touched;
  for (size_t i = 1; i < prefix.size(); ++i) {
    if (run.same_block(i - 1, i)) prefix[i] = std::max(prefix[i], prefix[i - 1]);
  }
  for (size_t i = suffix.size() - 1; i > 0; --i) {
    if (run.same_block(i - 1, i)) suffix[i - 1] = std::max(suffix[i - 1], suffix[i]);
  }
  std::vector<EpochId> touches;
  touches.reserve(run.windows.size());
  for (const Window& window : run.windows) {
    const Parts parts = parts_of(run, window);
    EpochId touch = std::numeric_limits<EpochId>::min();
    if (parts.suffix != Parts::kNone) touch = suffix[parts.suffix];
    if (parts.prefix != Parts::kNone) touch = std::max(touch, prefix[parts.prefix]);
    touches.push_back(touch);
  }
  return touches;
}

Status SlidingWindows::sum_directly(const Run& run, const GroupStates& panes,
                                    GroupStates& windows) {
  std::vector<uint32_t> into;
  std::vector<uint32_t> from;
  into.reserve(run.pairs);
  from.reserve(run.pairs);
  for (size_t w = 0; w < run.windows.size(); ++w) {
    for (size_t item = run.windows[w].first; item <= run.windows[w].last; ++item) {
      into.push_back(static_cast<uint32_t>(w));
      from.push_back(run.panes[item]);
    }
  }
  return windows.merge(into, panes, from);
}

Status SlidingWindows::sum_by_blocks(const Run& run, size_t call, const GroupStates& panes,
                                     GroupStates& windows) const {
  const std::vector<uint32_t> items = numbers_from(0, run.panes.size());
  // Sums each block's items in the order given, each with the one before it.
  const auto scan = [&](bool forwards, const std::vector<uint32_t>& windows_of,
                        const std::vector<uint32_t>& items_of) -> Status {
    const std::unique_ptr<GroupStates> sums = std::move(shape_.aggregates.make_states()[call]);
    sums->resize(items.size());
    FLOWRUN_RETURN_IF_ERROR(sums->merge(items, panes, run.panes));
    std::vector<uint32_t> into;
    std::vector<uint32_t> from;
    for (uint32_t i = 1; i < items.size(); ++i) {
      if (!run.same_block(i - 1, i)) continue;
      into.push_back(forwards ? i : i - 1);
      from.push_back(forwards ? i - 1 : i);
    }
    if (!forwards) {
      std::ranges::reverse(into);
      std::ranges::reverse(from);
    }
    FLOWRUN_RETURN_IF_ERROR(sums->merge(into, *sums, from));
    return windows.merge(windows_of, *sums, items_of);
  };
  std::vector<uint32_t> with_suffix, suffixes, with_prefix, prefixes;
  for (uint32_t w = 0; w < run.windows.size(); ++w) {
    const Parts parts = parts_of(run, run.windows[w]);
    if (parts.suffix != Parts::kNone) {
      with_suffix.push_back(w);
      suffixes.push_back(static_cast<uint32_t>(parts.suffix));
    }
    if (parts.prefix != Parts::kNone) {
      with_prefix.push_back(w);
      prefixes.push_back(static_cast<uint32_t>(parts.prefix));
    }
  }
  FLOWRUN_RETURN_IF_ERROR(scan(false, with_suffix, suffixes));
  return scan(true, with_prefix, prefixes);
}

Result<AggregateStates> SlidingWindows::sum(const Run& run, const AggregateStates& states) const {
  AggregateStates windows = shape_.aggregates.make_states();
  const bool by_blocks = run.pairs > 4 * run.panes.size() + 2 * run.windows.size();
  for (size_t call = 0; call < windows.size(); ++call) {
    windows[call]->resize(run.windows.size());
    FLOWRUN_RETURN_IF_ERROR(by_blocks && states[call]->merges_itself()
                                ? sum_by_blocks(run, call, *states[call], *windows[call])
                                : sum_directly(run, *states[call], *windows[call]));
  }
  return windows;
}

Status SlidingWindows::visit(const WindowQuestion& question, const AggregateStates& states,
                             std::span<const EpochId> touched,
                             const std::function<Status(const WindowRows&)>& take) const {
  Run run;
  const auto hand_out = [&]() -> Status {
    if (run.windows.empty()) return {};
    WindowRows rows;
    for (const Window& window : run.windows) {
      rows.begins.push_back(window.begin);
      rows.panes.push_back(run.panes[window.first]);
    }
    rows.touched = last_touches(run);
    FLOWRUN_TRY(rows.states, sum(run, states));
    run = Run();
    return take(rows);
  };
  for (const uint32_t key : keys_asked(question)) {
    const std::vector<int64_t> begins = list_windows(panes_of_[key], question, touched);
    if (begins.empty()) continue;
    add_key(key, begins, touched, run);
    if (run.windows.size() >= kWindowsPerRun) FLOWRUN_RETURN_IF_ERROR(hand_out());
  }
  return hand_out();
}

int64_t SlidingWindows::memory_bytes() const {
  int64_t bytes =
      keys_.memory_bytes() + static_cast<int64_t>(panes_of_.capacity() * sizeof(std::vector<Pane>));
  bytes += static_cast<int64_t>(key_of_.capacity() * sizeof(uint32_t));
  for (const std::vector<Pane>& own : panes_of_)
    bytes += static_cast<int64_t>(own.capacity() * sizeof(Pane));
  return bytes;
}

}  // namespace flowrun
