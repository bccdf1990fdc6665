#pragma once
// Statements and their answers as text, for the tests of this folder.

#include <string>
#include <string_view>

#include "runtime/expr/function_registry.h"
#include "runtime/format/json_writer.h"
#include "runtime/sql/sql.h"
#include "runtime/state/aggregate_functions.h"
#include "tests/support/json_rows.h"

namespace flowrun {

inline const FunctionRegistry& functions() {
  static const FunctionRegistry kFunctions = [] {
    FunctionRegistry registry;
    register_all_functions(registry);
    register_aggregate_functions(registry);
    return registry;
  }();
  return kFunctions;
}

inline SqlTable table(const std::string& name, std::string_view ddl, std::string_view lines) {
  const RecordBatch rows = rows_from_json(ddl, lines);
  // Two batches, so that a cursor crosses from one to the other.
  const int64_t half = rows.num_rows() / 2;
  return {name, rows.schema(), {rows.slice(0, half), rows.slice(half, rows.num_rows() - half)}};
}

// Rows as JSON arrays, one a line.
inline std::string lines_of(const Result<SqlResult>& result) {
  if (!result) return "error: " + result.error().message;
  std::string out;
  JsonWriteOptions options;
  options.ignore_null_fields = false;
  for (int64_t row = 0; row < result->rows.num_rows(); ++row) {
    for (size_t i = 0; i < result->rows.num_columns(); ++i) {
      out += i > 0 ? "," : "";
      append_json(*result->rows.column(i), row, options, out);
    }
    out += "\n";
  }
  return out;
}

}  // namespace flowrun
