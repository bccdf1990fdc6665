#pragma once
// Ast: an expression as it was written, before names and types mean anything.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/status.h"
#include "runtime/columnar/column.h"
#include "runtime/expr/aggregate_function.h"

namespace flowrun {

struct Ast;
using AstPtr = std::shared_ptr<const Ast>;

// Immutable once parsed; shared where the language repeats an operand (CASE x WHEN ...).
struct Ast {
  enum class Kind : uint8_t {
    literal,  // value
    name,     // parts: a, or a.b.c
    star,     // parts: the qualifier of a.*, empty for *
    call,     // text: function or operator, lower case as in the registry; children: its arguments
    row,      // (a, b): a struct of its children
    cast,     // children[0] to `type`; text: "cast" or "try_cast"
    case_,  // children: condition, value, condition, value, ..., and the else if there is one more
    field,  // children[0].text
    element,  // children[0][children[1]]
    lambda,   // parts -> children[0]
    alias,    // children[0] as parts (several for a generator)
  };

  Kind kind = Kind::literal;
  size_t offset = 0;  // in the text, for messages
  int32_t height = 1;
  std::string text = {};
  std::vector<std::string> parts = {};
  std::vector<AstPtr> children = {};
  ColumnPtr value = {};  // literal: one row
  Type type = {};        // cast
  // Of calls.
  bool distinct = false;
  bool ignore_nulls = false;
  AstPtr filter = {};  // FILTER (WHERE ...)
  struct OrderItem {
    AstPtr value;
    SortDirection direction;
  };
  std::vector<OrderItem> order_by = {};  // WITHIN GROUP (ORDER BY ...)
};

// A whole expression, with the alias of a select item if `allow_alias`. Errors carry the offset in
// `text`. Nesting is limited to kMaximumHeight levels.
Result<AstPtr> parse_expression(std::string_view text, bool allow_alias);

inline constexpr int32_t kMaximumHeight = 400;

}  // namespace flowrun
