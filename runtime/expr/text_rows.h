#pragma once
// text_rows: a kernel's loop where the result is text and the arguments are of any number and type.
//
//   return text_rows(context, arguments, 1, [&](int64_t row, std::string& out) -> Result<bool> {
//     out += arguments[0].column->string(arguments[0].at(row));
//     return true;
//   });

#include <algorithm>
#include <string>

#include "runtime/columnar/builder.h"
#include "runtime/expr/function_registry.h"

namespace flowrun {

// code(row, text) fills the empty `text`, or says false for null; an error ends the loop. A row is
// null, and not asked for, where one of the first `strict` arguments is.
template <class Code>
Result<Datum> text_rows(const CallContext& context, std::span<const Datum> arguments, size_t strict,
                        const Code& code, TypeId type = TypeId::string) {
  const int64_t rows = rows_to_compute(arguments, context.num_rows);
  StringBuilder builder(type);
  builder.reserve(rows);
  std::string text;
  for (int64_t row = 0; row < rows; ++row) {
    bool valid = std::ranges::none_of(
        arguments.first(strict), [row](const Datum& argument) { return argument.is_null(row); });
    text.clear();
    if (valid) {
      FLOWRUN_TRY(valid, code(row, text));
    }
    valid ? builder.append(text) : builder.append_null();
  }
  return Datum{builder.finish(), rows_to_compute(arguments, 2) == 1};
}

}  // namespace flowrun
