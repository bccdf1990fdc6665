#include "runtime/exec/sink_runner.h"

#include <chrono>
#include <utility>

namespace flowrun {

namespace {

constexpr std::chrono::milliseconds kGiveUpCheck(50);

// Marks the time for which the sink itself is at work.
class InCall {
 public:
  explicit InCall(std::atomic<int64_t>& since) : since_(since) {
    since_.store(SinkRunner::steady_now());
  }
  InCall(const InCall&) = delete;
  InCall& operator=(const InCall&) = delete;
  ~InCall() { since_.store(0); }

 private:
  std::atomic<int64_t>& since_;
};

}  // namespace

SinkRunner::SinkRunner(GraphNode& node, std::unique_ptr<Capture> capture,
                       std::shared_ptr<BufferPool> pool)
    : node_(node), capture_(std::move(capture)), pool_(std::move(pool)) {}

SinkRunner::~SinkRunner() { close(); }

Status SinkRunner::open() {
  if (capture_) return capture_->open(*node_.inputs[0].schema);
  FLOWRUN_RETURN_IF_ERROR(node_.sink->open(std::nullopt));
  opened_ = true;
  if (pool_ && node_.sink->blocking()) thread_ = std::thread([this] { main(); });
  return ok_status();
}

Status SinkRunner::deliver(EpochId epoch, int64_t sequence, std::vector<RecordBatch> batches,
                           const FlightPtr& flight) {
  std::unique_lock lock(mutex_);
  waiting_.emplace(sequence, Delivery{epoch, std::move(batches), flight});
  if (!thread_.joinable()) return drain(lock);
  if (drainable()) wakes_.notify_one();
  if (failure_) return Error(*failure_);
  return ok_status();
}

bool SinkRunner::drainable() const {
  return !waiting_.empty() && waiting_.begin()->first == next_sequence_ &&
         waiting_.begin()->second.epoch <= open_epoch_;
}

void SinkRunner::main() {
  const PoolScope scope(pool_);
  std::unique_lock lock(mutex_);
  while (true) {
    wakes_.wait(lock, [&] { return leaving_ || turn_ || (drainable() && !failure_); });
    if (leaving_) return;
    if (drainable() && !failure_) {
      if (Status drained = drain(lock); !drained) failure_ = std::move(drained.error());
    } else if (turn_) {
      Turn turn = std::move(*turn_);
      lock.unlock();
      Status served = failure_ ? Status(Error(*failure_)) : serve(turn);
      lock.lock();
      if (!served && !failure_) failure_ = std::move(served.error());
      turn_.reset();
      idle_.notify_all();
    }
  }
}

// Whoever finds the next sequence there writes for all; others leave theirs and go on.
Status SinkRunner::drain(std::unique_lock<std::mutex>& lock) {
  if (draining_) return ok_status();
  draining_ = true;
  Status result;
  while (result && !leaving_ && drainable()) {
    Delivery delivery = std::move(waiting_.begin()->second);
    waiting_.erase(waiting_.begin());
    ++next_sequence_;
    lock.unlock();
    result = take(std::move(delivery));
    lock.lock();
  }
  draining_ = false;
  idle_.notify_all();
  return result;
}

Status SinkRunner::take(Delivery delivery) {
  if (delivery.batches.empty()) return ok_status();
  if (node_.pace == 0) {
    for (const RecordBatch& batch : delivery.batches)
      FLOWRUN_RETURN_IF_ERROR(write(delivery.epoch, batch));
    return ok_status();
  }
  const std::lock_guard lock(mutex_);
  held_bytes_ += delivery.flight ? delivery.flight->bytes() : 0;
  held_.push_back(std::move(delivery));
  return ok_status();
}

Status SinkRunner::write(EpochId epoch, const RecordBatch& batch) {
  rows_since_turn_.fetch_add(batch.num_rows(), std::memory_order_relaxed);
  if (capture_) return capture_->write(batch);
  const InCall mark(in_call_since_);
  Status written = node_.sink->write(epoch, batch);
  count_memory();
  if (!written) return std::move(written.error()).within(node_.name);
  return ok_status();
}

Status SinkRunner::finish(Turn turn, const std::function<bool()>& give_up) {
  const EpochId epoch = turn.epoch;
  std::unique_lock lock(mutex_);
  if (thread_.joinable()) {
    turn_ = std::move(turn);
    wakes_.notify_one();
    while (!idle_.wait_for(lock, kGiveUpCheck, [&] { return !turn_; })) {
      if (give_up()) cancel();
    }
    if (failure_) return Error(*failure_);
    open_epoch_ = epoch + 1;
    wakes_.notify_one();
    return ok_status();
  }
  idle_.wait(lock, [&] { return !draining_; });
  lock.unlock();
  FLOWRUN_RETURN_IF_ERROR(serve(turn));
  lock.lock();
  open_epoch_ = epoch + 1;
  return drain(lock);
}

Status SinkRunner::serve(const Turn& turn) {
  if (!turn.due) return ok_status();
  std::vector<Delivery> held;
  {
    const std::lock_guard lock(mutex_);
    held = std::exchange(held_, {});
    held_bytes_ = 0;
  }
  for (const Delivery& delivery : held) {
    for (const RecordBatch& batch : delivery.batches)
      FLOWRUN_RETURN_IF_ERROR(write(turn.epoch, batch));
  }
  for (const RecordBatch& batch : turn.closing) FLOWRUN_RETURN_IF_ERROR(write(turn.epoch, batch));
  FLOWRUN_RETURN_IF_ERROR(commit(turn.epoch));
  last_served_ = turn.epoch;
  last_served_time_ = turn.monotonic;
  served_once_ = true;
  changed_ = false;
  rows_of_turn_ = rows_since_turn_.exchange(0, std::memory_order_relaxed);
  return ok_status();
}

Status SinkRunner::commit(EpochId epoch) {
  if (capture_) return capture_->commit();
  const InCall mark(in_call_since_);
  auto token = node_.sink->prepare(epoch);
  if (!token) return std::move(token.error()).within(node_.name);
  Status committed = node_.sink->commit(epoch, *token);
  count_memory();
  if (!committed) return std::move(committed.error()).within(node_.name);
  return ok_status();
}

Status SinkRunner::abort(EpochId epoch) {
  end_thread();
  if (!opened_) return ok_status();
  const InCall mark(in_call_since_);
  return node_.sink->abort(epoch);
}

void SinkRunner::end_thread() {
  if (!thread_.joinable()) return;
  {
    const std::lock_guard lock(mutex_);
    leaving_ = true;
  }
  wakes_.notify_one();
  thread_.join();
}

void SinkRunner::close() {
  end_thread();
  if (opened_) {
    const InCall mark(in_call_since_);
    node_.sink->close();
  }
  opened_ = false;
}

std::optional<Error> SinkRunner::failure() const {
  const std::lock_guard lock(mutex_);
  return failure_;
}

bool SinkRunner::has_pending() const {
  if (changed_) return true;
  const std::lock_guard lock(mutex_);
  return !held_.empty();
}

int64_t SinkRunner::held_bytes() const {
  const std::lock_guard lock(mutex_);
  return held_bytes_;
}

// Where the sink is called, so that it need not bear to be asked while it writes.
void SinkRunner::count_memory() {
  memory_bytes_.store(node_.sink->memory_bytes(), std::memory_order_relaxed);
}

}  // namespace flowrun
