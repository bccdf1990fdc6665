#pragma once
// PatternShape: a bound `pattern` operator: what all of its partitions share.

#include <optional>
#include <string>
#include <vector>

#include "runtime/expr/pattern_expression.h"
#include "runtime/operator/sort_key.h"
#include "runtime/state/bound_aggregate.h"
#include "runtime/state/pattern_paths.h"

namespace flowrun {

// Where the search goes on behind a match.
struct AfterMatch {
  enum class Kind : uint8_t {
    past_last_row,  // behind its last row
    next_row,       // behind its first row
    first,          // at the first row of `variable`
    last,           // at the last row of `variable`
  };
  Kind kind = Kind::past_last_row;
  size_t variable = 0;
};

// A condition on rows before, or a measure, with its aggregates ready.
struct PatternFormula {
  PatternExpression expression;
  std::vector<BoundAggregate> aggregates;
  std::vector<std::vector<size_t>> aggregate_columns;  // that each reads

  static Result<PatternFormula> bind(PatternExpression expression,
                                     const FunctionRegistry& functions);
  // The columns of the scope that it reads, into `set`.
  void add_columns_read(std::vector<bool>& set) const;
};

// Fixed once bound.
struct PatternShape {
  std::vector<std::string> variables;
  PatternProgram program;
  std::vector<std::optional<PatternFormula>> conditions;  // by variable: what looks at rows before
  std::vector<PatternFormula> measures;
  std::vector<Type> key_types;
  // The rows kept: the binder's scope, then the values of `ties`; columns that nothing reads are
  // absent.
  SchemaPtr stored;
  std::vector<size_t> kept;   // columns of `stored` that are there
  size_t time_column = 0;     // of `stored`
  std::vector<SortKey> ties;  // rows of one time stand in this order, then in that of arrival
  SchemaPtr carried;          // keys, variables (a bit each), `stored`: what absorb hands to merge
  SchemaPtr output;           // keys, measures
  AfterMatch after;
  std::optional<int64_t> within;  // from the first row of a match to its last, at most
  int64_t most_back = 0;          // rows before a match that `prev` looks at

  [[nodiscard]] size_t variables_column() const { return key_types.size(); }
  [[nodiscard]] size_t first_stored_column() const { return key_types.size() + 1; }
};

}  // namespace flowrun
