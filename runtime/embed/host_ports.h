#pragma once
// Host ports: where the rows of a host program enter a pipeline (`source: push`) and leave it
// (`sink: pull`). The host holds one end, the operator the other; each end may go away first.

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "runtime/base/brief_spin.h"
#include "runtime/operator/registry.h"

namespace flowrun {

// How long a call waits, in microseconds of real time; absent: for as long as it takes.
using Patience = std::optional<int64_t>;

// One `source: push`. Thread-safe.
//
// Invariants
// - A ticket is the ordinal of a batch, from 1; it is settled once: committed, or failed by end().
// - Batches are read in the order of their tickets; the offset of the source is the last ticket.
class PushPort {
 public:
  explicit PushPort(SchemaPtr schema) : schema_(std::move(schema)) {}

  [[nodiscard]] const SchemaPtr& schema() const { return schema_; }

  // Host side.
  // Waits until there is room, which one batch at least has: `unavailable` when the time is over,
  // `cancelled` when nothing is taken any more.
  Status await_room(Patience patience);
  // Takes the batch, whether or not there is room, and gives its ticket. Of a run that is over the
  // ticket is settled already.
  int64_t push(RecordBatch rows);
  // Nothing more is pushed: the source ends when what is there is read.
  void finish();
  // Nothing more is pushed, but the source does not end: the run is about to stop.
  void refuse();
  // Up to and with this ticket everything is committed in every sink.
  [[nodiscard]] int64_t committed() const;
  // The last ticket given.
  [[nodiscard]] int64_t pushed() const;
  // Waits until the ticket is settled: ok, the reason why it never will be committed, or
  // `unavailable` when the time is over.
  Status await_settled(int64_t ticket, Patience patience);
  // Calls back when the ticket is settled: at once if it is, else from the engine's thread, where
  // it must not block.
  void on_settled(int64_t ticket, std::function<void(const Status&)> settled);

  // Engine side.
  void set_room(int64_t bytes);
  void set_waker(std::function<void()> waker);  // called on push and finish
  void let_fill(ReadNow read_now);              // called on push, in place of waking await
  void await(int64_t wait);                     // as read waits
  void stop_at_end();
  void cancel();
  // The next rows, several pushes joined where they are small; `wait` in microseconds.
  Result<Chunk> read(int64_t wait);
  void commit(int64_t ticket);
  // The run is over: what is not committed never will be. `why` is ok if the run ended well.
  void end(const Status& why);

 private:
  [[nodiscard]] std::optional<Status> settled(int64_t ticket) const;
  void call_settled(std::unique_lock<std::mutex>& lock);

  const SchemaPtr schema_;
  mutable std::mutex mutex_;
  std::condition_variable readable_;
  std::condition_variable writable_;
  std::condition_variable settles_;
  std::deque<RecordBatch> queue_;
  int64_t queued_bytes_ = 0;
  int64_t room_ = int64_t{8} << 20;
  int64_t last_ticket_ = 0;
  int64_t last_read_ = 0;
  int64_t committed_ = 0;
  std::multimap<int64_t, std::function<void(const Status&)>> callbacks_;
  std::function<void()> waker_;
  std::shared_ptr<const ReadNow> read_now_;
  bool finished_ = false;
  bool refuses_ = false;
  bool cancelled_ = false;
  bool stop_at_end_ = false;
  std::optional<Status> ended_;
};

// One `sink: pull`. Thread-safe. Rows are given out when their epoch is committed.
class PullPort {
 public:
  struct Batch {
    RecordBatch rows;
    EpochId epoch = 0;
    bool last_of_epoch = false;
  };

  // Host side.
  // The next batch; none when the run is over and everything was taken; `unavailable` when the time
  // is over; the run's error when it failed.
  Result<std::optional<Batch>> pull(Patience patience);
  [[nodiscard]] bool full() const;

  // Engine side.
  void bind(SchemaPtr schema);
  [[nodiscard]] SchemaPtr schema() const;
  void set_room(int64_t bytes, bool waits);
  void write(EpochId epoch, RecordBatch rows, bool replaces);
  // Waits until the epochs before were taken; `cancelled` if the host does not come in time.
  Status commit(EpochId epoch);
  void abort();
  // The host wants to stop: commit waits so much longer and no more.
  void hurry();
  void end(const Status& why);
  [[nodiscard]] int64_t memory_bytes() const { return bytes_.load(std::memory_order_relaxed); }

 private:
  mutable std::mutex mutex_;
  std::condition_variable readable_;
  std::condition_variable writable_;
  SchemaPtr schema_;
  std::vector<RecordBatch> writing_;
  EpochId writing_epoch_ = -1;
  std::deque<Batch> ready_;
  int64_t ready_bytes_ = 0;
  std::atomic<int64_t> bytes_{0};
  int64_t room_ = int64_t{8} << 20;
  bool waits_ = true;
  bool hurried_ = false;
  bool gave_up_ = false;
  std::optional<Status> ended_;
  BriefSpin spin_;
  std::atomic<bool> decided_{false};  // a pull need not wait; for looking without mutex_
};

// The ports of one engine, by node. Filled while the graph is made, only read from then on.
class HostPorts {
 public:
  std::shared_ptr<PushPort> add_push(const std::string& node, SchemaPtr schema);
  std::shared_ptr<PullPort> add_pull(const std::string& node);

  // An error with a did-you-mean if there is none.
  [[nodiscard]] Result<std::shared_ptr<PushPort>> push(const std::string& node) const;
  [[nodiscard]] Result<std::shared_ptr<PullPort>> pull(const std::string& node) const;
  [[nodiscard]] const std::map<std::string, std::shared_ptr<PushPort>>& pushes() const {
    return pushes_;
  }
  [[nodiscard]] const std::map<std::string, std::shared_ptr<PullPort>>& pulls() const {
    return pulls_;
  }

 private:
  std::map<std::string, std::shared_ptr<PushPort>> pushes_;
  std::map<std::string, std::shared_ptr<PullPort>> pulls_;
};

// `push` and `pull`. The ports must outlive whatever the registry makes; null: the operators can be
// checked, and refuse to open.
void register_host_operators(Registry& registry, HostPorts* ports);

}  // namespace flowrun
