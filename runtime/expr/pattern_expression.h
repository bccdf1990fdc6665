#pragma once
// Expressions over the rows of a pattern's match: conditions (SQL's DEFINE) and measures.
//
//   PatternBinder binder(schema, time, variables, environment);
//   FLOWRUN_TRY(PatternCondition rises, binder.bind_condition("B.x > A.x and B.x > 9", b));
//   FLOWRUN_TRY(PatternExpression rise, binder.bind_measure("LAST(B.x) - A.x as rise"));
//
// An expression is taken apart into slots and aggregates, each a column, and an ordinary expression
// over them: whoever evaluates it says which row each slot takes, for as many matches at once as he
// likes.
//
// The names beyond those of an ordinary expression:
//   A.x                          x of the last row of variable A so far
//   x                            x of the last row so far, of whatever variable
//   LAST(A.x, n) FIRST(A.x, n)   the row n before the last, behind the first of A (n: 0); without A
//                                of the whole match. x may be an expression over one row
//   PREV(x, n)                   the row n before it (n: 1), matched or not; x as above or LAST,
//   FIRST avg(A.x), count(A.*), ...    over all rows of A so far; without A over all of the match
//   match_start() match_rowtime() the times of the first and the last row
//   classifier()                 the variable of the last row; measures only

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/expr/expression.h"

namespace flowrun {

// Which row of a match: the `offset`th from an end of the rows of a variable, and `back` rows
// before that one in the order of rows.
struct RowReference {
  std::optional<size_t> variable = {};  // none: all rows
  bool first = false;                   // counted from the first row, else from the last
  int64_t offset = 0;
  int64_t back = 0;
  friend bool operator==(const RowReference&, const RowReference&) = default;
};

// A value of one row; null where there is no such row.
struct PatternSlot {
  RowReference row;
  ExpressionPtr value;  // over the scope's columns; null: the name of the row's variable
};

// An aggregate over all rows of a variable, or of the match.
struct PatternAggregate {
  std::optional<size_t> variable;
  AggregateCall call;  // over the scope's columns
};

struct PatternExpression {
  std::vector<PatternSlot> slots;
  std::vector<PatternAggregate> aggregates;
  ExpressionPtr result;  // over `columns`
  SchemaPtr columns;     // the slots, then the aggregates
};

// A condition in two parts; a row is of the variable if both that are there are true.
struct PatternCondition {
  std::optional<PatternExpression> row;   // looks at the row at hand alone, and cannot fail
  std::optional<PatternExpression> path;  // looks at rows before
};

class PatternBinder {
 public:
  static constexpr int64_t kMostOffset = 1000;

  PatternBinder(const SchemaPtr& input, std::span<const std::string> variables,
                const ExpressionEnvironment& environment);

  // What slots and calls are bound to: the input's columns, then the time by which rows are
  // ordered.
  [[nodiscard]] const SchemaPtr& scope() const { return scope_; }
  [[nodiscard]] size_t time_column() const { return scope_->num_fields() - 1; }

  // Of a row that would be of `variable`. Errors carry the offset in the text.
  Result<PatternCondition> bind_condition(std::string_view text, size_t variable) const;
  // Its result has the name of the column: the alias if there is one.
  Result<PatternExpression> bind_measure(std::string_view text) const;

 private:
  SchemaPtr scope_;
  std::vector<std::string> variables_;
  const ExpressionEnvironment& environment_;
};

}  // namespace flowrun
