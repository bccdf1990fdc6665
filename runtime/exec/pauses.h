#pragma once
// Pauses: how long to wait before the next try to reach a peer that is absent.

#include <algorithm>
#include <cstdint>
#include <string>

#include "runtime/base/status.h"

namespace flowrun {

// Each is twice the one before, from 0.25 to 30 seconds.
class Pauses {
 public:
  static constexpr int64_t kFirst = 250'000;  // microseconds
  static constexpr int64_t kLongest = 30'000'000;

  int64_t next() { return last_ = last_ == 0 ? kFirst : std::min(last_ * 2, kLongest); }
  void reset() { last_ = 0; }

 private:
  int64_t last_ = 0;
};

// What the log says of it. `hint` may be empty.
std::string next_try_text(const Error& absent, int64_t pause, const std::string& hint);

}  // namespace flowrun
