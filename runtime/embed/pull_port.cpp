#include <chrono>

#include "runtime/base/suggest.h"
#include "runtime/embed/host_ports.h"

namespace flowrun {

namespace {

constexpr std::chrono::milliseconds kStopPatience(700);

int64_t bytes_of(const RecordBatch& rows) { return 1 + rows.memory_bytes(); }

template <class Port>
Result<std::shared_ptr<Port>> find_port(const std::map<std::string, std::shared_ptr<Port>>& ports,
                                        const std::string& node, const std::string& what) {
  const auto found = ports.find(node);
  if (found != ports.end()) return found->second;
  std::vector<std::string> names;
  for (const auto& [name, port] : ports) names.push_back(name);
  std::string hint = did_you_mean(node, names);
  if (hint.empty()) hint = " — write `" + what + "` in a node of that name";
  return Error::invalid("the pipeline has no node `" + node + "` with `" + what + "`" + hint);
}

}  // namespace

Result<std::optional<PullPort::Batch>> PullPort::pull(Patience patience) {
  std::unique_lock lock(mutex_);
  const auto decided = [&] { return !ready_.empty() || ended_.has_value(); };
  const BriefSpin::Wait wait(spin_);
  if (!decided() && patience != 0) {
    lock.unlock();
    wait.look([this] { return decided_.load(std::memory_order_acquire); });
    lock.lock();
  }
  if (!patience) {
    readable_.wait(lock, decided);
  } else if (!readable_.wait_for(lock, std::chrono::microseconds(*patience), decided)) {
    return Error::unavailable("there are no rows, and the time to wait for them is over");
  }
  if (ready_.empty()) {
    if (!*ended_) return Error(ended_->error());
    return std::optional<Batch>();
  }
  Batch batch = std::move(ready_.front());
  ready_.pop_front();
  decided_.store(decided(), std::memory_order_relaxed);
  const int64_t bytes = bytes_of(batch.rows);
  ready_bytes_ -= bytes;
  bytes_.fetch_sub(bytes, std::memory_order_relaxed);
  lock.unlock();
  writable_.notify_all();
  return std::optional<Batch>(std::move(batch));
}

bool PullPort::full() const {
  const std::lock_guard lock(mutex_);
  return ready_bytes_ > room_;
}

void PullPort::bind(SchemaPtr schema) {
  const std::lock_guard lock(mutex_);
  schema_ = std::move(schema);
}

SchemaPtr PullPort::schema() const {
  const std::lock_guard lock(mutex_);
  return schema_;
}

void PullPort::set_room(int64_t bytes, bool waits) {
  const std::lock_guard lock(mutex_);
  room_ = bytes;
  waits_ = waits;
}

void PullPort::write(EpochId epoch, RecordBatch rows, bool replaces) {
  const std::lock_guard lock(mutex_);
  if (replaces && epoch != writing_epoch_) {
    for (const RecordBatch& old : writing_) bytes_.fetch_sub(bytes_of(old));
    writing_.clear();
  }
  writing_epoch_ = epoch;
  bytes_.fetch_add(bytes_of(rows), std::memory_order_relaxed);
  writing_.push_back(std::move(rows));
}

Status PullPort::commit(EpochId epoch) {
  std::unique_lock lock(mutex_);
  if (gave_up_) return Error::cancelled("the host did not take the epochs before in time");
  if (writing_.empty()) return ok_status();
  const auto room = [&] { return !waits_ || ready_bytes_ <= room_; };
  writable_.wait(lock, [&] { return room() || hurried_; });
  if (!writable_.wait_for(lock, kStopPatience, room)) {
    gave_up_ = true;
    lock.unlock();
    abort();
    return Error::cancelled("the host did not take the epochs before in time");
  }
  for (RecordBatch& rows : writing_) {
    ready_bytes_ += bytes_of(rows);
    ready_.push_back({std::move(rows), epoch, false});
  }
  ready_.back().last_of_epoch = true;
  writing_.clear();
  decided_.store(true, std::memory_order_release);
  lock.unlock();
  readable_.notify_all();
  return ok_status();
}

void PullPort::abort() {
  const std::lock_guard lock(mutex_);
  for (const RecordBatch& rows : writing_) bytes_.fetch_sub(bytes_of(rows));
  writing_.clear();
}

void PullPort::hurry() {
  {
    const std::lock_guard lock(mutex_);
    hurried_ = true;
  }
  writable_.notify_all();
}

void PullPort::end(const Status& why) {
  {
    const std::lock_guard lock(mutex_);
    if (ended_) return;
    ended_ = why;
    decided_.store(true, std::memory_order_release);
  }
  readable_.notify_all();
}

std::shared_ptr<PushPort> HostPorts::add_push(const std::string& node, SchemaPtr schema) {
  return pushes_[node] = std::make_shared<PushPort>(std::move(schema));
}

std::shared_ptr<PullPort> HostPorts::add_pull(const std::string& node) {
  return pulls_[node] = std::make_shared<PullPort>();
}

Result<std::shared_ptr<PushPort>> HostPorts::push(const std::string& node) const {
  return find_port(pushes_, node, "source: push");
}

Result<std::shared_ptr<PullPort>> HostPorts::pull(const std::string& node) const {
  return find_port(pulls_, node, "sink: pull");
}

}  // namespace flowrun
