#pragma once
// RowSequence: numbers the batches that a local is given so that they can be put in the order of
// the input.
//
// A chunk may reach an operator as several batches of one sequence. Belongs to one local.

#include <cstdint>

namespace flowrun {

class RowSequence {
 public:
  // The batch's place: that of its chunk, then among the batches of the chunk.
  int64_t next(int64_t sequence) {
    piece_ = sequence == sequence_ ? piece_ + 1 : 0;
    sequence_ = sequence;
    return sequence << kPieceBits | piece_;
  }

 private:
  static constexpr int kPieceBits = 20;

  int64_t sequence_ = -1;
  int64_t piece_ = 0;
};

}  // namespace flowrun
