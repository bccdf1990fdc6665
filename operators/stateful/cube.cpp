// cube: aggregates per key and over every subset of the keys.

#include "runtime/operator/aggregate_list.h"
#include "runtime/operator/aggregation.h"
#include "runtime/operator/option_specs.h"
#include "runtime/operator/registry.h"

namespace flowrun {

namespace {

// Each key doubles the sets.
constexpr size_t kMostKeys = 12;

OperatorSpec spec() {
  using namespace option;
  OperatorSpec spec;
  spec.name = "cube";
  spec.summary = "Aggregates per key and over every subset of the keys.";
  spec.doc =
      "As `group_by` over each subset of the keys: a key that is left out is null in the row. "
      "`grouping(key)` and `grouping_id()` tell such a null from one in the data.";
  spec.primary = list_of(expression("cube", "an expression whose values are the keys"));
  spec.options = {AggregateList::option()};
  spec.ports = {"late"};
  spec.examples = {
      {"Averages per activity and model, per each, and over all",
       "averages: { from: clean, cube: [gt, Model], agg: { x: avg(x), y: avg(y) } }\n"},
  };
  return spec;
}

std::vector<std::vector<bool>> subsets(size_t num_keys) {
  std::vector<std::vector<bool>> sets;
  for (size_t left_out = 0; left_out < size_t{1} << num_keys; ++left_out) {
    std::vector<bool>& set = sets.emplace_back(num_keys);
    for (size_t i = 0; i < num_keys; ++i) set[i] = (left_out >> i & 1) == 0;
  }
  return sets;
}

}  // namespace

void register_cube(Registry& registry) {
  registry.add_stateful(
      spec(),
      [](const Options& options, const MakeContext& context) -> Result<std::unique_ptr<Stateful>> {
        const OptionValue& keys = options.at("cube");
        if (keys.items.size() > kMostKeys) {
          return Error::invalid(
                     "cube takes at most 12 keys, for each doubles its groups — use "
                     "`grouping_sets:`")
              .at(keys.position);
        }
        return make_aggregation({.name = "cube",
                                 .keys = keys.items,
                                 .aggregates = options.at("agg"),
                                 .window = {},
                                 .sets = subsets(keys.items.size())},
                                context.expressions);
      });
}

}  // namespace flowrun
