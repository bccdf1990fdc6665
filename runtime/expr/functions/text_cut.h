#pragma once
// Parts of a text or of bytes by SQL's positions: from 1, from the end if negative.

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string_view>

#include "runtime/format/unicode_case.h"

namespace flowrun {

constexpr int32_t kCutToTheEnd = std::numeric_limits<int32_t>::max();

namespace text_cut_detail {

struct Cut {
  int64_t start;
  int64_t end;
};
inline Cut cut_of(int64_t size, int32_t position, int32_t length) {
  const int64_t start = position > 0 ? position - 1 : position < 0 ? size + position : 0;
  return {start, start + length};
}

}  // namespace text_cut_detail

// `length` characters from `position`; what lies before the first counts among them.
inline std::string_view cut_text(std::string_view text, int32_t position, int32_t length) {
  const auto cut =
      text_cut_detail::cut_of(position < 0 ? count_code_points(text) : 0, position, length);
  if (cut.end <= cut.start) return {};
  const size_t begin = code_point_offset(text, std::max<int64_t>(cut.start, 0));
  const int64_t characters = cut.end - std::max<int64_t>(cut.start, 0);
  if (characters <= 0) return {};
  const std::string_view rest = text.substr(begin);
  return rest.substr(0, code_point_offset(rest, characters));
}

// The same of bytes.
inline std::string_view cut_bytes(std::string_view bytes, int32_t position, int32_t length) {
  const auto size = static_cast<int64_t>(bytes.size());
  auto cut = text_cut_detail::cut_of(size, position, length);
  cut.start = std::clamp<int64_t>(cut.start, 0, size);
  cut.end = std::min(cut.end, size);
  if (cut.end <= cut.start) return {};
  return bytes.substr(static_cast<size_t>(cut.start), static_cast<size_t>(cut.end - cut.start));
}

}  // namespace flowrun
