#pragma once
// JavaFormat: text made by a pattern of java.util.Formatter, in the US locale: Spark's
// format_string.
//
//   FLOWRUN_TRY(const JavaFormat format, JavaFormat::compile("%05d|%-6s"));
//   const std::array<FormatArgument, 2> arguments{int32_t{3}, std::string_view("l")};
//   FLOWRUN_RETURN_IF_ERROR(format.append(arguments, out));   // "00003|l     "
//
// A specifier is %[index$][flags][width][.precision]conversion, with `<` for the argument before.
// Conversions: s b c d x o e f g a (S B C X E G A write in upper case), n, %. The hash code (%h)
// and dates (%t) are refused. Errors have the code `data`, as Spark looks at the pattern when a row
// is there.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "runtime/base/status.h"
#include "runtime/columnar/column.h"

namespace flowrun {

// Something with a text and nothing else: only %s and %b take it.
struct FormatText {
  std::string_view text;
};
// Null, or a value of the type that decides which conversions take it.
using FormatArgument = std::variant<std::monostate, bool, int8_t, int16_t, int32_t, int64_t, float,
                                    double, FormatText>;

// Immutable and thread-safe.
class JavaFormat {
 public:
  static Result<JavaFormat> compile(std::string_view pattern);

  // An argument that is missing, or that a conversion does not take, is an error.
  Status append(std::span<const FormatArgument> arguments, std::string& out) const;

  // One specifier, or the text between two.
  struct Part {
    char conversion = 0;  // 0: literal text
    bool upper = false;
    bool previous = false;  // %<s
    int index = 0;          // from 1; 0: the next one
    int width = -1;
    int precision = -1;
    std::string flags = {};
    std::string text = {};  // as written

    [[nodiscard]] bool has(char flag) const { return flags.find(flag) != std::string::npos; }
  };

 private:
  std::vector<Part> parts_;
};

}  // namespace flowrun
