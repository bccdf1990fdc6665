#pragma once
// Counters per node since the start; added to from any thread, read whenever.

#include <array>
#include <atomic>
#include <vector>

#include "runtime/operator/epoch.h"

namespace flowrun {

class NodeCounters {
 public:
  explicit NodeCounters(size_t num_nodes) : counters_(num_nodes) {}

  void add(size_t node, Metric metric, int64_t rows) {
    counters_[node][static_cast<size_t>(metric)].fetch_add(rows, std::memory_order_relaxed);
  }
  [[nodiscard]] int64_t get(size_t node, Metric metric) const {
    return counters_[node][static_cast<size_t>(metric)].load(std::memory_order_relaxed);
  }
  [[nodiscard]] int64_t total(Metric metric) const {
    int64_t sum = 0;
    for (size_t node = 0; node < counters_.size(); ++node) sum += get(node, metric);
    return sum;
  }

 private:
  std::vector<std::array<std::atomic<int64_t>, 3>> counters_;
};

}  // namespace flowrun
