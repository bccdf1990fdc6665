#pragma once
// The type of a JSON text, as Spark's schema_of_json and its schema inference find it.
//
//   FLOWRUN_TRY(Type type, infer_json_type(R"({"b":[1.5,"x"],"a":1})", {}));
//   type.ddl();   // "STRUCT<a: BIGINT, b: ARRAY<STRING>>"
//
// Whole numbers are bigint, or a decimal if they are longer; others double. Fields stand in the
// order of their names. What is null or an empty string everywhere is a string, an object without
// fields is left out, types that have nothing in common meet as string.

#include <string_view>

#include "runtime/base/status.h"
#include "runtime/columnar/type.h"
#include "runtime/format/json_options.h"

namespace flowrun {

struct JsonInferOptions {
  JsonReadOptions read;
  bool primitives_as_string = false;
  bool prefers_decimal = false;  // over double, where 38 digits are enough
};

// The type of the one value that the text begins with. Errors: `data`, for text that is no JSON.
Result<Type> infer_json_type(std::string_view text, const JsonInferOptions& options);

}  // namespace flowrun
