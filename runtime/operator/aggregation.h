#pragma once
// Aggregation: the one implementation behind group_by, cube, rollup, grouping_sets and window.
//
// Rows are aggregated by worker into a Local at the finest grain (all keys; panes instead of
// windows). When the epoch closes, each local group is expanded to the groups of the state that it
// belongs to (grouping sets, windows) and merged. What the operators differ in is their options;
// each is a file in operators/stateful/.

#include <memory>
#include <optional>
#include <vector>

#include "runtime/expr/window_grid.h"
#include "runtime/operator/options.h"
#include "runtime/operator/stateful.h"

namespace flowrun {

struct AggregationOptions {
  struct Window {
    WindowGrid grid;
    OptionValue on;  // expression of a timestamp, or of an earlier window
  };

  std::string name;               // of the operator: "group_by"
  std::vector<OptionValue> keys;  // expressions
  OptionValue aggregates;         // AggregateList::option()
  std::optional<Window> window;
  // For each grouping set which keys are in it; empty: one set of all keys, and grouping_id() does
  // not exist.
  std::vector<std::vector<bool>> sets;
};

// `environment` must outlive the operator.
std::unique_ptr<Stateful> make_aggregation(AggregationOptions options,
                                           const ExpressionEnvironment* environment);

}  // namespace flowrun
