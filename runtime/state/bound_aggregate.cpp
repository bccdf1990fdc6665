#include "runtime/state/bound_aggregate.h"

#include "runtime/expr/function_registry.h"
#include "runtime/state/distinct_states.h"

namespace flowrun {

namespace {

// The value of a constant argument as a column of one row; null for what is not constant.
Result<ColumnPtr> constant_value(const Expression& argument) {
  if (!argument.constant()) return ColumnPtr();
  return argument.evaluate(RecordBatch(Schema::make({}), 1, {}), EvaluationContext{});
}

}  // namespace

Result<BoundAggregate> BoundAggregate::bind(const AggregateCall& call,
                                            const FunctionRegistry& functions) {
  BoundAggregate bound;
  bound.call_ = call;
  if (call.star) bound.call_.arguments.clear();
  bound.function_ = functions.find_aggregate(call.function);
  FLOWRUN_CHECK(bound.function_, "a bound call names a registered function");
  std::vector<Type> types;
  for (const ExpressionPtr& argument : bound.call_.arguments) {
    types.push_back(argument->type());
    FLOWRUN_TRY(ColumnPtr constant, constant_value(*argument));
    bound.constants_.push_back(std::move(constant));
  }
  FLOWRUN_TRY(bound.signature_,
              bound.function_->resolve_ordered(types, bound.constants_, call.order));
  return bound;
}

std::unique_ptr<GroupStates> BoundAggregate::make_states() const {
  if (!call_.distinct) return function_->make_states(signature_, constants_);
  return std::make_unique<DistinctStates>(*function_, signature_, constants_);
}

Status BoundAggregate::update(GroupStates& states, std::span<const uint32_t> groups,
                              const RecordBatch& batch, const EvaluationContext& context,
                              int64_t sequence) const {
  std::vector<int32_t> selected;
  if (call_.filter) {
    FLOWRUN_TRY(const ColumnPtr kept, call_.filter->evaluate(batch, context));
    for (int64_t i = 0; i < kept->size(); ++i) {
      if (kept->is_valid(i) && kept->boolean(i)) selected.push_back(static_cast<int32_t>(i));
    }
    if (selected.empty()) return {};
    if (selected.size() == groups.size()) selected.clear();  // all: the shorter way
  }
  std::vector<ColumnPtr> arguments;
  for (const ExpressionPtr& argument : call_.arguments) {
    FLOWRUN_TRY(ColumnPtr column, argument->evaluate(batch, context));
    arguments.push_back(std::move(column));
  }
  return states.update(groups, arguments, selected, sequence);
}

}  // namespace flowrun
