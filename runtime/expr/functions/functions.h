#pragma once
// One register function per theme file of this folder; register_all_functions calls each.

#include "runtime/expr/function_registry.h"

namespace flowrun {

void register_math_functions(FunctionRegistry& registry);
void register_string_functions(FunctionRegistry& registry);
void register_string_encoding_functions(FunctionRegistry& registry);
void register_string_search_functions(FunctionRegistry& registry);

}  // namespace flowrun
