#pragma once
// pattern_binding: the options of `pattern`, checked and bound against its input.

#include <optional>
#include <string>
#include <vector>

#include "runtime/operator/event_time.h"
#include "runtime/operator/options.h"
#include "runtime/operator/pattern_shape.h"

namespace flowrun {

// Immutable once bound; thread-safe.
struct BoundPattern {
  PatternShape shape;
  SchemaPtr scope;  // the input's columns, then the time
  std::vector<ExpressionPtr> keys;
  std::optional<EventTime> time;
  std::vector<std::optional<PatternExpression>> row_conditions;  // by variable
  std::vector<bool> read;                                        // by column of the input

  // The variables, a bit each, whose condition on the row alone is true: a bigint per row.
  // REQUIRES: `rows` have the schema `scope`.
  [[nodiscard]] Result<ColumnPtr> row_variables(const RecordBatch& rows,
                                                const EvaluationContext& context) const;
  // `between` and the names of the keys; nothing without keys.
  [[nodiscard]] std::string per_key(std::string_view between) const;
};

// REQUIRES: the options of the `pattern` operator. Errors are placed in them.
Result<BoundPattern> bind_pattern(const Options& options, const SchemaPtr& input,
                                  const ExpressionEnvironment& environment);

}  // namespace flowrun
