#pragma once
// Watermarks: the values of the watermark nodes and the W that each stateful operator derives from
// them.
//
// SEMANTICS, Time: W(N) is the watermark as it stands when epoch N begins, W(0) = 1970. When epoch
// N has been absorbed each watermark node's value becomes max(value, max time seen - delay), cut to
// whole milliseconds. Epoch N emits and evicts by W(N), and judges late by W(N-1).

#include <atomic>
#include <vector>

#include "runtime/exec/graph.h"

namespace flowrun {

// Times that one epoch's rows showed, by watermark node. observe() from any worker; the rest
// between epochs.
class ObservedTimes {
 public:
  explicit ObservedTimes(size_t num_nodes);
  void observe(size_t node, int64_t event_time);
  // The greatest time since the last call, or none.
  std::optional<int64_t> take(size_t node);

 private:
  std::vector<std::atomic<int64_t>> latest_;
};

// Used by the coordinator alone.
class Watermarks {
 public:
  Watermarks(const Graph& graph, bool policy_max);

  // Takes the times of the epoch that was just absorbed; W(N) becomes W(N-1), W(N+1) becomes W(N).
  // True if the W of an operator that evicts moved. `holding`, by watermark node: whether it holds
  // the minimum; one whose sources are all idle or have ended for good does not.
  bool advance(ObservedTimes& observed, const std::vector<bool>& holding);
  // Between epochs: another node stopped holding, or holds again. True as in advance().
  bool hold(const std::vector<bool>& holding);
  [[nodiscard]] const std::vector<bool>& holding() const { return holding_; }
  // The end of all input: every operator's W becomes the end of time. True if one that evicts
  // moved.
  bool finish();

  [[nodiscard]] int64_t current(size_t stateful) const { return current_[stateful]; }    // W(N)
  [[nodiscard]] int64_t previous(size_t stateful) const { return previous_[stateful]; }  // W(N-1)
  // The value of a watermark node.
  [[nodiscard]] int64_t value(size_t watermark) const { return values_[watermark]; }
  // The least W of the operators, else of the watermark nodes: for progress. None when there is no
  // watermark.
  [[nodiscard]] std::optional<int64_t> shown() const;

 private:
  [[nodiscard]] int64_t derive(const GraphNode& stateful) const;
  [[nodiscard]] int64_t combined(const std::vector<size_t>& nodes) const;

  const Graph& graph_;
  bool policy_max_;
  std::vector<int64_t> values_;  // by watermark node
  std::vector<bool> holding_;
  std::vector<int64_t> current_;  // by stateful index
  std::vector<int64_t> previous_;
};

}  // namespace flowrun
