#pragma once
// Heartbeat: calls a function every so often on a thread of its own, until it is destroyed.

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace flowrun {

class Heartbeat {
 public:
  Heartbeat(std::chrono::milliseconds period, std::function<void()> beat)
      : thread_([this, period, beat = std::move(beat)] {
          std::unique_lock lock(mutex_);
          while (!ended_.wait_for(lock, period, [this] { return end_; })) beat();
        }) {}
  ~Heartbeat() {
    {
      const std::lock_guard lock(mutex_);
      end_ = true;
    }
    ended_.notify_one();
    thread_.join();
  }
  Heartbeat(const Heartbeat&) = delete;
  Heartbeat& operator=(const Heartbeat&) = delete;

 private:
  std::mutex mutex_;
  std::condition_variable ended_;
  bool end_ = false;
  std::thread thread_;
};

}  // namespace flowrun
