#pragma once
// AggregateList: the `agg` option of group_by, window, session and their kin, bound.
//
//   FLOWRUN_TRY(AggregateList list, AggregateList::bind(options.at("agg"), schema, keys, false,
//   environment)); std::vector<std::unique_ptr<GroupStates>> states = list.make_states();
//   list.update(states, table.size(), groups, batch, context, sequence);
//   list.results(states, groups, key_columns, context);     // one column per aggregate

#include <memory>
#include <string>
#include <vector>

#include "runtime/expr/expression.h"
#include "runtime/operator/options.h"
#include "runtime/operator/spec.h"
#include "runtime/state/bound_aggregate.h"

namespace flowrun {

using AggregateStates = std::vector<std::unique_ptr<GroupStates>>;  // one per call

// Immutable once bound; thread-safe.
class AggregateList {
 public:
  // The spec of the option: a word, a map of name to expression, or a list of expressions.
  static OptionSpec option();

  // `keys` are the grouping expressions: a word leaves out those of them that are numeric columns.
  static Result<AggregateList> bind(const OptionValue& option, const SchemaPtr& schema,
                                    std::span<const ExpressionPtr> keys, bool has_grouping_id,
                                    const ExpressionEnvironment& environment);

  // A field per aggregate.
  [[nodiscard]] const std::vector<Field>& fields() const { return fields_; }
  [[nodiscard]] std::vector<size_t> columns() const;  // of the input that are read
  [[nodiscard]] AggregateStates make_states() const;
  // Row i of the batch goes to group groups[i] of `num_groups`.
  Status update(AggregateStates& states, size_t num_groups, std::span<const uint32_t> groups,
                const RecordBatch& batch, const EvaluationContext& context, int64_t sequence) const;
  // `keys`: the keys of the named groups (and the grouping id if there is one).
  [[nodiscard]] Result<std::vector<ColumnPtr>> results(const AggregateStates& states,
                                                       std::span<const uint32_t> groups,
                                                       std::span<const ColumnPtr> keys,
                                                       const EvaluationContext& context) const;
  // "count, avg(x)"
  [[nodiscard]] std::string describe() const;

 private:
  struct Item {
    ExpressionPtr result;
    size_t first_call;
    size_t num_calls;
    SchemaPtr scope;  // keys, then calls: what `result` is evaluated over
  };
  Status add(const Binder& binder, std::string_view text, const std::string& name,
             std::span<const ExpressionPtr> keys, bool has_grouping_id,
             const ExpressionEnvironment& environment);
  Status add_word(const Binder& binder, const std::string& word, const Schema& schema,
                  std::span<const ExpressionPtr> keys, const ExpressionEnvironment& environment);

  std::vector<Field> fields_;
  std::vector<Item> items_;
  std::vector<BoundAggregate> calls_;
};

}  // namespace flowrun
