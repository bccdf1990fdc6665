#pragma once
// What both transforms of `tools/bench plugin` do to a row.

#include <cstdint>
#include <string_view>

// How many words stand in a text; a word is what stands between spaces.
inline int64_t count_words(std::string_view text) {
  int64_t words = 0;
  bool within = false;
  for (const char c : text) {
    const bool space = c == ' ' || c == '\t';
    words += !space && !within ? 1 : 0;
    within = !space;
  }
  return words;
}
