#include "runtime/sql/sql_functions.h"

#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>

#include "runtime/expr/function_registry.h"
#include "runtime/format/text.h"
#include "runtime/sql/sql_functions.h"

namespace flowrun {

namespace {

// One name of one connection. Calls with arguments of the same types share what was bound.
class SqlFunction {
 public:
  SqlFunction(std::string name, SqlFunctionContext& context)
      : name_(std::move(name)), context_(context) {}

  void call(sqlite3_context* sqlite, int count, sqlite3_value** values) {
    std::vector<ColumnPtr> columns;
    for (int i = 0; i < count; ++i) columns.push_back(context_.types.column_of(values[i]));
    auto result = evaluate(columns);
    if (!result) {
      sqlite3_result_error(sqlite, result.error().message.c_str(), -1);
      return;
    }
    const ColumnPtr& column = *result;
    context_.types.give(sqlite, *column, 0, context_.types.id(column->type()), false);
  }

 private:
  Result<ColumnPtr> evaluate(const std::vector<ColumnPtr>& columns) {
    std::vector<Field> fields;
    std::string key;
    for (size_t i = 0; i < columns.size(); ++i) {
      fields.push_back({"a" + std::to_string(i), columns[i]->type()});
      key += columns[i]->type().simple_string() + ",";
    }
    const SchemaPtr schema = Schema::make(std::move(fields));
    const RecordBatch row(schema, 1, columns);
    auto [found, is_new] = bound_.try_emplace(key);
    if (is_new) found->second = bind(schema, columns, 0);
    if (!found->second) {
      // Some arguments must be constants (a scale, a pattern): take them as they are in this row.
      for (const ColumnPtr& column : columns) key += "|" + literal(*column);
      if (bound_.size() > kMostBound) bound_.clear();
      found = bound_.try_emplace(key).first;
      if (!found->second) {
        FLOWRUN_TRY(found->second, bind_with_constants(schema, columns));
      }
    }
    return found->second->evaluate(row, context_.evaluation);
  }

  // Null if it is refused.
  ExpressionPtr bind(const SchemaPtr& schema, const std::vector<ColumnPtr>& columns,
                     size_t first_constant) {
    auto bound = bind_text(schema, columns, columns.size() + first_constant);
    return bound ? std::move(*bound) : nullptr;
  }

  // As few constants as will do: all but the first, else all.
  Result<ExpressionPtr> bind_with_constants(const SchemaPtr& schema,
                                            const std::vector<ColumnPtr>& columns) {
    auto bound = bind_text(schema, columns, 1);
    if (bound) return bound;
    auto constant = bind_text(schema, columns, 0);
    if (constant) return constant;
    // The error in words of the call without constants names the types.
    auto plain = bind_text(schema, columns, columns.size());
    return plain ? std::move(constant) : std::move(plain);
  }

  // Arguments from `first_constant` on are written as literals.
  Result<ExpressionPtr> bind_text(const SchemaPtr& schema, const std::vector<ColumnPtr>& columns,
                                  size_t first_constant) {
    const auto argument = [&](size_t i) {
      return i < first_constant ? schema->field(i).name : literal(*columns[i]);
    };
    std::string text;
    if (name_ == "cast" || name_ == "try_cast") {
      if (columns.size() != 2 || columns[1]->type().id() != TypeId::string)
        return Error::invalid("cast takes a value and a type");
      text = fmt::format("{}({} as {})", name_, argument(0), columns[1]->string(0));
    } else if (name_ == "like" || name_ == "rlike") {
      // SQLite gives the pattern first.
      if (columns.size() < 2) return Error::invalid(name_ + " takes a text and a pattern");
      text = fmt::format("{} {} {}", argument(1), name_, argument(0));
      if (columns.size() > 2) text += " escape " + literal(*columns[2]);
    } else {
      for (size_t i = 0; i < columns.size(); ++i) text += (i > 0 ? ", " : "") + argument(i);
      text = fmt::format("{}({})", name_, text);
    }
    auto bound = Binder(Scope{schema}, context_.environment).bind(text);
    if (!bound) return Error::invalid(bound.error().message);
    return bound;
  }

  // The value as Spark SQL writes it.
  std::string literal(const Column& column) const {
    if (column.is_null(0)) return "null";
    std::string text;
    append_text(column, 0, context_.types.zone(), text);
    switch (column.type().id()) {
      case TypeId::string:
        return quoted(text);
      case TypeId::boolean:
      case TypeId::tinyint:
      case TypeId::smallint:
      case TypeId::integer:
        return text;
      case TypeId::bigint:
        return text + "L";
      case TypeId::double_:
        return text + "D";
      default:
        return fmt::format("cast({} as {})", quoted(text), column.type().simple_string());
    }
  }

  static std::string quoted(std::string_view text) {
    std::string out = "'";
    for (const char c : text) {
      if (c == '\'' || c == '\\') out += '\\';
      out += c;
    }
    return out + "'";
  }

  static constexpr size_t kMostBound = 1000;

  std::string name_;
  SqlFunctionContext& context_;
  std::map<std::string, ExpressionPtr> bound_;
};

void call_function(sqlite3_context* sqlite, int count, sqlite3_value** values) {
  static_cast<SqlFunction*>(sqlite3_user_data(sqlite))->call(sqlite, count, values);
}

// What SQLite evaluates itself: it looks at no more arguments than it needs.
bool is_lazy(std::string_view name) {
  return name == "coalesce" || name == "ifnull" || name == "nullif" || name == "iif";
}

}  // namespace

Status register_sql_functions(sqlite3* database, const std::vector<std::string>& names,
                              SqlFunctionContext& context) {
  for (const std::string& name : std::set<std::string>(names.begin(), names.end())) {
    if (is_lazy(name)) continue;
    std::string sqlite_name = name;
    if (name == "cast" || name == "try_cast") sqlite_name = "flowrun_" + name;
    if (name == "rlike") sqlite_name = "regexp";
    const ScalarFunction* function = context.environment.functions->find_scalar(name);
    // SQLite may then keep what a call with constants gave.
    const bool fixed = !function || function->deterministic;
    const int flags = SQLITE_UTF8 | SQLITE_SUBTYPE | (fixed ? SQLITE_DETERMINISTIC : 0);
    const auto add = [&](int arguments) {
      auto made = std::make_unique<SqlFunction>(name, context);
      return sqlite3_create_function_v2(
          database, sqlite_name.c_str(), arguments, flags, made.release(), call_function, nullptr,
          nullptr, [](void* function_data) { delete static_cast<SqlFunction*>(function_data); });
    };
    const bool is_like = name == "like";
    const int done = is_like ? std::max(add(2), add(3)) : add(-1);
    if (done != SQLITE_OK)
      return Error::invalid(fmt::format("cannot register {}: {}", name, sqlite3_errstr(done)));
  }
  return ok_status();
}

}  // namespace flowrun
