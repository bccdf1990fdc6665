#pragma once
// SinkWatch: once a run is to end, by a stop or a failure, cancels a sink that stays in a call, and
// tells of one that does not come back all the same.
//
//   SinkWatch watch([](const std::string& node) { ... });
//   watch.add(sink);        // before it is called
//   watch.told_to_end();    // from any thread
//   watch.finish();         // the sinks are closed

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

#include "runtime/exec/sink_runner.h"
#include "runtime/exec/stop_watch.h"

namespace flowrun {

// How long a sink's call may go on after that before it is cancelled, microseconds.
inline constexpr int64_t kSinkPatience = 700'000;

// Thread-safe. Has a thread from told_to_end on, and none without a `tell`.
class SinkWatch {
 public:
  SinkWatch(std::chrono::microseconds patience, StopWatch::Tell tell)
      : watches_(tell != nullptr), stuck_(patience, std::move(tell)) {}
  SinkWatch(const SinkWatch&) = delete;
  SinkWatch& operator=(const SinkWatch&) = delete;
  ~SinkWatch() { finish(); }

  void add(SinkRunner& sink);
  // Only the first one counts.
  void told_to_end();
  // Watches no more. REQUIRES: before the sinks are destroyed.
  void finish();

 private:
  void main();
  [[nodiscard]] SinkRunner* find_late() const;

  const bool watches_;
  StopWatch stuck_;
  std::mutex mutex_;
  std::condition_variable wakes_;
  std::vector<SinkRunner*> sinks_;
  int64_t told_ = 0;  // when, microseconds of the steady clock
  bool finished_ = false;
  std::thread thread_;
};

}  // namespace flowrun
