#pragma once
// flowrun's aggregate functions, called by SQLite.
//
// SQLite gives the rows of a group one after the other: they are collected as columns, and when the
// group is whole (or many rows are there) the function is bound to the types they turned out to
// have and given them.

#include <optional>
#include <vector>

#include "runtime/expr/expression.h"
#include "runtime/sql/sql_calls.h"
#include "runtime/sql/sql_table.h"
#include "runtime/sql/sql_value.h"

struct sqlite3;

namespace flowrun {

// What the functions of one connection share; outlives it. Not thread-safe.
struct SqlAggregateContext {
  SqlTypes& types;
  const ExpressionEnvironment& environment;
  const EvaluationContext& evaluation;
  const SqlDeadline& deadline;
  int64_t max_memory;                // of what all calls hold at one time, in bytes
  int64_t memory = 0;                // of what is collected now
  std::optional<Error> failed = {};  // with the offset in the statement, once a call has failed
};

// One function per call, under its sqlite_name. `columns` tells the types of arguments: SQLite does
// not. `context` must outlive the connection.
Status register_sql_aggregates(sqlite3* database, const std::vector<SqlAggregateCall>& calls,
                               const SchemaPtr& columns, SqlAggregateContext& context);

}  // namespace flowrun
