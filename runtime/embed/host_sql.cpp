#include "runtime/embed/host_sql.h"

#include <limits>

#ifdef FLOWRUN_WITH_SQL
#include "runtime/sql/engine_tables.h"
#include "runtime/sql/sql.h"
#endif

namespace flowrun {

#ifdef FLOWRUN_WITH_SQL

namespace {

constexpr int64_t kNoBound = std::numeric_limits<int64_t>::max() / 2;  // now + it is a time

// Errors of SQL carry an offset; people count lines.
Position position_in(std::string_view statement, size_t offset) {
  Position position{nullptr, 1, 1, 0};
  for (const char c : statement.substr(0, offset)) {
    position.line += c == '\n' ? 1 : 0;
    position.column = c == '\n' ? 1 : position.column + 1;
  }
  return position;
}

}  // namespace

struct HostSql::Tables {
  explicit Tables(Pipeline& pipeline)
      : sql(pipeline.functions(), pipeline.timezone()), tables(pipeline.engine()) {}
  const Sql sql;
  EngineTables tables;
};

HostSql::HostSql(Pipeline& pipeline) : tables_(std::make_unique<Tables>(pipeline)) {}
HostSql::~HostSql() = default;

Result<HostSql::Answer> HostSql::run(std::string_view statement, const Limits& limits) const {
  SqlOptions options;
  options.max_rows = limits.max_rows > 0 ? limits.max_rows : kNoBound;
  options.max_memory = kNoBound;
  options.time_limit = limits.time_limit > 0 ? limits.time_limit : kNoBound;
  options.cancelled = limits.cancelled;
  auto result = tables_->sql.run(statement, tables_->tables.tables(), options);
  if (result) return Answer{std::move(result->rows), result->more};
  Error error = std::move(result.error());
  if (error.offset) error.position = position_in(statement, *error.offset);
  return error;
}

#else

struct HostSql::Tables {};

HostSql::HostSql(Pipeline&) {}
HostSql::~HostSql() = default;

Result<HostSql::Answer> HostSql::run(std::string_view, const Limits&) const {
  return Error::invalid("this flowrun was built without SQL — build it with FLOWRUN_SQL=ON");
}

#endif

}  // namespace flowrun
