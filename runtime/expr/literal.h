#pragma once
// Literals: from the way they are written to a column of one row, and to the name Spark gives them.

#include <span>
#include <string>
#include <string_view>

#include "runtime/base/status.h"
#include "runtime/columnar/column.h"

namespace flowrun {

// 1, -2147483648, 1L, 1.5, 1e3, 1.5BD, with the sign in front if it is negative.
Result<ColumnPtr> number_literal(std::string_view text);
// date '2015-02-23', timestamp '...', X'1F'; `word` is the type's name in any case.
Result<ColumnPtr> typed_literal(std::string_view word, std::string_view text);
bool is_literal_type(std::string_view word);

// One part of an interval literal: INTERVAL 1 DAY 2 HOURS has two, each with its unit as written.
struct IntervalPart {
  std::string value;  // "1", "-1.5"
  std::string unit;   // lower case: day, days, ...
};
bool is_interval_unit(std::string_view word);
Result<ColumnPtr> interval_literal(std::span<const IntervalPart> parts);
// INTERVAL '2 days 3 hours'.
Result<ColumnPtr> interval_literal(std::string_view text);
// INTERVAL '1 02:03' DAY TO MINUTE.
Result<ColumnPtr> interval_literal(std::string_view text, std::string_view from,
                                   std::string_view to);

// Spark's name of a constant as a column: text bare, DATE '2015-02-03', INTERVAL '1' DAY, X'1F',
// NULL.
std::string literal_name(const Column& value);

}  // namespace flowrun
