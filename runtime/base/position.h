#pragma once
// Where something stands in a text that a person wrote: what every user error points at.

#include <cstdint>
#include <memory>
#include <string>

namespace flowrun {

// Line and column count from 1, columns in bytes; line 0 means "nowhere in a file".
// `length` is how many bytes of the line the error is about, 0 when unknown.
struct Position {
  std::shared_ptr<const std::string> file;
  int32_t line = 0;
  int32_t column = 0;
  int32_t length = 0;

  [[nodiscard]] bool known() const { return line > 0; }
};

}  // namespace flowrun
