#pragma once
// LiveState: what was heard of a run so far, for whoever asks over HTTP.

#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "runtime/exec/engine.h"

namespace flowrun {

// A line of the log and when it was said.
struct LoggedEvent {
  int64_t time = 0;  // microseconds since 1970
  LogEvent event;
  int64_t repeated = 1;  // lines that differ in numbers alone are kept once, the latest
};

// Thread-safe. Told from the engine's threads, at the cost of a copy.
class LiveState {
 public:
  enum class Phase : uint8_t { starting, running, ended, failed };

  void on_progress(const Progress& progress);
  void on_log(const LogEvent& event);
  void set_phase(Phase phase, std::string failure = {});

  [[nodiscard]] Phase phase() const;
  [[nodiscard]] std::string failure() const;
  [[nodiscard]] std::optional<Progress> progress() const;
  [[nodiscard]] std::vector<LoggedEvent> log() const;  // oldest first
  [[nodiscard]] int64_t epochs() const;
  [[nodiscard]] std::map<std::string, int64_t> rows_of_sources() const;  // since the start
  [[nodiscard]] std::map<std::string, int64_t> rows_of_sinks() const;
  // Rows a second over the last few seconds, by edge.
  [[nodiscard]] std::vector<double> edge_rates() const;
  [[nodiscard]] int64_t started() const { return started_; }  // microseconds since 1970
  // Grows with everything that is told.
  [[nodiscard]] int64_t version() const;

 private:
  struct Sample {
    int64_t time = 0;  // monotonic
    std::vector<int64_t> rows;
  };
  static constexpr size_t kLogLines = 100;

  mutable std::mutex mutex_;
  Phase phase_ = Phase::starting;
  std::string failure_;
  std::optional<Progress> progress_;
  std::deque<LoggedEvent> log_;
  std::deque<Sample> samples_;
  std::map<std::string, int64_t> source_rows_;
  std::map<std::string, int64_t> sink_rows_;
  int64_t epochs_ = 0;
  int64_t version_ = 0;
  int64_t started_ = system_clock().now();
};

const char* phase_name(LiveState::Phase phase);

}  // namespace flowrun
