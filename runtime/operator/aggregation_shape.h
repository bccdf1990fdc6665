#pragma once
// What an aggregation is once it is bound: shared by its workers' locals and the partitions of its
// state.

#include <optional>
#include <vector>

#include "runtime/expr/window_grid.h"
#include "runtime/operator/aggregate_list.h"
#include "runtime/state/group_table.h"

namespace flowrun {

// The key that the watermark ends.
struct TimeKey {
  enum class Kind : uint8_t { window, time, earlier_window } kind;
  size_t index;  // among the keys of the state
};

// Keys of a local:     [pane's begin,] keys
// Keys of the state:   [pane's begin,] keys [, number of the grouping set]
// Columns of the output: [window,] keys, aggregates
struct AggregationShape {
  std::vector<ExpressionPtr> keys;
  std::vector<std::vector<bool>> sets;
  std::optional<WindowGrid> window;
  std::optional<TimeKey> time_key;  // none: no watermark bounds the groups
  AggregateList aggregates;
  SchemaPtr output;

  [[nodiscard]] bool is_global() const { return keys.empty() && !window && sets.empty(); }
  [[nodiscard]] std::vector<Type> local_types() const;
  [[nodiscard]] std::vector<Type> state_types() const;
  // Spark's grouping_id of a set: a bit per key, the first key's highest, set where the key is left
  // out.
  [[nodiscard]] int64_t grouping_id(size_t set) const;
};

// One worker's groups of one epoch.
struct LocalGroups {
  explicit LocalGroups(const AggregationShape& shape)
      : table(shape.local_types()), states(shape.aggregates.make_states()) {}

  GroupTable table;
  AggregateStates states;
};

}  // namespace flowrun
