#include "runtime/expr/functions/event_window.h"
#include "runtime/expr/functions/functions.h"

namespace flowrun {

void register_all_functions(FunctionRegistry& registry) {
  register_arithmetic_functions(registry);
  register_array_functions(registry);
  register_array_make_functions(registry);
  register_array_zip_functions(registry);
  register_bitwise_functions(registry);
  register_comparison_functions(registry);
  register_conditional_functions(registry);
  register_date_arithmetic_functions(registry);
  register_date_part_functions(registry);
  register_date_text_functions(registry);
  register_datetime_arithmetic_functions(registry);
  register_event_window_functions(registry);
  register_hash_functions(registry);
  register_interval_make_functions(registry);
  register_introspection_functions(registry);
  register_json_functions(registry);
  register_lambda_functions(registry);
  register_lambda_fold_functions(registry);
  register_like_functions(registry);
  register_logic_functions(registry);
  register_map_functions(registry);
  register_math_functions(registry);
  register_nested_functions(registry);
  register_number_text_functions(registry);
  register_regex_functions(registry);
  register_rounding_functions(registry);
  register_sequence_functions(registry);
  register_string_functions(registry);
  register_string_encoding_functions(registry);
  register_string_mask_functions(registry);
  register_string_search_functions(registry);
  register_try_functions(registry);
  register_url_functions(registry);
}

}  // namespace flowrun
