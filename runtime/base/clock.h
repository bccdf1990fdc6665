#pragma once
// Clock: the one source of wall time and of waiting periods, so that tests and hosts can set it.

#include <atomic>
#include <cstdint>

namespace flowrun {

// Thread-safe. `now` is microseconds since 1970-01-01T00:00:00Z; `monotonic` never runs back.
class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual int64_t now() const = 0;
  [[nodiscard]] virtual int64_t monotonic() const = 0;
};

// The machine's clock. Lives for ever.
const Clock& system_clock();

// A clock that stands still until told otherwise.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(int64_t now) : now_(now) {}
  [[nodiscard]] int64_t now() const override { return now_.load(); }
  [[nodiscard]] int64_t monotonic() const override { return now_.load(); }
  void set(int64_t now) { now_.store(now); }
  void advance(int64_t microseconds) { now_.fetch_add(microseconds); }

 private:
  std::atomic<int64_t> now_;
};

}  // namespace flowrun
