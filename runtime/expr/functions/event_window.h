#pragma once
// window and window_time: event time by the grid of the window operator.

#include "runtime/expr/function_registry.h"

namespace flowrun {

void register_event_window_functions(FunctionRegistry& registry);

}  // namespace flowrun
