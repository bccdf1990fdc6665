#pragma once
// SinkRunner: serves one sink. Puts batches in the order of their chunks, holds those of later
// epochs back until the one before is committed, keeps the sink's own pace, and commits at an
// epoch's end.

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "runtime/exec/capture.h"
#include "runtime/exec/graph.h"
#include "runtime/exec/work.h"

namespace flowrun {

// deliver() from any worker; the rest from the coordinator. A sink that may block is written to by
// a thread of its own; any other by the worker that holds the next sequence.
//
// Invariants
// - Batches reach the sink by ascending sequence; every sequence is delivered to it once, empty or
// not.
// - Nothing of epoch N+1 is written before commit(N).
class SinkRunner {
 public:
  // `pool`: of the thread that a sink which may block gets; null: it gets none.
  SinkRunner(GraphNode& node, std::unique_ptr<Capture> capture, std::shared_ptr<BufferPool> pool);
  ~SinkRunner();

  // `unavailable`: to be called again. The error does not name the node.
  Status open();
  // The batches that the chunk `sequence` made for this sink. Returns the sink's error, if writing
  // failed now.
  Status deliver(EpochId epoch, int64_t sequence, std::vector<RecordBatch> batches,
                 const FlightPtr& flight);

  struct Turn {
    EpochId epoch = 0;
    bool due = true;                   // the sink is served; otherwise its rows wait
    std::vector<RecordBatch> closing;  // what stateful operators emitted for it
    int64_t monotonic = 0;
  };
  // REQUIRES: every chunk of the epoch was delivered. Writes, prepares and commits if due, then
  // lets the next epoch's batches through. While a sink that blocks is waited for, `give_up` is
  // asked now and then; once it says true the sink is cancelled.
  Status finish(Turn turn, const std::function<bool()>& give_up);
  // Both wait for the call that the sink is in, and nothing is written to it after.
  Status abort(EpochId epoch);
  void close();
  // What a sink that blocks has failed with. REQUIRES: not within its own `give_up`.
  [[nodiscard]] std::optional<Error> failure() const;
  // From any thread.
  void cancel() {
    cancelled_.store(true);
    node_.sink->cancel();
  }
  [[nodiscard]] bool cancelled() const { return cancelled_.load(); }

  [[nodiscard]] const GraphNode& node() const { return node_; }
  [[nodiscard]] EpochId last_served() const { return last_served_; }
  [[nodiscard]] int64_t last_served_time() const { return last_served_time_; }
  [[nodiscard]] bool served_once() const { return served_once_; }
  // Rows wait for the sink's turn, or something changed upstream since (mark_changed).
  [[nodiscard]] bool has_pending() const;
  void mark_changed() { changed_ = true; }
  [[nodiscard]] int64_t held_bytes() const;
  [[nodiscard]] int64_t rows_of_last_turn() const { return rows_of_turn_; }
  // When the call began that the sink is in, or 0: microseconds of the steady clock, whatever clock
  // the run has. From any thread.
  [[nodiscard]] int64_t in_call_since() const { return in_call_since_.load(); }
  [[nodiscard]] static int64_t steady_now() {
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::microseconds>(now).count();
  }
  // As of the sink's last write or commit. From any thread.
  [[nodiscard]] int64_t memory_bytes() const {
    return memory_bytes_.load(std::memory_order_relaxed);
  }

 private:
  struct Delivery {
    EpochId epoch;
    std::vector<RecordBatch> batches;
    FlightPtr flight;
  };

  void main();
  void end_thread();
  [[nodiscard]] bool drainable() const;
  Status drain(std::unique_lock<std::mutex>& lock);
  Status serve(const Turn& turn);
  Status commit(EpochId epoch);
  void count_memory();
  Status take(Delivery delivery);
  Status write(EpochId epoch, const RecordBatch& batch);

  GraphNode& node_;
  std::unique_ptr<Capture> capture_;
  std::shared_ptr<BufferPool> pool_;

  mutable std::mutex mutex_;
  std::condition_variable idle_;
  std::map<int64_t, Delivery> waiting_;  // by sequence
  int64_t next_sequence_ = 0;
  EpochId open_epoch_ = 0;
  bool draining_ = false;
  // Sinks that block: their thread, its next turn, and the first failure.
  std::thread thread_;
  std::condition_variable wakes_;
  std::optional<Turn> turn_;
  bool leaving_ = false;
  std::optional<Error> failure_;
  std::vector<Delivery> held_;  // paced sinks: what waits for the sink's turn
  int64_t held_bytes_ = 0;

  // The coordinator's alone.
  EpochId last_served_ = -1;
  int64_t last_served_time_ = 0;
  bool served_once_ = false;
  bool changed_ = false;
  bool opened_ = false;
  int64_t rows_of_turn_ = 0;
  std::atomic<int64_t> rows_since_turn_{0};
  std::atomic<int64_t> memory_bytes_{0};
  std::atomic<int64_t> in_call_since_{0};
  std::atomic<bool> cancelled_{false};
};

}  // namespace flowrun
