#pragma once
// BoundAggregate: one AggregateCall of a bound expression, ready to make and feed its states.
//
//   FLOWRUN_TRY(BoundAggregate sum, BoundAggregate::bind(call, functions));
//   std::unique_ptr<GroupStates> states = sum.make_states();
//   states->resize(table.size());
//   FLOWRUN_RETURN_IF_ERROR(sum.update(*states, groups, batch, context, sequence));

#include <memory>
#include <span>
#include <vector>

#include "runtime/expr/aggregate_function.h"
#include "runtime/expr/expression.h"

namespace flowrun {

class FunctionRegistry;

// Immutable; thread-safe.
class BoundAggregate {
 public:
  static Result<BoundAggregate> bind(const AggregateCall& call, const FunctionRegistry& functions);

  // DISTINCT is taken care of: the states keep each group's distinct arguments.
  [[nodiscard]] std::unique_ptr<GroupStates> make_states() const;
  // Evaluates the arguments and the filter over the batch. REQUIRES: groups as long as the batch.
  Status update(GroupStates& states, std::span<const uint32_t> groups, const RecordBatch& batch,
                const EvaluationContext& context, int64_t sequence) const;
  [[nodiscard]] const AggregateCall& call() const { return call_; }

 private:
  AggregateCall call_;
  const AggregateFunction* function_ = nullptr;
  AggregateFunction::Signature signature_;
  std::vector<ColumnPtr> constants_;
};

}  // namespace flowrun
