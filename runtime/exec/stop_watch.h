#pragma once
// StopWatch: tells of an operator that was asked to return and does not. A thread cannot be ended
// from outside, so whoever is told must do without it or end the process.
//
//   StopWatch watch(10'000'000, [](const std::string& node) { ... });
//   watch.wait_for("rows");   // asked now
//   source.join();
//   watch.done();             // it came back

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>

namespace flowrun {

// Without a `tell` it watches nothing and has no thread. wait_for and done from one thread; `tell`
// is called from a thread of the watch, at most once for each wait_for.
class StopWatch {
 public:
  using Tell = std::function<void(const std::string& node)>;
  StopWatch(std::chrono::microseconds patience, Tell tell)
      : patience_(patience), tell_(std::move(tell)) {}
  StopWatch(const StopWatch&) = delete;
  StopWatch& operator=(const StopWatch&) = delete;
  ~StopWatch();

  // The time begins anew, even if another node is waited for.
  void wait_for(const std::string& node);
  void done();

 private:
  void main();

  const std::chrono::microseconds patience_;
  const Tell tell_;
  std::mutex mutex_;
  std::condition_variable wakes_;
  std::string node_;  // empty: nobody is waited for
  std::chrono::steady_clock::time_point end_;
  bool leaving_ = false;
  std::thread thread_;  // from the first wait_for on
};

}  // namespace flowrun
