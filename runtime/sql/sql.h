#pragma once
// Sql: one SELECT at a time over tables held as record batches, by SQLite.
//
//   Sql sql(functions, "UTC");
//   FLOWRUN_TRY(SqlResult result, sql.run("select k, count from counts where k = 'a'", tables,
//   {})); std::fputs(show_frame(result.rows, {}).c_str(), stdout);
//
// The language is SQLite's with what Spark's users expect where the two differ in the small: LIKE
// minds case, `/` gives doubles, "text" in double quotes is text, `a.b` reaches into structs, CAST
// and every scalar and aggregate function are flowrun's. docs/sql.md lists what remains different.
//
// Knows nothing of engines, files or HTTP.

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/columnar/record_batch.h"

namespace flowrun {

class FunctionRegistry;

// A table as one statement sees it.
struct SqlTable {
  std::string name;
  SchemaPtr schema;
  std::vector<RecordBatch> batches = {};
  // Set for a table that is read only if the statement names it; then it gives the batches.
  std::function<Result<std::vector<RecordBatch>>()> load = {};
  std::string kind = "live";  // for `show tables`
};

struct SqlOptions {
  int64_t max_rows = 100'000;
  int64_t time_limit = 10'000'000;  // microseconds
  // What to raise when the time was not enough; for the message.
  std::string time_limit_name = "the time limit";
  // Bytes that aggregate functions may hold of the rows of their groups.
  int64_t max_memory = int64_t{256} << 20;
  std::function<bool()> cancelled = {};  // asked now and then, on the thread of run
};

struct SqlResult {
  RecordBatch rows;
  bool more = false;  // there were more rows than max_rows
};

// Immutable and thread-safe; `functions` outlives it.
class Sql {
 public:
  Sql(const FunctionRegistry& functions, std::string zone);

  // Errors: `invalid` with the offset in `statement`, and for what the data makes fail; `cancelled`
  // when it took too long or was cancelled. Changes nothing: whatever is no question is refused.
  [[nodiscard]] Result<SqlResult> run(std::string_view statement,
                                      const std::vector<SqlTable>& tables,
                                      const SqlOptions& options) const;

  // Names that may be typed: words of the language, tables, columns, functions. For completion.
  [[nodiscard]] std::vector<std::string> words(const std::vector<SqlTable>& tables) const;

 private:
  const FunctionRegistry& functions_;
  std::string timezone_;
};

// The error with the line of the statement that it is about and a mark below the place.
std::string point_into(std::string_view statement, const Error& error);

}  // namespace flowrun
