#pragma once
// SignalWatcher: SIGINT, SIGTERM and SIGHUP as calls on a thread of its own.

#include <csignal>
#include <functional>
#include <thread>

namespace flowrun {

// Make it before any other thread: the signals are blocked in this thread and in all that it
// starts. The first signal calls `on_first` (from the watcher's thread); the next one calls
// `on_second`. The destructor gives the signals back, unless one was seen: what was asked to end
// and is ending is not killed by one more, which would turn a clean end into a failure.
class SignalWatcher {
 public:
  SignalWatcher(std::function<void(int signal)> on_first,
                std::function<void(int signal)> on_second);
  ~SignalWatcher();
  SignalWatcher(const SignalWatcher&) = delete;
  SignalWatcher& operator=(const SignalWatcher&) = delete;

 private:
  void watch();

  std::function<void(int)> on_first_;
  std::function<void(int)> on_second_;
  sigset_t previous_{};
  int signals_ = -1;
  int end_ = -1;
  int seen_ = 0;  // of the watcher's thread, until it has ended
  std::thread thread_;
};

}  // namespace flowrun
