#pragma once
// StateBound: up to when a row of one side of a join may still meet rows of the other, from the
// time ranges in the condition.
//
//   clicked between shown and shown + interval 30 seconds
//
// A click that is still to come is after the watermark W, so an impression that may meet it was
// shown after W - 30 seconds: the bound of `shown` is at(W) = W - 30 s - 1 ms, and rows not after
// it can go. The rules are Spark's (StreamingJoinHelper): a comparison bounds a side if, written as
// `sum < 0`, it holds one timestamp column of that side, with a minus, and beside it only the other
// side's watermarked time and constants; casts of times to numbers count in seconds; the bound is
// in whole milliseconds. The least bound of several comparisons holds.

#include <cstdint>
#include <optional>
#include <vector>

#include "runtime/expr/join_condition.h"

namespace flowrun {

class StateBound {
 public:
  enum class Side : uint8_t { left, right };

  // None if no comparison bounds the side. `num_left` columns of `joined` are the left side's.
  static std::optional<StateBound> find(const JoinCondition& condition, const Schema& joined,
                                        size_t num_left, Side side);

  // The side's column that is bounded, counted in the side's own schema.
  [[nodiscard]] size_t column() const { return column_; }
  // No row whose time is at or before this can match any more. Times in microseconds.
  [[nodiscard]] int64_t at(int64_t watermark) const;

 private:
  // One comparison: column > times * watermark + offset, or >=.
  struct Comparison {
    double times;
    double offset;
    bool inclusive;
  };
  size_t column_ = 0;
  std::vector<Comparison> comparisons_;
};

// How far apart the times of two rows that match may be: right - left is in [least, most].
// Necessary, not sufficient: it saves looking at rows, the condition is tried all the same.
struct TimeRange {
  size_t left;  // timestamp columns, each counted in its own side's schema
  size_t right;
  int64_t least;
  int64_t most;

  // From the comparisons of one column of either side; none if there is no such.
  static std::optional<TimeRange> find(const JoinCondition& condition, const Schema& joined,
                                       size_t num_left);
};

}  // namespace flowrun
