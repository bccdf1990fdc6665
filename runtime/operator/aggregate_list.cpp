#include "runtime/operator/aggregate_list.h"

#include <algorithm>

#include "runtime/operator/option_specs.h"

namespace flowrun {

OptionSpec AggregateList::option() {
  using namespace option;
  return required(one_of(
      "agg",
      "what to compute: `count`, or `sum`, `avg`, `min`, `max` of every numeric column that is no "
      "key; "
      "or names with aggregate expressions; or a list of aggregate expressions",
      {word("", {"count", "sum", "avg", "mean", "min", "max"},
            "one aggregate of every numeric column"),
       map_of(expression("", "an aggregate expression"), "", "names and aggregate expressions"),
       list_of(expression("", "an aggregate expression"), "", "aggregate expressions")}));
}

Status AggregateList::add(const Binder& binder, std::string_view text, const std::string& name,
                          std::span<const ExpressionPtr> keys, bool has_grouping_id,
                          const ExpressionEnvironment& environment) {
  FLOWRUN_TRY(const AggregateExpression bound, binder.bind_aggregate(text, keys, has_grouping_id));
  std::vector<Field> scope;
  for (const ExpressionPtr& key : keys) scope.push_back({key->name(), key->type()});
  if (has_grouping_id) scope.push_back({"grouping_id", Type::bigint()});
  Item item{bound.result, calls_.size(), bound.calls.size(), nullptr};
  for (const AggregateCall& call : bound.calls) {
    FLOWRUN_TRY(BoundAggregate aggregate, BoundAggregate::bind(call, *environment.functions));
    scope.push_back({call.function, call.type, call.nullable});
    calls_.push_back(std::move(aggregate));
  }
  item.scope = Schema::make(std::move(scope));
  fields_.push_back(
      {name.empty() ? bound.result->name() : name, bound.result->type(), bound.result->nullable()});
  items_.push_back(std::move(item));
  return {};
}

Status AggregateList::add_word(const Binder& binder, const std::string& word, const Schema& schema,
                               std::span<const ExpressionPtr> keys,
                               const ExpressionEnvironment& environment) {
  if (word == "count") return add(binder, "count(*)", "count", keys, false, environment);
  const std::string function = word == "mean" ? "avg" : word;
  for (size_t i = 0; i < schema.num_fields(); ++i) {
    const Field& field = schema.field(i);
    // A key in another letter case does not count as the column, as in Spark.
    const bool is_key = std::ranges::any_of(keys, [&](const ExpressionPtr& key) {
      return key->bare_column() == i && key->name() == field.name;
    });
    if (!field.type.is_numeric() || is_key) continue;
    FLOWRUN_RETURN_IF_ERROR(add(binder, function + "(" + quote_name(field.name) + ")",
                                function + "(" + field.name + ")", keys, false, environment));
  }
  return {};
}

Result<AggregateList> AggregateList::bind(const OptionValue& option, const SchemaPtr& schema,
                                          std::span<const ExpressionPtr> keys, bool has_grouping_id,
                                          const ExpressionEnvironment& environment) {
  const Binder binder(Scope{schema}, environment);
  AggregateList list;
  if (option.kind == OptionKind::word) {
    auto added = list.add_word(binder, option.text, *schema, keys, environment);
    if (!added) return option.place(std::move(added.error()));
    return list;
  }
  for (size_t i = 0; i < option.items.size(); ++i) {
    const OptionValue& item = option.items[i];
    std::string name = option.kind == OptionKind::map ? option.keys[i].first : "";
    auto added = list.add(binder, item.text, std::move(name), keys, has_grouping_id, environment);
    if (!added) return item.place(std::move(added.error()));
  }
  return list;
}

std::vector<size_t> AggregateList::columns() const {
  std::vector<size_t> columns;
  const auto add_columns = [&](const ExpressionPtr& expression) {
    if (expression)
      columns.insert(columns.end(), expression->columns().begin(), expression->columns().end());
  };
  for (const BoundAggregate& call : calls_) {
    for (const ExpressionPtr& argument : call.call().arguments) add_columns(argument);
    add_columns(call.call().filter);
  }
  return columns;
}

AggregateStates AggregateList::make_states() const {
  AggregateStates states;
  for (const BoundAggregate& call : calls_) states.push_back(call.make_states());
  return states;
}

Status AggregateList::update(AggregateStates& states, size_t num_groups,
                             std::span<const uint32_t> groups, const RecordBatch& batch,
                             const EvaluationContext& context, int64_t sequence) const {
  for (size_t i = 0; i < calls_.size(); ++i) {
    states[i]->resize(num_groups);
    FLOWRUN_RETURN_IF_ERROR(calls_[i].update(*states[i], groups, batch, context, sequence));
  }
  return {};
}

Result<std::vector<ColumnPtr>> AggregateList::results(const AggregateStates& states,
                                                      std::span<const uint32_t> groups,
                                                      std::span<const ColumnPtr> keys,
                                                      const EvaluationContext& context) const {
  std::vector<ColumnPtr> results;
  for (const Item& item : items_) {
    std::vector<ColumnPtr> columns(keys.begin(), keys.end());
    for (size_t i = 0; i < item.num_calls; ++i) {
      FLOWRUN_TRY(ColumnPtr column, states[item.first_call + i]->result(groups));
      columns.push_back(std::move(column));
    }
    const RecordBatch batch(item.scope, static_cast<int64_t>(groups.size()), std::move(columns));
    FLOWRUN_TRY(ColumnPtr result, item.result->evaluate(batch, context));
    results.push_back(std::move(result));
  }
  return results;
}

std::string AggregateList::describe() const {
  std::string text;
  for (const Field& field : fields_) text += (text.empty() ? "" : ", ") + field.name;
  return text;
}

}  // namespace flowrun
