// grouping_sets: aggregates per key, for several sets of keys at once.

#include <algorithm>

#include "runtime/operator/aggregate_list.h"
#include "runtime/operator/aggregation.h"
#include "runtime/operator/option_specs.h"
#include "runtime/operator/registry.h"

namespace flowrun {

namespace {

OperatorSpec spec() {
  using namespace option;
  OperatorSpec spec;
  spec.name = "grouping_sets";
  spec.summary = "Aggregates per key, for several sets of keys at once.";
  spec.doc =
      "As `group_by` over each of the lists, `[]` being the total. The keys are those of all lists "
      "in the order in "
      "which they are first named; a key that a list leaves out is null in its rows. "
      "`grouping(key)` and "
      "`grouping_id()` tell such a null from one in the data.";
  spec.primary = list_of(list_of(expression("", "an expression whose values are the keys")),
                         "grouping_sets", "lists of keys");
  spec.options = {AggregateList::option()};
  spec.ports = {"late"};
  spec.examples = {{"Rows per activity, per model, and over all",
                    "totals: { from: clean, grouping_sets: [[gt], [Model], []], agg: count }\n"}};
  return spec;
}

// Every key that a list names, in order, each once.
std::vector<OptionValue> distinct_keys(const OptionValue& lists) {
  std::vector<OptionValue> keys;
  for (const OptionValue& list : lists.items) {
    for (const OptionValue& key : list.items) {
      const bool known = std::ranges::any_of(
          keys, [&](const OptionValue& other) { return names_equal(other.text, key.text); });
      if (!known) keys.push_back(key);
    }
  }
  return keys;
}

std::vector<std::vector<bool>> sets_of(const OptionValue& lists,
                                       const std::vector<OptionValue>& keys) {
  std::vector<std::vector<bool>> sets;
  for (const OptionValue& list : lists.items) {
    std::vector<bool>& set = sets.emplace_back(keys.size());
    for (size_t i = 0; i < keys.size(); ++i) {
      set[i] = std::ranges::any_of(
          list.items, [&](const OptionValue& key) { return names_equal(key.text, keys[i].text); });
    }
  }
  return sets;
}

}  // namespace

void register_grouping_sets(Registry& registry) {
  registry.add_stateful(
      spec(),
      [](const Options& options, const MakeContext& context) -> Result<std::unique_ptr<Stateful>> {
        const OptionValue& lists = options.at("grouping_sets");
        if (lists.items.empty()) {
          return Error::invalid("grouping_sets needs at least one list — `[]` in it is the total")
              .at(lists.position);
        }
        std::vector<OptionValue> keys = distinct_keys(lists);
        std::vector<std::vector<bool>> sets = sets_of(lists, keys);
        return make_aggregation({.name = "grouping_sets",
                                 .keys = std::move(keys),
                                 .aggregates = options.at("agg"),
                                 .window = {},
                                 .sets = std::move(sets)},
                                context.expressions);
      });
}

}  // namespace flowrun
