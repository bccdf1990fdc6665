#pragma once
// Pacer: how many records are due. Knows a rate and is told the time; it never sleeps.

#include <cstdint>

namespace flowrun::simulate {

// Times are microseconds of any clock that does not run back. Not thread-safe.
class Pacer {
 public:
  // REQUIRES: rate > 0, records a second.
  Pacer(double rate, int64_t now) : rate_(rate), start_(now) {}

  // Records that are due by `now` and were not taken yet, at most `most`; the first is due at once.
  // Whoever falls behind by more than kCatchUp is not made to catch up: the schedule moves instead.
  int64_t take(int64_t now, int64_t most);
  // When the next record is due.
  [[nodiscard]] int64_t next() const;

  static constexpr int64_t kCatchUp = 200'000;

 private:
  double rate_;
  int64_t start_;
  int64_t taken_ = 0;
};

}  // namespace flowrun::simulate
