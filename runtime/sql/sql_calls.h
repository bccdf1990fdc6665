#pragma once
// The calls of aggregate functions in a statement, and what SQLite is given in their place.
//
// SQLite knows neither WITHIN GROUP nor IGNORE NULLS nor DISTINCT of several arguments, and gives a
// function its values without their types. So each call gets a name of its own, under which a
// function is registered that knows how the call was written:
//
//   percentile_cont(0.5) within group (order by x desc)  ->  "percentile_cont#1"(0.5,x)

#include <deque>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/columnar/type.h"
#include "runtime/sql/sql_table.h"
#include "runtime/sql/sql_text.h"

namespace flowrun {

// One call; calls that are written alike are one.
struct SqlAggregateCall {
  std::string function;     // lower case
  std::string sqlite_name;  // "percentile_cont#1"
  size_t offset = 0;        // in the statement
  bool distinct = false;
  bool ignore_nulls = false;
  std::vector<std::string> arguments;  // as written; those of ORDER BY are the last
  std::vector<std::string> order;      // what follows each of these: " desc nulls last"
};

struct SqlAggregateCalls {
  std::vector<SqlAggregateCall> calls;
  SqlText::Edits edits;
};

// What SQLite does itself is left to it: count(*) and count(x), min(a, b) and max(a, b), which are
// no aggregates there, and whatever has an OVER.
SqlAggregateCalls find_aggregate_calls(std::string_view statement,
                                       const std::vector<StatementToken>& tokens,
                                       const std::function<bool(std::string_view)>& is_aggregate);

// The columns of the tables that the statement names, qualified as it names them.
SchemaPtr columns_of_named_tables(std::string_view statement,
                                  const std::vector<StatementToken>& tokens,
                                  const std::deque<SqlTableSource>& sources);

}  // namespace flowrun
