// rollup: aggregates per key and over every leading part of the keys.

#include "runtime/operator/aggregate_list.h"
#include "runtime/operator/aggregation.h"
#include "runtime/operator/option_specs.h"
#include "runtime/operator/registry.h"

namespace flowrun {

namespace {

OperatorSpec spec() {
  using namespace option;
  OperatorSpec spec;
  spec.name = "rollup";
  spec.summary = "Aggregates per key and over every leading part of the keys.";
  spec.doc =
      "As `group_by` over all keys, over all but the last, and so on to none: subtotals and the "
      "total. A key that is left out is null in the row; `grouping(key)` and `grouping_id()` tell "
      "such a null from one in the data.";
  spec.primary = list_of(expression("rollup", "an expression whose values are the keys"));
  spec.options = {AggregateList::option()};
  spec.ports = {"late"};
  spec.examples = {
      {"Rows per model of an activity, per activity, and over all",
       "totals: { from: clean, rollup: [gt, Model], agg: count }\n"},
  };
  return spec;
}

std::vector<std::vector<bool>> leading_parts(size_t num_keys) {
  std::vector<std::vector<bool>> sets;
  for (size_t length = num_keys + 1; length-- > 0;) {
    std::vector<bool>& set = sets.emplace_back(num_keys);
    for (size_t i = 0; i < length; ++i) set[i] = true;
  }
  return sets;
}

}  // namespace

void register_rollup(Registry& registry) {
  registry.add_stateful(
      spec(),
      [](const Options& options, const MakeContext& context) -> Result<std::unique_ptr<Stateful>> {
        const OptionValue& keys = options.at("rollup");
        return make_aggregation({.name = "rollup",
                                 .keys = keys.items,
                                 .aggregates = options.at("agg"),
                                 .window = {},
                                 .sets = leading_parts(keys.items.size())},
                                context.expressions);
      });
}

}  // namespace flowrun
