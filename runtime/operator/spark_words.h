#pragma once
// What things that have another name in Spark are called here.

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace flowrun {

// The tail of a message about an unknown word: " — here it is `infer_schema`" if Spark has the word
// and we another, else a did-you-mean, else "".
std::string suggest_word(std::string_view word, std::span<const std::string> known);

// "inferSchema" -> "infer_schema".
std::string snake_case(std::string_view camel_case);

}  // namespace flowrun
