// What an expression is, and failing on purpose.
#include <fmt/format.h>

#include "runtime/columnar/builder.h"
#include "runtime/expr/coercion.h"
#include "runtime/expr/functions/functions.h"
#include "runtime/expr/scalar.h"
#include "runtime/format/time_zone.h"

namespace flowrun {

namespace {

Result<BoundFunction> bind_typeof(const Arguments& arguments) {
  const ColumnPtr answer = constant_text(
      arguments.types[0].id() == TypeId::null ? "void" : arguments.types[0].simple_string());
  return BoundFunction{{arguments.types[0]},
                       Type::string(),
                       [answer](const CallContext&, std::span<const Datum>) -> Result<Datum> {
                         return Datum{answer, true};
                       }};
}

// assert_true(condition[, message]): null, or the run fails.
Result<BoundFunction> bind_assert(const Arguments& arguments) {
  if (arguments.types[0].id() != TypeId::boolean && arguments.types[0].id() != TypeId::null)
    return wrong_argument(arguments, 0, "boolean");
  const std::string standard = fmt::format("'{}' is not true!", arguments.names[0]);
  std::vector<Type> types{Type::boolean()};
  if (arguments.size() > 1) types.push_back(Type::string());
  return BoundFunction{
      std::move(types), Type::null(),
      [standard](const CallContext& context, std::span<const Datum> values) -> Result<Datum> {
        const int64_t rows = rows_to_compute(values, context.num_rows);
        for (int64_t i = 0; i < rows; ++i) {
          if (!values[0].is_null(i) && values[0].column->boolean(values[0].at(i))) continue;
          const bool given = values.size() > 1 && !values[1].is_null(i);
          return Error::data(given ? std::string(values[1].column->string(values[1].at(i)))
                                   : standard);
        }
        return Datum::null(Type::null());
      }};
}

std::string assert_name(std::span<const std::string> arguments) {
  if (arguments.size() > 1) return fmt::format("assert_true({}, {})", arguments[0], arguments[1]);
  return fmt::format("assert_true({0}, '{0}' is not true!)", arguments[0]);
}

Result<BoundFunction> bind_raise(const Arguments& arguments) {
  if (!implicit_cast(arguments.types[0], Type::string()))
    return wrong_argument(arguments, 0, "string");
  return BoundFunction{
      {Type::string()},
      Type::null(),
      [](const CallContext& context, std::span<const Datum> values) -> Result<Datum> {
        if (rows_to_compute(values, context.num_rows) == 0)
          return Datum{null_column(Type::null(), 0), false};
        return Error::data(values[0].is_null(0)
                               ? "raised by raise_error"
                               : std::string(values[0].column->string(values[0].at(0))));
      }};
}

}  // namespace

void register_introspection_functions(FunctionRegistry& registry) {
  registry.add(ScalarFunction("typeof", "typeof(x): the name of x's type.", 1, 1,
                              BindFunction(bind_typeof)));
  registry.add(
      ScalarFunction(
          "assert_true",
          "assert_true(condition, message): null; the run fails where the condition is not true.",
          1, 2, BindFunction(bind_assert))
          .named_by(assert_name)
          .may_fail());
  registry.add(ScalarFunction("raise_error",
                              "raise_error(message): the run fails with this message.", 1, 1,
                              BindFunction(bind_raise))
                   .named_by([](auto arguments) {
                     return fmt::format("raise_error(USER_RAISED_EXCEPTION, map(errorMessage, {}))",
                                        arguments[0]);
                   })
                   .may_fail());
  registry.add(scalar<std::string()>(
                   "current_timezone", "current_timezone(): the session's time zone.",
                   [](const CallContext& context, std::string& out) { out = context.zone.name(); })
                   .not_foldable(true));
}

}  // namespace flowrun
