#pragma once
// Worker: pushes batches through the graph, operator after operator, on the thread that calls it.

#include <atomic>
#include <functional>
#include <memory>
#include <vector>

#include "runtime/exec/epoch_state.h"
#include "runtime/exec/graph.h"
#include "runtime/exec/node_counters.h"
#include "runtime/exec/work.h"

namespace flowrun {

// What reached one sink during one push.
struct SinkRows {
  size_t sink;
  RecordBatch batch;
};

// Bytes in the locals of each stateful operator, in both sets. Any thread, at any time.
class LocalBytes {
 public:
  explicit LocalBytes(size_t statefuls) : bytes_(statefuls) {}
  void add(size_t stateful, int64_t change) {
    bytes_[stateful].fetch_add(change, std::memory_order_relaxed);
    total_.fetch_add(change, std::memory_order_relaxed);
  }
  [[nodiscard]] int64_t of(size_t stateful) const {
    return bytes_[stateful].load(std::memory_order_relaxed);
  }
  [[nodiscard]] int64_t total() const { return total_.load(std::memory_order_relaxed); }

 private:
  std::vector<std::atomic<int64_t>> bytes_;
  std::atomic<int64_t> total_{0};
};

// What all workers of a run share.
struct WorkerShared {
  explicit WorkerShared(size_t statefuls) : locals(statefuls), local_bytes(statefuls) {}

  Graph* graph = nullptr;
  NodeCounters* counters = nullptr;
  // locals[stateful index][parity][worker]
  std::vector<std::array<std::vector<std::unique_ptr<Local>>, 2>> locals;
  LocalBytes local_bytes;
  std::function<void(const GraphNode&, std::string_view)> warn;
};

// Not thread-safe: one per thread. The coordinator has one too.
class Worker {
 public:
  Worker(WorkerShared& shared, size_t index);

  // Runs a chunk from its source's node down; rows for sinks are appended to `out`.
  Status run_chunk(const Work& work, std::vector<SinkRows>& out);
  // Lets one partition of a stateful operator emit for one ask, down to the sinks of `sinks`.
  Status run_emit(size_t node, size_t partition, const Ask& ask, const SinkSet& sinks,
                  EpochState& epoch, int64_t sequence, std::vector<SinkRows>& out);
  [[nodiscard]] size_t index() const { return index_; }

 private:
  friend class NodeEmitter;

  // One push from one starting point.
  struct Push {
    EpochState& epoch;
    int64_t sequence;
    const SinkSet* sinks;  // null: all
    std::vector<SinkRows>& out;
  };

  Status reject(const GraphNode& source, size_t index, std::span<const Rejection> rejected,
                Push& push);
  Status pass_on(const GraphNode& from, size_t port, const RecordBatch& batch, Push& push);
  Status deliver(const Edge& edge, RecordBatch batch, Push& push);
  Status absorb(size_t node, size_t input, const RecordBatch& batch, Push& push);

  WorkerShared& shared_;
  size_t index_;
  std::vector<std::unique_ptr<Scratch>> scratch_;  // by graph node
};

}  // namespace flowrun
