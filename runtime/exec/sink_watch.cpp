#include "runtime/exec/sink_watch.h"

#include <algorithm>

namespace flowrun {

namespace {

constexpr std::chrono::milliseconds kLook(50);

}  // namespace

void SinkWatch::add(SinkRunner& sink) {
  const std::lock_guard lock(mutex_);
  sinks_.push_back(&sink);
}

void SinkWatch::told_to_end() {
  const std::lock_guard lock(mutex_);
  if (!watches_ || finished_ || thread_.joinable()) return;
  told_ = SinkRunner::steady_now();
  thread_ = std::thread([this] { main(); });
}

void SinkWatch::finish() {
  {
    const std::lock_guard lock(mutex_);
    finished_ = true;
  }
  wakes_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void SinkWatch::main() {
  const SinkRunner* waited_for = nullptr;
  std::unique_lock lock(mutex_);
  while (!finished_) {
    wakes_.wait_for(lock, kLook);
    SinkRunner* const late = find_late();
    if (late == waited_for) continue;
    waited_for = late;
    stuck_.done();
    if (!late) continue;
    // Cancel may be what it does not come back from.
    stuck_.wait_for(late->node().name);
    lock.unlock();
    late->cancel();
    lock.lock();
  }
  stuck_.done();
}

SinkRunner* SinkWatch::find_late() const {
  const int64_t now = SinkRunner::steady_now();
  for (SinkRunner* sink : sinks_) {
    const int64_t began = sink->in_call_since();
    if (began != 0 && now - std::max(began, told_) > kSinkPatience) return sink;
  }
  return nullptr;
}

}  // namespace flowrun
