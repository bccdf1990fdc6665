#include "runtime/expr/bound_expression.h"

#include <new>

#include "runtime/format/time_zone.h"

namespace flowrun {

namespace {

std::optional<size_t> time_column_of(const TypedNode& node) {
  if (const auto* column = dynamic_cast<const ColumnNode*>(&node)) return column->index();
  const auto* call = dynamic_cast<const CallNode*>(&node);
  if (call == nullptr || (call->function() != "window" && call->function() != "window_time"))
    return std::nullopt;
  return time_column_of(*call->children[0]);
}

}  // namespace

BoundExpression::BoundExpression(TypedPtr root, std::string name)
    : root_(std::move(root)), name_(std::move(name)), columns_(columns_read(*root_)) {}

std::optional<size_t> BoundExpression::bare_column() const {
  const auto* column = dynamic_cast<const ColumnNode*>(root_.get());
  return column == nullptr ? std::nullopt : std::optional<size_t>(column->index());
}

std::optional<size_t> BoundExpression::time_column() const { return time_column_of(*root_); }

bool BoundExpression::constant() const {
  return dynamic_cast<const ConstantNode*>(root_.get()) != nullptr;
}

// How much memory a function takes may be up to the data.
Result<Datum> BoundExpression::value_over(const Frame& frame) const {
  try {
    return root_->evaluate(frame);
  } catch (const std::bad_alloc&) {
    return Error::data(name_ + " needs more memory than there is");
  }
}

Result<ColumnPtr> BoundExpression::evaluate(const RecordBatch& batch,
                                            const EvaluationContext& context) const {
  FLOWRUN_TRY(const TimeZone* zone, find_time_zone(context.timezone));
  auto value = value_over(Frame{batch.num_rows(), batch.columns(), {}, context, *zone});
  if (!value) {
    if (value.error().code == ErrorCode::invalid) value.error().code = ErrorCode::data;
    return std::move(value.error());
  }
  return value->expand(batch.num_rows());
}

}  // namespace flowrun
