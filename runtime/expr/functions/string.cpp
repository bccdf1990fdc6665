// Text: lengths and positions count code points.
#include "runtime/expr/functions/functions.h"
#include "runtime/expr/scalar.h"

namespace flowrun {

namespace {

int32_t count_code_points(std::string_view text) {
  int32_t count = 0;
  for (const char c : text) count += (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  return count;
}

}  // namespace

void register_string_functions(FunctionRegistry& registry) {
  registry.add(overloads({"length", "len", "char_length", "character_length"},
                         "length(x): characters of a text, bytes of a binary value.",
                         {scalar<int32_t(std::string_view)>("length", "", count_code_points),
                          scalar<int32_t(Binary)>("length", "", [](Binary x) {
                            return static_cast<int32_t>(x.bytes.size());
                          })}));
  registry.add(scalar<std::string(std::string_view, int32_t)>(
      "repeat", "repeat(text, n): the text n times over; empty if n is not positive.",
      [](std::string_view text, int32_t n, std::string& out) {
        for (; n > 0; --n) out += text;
      }));
}

}  // namespace flowrun
