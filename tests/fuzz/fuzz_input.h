#pragma once
// A fuzzer's bytes taken apart: a few for choices, the rest as text.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "runtime/columnar/builder.h"

namespace flowrun {

class FuzzInput {
 public:
  FuzzInput(const uint8_t* data, size_t size) : text_(reinterpret_cast<const char*>(data), size) {}

  // The next byte, 0 at the end.
  uint8_t byte() {
    if (text_.empty()) return 0;
    const auto first = static_cast<uint8_t>(text_.front());
    text_.remove_prefix(1);
    return first;
  }
  [[nodiscard]] std::string_view rest() const { return text_; }

 private:
  std::string_view text_;
};

// The lines of a text as a column whose long rows share one buffer, as a source reads them.
inline ColumnPtr lines_of(std::string_view text) {
  StringBuilder builder(Type::binary());
  BufferPtr buffer = Buffer::allocate(text.size());
  if (!text.empty()) std::memcpy(buffer->mutable_data(), text.data(), text.size());
  const std::string_view shared(reinterpret_cast<const char*>(buffer->data()), text.size());
  const uint32_t number = builder.share(buffer);
  for (size_t at = 0; at < shared.size();) {
    const size_t end = shared.find('\n', at);
    const std::string_view line = shared.substr(at, end == std::string_view::npos ? end : end - at);
    builder.append_shared(line, number);
    at += line.size() + 1;
  }
  return builder.finish();
}

}  // namespace flowrun
