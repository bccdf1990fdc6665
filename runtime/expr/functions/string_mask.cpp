// Texts that hide something: mask, and luhn_check, which tells card numbers from others.
#include <array>
#include <optional>

#include "runtime/expr/functions/functions.h"
#include "runtime/expr/scalar.h"
#include "runtime/expr/text_rows.h"
#include "runtime/format/unicode_case.h"
#include "runtime/format/utf8.h"

namespace flowrun {

namespace {

using Text = std::string_view;

// What stands for a character of each kind, in the order of LetterKind; nothing: itself.
using Masks = std::array<std::optional<std::string>, 4>;

void append_masked(const Masks& masks, Text text, std::string& out) {
  while (!text.empty()) {
    const Text rest = text;
    const uint32_t point = take_code_point(text);
    const auto& mask = masks[static_cast<size_t>(letter_kind(point))];
    out += mask ? Text(*mask) : rest.substr(0, rest.size() - text.size());
  }
}

Result<BoundFunction> bind_mask(const Arguments& arguments) {
  const TypeId given = arguments.types[0].id();
  if (given != TypeId::string && given != TypeId::null) return wrong_argument(arguments, 0, "text");
  BoundFunction bound{{Type::string()}, Type::string(), {}, true};
  Masks masks;
  for (size_t i = 1; i < arguments.size(); ++i) {
    const ColumnPtr& constant = arguments.constants[i];
    const bool is_null = constant != nullptr && constant->is_null(0);
    const auto mask = arguments.constant_text(i);
    if (!is_null && (!mask || count_code_points(*mask) != 1))
      return wrong_argument(arguments, i, "one character as a constant, or null to mask nothing");
    masks[i - 1] = mask;
    bound.arguments.push_back(arguments.types[i]);
  }
  bound.kernel = [masks](const CallContext& context, std::span<const Datum> values) {
    return text_rows(context, values, 1, [&](int64_t row, std::string& out) -> Result<bool> {
      append_masked(masks, values[0].column->string(values[0].at(row)), out);
      return true;
    });
  };
  return bound;
}

// Every second digit from the right counts double, as the sum of its digits.
bool passes_luhn(Text digits) {
  int sum = 0;
  bool doubled = false;
  for (size_t i = digits.size(); i-- > 0; doubled = !doubled) {
    if (digits[i] < '0' || digits[i] > '9') return false;
    const int digit = (digits[i] - '0') * (doubled ? 2 : 1);
    sum += digit / 10 + digit % 10;
  }
  return !digits.empty() && sum % 10 == 0;
}

}  // namespace

void register_string_mask_functions(FunctionRegistry& registry) {
  registry.add(
      ScalarFunction("mask",
                     "mask(text[, upper[, lower[, digit[, other]]]]): each character replaced by "
                     "what stands for its kind, X, x, n and itself; null keeps a kind.",
                     5, 5, BindFunction(bind_mask))
          .with_defaults(
              {constant_text("X"), constant_text("x"), constant_text("n"), constant_null()}));
  registry.add(scalar<bool(Text)>(
      "luhn_check", "luhn_check(text): are these digits a number that passes the Luhn check?",
      passes_luhn));
}

}  // namespace flowrun
