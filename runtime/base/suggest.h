#pragma once
// "did you mean": the nearest of the names that would have been right.

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace flowrun {

// Damerau-Levenshtein distance (optimal string alignment), without regard to ASCII case.
size_t edit_distance(std::string_view a, std::string_view b);

// The candidate nearest to `word`, if it is near enough to be a slip (a third of its length, at
// least 1).
std::optional<std::string> nearest(std::string_view word, std::span<const std::string> candidates);

// " — did you mean `gt`?" or "" when nothing is near.
std::string did_you_mean(std::string_view word, std::span<const std::string> candidates);

// "`word`", "`a`, `b`": how messages show what stands in a file.
std::string back_quoted(std::string_view word);
std::string back_quoted_list(std::span<const std::string> words);

}  // namespace flowrun
