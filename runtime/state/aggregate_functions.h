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
void register_basic_aggregates(FunctionRegistry& registry);     // count, sum, avg, min, max
void register_pick_aggregates(FunctionRegistry& registry);      // first, last, max_by
void register_logic_aggregates(FunctionRegistry& registry);     // bool_and, bit_or
void register_moment_aggregates(FunctionRegistry& registry);    // stddev, corr, regr_slope
void register_collect_aggregates(FunctionRegistry& registry);   // collect_list, collect_set
void register_quantile_aggregates(FunctionRegistry& registry);  // percentile, median, mode
void register_sketch_aggregates(
    FunctionRegistry& registry);  // approx_count_distinct, percentile_approx

}  // namespace flowrun
