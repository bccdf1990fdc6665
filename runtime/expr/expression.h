#pragma once
// Expressions as operators use them: bound once against a schema, evaluated on every batch.
//
//   Binder binder(scope, environment);
//   FLOWRUN_TRY(ExpressionPtr fast, binder.bind("x > 3 and gt like 'stairs%'"));
//   FLOWRUN_TRY(ColumnPtr column, fast->evaluate(batch, context));
//
// The language is that of Spark's selectExpr with ANSI mode off. Binding parses, resolves names,
// inserts Spark's implicit casts, folds constants and gives Spark's name for the result. Errors of
// binding have the code `invalid` and the offset in the text; errors of evaluation have the code
// `data`.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/status.h"
#include "runtime/columnar/record_batch.h"
#include "runtime/expr/aggregate_function.h"

namespace flowrun {

class FunctionRegistry;

// What an expression may depend on besides its row. One value per epoch.
struct EvaluationContext {
  int64_t now = 0;               // microseconds; current_timestamp() and its kin
  std::string timezone = "UTC";  // the session's zone
  int64_t epoch = 0;             // seeds rand() and its kin, with `partition`
  int64_t partition = 0;
};

// What binding may depend on besides the schema. Must outlive the bound expressions.
struct ExpressionEnvironment {
  const FunctionRegistry* functions = nullptr;
  std::string timezone = "UTC";
};

// Immutable and thread-safe: any number of workers may evaluate at once.
class Expression {
 public:
  virtual ~Expression() = default;

  [[nodiscard]] virtual const Type& type() const = 0;
  [[nodiscard]] virtual bool nullable() const = 0;
  // Spark's name for the column: the alias, else such as "(x + 1)" or "count(1)".
  [[nodiscard]] virtual const std::string& name() const = 0;
  // Indices of the input's columns that are read, ascending, each once.
  [[nodiscard]] virtual std::span<const size_t> columns() const = 0;
  // If this is a bare column (perhaps under an alias): its index. Metadata such as the watermark
  // follows it.
  [[nodiscard]] virtual std::optional<size_t> bare_column() const = 0;
  // No column is read and the result is the same each time.
  [[nodiscard]] virtual bool constant() const = 0;
  [[nodiscard]] virtual bool deterministic() const = 0;
  // A column of batch.num_rows() rows. REQUIRES: the batch has the schema bound against (read
  // columns present).
  [[nodiscard]] virtual Result<ColumnPtr> evaluate(const RecordBatch& batch,
                                                   const EvaluationContext& context) const = 0;
};
using ExpressionPtr = std::shared_ptr<const Expression>;

// The names an expression may use. Fields of the schema may carry qualifiers (after joins): `a.b`
// is a qualified column if a field `b` has qualifier `a` and no struct column `a` exists (the
// struct wins).
struct Scope {
  SchemaPtr schema;
};

// One call of an aggregate function inside an aggregate expression: avg(x) filter (where y > 0).
struct AggregateCall {
  std::string function;  // registered name, lower case
  std::vector<ExpressionPtr>
      arguments;  // over the input's rows; constants are constant() expressions
  bool distinct = false;
  bool star = false;                      // count(*)
  ExpressionPtr filter;                   // boolean, may be null
  std::vector<SortDirection> order = {};  // of WITHIN GROUP; its values are among the arguments
  Type type;                              // of the result
  bool nullable = true;
};

// round(avg(x), 2) + max(y): calls over the input, then an expression over keys and results.
struct AggregateExpression {
  std::vector<AggregateCall> calls;
  // Over the columns [keys..., results of calls...]: the key columns first, then one per call.
  ExpressionPtr result;
};

// A generator at the top of a select item: explode(a), posexplode_outer(m), inline(ss), stack(2,
// ...).
struct Generator {
  enum class Kind : uint8_t { explode, inline_, stack } kind = Kind::explode;
  bool outer = false;
  bool position = false;
  int64_t stack_rows = 0;
  std::vector<ExpressionPtr> arguments;
  std::vector<Field> columns;  // what it puts out, named (aliases applied), position included
};

// One item of a select list after `*` and `a.*` are expanded: exactly one of the two is set.
struct SelectItem {
  ExpressionPtr expression;
  std::optional<Generator> generator;
};

class Binder {
 public:
  Binder(Scope scope, const ExpressionEnvironment& environment)
      : scope_(std::move(scope)), environment_(environment) {}

  // A scalar expression; aggregates and generators are refused.
  Result<ExpressionPtr> bind(std::string_view text) const;
  // As bind, with Spark's implicit cast to `type` (a boolean for filters); refused if there is
  // none.
  Result<ExpressionPtr> bind_as(std::string_view text, const Type& type) const;
  // An item of a select list: one expression, a generator, or all that `*` stands for.
  Result<std::vector<SelectItem>> bind_select(std::string_view text) const;
  // An aggregate expression over groups whose keys are `keys`: expressions equal to a key, and
  // columns that are keys, may stand outside of calls. grouping(k) and grouping_id() read the
  // column `grouping_id` (bigint), which then follows the keys in the scope of `result`: set
  // has_grouping_id for cube and kin.
  Result<AggregateExpression> bind_aggregate(std::string_view text,
                                             std::span<const ExpressionPtr> keys,
                                             bool has_grouping_id) const;
  // The text split at top-level ANDs, each bound as a boolean.
  Result<std::vector<ExpressionPtr>> bind_conjuncts(std::string_view text) const;

 private:
  Scope scope_;
  const ExpressionEnvironment& environment_;
};

// Column `index` of the schema, as an expression.
ExpressionPtr column_expression(const Schema& schema, size_t index);

}  // namespace flowrun
