#pragma once
// Upper, lower and title case of UTF-8 text by Unicode's full mappings: ß becomes SS, a Σ at a
// word's end ς. Bytes that are no UTF-8 stay as they are.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace flowrun {

void append_upper(std::string_view text, std::string& out);
void append_lower(std::string_view text, std::string& out);
// The first character of each word, words parted by spaces alone, in title case, the others in
// lower case.
void append_title_words(std::string_view text, std::string& out);

// Characters of a text: bytes that begin one. Broken text counts as Spark counts it.
int32_t count_code_points(std::string_view text);
// The byte at which character `index` begins; text.size() beyond the last. REQUIRES: index >= 0.
size_t code_point_offset(std::string_view text, int64_t index);
// Bytes of the character that `lead` begins.
size_t code_point_size(char lead);
// The character at the front, its size taken off `text`; a broken byte stands for itself.
uint32_t take_code_point(std::string_view& text);

// Upper and lower case letters, decimal digits, and all else (title case too).
enum class LetterKind : uint8_t { upper, lower, digit, other };
LetterKind letter_kind(uint32_t code_point);

}  // namespace flowrun
