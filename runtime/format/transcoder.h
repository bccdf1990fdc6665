#pragma once
// Transcoder: bytes of any charset to UTF-8, piece by piece.

#include <memory>
#include <string>
#include <string_view>

#include "runtime/base/status.h"

namespace flowrun {

// True for the names of UTF-8, whose bytes need no transcoding.
bool is_utf8_name(std::string_view charset);

// Not thread-safe. A byte that means nothing in the charset becomes U+FFFD.
class Transcoder {
 public:
  // Charsets by their usual names: ISO-8859-1, windows-1252, UTF-16, UTF-16LE ... UTF-16 without a
  // byte order mark is big-endian, as in Java.
  static Result<std::unique_ptr<Transcoder>> make(const std::string& charset);
  virtual ~Transcoder() = default;
  // Appends what `bytes` mean; a character cut at their end waits for the next piece.
  virtual void append(std::string_view bytes, bool at_end, std::string& out) = 0;
};

}  // namespace flowrun
