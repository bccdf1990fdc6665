#pragma once
// EventTime: the time by which a stateful operator windows its rows: its `on` option, bound.

#include "runtime/expr/expression.h"
#include "runtime/operator/options.h"

namespace flowrun {

// Is the type that of a window column: a struct of two timestamps?
bool is_window_type(const Type& type);

// Immutable; thread-safe.
class EventTime {
 public:
  // The expression's time: a timestamp (what can be cast to one implicitly is), or an earlier
  // window, whose time is its last microsecond. Errors are placed at the option.
  static Result<EventTime> bind(const OptionValue& option, const SchemaPtr& schema,
                                const ExpressionEnvironment& environment);

  // Timestamps; null where the row has no time.
  [[nodiscard]] Result<ColumnPtr> evaluate(const RecordBatch& batch,
                                           const EvaluationContext& context) const {
    return expression_->evaluate(batch, context);
  }
  // Set if the time is a column behind a watermark node, or a window of one.
  [[nodiscard]] std::optional<int64_t> watermark_delay() const { return watermark_delay_; }
  [[nodiscard]] std::span<const size_t> columns() const { return expression_->columns(); }
  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  ExpressionPtr expression_;
  std::string name_;
  std::optional<int64_t> watermark_delay_;
};

// The watermark delay of the column that an expression is, or is a window of, if that has one.
std::optional<int64_t> watermark_delay_of(const Expression& expression, const Schema& schema);

}  // namespace flowrun
