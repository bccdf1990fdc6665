#pragma once
// flowrun's scalar functions, called by SQLite.

#include <string>
#include <vector>

#include "runtime/expr/expression.h"
#include "runtime/sql/sql_value.h"

struct sqlite3;

namespace flowrun {

// What the functions of one connection share; outlives it.
struct SqlFunctionContext {
  SqlTypes& types;
  const ExpressionEnvironment& environment;
  EvaluationContext evaluation;
};

// Registers those of `names` that flowrun has. `context` must outlive the connection.
Status register_sql_functions(sqlite3* database, const std::vector<std::string>& names,
                              SqlFunctionContext& context);

}  // namespace flowrun
