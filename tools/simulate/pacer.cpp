#include "tools/simulate/pacer.h"

#include <algorithm>
#include <cmath>

namespace flowrun::simulate {
namespace {
constexpr double kMicrosPerSecond = 1e6;
}

int64_t Pacer::next() const {
  return start_ +
         static_cast<int64_t>(std::ceil(static_cast<double>(taken_) / rate_ * kMicrosPerSecond));
}

int64_t Pacer::take(int64_t now, int64_t most) {
  if (now < next()) return 0;
  if (now - next() > kCatchUp) {
    start_ = now;
    taken_ = 0;
  }
  const double elapsed = static_cast<double>(now - start_) / kMicrosPerSecond;
  const int64_t due = static_cast<int64_t>(std::floor(elapsed * rate_)) + 1;
  const int64_t taken = std::clamp<int64_t>(due - taken_, 1, most);
  taken_ += taken;
  return taken;
}

}  // namespace flowrun::simulate
