#pragma once
// LineStream: bytes as they arrive from a peer in, columns of whole lines out, without copying the
// text.
//
//   LineStream lines(16 << 20);
//   std::span<char> space = lines.space();
//   lines.filled(recv(fd, space.data(), space.size(), 0));
//   LineStream::Lines taken = lines.take();     // what is complete by now, perhaps nothing
//
// The strings of a column point into the very block that was read (small reads are copied to a
// block of their size, so that a trickle does not hold large blocks). A line that is not complete
// is carried to the next block. Lines end with "\n" or "\r\n"; the ending is not part of them. A
// line longer than the bound is rejected as soon as that is known and skipped to its end: it is
// never buffered whole.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "runtime/columnar/column.h"

namespace flowrun {

// Not thread-safe.
class LineStream {
 public:
  static constexpr size_t kBlock = 256 << 10;  // what is read at most before lines are handed on

  explicit LineStream(int64_t max_record) : max_record_(static_cast<size_t>(max_record)) {}

  // Where the next bytes go; never empty. Valid until the next call of any other function.
  [[nodiscard]] std::span<char> space();
  // REQUIRES: bytes <= space().size().
  void filled(size_t bytes) {
    used_ += bytes;
    fresh_ += bytes;
  }
  // True when a block's worth came since lines were taken.
  [[nodiscard]] bool full() const { return fresh_ >= kBlock; }

  struct TooLong {
    int64_t line;
    std::string head;  // its first bytes, Rejection::kKeptBytes at most
  };
  struct Lines {
    ColumnPtr values;        // string; null when there is no line
    int64_t first_line = 0;  // number of the first one, from 1; lines that were too long count too
    std::vector<TooLong> too_long;
  };
  // The lines completed so far. May stop before a line that is too long: call it again until
  // nothing comes.
  Lines take();
  // What stands behind the last line ending, as a line, if there is anything: for the end of the
  // stream.
  Lines take_rest();
  // The same as text, forgotten here: for a connection that broke in the middle.
  std::string drop_rest();

  [[nodiscard]] int64_t next_line() const { return next_line_; }
  [[nodiscard]] int64_t memory_bytes() const {
    return block_ ? static_cast<int64_t>(block_->capacity()) : 0;
  }

 private:
  [[nodiscard]] const char* data() const { return reinterpret_cast<const char*>(block_->data()); }
  // Forgets what stands before the end of a line that was rejected; false while that end is not
  // here.
  bool skip_rejected();
  // Cuts [0, end) into lines; false if it stopped before a line that is too long.
  bool split(size_t end, Lines& lines);
  void keep_rest(size_t begin);
  void reject(std::string_view text, Lines& lines);

  size_t max_record_;
  BufferPtr block_;
  size_t used_ = 0;     // bytes of block_ that are filled
  size_t fresh_ = 0;    // of them, those that came since the last take
  size_t scanned_ = 0;  // bytes known to hold no line ending
  bool skipping_ = false;
  int64_t next_line_ = 1;
  int64_t expected_rows_ = 16;
};

}  // namespace flowrun
