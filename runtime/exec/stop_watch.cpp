#include "runtime/exec/stop_watch.h"

#include <utility>

namespace flowrun {

StopWatch::~StopWatch() {
  {
    const std::lock_guard lock(mutex_);
    leaving_ = true;
  }
  wakes_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void StopWatch::wait_for(const std::string& node) {
  if (!tell_) return;
  const std::lock_guard lock(mutex_);
  node_ = node;
  end_ = std::chrono::steady_clock::now() + patience_;
  if (!thread_.joinable()) thread_ = std::thread([this] { main(); });
  wakes_.notify_all();
}

void StopWatch::done() {
  const std::lock_guard lock(mutex_);
  node_.clear();
  wakes_.notify_all();
}

void StopWatch::main() {
  std::unique_lock lock(mutex_);
  while (!leaving_) {
    if (node_.empty()) {
      wakes_.wait(lock);
    } else if (std::chrono::steady_clock::now() < end_) {
      wakes_.wait_until(lock, end_);
    } else {
      const std::string node = std::exchange(node_, {});
      lock.unlock();
      tell_(node);
      lock.lock();
    }
  }
}

}  // namespace flowrun
