// count, count_if, sum, avg, min, max.

#include "runtime/expr/function_registry.h"
#include "runtime/state/aggregate_functions.h"
#include "runtime/state/aggregates/entry.h"
#include "runtime/state/aggregates/extreme.h"
#include "runtime/state/aggregates/pod_states.h"
#include "runtime/state/aggregates/sum.h"

namespace flowrun {

namespace {

struct CountOp {
  struct State {
    int64_t count = 0;
  };
  using Builder = FixedBuilder<int64_t>;
  Type result = Type::bigint();

  void update(std::span<State> states, const UpdateRows& rows) const {
    rows.for_each_complete([&](int64_t i) { ++states[rows.group(i)].count; });
  }
  void merge(State& into, const State& from) const { into.count += from.count; }
  void finish(const State& state, Builder& out) const { out.append(state.count); }
};

struct CountIfOp : CountOp {
  void update(std::span<State> states, const UpdateRows& rows) const {
    const Column& condition = *rows.arguments[0];
    rows.for_each_valid(
        condition, [&](int64_t i) { states[rows.group(i)].count += condition.boolean(i) ? 1 : 0; });
  }
};

Result<AggregateSignature> resolve_count(AggregateTypes arguments, AggregateConstants) {
  return AggregateSignature{{arguments.begin(), arguments.end()}, Type::bigint(), false};
}

Result<AggregateSignature> resolve_count_if(AggregateTypes arguments, AggregateConstants) {
  FLOWRUN_RETURN_IF_ERROR(check_argument_count(arguments.size(), 1, 1));
  if (arguments[0].id() != TypeId::boolean && arguments[0].id() != TypeId::null) {
    return unexpected_type("a boolean", arguments[0]);
  }
  return AggregateSignature{{Type::boolean()}, Type::bigint(), false};
}

std::unique_ptr<GroupStates> make_count(const AggregateSignature&, AggregateConstants) {
  return make_pod_states(CountOp{});
}
std::unique_ptr<GroupStates> make_count_if(const AggregateSignature&, AggregateConstants) {
  return make_pod_states(CountIfOp{});
}

}  // namespace

void register_basic_aggregates(FunctionRegistry& registry) {
  registry.add(aggregate_entry(
      "count", "count(*), count(x, ...): how many rows, or rows in which no argument is null.",
      resolve_count, make_count));
  registry.add(aggregate_entry("count_if", "count_if(condition): how many rows meet the condition.",
                               resolve_count_if, make_count_if));
  registry.add(aggregate_entry("sum",
                               "sum(x): the sum of the non-null values; null of none. Sums of "
                               "whole numbers are bigint and wrap.",
                               resolve_sum, make_sum));
  registry.add(aggregate_entry("try_sum", "try_sum(x): as sum, null where it overflows.",
                               resolve_sum, make_try_sum));
  registry.add(aggregate_entry("avg", "avg(x): the mean of the non-null values; null of none.",
                               resolve_average, make_average));
  registry.add(
      aggregate_entry("mean", "mean(x): avg(x) by another name.", resolve_average, make_average));
  registry.add(aggregate_entry("try_avg", "try_avg(x): as avg, null where it overflows.",
                               resolve_average, make_average));
  registry.add(aggregate_entry("min", "min(x): the least of the non-null values.", resolve_extreme,
                               make_min));
  registry.add(aggregate_entry(
      "max", "max(x): the greatest of the non-null values; NaN is the greatest double.",
      resolve_extreme, make_max));
}

}  // namespace flowrun
