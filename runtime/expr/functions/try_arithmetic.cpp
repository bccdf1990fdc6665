// try_add and its kin: null where the result does not fit, where the plain operator would wrap.
#include <fmt/format.h>

#include <type_traits>

#include "runtime/columnar/builder.h"
#include "runtime/expr/analyzer.h"
#include "runtime/expr/coercion.h"
#include "runtime/expr/functions/datetime_arithmetic.h"
#include "runtime/expr/functions/functions.h"
#include "runtime/expr/scalar.h"

namespace flowrun {

namespace {

struct CheckedAdd {
  template <class T>
  static bool overflows(T a, T b, T& out) {
    return __builtin_add_overflow(a, b, &out);
  }
};
struct CheckedSubtract {
  template <class T>
  static bool overflows(T a, T b, T& out) {
    return __builtin_sub_overflow(a, b, &out);
  }
};
struct CheckedMultiply {
  template <class T>
  static bool overflows(T a, T b, T& out) {
    return __builtin_mul_overflow(a, b, &out);
  }
};

template <class T, class Op>
Result<Datum> run(const Type& type, const CallContext& context, std::span<const Datum> values) {
  if (values[0].is_constant_null() || values[1].is_constant_null()) return Datum::null(type);
  const int64_t rows = rows_to_compute(values, context.num_rows);
  const NullMask mask = combine_nulls(values, rows);
  const T* a = values[0].column->values<T>().data();
  const T* b = values[1].column->values<T>().data();
  FixedWriter<T> out(type, rows);
  for (int64_t i = 0; i < rows; ++i) {
    T result{};
    if (mask.is_null(i) || Op::overflows(a[values[0].at(i)], b[values[1].at(i)], result)) {
      out.set_null(i);
    } else {
      out.set(i, result);
    }
  }
  return Datum{out.finish(), values[0].constant && values[1].constant};
}

// The checked operator over integers of one type.
template <class Op>
Result<BoundFunction> bind_checked(const Arguments& arguments) {
  const Type type = *tightest_common_type(arguments.types[0], arguments.types[1]);
  Kernel kernel = visit_fixed(type.id(), [&](auto tag) -> Kernel {
    using T = typename decltype(tag)::type;
    if constexpr (std::is_integral_v<T> && !std::is_same_v<T, Decimal128>) {
      return [type](const CallContext& context, std::span<const Datum> values) {
        return run<T, Op>(type, context, values);
      };
    } else {
      return {};
    }
  });
  return BoundFunction{{type, type}, type, std::move(kernel), true};
}

// Integers are checked; decimals, doubles, dates and intervals behave as with the plain operator.
template <class Op>
void add_checked(FunctionRegistry& registry, const char* name, const char* checked,
                 const char* plain, const char* doc) {
  registry.add(ScalarFunction(checked, doc, 2, 2, BindFunction(bind_checked<Op>)));
  registry.add(ScalarFunction(
      name, doc, 2, 2, BuildFunction([=](CallSite& site) -> Result<TypedPtr> {
        const bool integers =
            site.argument(0)->type.is_integral() && site.argument(1)->type.is_integral();
        FLOWRUN_TRY(TypedPtr result,
                    site.call_as(integers ? checked : plain, name, site.arguments()));
        return CallSite::named(result, site.default_name());
      })));
}

template <class T>
Result<int8_t> bit_of(T value, int32_t position) {
  constexpr int32_t kBits = sizeof(T) * 8;
  if (position < 0 || position >= kBits)
    return Error::data(
        fmt::format("getbit takes a position from 0 to {}; got {}", kBits - 1, position));
  return static_cast<int8_t>((value >> position) & 1);
}

}  // namespace

void register_try_functions(FunctionRegistry& registry) {
  add_checked<CheckedAdd>(registry, "try_add", "checked +", "+",
                          "try_add(a, b): as a + b, but null on overflow.");
  add_checked<CheckedSubtract>(registry, "try_subtract", "checked -", "-",
                               "try_subtract(a, b): as a - b, but null on overflow.");
  add_checked<CheckedMultiply>(registry, "try_multiply", "checked *", "*",
                               "try_multiply(a, b): as a * b, but null on overflow.");
  registry.add(ScalarFunction("try_divide", "try_divide(a, b): as a / b.", 2, 2,
                              BuildFunction([](CallSite& site) -> Result<TypedPtr> {
                                FLOWRUN_TRY(TypedPtr result,
                                            site.call_as("/", "try_divide", site.arguments()));
                                return CallSite::named(result, site.default_name());
                              })));
  registry.add(ScalarFunction("try_mod", "try_mod(a, b): as a % b.", 2, 2,
                              BuildFunction([](CallSite& site) -> Result<TypedPtr> {
                                FLOWRUN_TRY(TypedPtr result,
                                            site.call_as("%", "try_mod", site.arguments()));
                                return CallSite::named(result, site.default_name());
                              })));
  registry.add(overloads({"getbit", "bit_get"},
                         "getbit(x, position): the bit at a position, 0 being the lowest.",
                         {scalar<int8_t(int8_t, int32_t)>("", "", bit_of<int8_t>),
                          scalar<int8_t(int16_t, int32_t)>("", "", bit_of<int16_t>),
                          scalar<int8_t(int32_t, int32_t)>("", "", bit_of<int32_t>),
                          scalar<int8_t(int64_t, int32_t)>("", "", bit_of<int64_t>)})
                   .without_casts({Type::bigint()})
                   .may_fail());
}

}  // namespace flowrun
