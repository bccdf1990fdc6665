#include "runtime/expr/functions/functions.h"

namespace flowrun {

void register_all_functions(FunctionRegistry& registry) {
  register_math_functions(registry);
  register_string_functions(registry);
}

}  // namespace flowrun
