#include "runtime/exec/watermarks.h"

#include <algorithm>

namespace flowrun {

namespace {

constexpr int64_t kNothingSeen = std::numeric_limits<int64_t>::min();
constexpr int64_t kMillisecond = 1000;

int64_t floor_to_millisecond(int64_t time) {
  const int64_t rest = time % kMillisecond;
  return time - (rest < 0 ? rest + kMillisecond : rest);
}

}  // namespace

ObservedTimes::ObservedTimes(size_t num_nodes) : latest_(num_nodes) {
  for (auto& latest : latest_) latest.store(kNothingSeen, std::memory_order_relaxed);
}

void ObservedTimes::observe(size_t node, int64_t event_time) {
  int64_t known = latest_[node].load(std::memory_order_relaxed);
  while (known < event_time &&
         !latest_[node].compare_exchange_weak(known, event_time, std::memory_order_relaxed)) {
  }
}

std::optional<int64_t> ObservedTimes::take(size_t node) {
  const int64_t latest = latest_[node].exchange(kNothingSeen, std::memory_order_relaxed);
  return latest == kNothingSeen ? std::nullopt : std::optional(latest);
}

Watermarks::Watermarks(const Graph& graph, bool policy_max)
    : graph_(graph),
      policy_max_(policy_max),
      values_(graph.watermarks.size(), kNoTime),
      holding_(graph.watermarks.size(), true),
      current_(graph.statefuls.size(), kNoTime),
      previous_(graph.statefuls.size(), kNoTime) {}

int64_t Watermarks::derive(const GraphNode& stateful) const {
  if (!stateful.watermark_from.empty()) {
    int64_t least = kEndOfTime;
    for (const size_t above : stateful.watermark_from) {
      const GraphNode& from = graph_.nodes[above];
      least = std::min(least, from.stateful->output_watermark(current_[from.stateful_index]));
    }
    return least;
  }
  if (stateful.watermark_indices.empty()) return kNoTime;
  return combined(stateful.watermark_indices);
}

int64_t Watermarks::combined(const std::vector<size_t>& nodes) const {
  const auto value = [this](size_t w) { return values_[w]; };
  if (policy_max_) return value(*std::ranges::max_element(nodes, {}, value));
  std::vector<size_t> held;
  std::ranges::copy_if(nodes, std::back_inserter(held), [this](size_t w) { return holding_[w]; });
  // With nobody to hold it, it stays where it is.
  return value(*std::ranges::min_element(held.empty() ? nodes : held, {}, value));
}

bool Watermarks::advance(ObservedTimes& observed, const std::vector<bool>& holding) {
  for (size_t w = 0; w < values_.size(); ++w) {
    const auto latest = observed.take(w);
    if (!latest) continue;
    const int64_t value =
        floor_to_millisecond(*latest - graph_.nodes[graph_.watermarks[w]].watermark_delay);
    values_[w] = std::max(values_[w], value);
  }
  previous_ = current_;
  return hold(holding);
}

bool Watermarks::hold(const std::vector<bool>& holding) {
  holding_ = holding;
  bool moved = false;
  for (const size_t s : graph_.statefuls) {
    const GraphNode& node = graph_.nodes[s];
    const int64_t before = current_[node.stateful_index];
    current_[node.stateful_index] = std::max(before, derive(node));
    moved = moved || (node.ends_by_watermark() && current_[node.stateful_index] != before);
  }
  return moved;
}

bool Watermarks::finish() {
  bool moved = false;
  previous_ = current_;
  for (const size_t s : graph_.statefuls) {
    const GraphNode& node = graph_.nodes[s];
    if (!node.stateful_plan.evict) continue;
    moved = moved || current_[node.stateful_index] != kEndOfTime;
    current_[node.stateful_index] = kEndOfTime;
  }
  return moved;
}

std::optional<int64_t> Watermarks::shown() const {
  if (values_.empty()) return std::nullopt;
  const int64_t least = *std::ranges::min_element(values_);
  return least == kNoTime ? std::nullopt : std::optional(least);
}

}  // namespace flowrun
