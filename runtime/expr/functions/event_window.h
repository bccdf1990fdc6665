#pragma once
// window and window_time: event time by the grid of the window operator.

#include <optional>

#include "runtime/expr/expression.h"
#include "runtime/expr/function_registry.h"

namespace flowrun {

void register_event_window_functions(FunctionRegistry& registry);

// The column whose event time the expression is: a column by itself, a window of one, or the
// window_time of such a window. A watermark on that column is one on the expression.
std::optional<size_t> event_time_column(const Expression& expression);

}  // namespace flowrun
