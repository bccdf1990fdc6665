#include "runtime/expr/functions/functions.h"

namespace flowrun {

void register_all_functions(FunctionRegistry& registry) {
  register_math_functions(registry);
  register_string_functions(registry);
  register_string_encoding_functions(registry);
  register_string_search_functions(registry);
}

}  // namespace flowrun
