#pragma once
// FunctionRegistry: every function an expression may call, by name.
// runtime/expr/functions/README.md shows how to add one; most are one line through the templates of
// runtime/expr/scalar.h:
//
//   registry.add(scalar<double(double)>("sqrt", "sqrt(x): the square root of x; NaN below zero.",
//                                       [](double x) { return std::sqrt(x); }).shown_as("SQRT"));
//
// A registry is a value that is filled once, before anything is bound against it, and only read
// from then on.

#include <functional>
#include <initializer_list>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/status.h"
#include "runtime/expr/aggregate_function.h"
#include "runtime/expr/datum.h"

namespace flowrun {

struct EvaluationContext;
class TimeZone;
class TypedNode;
using TypedPtr = std::shared_ptr<const TypedNode>;
class CallSite;

// What code of a function may see besides its arguments.
struct CallContext {
  const EvaluationContext& evaluation;
  const TimeZone& zone;  // the session's
  int64_t
      num_rows;  // rows wanted; if every argument is constant, a constant may be returned instead
};

// Called by any number of workers at once. Arguments have the types that binding asked for.
using Kernel = std::function<Result<Datum>(const CallContext&, std::span<const Datum>)>;

// What the analyzer knows of the arguments when it chooses types.
struct Arguments {
  std::string_view function;  // as the user wrote it
  std::span<const Type> types;
  std::span<const ColumnPtr>
      constants;  // value (one row) of each constant argument, null for the others
  std::span<const std::string> names;  // the arguments as Spark prints them
  uint64_t literals = 0;               // bit i: argument i is a written literal, not computed

  [[nodiscard]] size_t size() const { return types.size(); }
  [[nodiscard]] bool is_literal(size_t i) const { return i < 64 && (literals >> i & 1) != 0; }
  // The text of constant argument i, if it is one and not null.
  [[nodiscard]] std::optional<std::string> constant_text(size_t i) const;
  // The number of constant argument i cast to int, if it is a number and not null.
  [[nodiscard]] std::optional<int32_t> constant_integer(size_t i) const;
};

// A function with its types chosen.
struct BoundFunction {
  std::vector<Type> arguments;  // what each argument is cast to (Spark's implicit cast)
  Type result;
  Kernel kernel;
  // May it be null when no argument is? (When one is null, the result counts as nullable anyway.)
  bool adds_nulls = false;
};

// Chooses the types for a call, or refuses it: error code `invalid`, naming the function and what
// it takes.
using BindFunction = std::function<Result<BoundFunction>(const Arguments&)>;
// Builds the typed tree itself: what evaluates lazily, takes lambdas, or is short for other
// expressions.
using BuildFunction = std::function<Result<TypedPtr>(CallSite&)>;

struct FunctionNames {
  FunctionNames(const char* name) : names{name} {}  // NOLINT
  FunctionNames(std::initializer_list<const char*> list) : names(list.begin(), list.end()) {}
  std::vector<std::string> names;
};

// One entry. Make it with scalar<...>() (scalar.h), or with the constructors here for types that
// vary.
struct ScalarFunction {
  static constexpr size_t kAnyNumber = static_cast<size_t>(-1);

  ScalarFunction(FunctionNames function_names, std::string function_doc, size_t minimum,
                 size_t maximum, BindFunction function_bind)
      : names(std::move(function_names.names)),
        doc(std::move(function_doc)),
        min_arguments(minimum),
        max_arguments(maximum),
        bind(std::move(function_bind)) {}
  ScalarFunction(FunctionNames function_names, std::string function_doc, size_t minimum,
                 size_t maximum, BuildFunction function_build)
      : names(std::move(function_names.names)),
        doc(std::move(function_doc)),
        min_arguments(minimum),
        max_arguments(maximum),
        build(std::move(function_build)) {}

  // The column is named so, however the function was called: SQRT(x).
  ScalarFunction&& shown_as(std::string name) && {
    shown = std::move(name);
    return std::move(*this);
  }
  // Constants (columns of one row) that stand in for trailing arguments which are left out; they
  // are part of the column's name, as in Spark: split(s, ,, -1).
  ScalarFunction&& with_defaults(std::vector<ColumnPtr> values) && {
    defaults = std::move(values);
    min_arguments = max_arguments - defaults.size();
    return std::move(*this);
  }
  // Gives the column's name from the arguments' names.
  ScalarFunction&& named_by(std::function<std::string(std::span<const std::string>)> name) && {
    column_name = std::move(name);
    return std::move(*this);
  }
  // The leading arguments must have these types as they are, or be null: Spark casts nothing here
  // unasked. A bigint stands for every whole number. REQUIRES: `bind`.
  ScalarFunction&& without_casts(std::vector<Type> leading) &&;
  // May fail on data: evaluated only for rows that need it (branches of CASE, right sides of AND).
  ScalarFunction&& may_fail() && {
    fallible = true;
    return std::move(*this);
  }
  // Lambdas may stand among its arguments: argument(i) is null there. REQUIRES: `build`.
  ScalarFunction&& with_lambdas() && {
    takes_lambdas = true;
    return std::move(*this);
  }
  // Two calls may differ (rand), or the value depends on the epoch (current_timestamp): never
  // folded.
  ScalarFunction&& not_foldable(bool is_deterministic) && {
    foldable = false;
    deterministic = is_deterministic;
    return std::move(*this);
  }

  std::vector<std::string>
      names;        // lower case; the first is the function's, the others are aliases
  std::string doc;  // "sqrt(x): the square root of x."
  size_t min_arguments = 0;
  size_t max_arguments = 0;
  BindFunction bind;    // exactly one of bind
  BuildFunction build;  // and build is set
  std::vector<Type>
      parameters;  // of functions with one fixed signature: what overloads() chooses by
  std::string shown;
  std::vector<ColumnPtr> defaults;
  std::function<std::string(std::span<const std::string>)> column_name;
  bool takes_lambdas = false;
  bool fallible = false;
  bool foldable = true;
  bool deterministic = true;
};

// Several signatures under one name: the first that the arguments match as they are, else the first
// to which they can be cast implicitly. REQUIRES: each has `bind`; names of the parts are ignored.
ScalarFunction overloads(FunctionNames names, std::string doc,
                         std::vector<ScalarFunction> signatures);

class FunctionRegistry {
 public:
  // A later entry of the same name takes the place of the earlier one.
  void add(ScalarFunction function);
  void add(std::shared_ptr<const AggregateFunction> function,
           const std::vector<std::string>& aliases = {});

  // By name without regard to case; null if there is none.
  [[nodiscard]] const ScalarFunction* find_scalar(std::string_view name) const;
  [[nodiscard]] const AggregateFunction* find_aggregate(std::string_view name) const;
  // Every name, sorted, aliases too.
  [[nodiscard]] std::vector<std::string> names() const;
  [[nodiscard]] std::vector<std::string> aggregate_names() const;

 private:
  std::map<std::string, std::shared_ptr<const ScalarFunction>, std::less<>> scalars_;
  std::map<std::string, std::shared_ptr<const AggregateFunction>, std::less<>> aggregates_;
};

// Every scalar function of runtime/expr/functions/.
void register_all_functions(FunctionRegistry& registry);

}  // namespace flowrun
