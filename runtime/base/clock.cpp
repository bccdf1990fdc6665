#include "runtime/base/clock.h"

#include <chrono>

namespace flowrun {

namespace {

template <class Source>
int64_t microseconds() {
  using std::chrono::duration_cast;
  return duration_cast<std::chrono::microseconds>(Source::now().time_since_epoch()).count();
}

class SystemClock final : public Clock {
 public:
  [[nodiscard]] int64_t now() const override { return microseconds<std::chrono::system_clock>(); }
  [[nodiscard]] int64_t monotonic() const override {
    return microseconds<std::chrono::steady_clock>();
  }
};

}  // namespace

const Clock& system_clock() {
  static const SystemClock clock;
  return clock;
}

}  // namespace flowrun
