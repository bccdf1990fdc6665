#include "runtime/sql/sql_table.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <set>
#include <unordered_map>

#include "runtime/base/clock.h"

namespace flowrun {

namespace {

constexpr int64_t kRowsBetweenLooks = 1 << 14;

// A comparison of a column with a value that the statement gives, where both are of one kind.
// Others are left to SQLite, which checks these again too.
struct Condition {
  enum class Kind : uint8_t { integer, real, text } kind = Kind::integer;
  size_t column = 0;
  unsigned char op = 0;
  int64_t integer = 0;
  double real = 0;
  std::string text;
};

template <class T>
bool holds(unsigned char op, const T& a, const T& b) {
  switch (op) {
    case SQLITE_INDEX_CONSTRAINT_EQ:
      return a == b;
    case SQLITE_INDEX_CONSTRAINT_GT:
      return a > b;
    case SQLITE_INDEX_CONSTRAINT_GE:
      return a >= b;
    case SQLITE_INDEX_CONSTRAINT_LT:
      return a < b;
    case SQLITE_INDEX_CONSTRAINT_LE:
      return a <= b;
    default:
      return true;
  }
}

struct Table {
  sqlite3_vtab base{};  // SQLite's part comes first
  const SqlTableSource* source = nullptr;
  // Read when the first cursor needs it.
  bool loaded = false;
  std::vector<RecordBatch> batches;
  std::vector<std::vector<ColumnPtr>> columns;  // by batch, then SqlColumn
  // Rows by the text or number of a column that is asked for again and again (joins).
  std::unordered_map<size_t, std::unordered_multimap<std::string, std::pair<size_t, int64_t>>>
      index;
  std::unordered_map<size_t, size_t> asked;
};

int complain(Table& table, const std::string& message) {
  sqlite3_free(table.base.zErrMsg);
  table.base.zErrMsg = sqlite3_mprintf("%s", message.c_str());
  return SQLITE_ERROR;
}

ColumnPtr column_at(const RecordBatch& batch, const std::vector<size_t>& path) {
  ColumnPtr column = batch.column(path[0]);
  for (size_t i = 1; column && i < path.size(); ++i) column = column->child(path[i]);
  return column;
}

Status load(Table& table) {
  if (table.loaded) return ok_status();
  const SqlTable& shown = *table.source->table;
  if (shown.load) {
    FLOWRUN_TRY(table.batches, shown.load());
  } else {
    table.batches = shown.batches;
  }
  for (const RecordBatch& batch : table.batches) {
    std::vector<ColumnPtr>& columns = table.columns.emplace_back();
    for (const SqlColumn& column : table.source->columns)
      columns.push_back(column_at(batch, column.path));
  }
  table.loaded = true;
  return ok_status();
}

class Cursor {
 public:
  sqlite3_vtab_cursor base{};  // SQLite's part comes first

  explicit Cursor(Table& table) : table_(table) {}

  int filter(std::vector<Condition> conditions, bool nothing) {
    if (Status loaded = load(table_); !loaded) return complain(table_, loaded.error().message);
    conditions_ = std::move(conditions);
    batch_ = 0;
    row_ = -1;
    by_index_ = false;
    if (nothing) {
      batch_ = table_.batches.size();
      return SQLITE_OK;
    }
    look_up();
    return next();
  }

  int next() {
    if (by_index_) {
      if (found_ == found_end_) {
        batch_ = table_.batches.size();
      } else {
        std::tie(batch_, row_) = found_->second;
        ++found_;
      }
      return SQLITE_OK;
    }
    for (; batch_ < table_.batches.size(); ++batch_, row_ = -1) {
      const int64_t rows = table_.batches[batch_].num_rows();
      while (++row_ < rows) {
        if (++seen_ % kRowsBetweenLooks == 0 && table_.source->deadline->over())
          return SQLITE_INTERRUPT;
        if (matches()) return SQLITE_OK;
      }
    }
    return SQLITE_OK;
  }

  [[nodiscard]] bool at_end() const { return batch_ >= table_.batches.size(); }

  void column(sqlite3_context* context, size_t column) const {
    const ColumnPtr& values = table_.columns[batch_][column];
    if (!values || is_null(column)) return sqlite3_result_null(context);
    table_.source->types->give(context, *values, row_, table_.source->columns[column].type, true);
  }

  [[nodiscard]] int64_t rowid() const { return static_cast<int64_t>(batch_) << 32 | row_; }

 private:
  // A field is null where the struct around it is.
  [[nodiscard]] bool is_null(size_t column) const {
    const std::vector<size_t>& path = table_.source->columns[column].path;
    const Column* values = table_.batches[batch_].column(path[0]).get();
    for (size_t i = 1; i < path.size(); ++i) {
      if (!values || values->is_null(row_)) return true;
      values = values->child(path[i]).get();
    }
    return !values || values->is_null(row_);
  }

  [[nodiscard]] bool matches() const {
    for (const Condition& condition : conditions_) {
      const ColumnPtr& column = table_.columns[batch_][condition.column];
      if (!column || is_null(condition.column)) return false;
      switch (condition.kind) {
        case Condition::Kind::integer:
          if (!holds(condition.op, whole_number(*column, row_), condition.integer)) return false;
          break;
        case Condition::Kind::real:
          if (!holds(condition.op, column->values<double>()[static_cast<size_t>(row_)],
                     condition.real))
            return false;
          break;
        case Condition::Kind::text:
          if (!holds<std::string_view>(condition.op, column->string(row_), condition.text))
            return false;
          break;
      }
    }
    return true;
  }

  // From the third time on that one column is asked for a value, by an index made then.
  void look_up() {
    constexpr size_t kScansBeforeIndex = 2;
    for (const Condition& condition : conditions_) {
      if (condition.op != SQLITE_INDEX_CONSTRAINT_EQ || condition.kind == Condition::Kind::real)
        continue;
      if (table_.asked[condition.column]++ < kScansBeforeIndex) continue;
      auto [index, is_new] = table_.index.try_emplace(condition.column);
      if (is_new) make_index(condition.column, index->second);
      std::tie(found_, found_end_) = index->second.equal_range(
          condition.kind == Condition::Kind::text ? condition.text
                                                  : std::to_string(condition.integer));
      by_index_ = true;
      return;
    }
  }

  using Index = std::unordered_multimap<std::string, std::pair<size_t, int64_t>>;
  void make_index(size_t column, Index& index) {
    for (batch_ = 0; batch_ < table_.batches.size(); ++batch_) {
      const ColumnPtr& values = table_.columns[batch_][column];
      for (row_ = 0; values && row_ < table_.batches[batch_].num_rows(); ++row_) {
        if (is_null(column)) continue;
        index.emplace(values->type().is_string_like() ? std::string(values->string(row_))
                                                      : std::to_string(whole_number(*values, row_)),
                      std::pair(batch_, row_));
      }
    }
  }

  Table& table_;
  std::vector<Condition> conditions_;
  size_t batch_ = 0;
  int64_t row_ = -1;
  int64_t seen_ = 0;
  bool by_index_ = false;
  Index::const_iterator found_;
  Index::const_iterator found_end_;
};

Table& table_of(sqlite3_vtab* base) { return *reinterpret_cast<Table*>(base); }
Cursor& cursor_of(sqlite3_vtab_cursor* base) { return *reinterpret_cast<Cursor*>(base); }

std::string quoted(std::string_view name) {
  std::string out = "\"";
  for (const char c : name) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + "\"";
}

int connect(sqlite3* database, void* source_data, int, const char* const*, sqlite3_vtab** out,
            char** error) {
  const auto* source = static_cast<const SqlTableSource*>(source_data);
  std::string columns;
  for (const SqlColumn& column : source->columns) {
    columns += fmt::format("{}{} {}{}", columns.empty() ? "" : ", ", quoted(column.name),
                           source->types->declaration(column.type), column.hidden ? " HIDDEN" : "");
  }
  const std::string declaration = "CREATE TABLE t(" + columns + ")";
  *source->declaring = true;
  const int done = sqlite3_declare_vtab(database, declaration.c_str());
  *source->declaring = false;
  if (done != SQLITE_OK) {
    *error = sqlite3_mprintf("%s", sqlite3_errmsg(database));
    return done;
  }
  auto table = std::make_unique<Table>();
  table->source = source;
  *out = &table.release()->base;
  return SQLITE_OK;
}

int disconnect(sqlite3_vtab* base) {
  delete &table_of(base);
  return SQLITE_OK;
}

// What may be compared without SQLite, by the column's type.
bool may_push_down(const Type& type, unsigned char op) {
  const bool compares = op == SQLITE_INDEX_CONSTRAINT_EQ || op == SQLITE_INDEX_CONSTRAINT_GT ||
                        op == SQLITE_INDEX_CONSTRAINT_GE || op == SQLITE_INDEX_CONSTRAINT_LT ||
                        op == SQLITE_INDEX_CONSTRAINT_LE;
  return compares &&
         (type.is_integral() || type.id() == TypeId::double_ || type.id() == TypeId::string);
}

// The conditions that the cursor looks at stand in idxStr: "column:op,".
int best_index(sqlite3_vtab* base, sqlite3_index_info* info) {
  const Table& table = table_of(base);
  const SqlTableSource& source = *table.source;
  constexpr double kUnknownRows = 10'000;
  double rows = 0;
  for (const RecordBatch& batch : source.table->batches)
    rows += static_cast<double>(batch.num_rows());
  if (source.table->load) rows = kUnknownRows;
  std::string chosen;
  int arguments = 0;
  bool equality = false;
  for (int i = 0; i < info->nConstraint; ++i) {
    const auto& constraint = info->aConstraint[i];
    if (!constraint.usable || constraint.iColumn < 0) continue;
    const SqlColumn& column = source.columns[static_cast<size_t>(constraint.iColumn)];
    const Type& type = source.types->type(column.type);
    if (!may_push_down(type, constraint.op)) continue;
    if (type.id() == TypeId::string &&
        sqlite3_stricmp(sqlite3_vtab_collation(info, i), "BINARY") != 0)
      continue;
    info->aConstraintUsage[i].argvIndex = ++arguments;
    chosen += fmt::format("{}:{},", constraint.iColumn, constraint.op);
    equality = equality || constraint.op == SQLITE_INDEX_CONSTRAINT_EQ;
  }
  constexpr double kShareOfEquality = 0.01;
  constexpr double kCostOfEquality = 0.3;
  info->idxStr = sqlite3_mprintf("%s", chosen.c_str());
  info->needToFreeIdxStr = 1;
  info->estimatedCost = 1 + rows * (equality ? kCostOfEquality : 1);
  info->estimatedRows = static_cast<sqlite3_int64>(1 + rows * (equality ? kShareOfEquality : 1));
  return SQLITE_OK;
}

int open(sqlite3_vtab* base, sqlite3_vtab_cursor** out) {
  *out = &std::make_unique<Cursor>(table_of(base)).release()->base;
  return SQLITE_OK;
}

int close(sqlite3_vtab_cursor* base) {
  delete &cursor_of(base);
  return SQLITE_OK;
}

int filter(sqlite3_vtab_cursor* base, int, const char* chosen, int count, sqlite3_value** values) {
  const SqlTableSource& source = *table_of(base->pVtab).source;
  std::vector<Condition> conditions;
  bool nothing = false;
  const char* at = chosen;
  const char* end = chosen + std::char_traits<char>::length(chosen);
  for (int i = 0; i < count; ++i) {
    Condition condition;
    int op = 0;
    at = std::from_chars(at, end, condition.column).ptr + 1;
    at = std::from_chars(at, end, op).ptr + 1;
    condition.op = static_cast<unsigned char>(op);
    const Type& type = source.types->type(source.columns[condition.column].type);
    SqlCell cell = read_cell(values[i]);
    if (cell.kind == SqlCell::Kind::null) nothing = true;
    if (type.is_integral() && cell.kind == SqlCell::Kind::integer) {
      condition.integer = cell.integer;
    } else if (type.id() == TypeId::double_ && cell.kind == SqlCell::Kind::real) {
      condition.kind = Condition::Kind::real;
      condition.real = cell.real;
    } else if (type.id() == TypeId::string && cell.kind == SqlCell::Kind::text) {
      condition.kind = Condition::Kind::text;
      condition.text = std::move(cell.bytes);
    } else {
      continue;
    }
    conditions.push_back(std::move(condition));
  }
  return cursor_of(base).filter(std::move(conditions), nothing);
}

int next(sqlite3_vtab_cursor* base) { return cursor_of(base).next(); }
int eof(sqlite3_vtab_cursor* base) { return cursor_of(base).at_end() ? 1 : 0; }
int column(sqlite3_vtab_cursor* base, sqlite3_context* context, int index) {
  cursor_of(base).column(context, static_cast<size_t>(index));
  return SQLITE_OK;
}
int rowid(sqlite3_vtab_cursor* base, sqlite3_int64* out) {
  *out = cursor_of(base).rowid();
  return SQLITE_OK;
}

// A table is there by its name alone, without CREATE.
constexpr sqlite3_module make_module() {
  sqlite3_module module{};
  module.iVersion = 1;
  module.xConnect = connect;
  module.xBestIndex = best_index;
  module.xDisconnect = disconnect;
  module.xOpen = open;
  module.xClose = close;
  module.xFilter = filter;
  module.xNext = next;
  module.xEof = eof;
  module.xColumn = column;
  module.xRowid = rowid;
  return module;
}

constexpr sqlite3_module kModule = make_module();

// By value: they may stand in `columns`, which grows.
void add_fields(const std::string prefix, const std::vector<size_t> path, const Type& type,
                SqlTypes& types, std::vector<SqlColumn>& columns) {
  if (type.id() != TypeId::struct_) return;
  for (size_t i = 0; i < type.fields().size(); ++i) {
    const Field& field = type.fields()[i];
    std::vector<size_t> inner = path;
    inner.push_back(i);
    const std::string name = prefix + "." + field.name;
    columns.push_back({name, inner, types.id(field.type), true});
    add_fields(name, inner, field.type, types, columns);
  }
}

}  // namespace

SqlDeadline::SqlDeadline(int64_t time_limit, std::function<bool()> cancelled)
    : end_(system_clock().monotonic() + time_limit), cancelled_(std::move(cancelled)) {}

bool SqlDeadline::over() const { return cancelled() || system_clock().monotonic() >= end_; }

std::vector<SqlColumn> sql_columns(const SqlTable& table, SqlTypes& types) {
  std::vector<SqlColumn> columns;
  for (size_t i = 0; i < table.schema->num_fields(); ++i) {
    const Field& field = table.schema->field(i);
    columns.push_back({field.name, {i}, types.id(field.type), false});
  }
  const size_t own = columns.size();
  for (size_t i = 0; i < own; ++i)
    add_fields(columns[i].name, columns[i].path, table.schema->field(i).type, types, columns);
  std::set<std::string> taken;
  for (SqlColumn& column : columns) {
    const std::string name = column.name;
    for (size_t n = 2; !taken.insert(lower_name(column.name)).second; ++n)
      column.name = fmt::format("{}_{}", name, n);
  }
  return columns;
}

Status register_sql_table(sqlite3* database, const SqlTableSource& source) {
  // SQLite only reads it.
  auto* data = const_cast<SqlTableSource*>(&source);
  const int done =
      sqlite3_create_module_v2(database, source.table->name.c_str(), &kModule, data, nullptr);
  if (done == SQLITE_OK) return ok_status();
  return Error::invalid(
      fmt::format("cannot show the table `{}`: {}", source.table->name, sqlite3_errstr(done)));
}

}  // namespace flowrun
