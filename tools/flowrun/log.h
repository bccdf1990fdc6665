#pragma once
// Log: what happens while a pipeline runs, one line each, on standard error.
//
// A line that repeats is written once; after that only how often it came, every kFoldPeriod. Lines
// are the same when they differ in numbers alone.

#include <cstdint>
#include <map>
#include <mutex>
#include <string>

#include "runtime/base/clock.h"
#include "runtime/exec/progress.h"
#include "tools/flowrun/terminal.h"

namespace flowrun {

enum class LogFormat : uint8_t { text, json };

// Thread-safe. The terminal and the clock outlive it.
class Log {
 public:
  struct Options {
    LogFormat format = LogFormat::text;
    bool quiet = false;  // warnings and errors only
  };
  Log(Terminal& terminal, const Clock& clock, Options options)
      : terminal_(terminal), clock_(clock), options_(options) {}
  ~Log() { flush(); }
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  void event(const LogEvent& event);
  void info(std::string message) { event({LogEvent::Level::info, {}, std::move(message)}); }
  // Writes the counts that are due. Call it now and then.
  void tick();
  // Writes all counts.
  void flush();

  static constexpr int64_t kFoldPeriod = 30'000'000;  // microseconds
  static constexpr size_t kMaxKinds = 256;     // kinds of lines told apart; the rest count together
  static constexpr size_t kMaxMessage = 1000;  // bytes of a message that are written

 private:
  struct Folded {
    LogEvent last;
    int64_t written = 0;  // when a line of it was last written
    int64_t count = 0;    // since then
  };
  void write(const LogEvent& event, int64_t repeated);
  void write_count(Folded& folded, int64_t now);

  Terminal& terminal_;
  const Clock& clock_;
  Options options_;
  std::mutex mutex_;
  std::map<std::string, Folded> kinds_;
};

}  // namespace flowrun
