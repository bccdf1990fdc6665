#pragma once
// Tables of record batches as SQLite's virtual tables, read only.

#include <functional>
#include <string>
#include <vector>

#include "runtime/sql/sql.h"
#include "runtime/sql/sql_value.h"

struct sqlite3;

namespace flowrun {

// Until when a statement may run, and whether somebody wants it ended. Thread-safe.
class SqlDeadline {
 public:
  SqlDeadline(int64_t time_limit, std::function<bool()> cancelled);
  [[nodiscard]] bool over() const;
  [[nodiscard]] bool cancelled() const { return cancelled_ && cancelled_(); }

 private:
  int64_t end_;
  std::function<bool()> cancelled_;
};

// A column of a virtual table: one of the table's, or a field inside of one.
struct SqlColumn {
  std::string name;          // "window", "window.start"
  std::vector<size_t> path;  // the table's column, then fields
  size_t type = 0;           // in SqlTypes
  bool hidden = false;       // reached by its name only
};

// One table under its name; lives as long as the connection.
struct SqlTableSource {
  const SqlTable* table = nullptr;
  std::vector<SqlColumn> columns;
  SqlTypes* types = nullptr;
  const SqlDeadline* deadline = nullptr;
  bool* declaring = nullptr;  // set while the table is made known: SQLite takes that for a CREATE
};

// The columns of a table, those inside of structs too; names that repeat get a number.
std::vector<SqlColumn> sql_columns(const SqlTable& table, SqlTypes& types);

// `source` must outlive the connection.
Status register_sql_table(sqlite3* database, const SqlTableSource& source);

}  // namespace flowrun
