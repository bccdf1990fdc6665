#include "runtime/state/aggregate_functions.h"

namespace flowrun {

void register_aggregate_functions(FunctionRegistry& registry) {
  register_basic_aggregates(registry);
}

}  // namespace flowrun
