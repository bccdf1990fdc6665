#include "runtime/state/aggregate_functions.h"

namespace flowrun {

void register_aggregate_functions(FunctionRegistry& registry) {
  register_basic_aggregates(registry);
  register_pick_aggregates(registry);
  register_logic_aggregates(registry);
  register_moment_aggregates(registry);
  register_collect_aggregates(registry);
  register_quantile_aggregates(registry);
  register_sketch_aggregates(registry);
}

}  // namespace flowrun
