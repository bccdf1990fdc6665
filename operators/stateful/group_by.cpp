// group_by: one row per key, with aggregates over the rows that have it.

#include "runtime/operator/aggregate_list.h"
#include "runtime/operator/aggregation.h"
#include "runtime/operator/option_specs.h"
#include "runtime/operator/registry.h"

namespace flowrun {

namespace {

OperatorSpec spec() {
  using namespace option;
  OperatorSpec spec;
  spec.name = "group_by";
  spec.summary = "Aggregates per key.";
  spec.doc =
      "One row per distinct key; null is a key of its own, NaN equals NaN and -0.0 equals 0.0. "
      "With `[]` there is one "
      "row for all. `append` needs a watermark on one of the keys: a group comes out once, when "
      "the watermark has "
      "passed its time. Rows that come later than that are counted and offered on `.late`.";
  spec.primary = list_of(expression("group_by", "an expression whose values are the keys"));
  spec.options = {AggregateList::option()};
  spec.ports = {"late"};
  spec.examples = {
      {"Rows per activity", "activities: { from: clean, group_by: [gt], agg: count }\n"},
      {"Named aggregates",
       "stats: { from: clean, group_by: [gt, Model], agg: { readings: count(*), highest: max(z) } "
       "}\n"},
  };
  return spec;
}

}  // namespace

void register_group_by(Registry& registry) {
  registry.add_stateful(
      spec(),
      [](const Options& options, const MakeContext& context) -> Result<std::unique_ptr<Stateful>> {
        return make_aggregation({.name = "group_by",
                                 .keys = options.at("group_by").items,
                                 .aggregates = options.at("agg"),
                                 .window = {},
                                 .sets = {}},
                                context.expressions);
      });
}

}  // namespace flowrun
