#pragma once
// SortKey: one item of an order such as `count desc nulls last`, bound.

#include "runtime/expr/expression.h"
#include "runtime/operator/options.h"

namespace flowrun {

struct SortKey {
  ExpressionPtr expression;
  bool descending = false;
  bool nulls_first = true;

  // Negative, zero or positive, as row a of the key's values stands before or behind row b.
  [[nodiscard]] int compare(const Column& values, int64_t a, int64_t b) const;
};

// Ascending with nulls first, unless the words behind the expression say otherwise.
Result<SortKey> bind_sort_key(const OptionValue& option, const Binder& binder);

// Takes `asc`, `desc`, `nulls first`, `nulls last` off the end of the text; the key has no
// expression yet.
SortKey take_sort_words(std::string& text);

}  // namespace flowrun
