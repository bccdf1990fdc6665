#pragma once
// Inflate: bytes of gzip or zlib in, what they stand for out, piece by piece.

#include <memory>
#include <span>
#include <string_view>

#include "runtime/base/status.h"

namespace flowrun {

// Not thread-safe.
class Inflate {
 public:
  Inflate();
  ~Inflate();
  Inflate(Inflate&&) noexcept;
  Inflate& operator=(Inflate&&) noexcept;

  // Takes from the front of `input` and writes to `space`; the bytes written. When they fill the
  // space more may wait, also without input. `data` if the input is broken, once
  // what stood before that was given.
  Result<size_t> read(std::string_view& input, std::span<char> space);
  // True at the end of a compressed member: the input may end here.
  [[nodiscard]] bool at_end() const { return at_end_; }
  // True when the next read() gives the error.
  [[nodiscard]] bool failed() const { return failed_; }

 private:
  struct Stream;
  std::unique_ptr<Stream> stream_;
  bool at_end_ = false;
  bool failed_ = false;
};

}  // namespace flowrun
