#pragma once
// EdgeTraffic: the rows that passed each edge of a graph, and taps that copy some of them.
//
//   std::shared_ptr<Tap> tap = traffic.open(edges, 20);
//   while (!tap->wait(50'000) && !tired) {}
//   RecordBatch rows = tap->rows();   // up to 20 of the rows that passed meanwhile

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "runtime/columnar/record_batch.h"

namespace flowrun {

class EdgeTraffic;

// A sample of the rows that pass some edges, until it is full or let go. Thread-safe.
class Tap {
 public:
  Tap(EdgeTraffic& traffic, std::vector<size_t> edges, int64_t limit)
      : traffic_(traffic), edges_(std::move(edges)), limit_(limit) {}
  ~Tap();
  Tap(const Tap&) = delete;
  Tap& operator=(const Tap&) = delete;

  // True once it is full; waits for so many microseconds at most.
  bool wait(int64_t microseconds);
  // What there is; without a schema if nothing passed. Columns that nobody downstream reads are
  // left out.
  [[nodiscard]] RecordBatch rows() const;

 private:
  friend class EdgeTraffic;
  void take(const RecordBatch& batch);

  EdgeTraffic& traffic_;
  std::vector<size_t> edges_;
  int64_t limit_;
  mutable std::mutex mutex_;
  std::condition_variable full_;
  std::vector<RecordBatch> taken_;
  int64_t num_rows_ = 0;
};

// Thread-safe; outlives its taps. Costs one addition and one look at a flag per batch and edge.
class EdgeTraffic {
 public:
  explicit EdgeTraffic(size_t num_edges) : edges_(num_edges) {}

  void pass(size_t edge, const RecordBatch& batch) {
    Edge& passed = edges_[edge];
    passed.rows.fetch_add(batch.num_rows(), std::memory_order_relaxed);
    if (passed.taps.load(std::memory_order_relaxed) > 0) [[unlikely]]
      give(edge, batch);
  }
  [[nodiscard]] int64_t rows(size_t edge) const {
    return edges_[edge].rows.load(std::memory_order_relaxed);
  }
  [[nodiscard]] size_t num_edges() const { return edges_.size(); }

  // REQUIRES: limit > 0, edges < num_edges().
  std::shared_ptr<Tap> open(std::vector<size_t> edges, int64_t limit);

 private:
  friend class Tap;
  struct alignas(64) Edge {
    std::atomic<int64_t> rows{0};
    std::atomic<int32_t> taps{0};
  };
  void give(size_t edge, const RecordBatch& batch);
  void close(const Tap& tap);

  std::vector<Edge> edges_;
  std::mutex mutex_;
  std::vector<std::weak_ptr<Tap>> taps_;
};

}  // namespace flowrun
