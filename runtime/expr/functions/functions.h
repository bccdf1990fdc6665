#pragma once
// One register function per theme file of this folder; register_all_functions calls each.

#include "runtime/expr/function_registry.h"

namespace flowrun {

void register_arithmetic_functions(FunctionRegistry& registry);
void register_array_functions(FunctionRegistry& registry);
void register_array_make_functions(FunctionRegistry& registry);
void register_array_zip_functions(FunctionRegistry& registry);
void register_bitwise_functions(FunctionRegistry& registry);
void register_comparison_functions(FunctionRegistry& registry);
void register_conditional_functions(FunctionRegistry& registry);
void register_date_arithmetic_functions(FunctionRegistry& registry);
void register_date_part_functions(FunctionRegistry& registry);
void register_date_text_functions(FunctionRegistry& registry);
void register_datetime_arithmetic_functions(FunctionRegistry& registry);
void register_hash_functions(FunctionRegistry& registry);
void register_interval_make_functions(FunctionRegistry& registry);
void register_introspection_functions(FunctionRegistry& registry);
void register_json_functions(FunctionRegistry& registry);
void register_lambda_functions(FunctionRegistry& registry);
void register_lambda_fold_functions(FunctionRegistry& registry);
void register_like_functions(FunctionRegistry& registry);
void register_logic_functions(FunctionRegistry& registry);
void register_map_functions(FunctionRegistry& registry);
void register_math_functions(FunctionRegistry& registry);
void register_nested_functions(FunctionRegistry& registry);
void register_number_text_functions(FunctionRegistry& registry);
void register_regex_functions(FunctionRegistry& registry);
void register_rounding_functions(FunctionRegistry& registry);
void register_sequence_functions(FunctionRegistry& registry);
void register_string_functions(FunctionRegistry& registry);
void register_string_encoding_functions(FunctionRegistry& registry);
void register_string_mask_functions(FunctionRegistry& registry);
void register_string_search_functions(FunctionRegistry& registry);
void register_try_functions(FunctionRegistry& registry);
void register_url_functions(FunctionRegistry& registry);

}  // namespace flowrun
