#include <fmt/format.h>

#include <charconv>
#include <chrono>

#include "runtime/embed/host_ports.h"

namespace flowrun {

namespace {

// Pushes of fewer rows are joined, up to so many.
constexpr int64_t kSmallBatch = 1024;
constexpr int64_t kJoinedRows = 64 << 10;

// False when the time is over first.
template <class Condition>
bool wait_for(std::condition_variable& variable, std::unique_lock<std::mutex>& lock,
              Patience patience, Condition condition) {
  if (patience) return variable.wait_for(lock, std::chrono::microseconds(*patience), condition);
  variable.wait(lock, condition);
  return true;
}

int64_t bytes_of(const RecordBatch& rows) { return 1 + rows.memory_bytes(); }

}  // namespace

Status PushPort::await_room(Patience patience) {
  std::unique_lock lock(mutex_);
  const auto decided = [&] {
    return finished_ || refuses_ || cancelled_ || ended_ || queue_.empty() || queued_bytes_ < room_;
  };
  if (!wait_for(writable_, lock, patience, decided))
    return Error::unavailable("the push source has no room, and the time to wait for it is over");
  if (finished_) return Error::cancelled("the push source was finished: it takes no more rows");
  if (ended_ && !*ended_) return Error(ended_->error());
  if (ended_ || refuses_ || cancelled_)
    return Error::cancelled("the run is over: it takes no more rows");
  return ok_status();
}

int64_t PushPort::push(RecordBatch rows) {
  std::function<void()> waker;
  std::shared_ptr<const ReadNow> read_now;
  int64_t ticket = 0;
  {
    const std::lock_guard lock(mutex_);
    ticket = ++last_ticket_;
    if (ended_) return ticket;
    queued_bytes_ += bytes_of(rows);
    queue_.push_back(std::move(rows));
    waker = waker_;
    read_now = read_now_;
  }
  if (!read_now || !(*read_now)()) readable_.notify_one();
  if (waker) waker();
  return ticket;
}

void PushPort::finish() {
  std::function<void()> waker;
  {
    const std::lock_guard lock(mutex_);
    finished_ = true;
    waker = waker_;
  }
  readable_.notify_all();
  writable_.notify_all();
  if (waker) waker();
}

void PushPort::refuse() {
  {
    const std::lock_guard lock(mutex_);
    refuses_ = true;
  }
  writable_.notify_all();
}

int64_t PushPort::committed() const {
  const std::lock_guard lock(mutex_);
  return committed_;
}

int64_t PushPort::pushed() const {
  const std::lock_guard lock(mutex_);
  return last_ticket_;
}

// REQUIRES: mutex_ held.
std::optional<Status> PushPort::settled(int64_t ticket) const {
  if (ticket <= committed_) return ok_status();
  if (!ended_) return std::nullopt;
  if (!*ended_) return Status(Error(ended_->error()));
  return Status(Error::cancelled("the run was stopped before these rows were committed"));
}

Status PushPort::await_settled(int64_t ticket, Patience patience) {
  std::unique_lock lock(mutex_);
  if (!wait_for(settles_, lock, patience, [&] { return settled(ticket).has_value(); }))
    return Error::unavailable("the rows are not yet committed, and the time to wait is over");
  return *settled(ticket);
}

void PushPort::on_settled(int64_t ticket, std::function<void(const Status&)> callback) {
  std::optional<Status> status;
  {
    const std::lock_guard lock(mutex_);
    status = settled(ticket);
    if (!status) {
      callbacks_.emplace(ticket, std::move(callback));
      return;
    }
  }
  callback(*status);
}

void PushPort::set_room(int64_t bytes) {
  const std::lock_guard lock(mutex_);
  room_ = bytes;
}

void PushPort::set_waker(std::function<void()> waker) {
  const std::lock_guard lock(mutex_);
  waker_ = std::move(waker);
}

void PushPort::let_fill(ReadNow read_now) {
  const std::lock_guard lock(mutex_);
  read_now_ = std::make_shared<const ReadNow>(std::move(read_now));
}

void PushPort::stop_at_end() {
  const std::lock_guard lock(mutex_);
  stop_at_end_ = true;
}

void PushPort::cancel() {
  {
    const std::lock_guard lock(mutex_);
    cancelled_ = true;
  }
  readable_.notify_all();
  writable_.notify_all();
}

void PushPort::await(int64_t wait) {
  std::unique_lock lock(mutex_);
  const auto ready = [&] { return !queue_.empty() || finished_ || cancelled_ || stop_at_end_; };
  if (wait > 0) readable_.wait_for(lock, std::chrono::microseconds(wait), ready);
}

Result<Chunk> PushPort::read(int64_t wait) {
  await(wait);
  std::unique_lock lock(mutex_);
  if (cancelled_) return Error::cancelled();
  Chunk chunk;
  if (queue_.empty()) {
    chunk.mark = finished_ || stop_at_end_ ? Chunk::Mark::stream_ends : Chunk::Mark::idle;
    return chunk;
  }
  std::vector<RecordBatch> small;
  int64_t rows = 0;
  while (!queue_.empty()) {
    const int64_t next = queue_.front().num_rows();
    if (!small.empty() && (next >= kSmallBatch || rows + next > kJoinedRows)) break;
    queued_bytes_ -= bytes_of(queue_.front());
    small.push_back(std::move(queue_.front()));
    queue_.pop_front();
    ++last_read_;
    rows += next;
    if (next >= kSmallBatch) break;
  }
  const int64_t ticket = last_read_;
  const bool was_full = queued_bytes_ < room_;
  lock.unlock();
  if (was_full) writable_.notify_all();
  chunk.rows = small.size() == 1 ? std::move(small.front())
                                 : concatenate(std::span<const RecordBatch>(small));
  chunk.offset.text = std::to_string(ticket);
  return chunk;
}

void PushPort::commit(int64_t ticket) {
  std::unique_lock lock(mutex_);
  committed_ = std::max(committed_, ticket);
  call_settled(lock);
}

void PushPort::end(const Status& why) {
  std::unique_lock lock(mutex_);
  if (ended_) return;
  ended_ = why;
  queue_.clear();
  queued_bytes_ = 0;
  waker_ = nullptr;
  read_now_ = nullptr;
  writable_.notify_all();
  call_settled(lock);
}

// Outside of the lock, since a callback may push again.
void PushPort::call_settled(std::unique_lock<std::mutex>& lock) {
  std::vector<std::pair<std::function<void(const Status&)>, Status>> due;
  while (!callbacks_.empty()) {
    const auto first = callbacks_.begin();
    const auto status = settled(first->first);
    if (!status) break;
    due.emplace_back(std::move(first->second), *status);
    callbacks_.erase(first);
  }
  lock.unlock();
  settles_.notify_all();
  for (const auto& [callback, status] : due) callback(status);
}

}  // namespace flowrun
