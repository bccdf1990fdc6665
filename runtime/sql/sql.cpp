#include "runtime/sql/sql.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <deque>
#include <memory>
#include <set>

#include "runtime/base/clock.h"
#include "runtime/base/suggest.h"
#include "runtime/expr/function_registry.h"
#include "runtime/format/text.h"
#include "runtime/sql/sql_aggregates.h"
#include "runtime/sql/sql_calls.h"
#include "runtime/sql/sql_functions.h"
#include "runtime/sql/sql_table.h"
#include "runtime/sql/sql_text.h"
#include "runtime/sql/sql_value.h"

namespace flowrun {

namespace {

constexpr int kStepsBetweenLooks = 10'000;  // of SQLite's machine
constexpr int kMostBytes = 64 << 20;        // of a value
constexpr int kMostStatementBytes = 1 << 20;
constexpr int kMostDepth = 200;

struct CloseDatabase {
  void operator()(sqlite3* database) const { sqlite3_close_v2(database); }
};
struct FinishStatement {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Statement = std::unique_ptr<sqlite3_stmt, FinishStatement>;

// Questions only, but for what makes a table known.
int authorize(void* declaring, int action, const char*, const char*, const char*, const char*) {
  if (*static_cast<const bool*>(declaring)) return SQLITE_OK;
  switch (action) {
    case SQLITE_SELECT:
    case SQLITE_READ:
    case SQLITE_FUNCTION:
    case SQLITE_RECURSIVE:
      return SQLITE_OK;
    default:
      return SQLITE_DENY;
  }
}

int look_at_clock(void* deadline) {
  return static_cast<const SqlDeadline*>(deadline)->over() ? 1 : 0;
}

// One statement from its text to its rows.
class Query {
 public:
  Query(std::string_view statement, const std::vector<SqlTable>& tables, const SqlOptions& options,
        const ExpressionEnvironment& environment, const TimeZone& zone)
      : statement_(statement),
        tables_(tables),
        options_(options),
        environment_(environment),
        types_(zone),
        functions_{types_, environment, {system_clock().now(), environment.timezone}},
        deadline_(options.time_limit, options.cancelled),
        aggregates_{types_, environment, functions_.evaluation, deadline_, options.max_memory} {}

  Result<SqlResult> run() {
    FLOWRUN_TRY(const std::vector<StatementToken> tokens, sql_tokens(statement_));
    FLOWRUN_TRY(std::optional<SqlResult> answer, answer_about_tables(tokens));
    if (answer) return std::move(*answer);
    for (const SqlTable& table : tables_)
      sources_.push_back({&table, sql_columns(table, types_), &types_, &deadline_, &declaring_});
    calls_ = find_aggregate_calls(statement_, tokens, [this](std::string_view name) {
      return environment_.functions->find_aggregate(name) != nullptr;
    });
    FLOWRUN_TRY(SqlText text, SqlText::make(statement_, names(), calls_.edits));
    FLOWRUN_RETURN_IF_ERROR(open(text));
    if (!calls_.calls.empty()) {
      const SchemaPtr columns = columns_of_named_tables(statement_, tokens, sources_);
      FLOWRUN_RETURN_IF_ERROR(
          register_sql_aggregates(database_.get(), calls_.calls, columns, aggregates_));
    }
    FLOWRUN_TRY(const Statement prepared, prepare(text));
    return read(prepared.get(), text);
  }

 private:
  SqlText::Names names() {
    return {[this](std::string_view literal) { return text_of(literal); },
            [this](const std::vector<std::string>& path) { return struct_path(path); },
            [this](std::string_view name) {
              return environment_.functions->find_scalar(name) != nullptr;
            }};
  }

  Result<std::string> text_of(std::string_view literal) const {
    const SchemaPtr schema = Schema::make({});
    FLOWRUN_TRY(const ExpressionPtr expression, Binder(Scope{schema}, environment_).bind(literal));
    FLOWRUN_TRY(const ColumnPtr column,
                expression->evaluate(RecordBatch(schema, 1, {}), functions_.evaluation));
    std::string text;
    append_text(*column, 0, types_.zone(), text);
    return text;
  }

  std::string struct_path(const std::vector<std::string>& path) const {
    std::string dotted;
    for (const std::string& name : path) dotted += (dotted.empty() ? "" : ".") + name;
    for (const SqlTableSource& source : sources_) {
      for (const SqlColumn& column : source.columns) {
        if (column.hidden && names_equal(column.name, dotted)) return column.name;
      }
    }
    return "";
  }

  // `show tables`, `describe NAME`.
  Result<std::optional<SqlResult>> answer_about_tables(const std::vector<StatementToken>& tokens);

  Status open(const SqlText& text) {
    sqlite3* database = nullptr;
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_MEMORY | SQLITE_OPEN_NOMUTEX;
    const int done = sqlite3_open_v2(":memory:", &database, flags, nullptr);
    database_.reset(database);
    if (done != SQLITE_OK)
      return Error::io(fmt::format("cannot start SQLite: {}", sqlite3_errstr(done)));
    sqlite3_limit(database, SQLITE_LIMIT_LENGTH, kMostBytes);
    sqlite3_limit(database, SQLITE_LIMIT_SQL_LENGTH, kMostStatementBytes);
    sqlite3_limit(database, SQLITE_LIMIT_EXPR_DEPTH, kMostDepth);
    sqlite3_limit(database, SQLITE_LIMIT_ATTACHED, 0);
    sqlite3_progress_handler(database, kStepsBetweenLooks, look_at_clock, &deadline_);
    for (const SqlTableSource& source : sources_)
      FLOWRUN_RETURN_IF_ERROR(register_sql_table(database, source));
    FLOWRUN_RETURN_IF_ERROR(register_sql_functions(database, text.functions(), functions_));
    sqlite3_set_authorizer(database, authorize, &declaring_);
    return ok_status();
  }

  // Names that SQLite does not find are tried as paths into structs.
  Result<Statement> prepare(SqlText& text) {
    static constexpr std::string_view kNoColumn = "no such column: ";
    while (true) {
      sqlite3_stmt* prepared = nullptr;
      const char* rest = nullptr;
      const int done = sqlite3_prepare_v2(database_.get(), text.text().c_str(),
                                          static_cast<int>(text.text().size()), &prepared, &rest);
      Statement statement(prepared);
      const bool asks =
          prepared && sqlite3_stmt_readonly(prepared) != 0 && sqlite3_stmt_isexplain(prepared) == 0;
      if (done == SQLITE_OK && asks) return statement;
      if (done == SQLITE_OK)
        return Error::invalid("only questions are answered here — write `select ...`");
      const std::string_view message = sqlite3_errmsg(database_.get());
      const bool is_path = message.starts_with(kNoColumn) &&
                           text.read_as_path(message.substr(kNoColumn.size()), names());
      if (!is_path) return complaint(text);
    }
  }

  Error complaint(const SqlText& text) const;
  std::string explained(std::string_view message) const;

  Result<SqlResult> read(sqlite3_stmt* prepared, const SqlText& text) {
    const auto num_columns = static_cast<size_t>(sqlite3_column_count(prepared));
    std::vector<std::vector<SqlCell>> cells(num_columns);
    SqlResult result;
    int64_t num_rows = 0;
    int done = SQLITE_ROW;
    while ((done = sqlite3_step(prepared)) == SQLITE_ROW) {
      if (num_rows == options_.max_rows) {
        result.more = true;
        break;
      }
      for (size_t i = 0; i < num_columns; ++i)
        cells[i].push_back(read_cell(sqlite3_column_value(prepared, static_cast<int>(i))));
      ++num_rows;
    }
    if (done != SQLITE_ROW && done != SQLITE_DONE) return complaint(text);
    std::vector<Field> fields;
    std::vector<ColumnPtr> columns;
    for (size_t i = 0; i < num_columns; ++i) {
      const int at = static_cast<int>(i);
      const auto declared = types_.declared(sqlite3_column_decltype(prepared, at));
      columns.push_back(types_.column_of(cells[i], declared));
      fields.push_back(
          {shown_name(sqlite3_column_name(prepared, at), text), columns.back()->type()});
      std::vector<SqlCell>().swap(cells[i]);
    }
    result.rows = RecordBatch(Schema::make(std::move(fields)), num_rows, std::move(columns));
    return result;
  }

  // Spark names a field of a struct by its last name.
  std::string shown_name(const char* name, const SqlText& text) const {
    if (!struct_path({name}).empty())
      return std::string(name).substr(std::string(name).rfind('.') + 1);
    return text.original_name(name);
  }

  std::string_view statement_;
  const std::vector<SqlTable>& tables_;
  const SqlOptions& options_;
  const ExpressionEnvironment& environment_;
  SqlTypes types_;
  SqlFunctionContext functions_;
  SqlDeadline deadline_;
  SqlAggregateContext aggregates_;
  SqlAggregateCalls calls_;
  std::deque<SqlTableSource> sources_;
  bool declaring_ = false;
  std::unique_ptr<sqlite3, CloseDatabase> database_;  // closed before what it points to
};

Result<std::optional<SqlResult>> Query::answer_about_tables(
    const std::vector<StatementToken>& tokens) {
  const auto word = [&](size_t i) {
    return i < tokens.size() ? lower_name(tokens[i].in(statement_)) : std::string();
  };
  size_t count = tokens.size();
  while (count > 0 && word(count - 1) == ";") --count;
  const auto texts = [](std::vector<std::string> names, std::deque<StringBuilder>& builders) {
    std::vector<Field> fields;
    std::vector<ColumnPtr> columns;
    for (size_t i = 0; i < names.size(); ++i) {
      fields.push_back({names[i], Type::string()});
      columns.push_back(builders[i].finish());
    }
    const int64_t rows = columns[0]->size();
    return SqlResult{RecordBatch(Schema::make(std::move(fields)), rows, std::move(columns)), false};
  };
  std::deque<StringBuilder> builders;
  for (int i = 0; i < 3; ++i) builders.emplace_back(Type::string());
  if (count == 2 && word(0) == "show" && word(1) == "tables") {
    for (const SqlTable& table : tables_) {
      builders[0].append(table.name);
      builders[1].append(table.kind);
      builders[2].append(table.schema->ddl());
    }
    return std::optional(texts({"table", "kind", "columns"}, builders));
  }
  const bool describes = word(0) == "describe" || word(0) == "desc";
  const size_t at = word(1) == "table" && count == 3 ? 2 : 1;
  if (!describes || count != at + 1) return std::optional<SqlResult>();
  std::string name(tokens[at].in(statement_));
  std::erase(name, '`');
  std::vector<std::string> names;
  for (const SqlTable& table : tables_) {
    names.push_back(table.name);
    if (!names_equal(table.name, name)) continue;
    for (const Field& field : table.schema->fields()) {
      builders[0].append(field.name);
      builders[1].append(field.type.simple_string());
      builders[2].append_null();
    }
    return std::optional(texts({"col_name", "data_type", "comment"}, builders));
  }
  return Error::invalid("no table " + back_quoted(name) + did_you_mean(name, names))
      .at_offset(tokens[at].begin);
}

Error Query::complaint(const SqlText& text) const {
  const int code = sqlite3_errcode(database_.get()) & 0xff;
  if (code == SQLITE_INTERRUPT && deadline_.cancelled()) return Error::cancelled();
  if (code == SQLITE_INTERRUPT)
    return Error::cancelled(fmt::format("this took longer than {} ms — ask for less, or raise {}",
                                        options_.time_limit / 1000, options_.time_limit_name));
  if (aggregates_.failed) return *aggregates_.failed;
  Error error = Error::invalid(explained(sqlite3_errmsg(database_.get())));
  const int offset = sqlite3_error_offset(database_.get());
  if (offset >= 0) error.offset = text.original_offset(static_cast<size_t>(offset));
  return error;
}

// SQLite's words, with what would be right where that can be known.
std::string Query::explained(std::string_view message) const {
  const auto after = [&](std::string_view head) {
    return message.starts_with(head) ? std::string(message.substr(head.size())) : std::string();
  };
  if (const std::string name = after("no such table: "); !name.empty()) {
    std::vector<std::string> names;
    for (const SqlTable& table : tables_) names.push_back(table.name);
    const std::string hint = did_you_mean(name, names);
    const std::string all = names.empty()
                                ? " — this pipeline has no table; a sink `memory` makes one"
                                : " — there are " + back_quoted_list(names);
    return "no table " + back_quoted(name) + (hint.empty() ? all : hint);
  }
  if (std::string name = after("no such column: "); !name.empty()) {
    std::vector<std::string> names;
    for (const SqlTableSource& source : sources_) {
      for (const SqlColumn& column : source.columns) names.push_back(column.name);
    }
    const size_t dot = name.rfind('.');
    return "no column " + back_quoted(name) +
           did_you_mean(dot == std::string::npos ? name : name.substr(dot + 1), names);
  }
  if (const std::string name = after("no such function: "); !name.empty()) {
    std::vector<std::string> names = environment_.functions->names();
    for (const char* own : {"total", "group_concat"}) names.emplace_back(own);
    if (environment_.functions->find_aggregate(name))
      return "no function " + back_quoted(name) +
             " over a window — there count, sum, avg, min, max and first_value are known";
    return "no function " + back_quoted(name) + did_you_mean(name, names);
  }
  if (message == "not authorized" || message.find("prohibited") != std::string_view::npos)
    return "only questions are answered here — write `select ...`";
  // A call of an aggregate function by its own name.
  std::string words(message);
  for (const SqlAggregateCall& call : calls_.calls) {
    const size_t found = words.find(call.sqlite_name);
    if (found != std::string::npos) words.replace(found, call.sqlite_name.size(), call.function);
  }
  return words;
}

}  // namespace

Sql::Sql(const FunctionRegistry& functions, std::string zone)
    : functions_(functions), timezone_(std::move(zone)) {}

Result<SqlResult> Sql::run(std::string_view statement, const std::vector<SqlTable>& tables,
                           const SqlOptions& options) const {
  FLOWRUN_TRY(const TimeZone* zone, find_time_zone(timezone_));
  const ExpressionEnvironment environment{&functions_, timezone_};
  return Query(statement, tables, options, environment, *zone).run();
}

std::vector<std::string> Sql::words(const std::vector<SqlTable>& tables) const {
  std::set<std::string> words = {
      "select", "from",     "where",       "group by", "order by", "having",      "limit",
      "desc",   "distinct", "join",        "left",     "on",       "as",          "and",
      "or",     "not",      "is",          "null",     "like",     "between",     "case",
      "when",   "then",     "else",        "end",      "with",     "union",       "all",
      "filter", "over",     "show tables", "describe", "total",    "group_concat"};
  const auto zone = find_time_zone(timezone_);
  SqlTypes types(zone ? **zone : TimeZone::utc());
  for (const SqlTable& table : tables) {
    words.insert(table.name);
    for (const SqlColumn& column : sql_columns(table, types)) words.insert(column.name);
  }
  for (const std::string& name : functions_.names()) words.insert(name);
  return {words.begin(), words.end()};
}

std::string point_into(std::string_view statement, const Error& error) {
  if (!error.offset || *error.offset > statement.size()) return "error: " + error.message;
  const size_t before = statement.rfind('\n', *error.offset == 0 ? 0 : *error.offset - 1);
  const size_t begin = before == std::string_view::npos || *error.offset == 0 ? 0 : before + 1;
  const std::string_view line = statement.substr(begin, statement.find('\n', begin) - begin);
  const auto number = std::ranges::count(statement.substr(0, begin), '\n') + 1;
  const size_t column = *error.offset - begin;
  return fmt::format("{}:{}: error: {}\n  {}\n  {}^", number, column + 1, error.message, line,
                     std::string(column, ' '));
}

}  // namespace flowrun
