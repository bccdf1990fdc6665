#pragma once
// The aggregate functions of Spark SQL, as keyed state computes them.
//
//   FunctionRegistry functions;
//   register_aggregate_functions(functions);
//
// One entry per function, grouped by theme in state/aggregates/.

namespace flowrun {

class FunctionRegistry;

void register_aggregate_functions(FunctionRegistry& registry);

// By theme; called by the above.
void register_basic_aggregates(FunctionRegistry& registry);  // count, sum, avg, min, max

}  // namespace flowrun
