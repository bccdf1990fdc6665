// + - * / % div and signs over numbers. Dates and intervals: datetime_arithmetic.cpp.
//
// Integers wrap on overflow; decimals become null; division by zero is null.
#include <fmt/format.h>

#include <cmath>
#include <cstdlib>

#include "runtime/columnar/builder.h"
#include "runtime/expr/analyzer.h"
#include "runtime/expr/coercion.h"
#include "runtime/expr/functions/datetime_arithmetic.h"
#include "runtime/expr/functions/functions.h"
#include "runtime/expr/scalar.h"
#include "runtime/expr/vector_loops.h"
#include "runtime/format/decimal.h"

namespace flowrun {

namespace {

template <class T>
using Unsigned = std::make_unsigned_t<T>;

struct Add {
  static constexpr bool kTotal = true;  // never null over numbers
  template <class T>
  T operator()(T a, T b) const {
    if constexpr (std::is_floating_point_v<T>)
      return a + b;
    else
      return static_cast<T>(static_cast<Unsigned<T>>(a) + static_cast<Unsigned<T>>(b));
  }
  static constexpr auto decimal_type = decimal_add_type;
  static constexpr auto of_decimals = add_decimals;
};
struct Subtract {
  static constexpr bool kTotal = true;
  template <class T>
  T operator()(T a, T b) const {
    if constexpr (std::is_floating_point_v<T>)
      return a - b;
    else
      return static_cast<T>(static_cast<Unsigned<T>>(a) - static_cast<Unsigned<T>>(b));
  }
  static constexpr auto decimal_type = decimal_add_type;
  static constexpr auto of_decimals = subtract_decimals;
};
struct Multiply {
  static constexpr bool kTotal = true;
  template <class T>
  T operator()(T a, T b) const {
    if constexpr (std::is_floating_point_v<T>) return a * b;
    // In 64 bits: the product of two promoted shorts would overflow an int.
    else
      return static_cast<T>(static_cast<uint64_t>(a) * static_cast<uint64_t>(b));
  }
  static constexpr auto decimal_type = decimal_multiply_type;
  static constexpr auto of_decimals = multiply_decimals;
};
// What divides: null, not computed, where the divisor is zero.
struct Division {
  static constexpr bool kTotal = false;
  template <class T>
  static bool defined(T divisor) {
    return divisor != 0;
  }
};
struct Divide : Division {
  template <class T>
  T operator()(T a, T b) const {
    return static_cast<T>(a / b);
  }
  static constexpr auto decimal_type = decimal_divide_type;
  static constexpr auto of_decimals = divide_decimals;
};
struct Remainder : Division {
  template <class T>
  T operator()(T a, T b) const {
    if constexpr (std::is_floating_point_v<T>)
      return std::fmod(a, b);
    else
      return b == -1 ? T{0} : static_cast<T>(a % b);
  }
  static constexpr auto decimal_type = decimal_remainder_type;
  static constexpr auto of_decimals = remainder_of_decimals;
};
struct PositiveRemainder : Division {
  template <class T>
  T operator()(T a, T b) const {
    const Remainder remainder;
    const T rest = remainder(a, b);
    return rest < 0 ? remainder(Add{}(rest, b), b) : rest;
  }
  static constexpr auto decimal_type = decimal_remainder_type;
  static constexpr auto of_decimals = positive_remainder_of_decimals;
};
struct DivideIntegrally : Division {
  int64_t operator()(int64_t a, int64_t b) const {
    return b == -1 ? static_cast<int64_t>(-static_cast<uint64_t>(a)) : a / b;
  }
};

// Total operators run over every row; the others skip nulls and what is undefined.
template <class T, class Op>
Result<Datum> compute(const Type& type, const CallContext& context,
                      std::span<const Datum> arguments) {
  if (arguments[0].is_constant_null() || arguments[1].is_constant_null()) return Datum::null(type);
  const int64_t rows = rows_to_compute(arguments, context.num_rows);
  const bool constant = arguments[0].constant && arguments[1].constant;
  NullMask mask = combine_nulls(arguments, rows);
  Column::Parts parts{.type = type, .size = rows};
  parts.values = Buffer::allocate(static_cast<size_t>(rows) * sizeof(T));
  T* out = reinterpret_cast<T*>(parts.values->mutable_data());
  const Op op;
  if constexpr (Op::kTotal) {
    binary_loop<T, T>(arguments[0], arguments[1], rows, out, op);
  } else {
    // Where it is not defined some harmless value is computed, and the row is null.
    binary_loop<T, T>(arguments[0], arguments[1], rows, out,
                      [op](T a, T b) { return op(a, Op::defined(b) ? b : T{1}); });
    const T* divisor = arguments[1].column->values<T>().data();
    const int64_t divisors = arguments[1].constant ? 1 : rows;
    int64_t undefined = 0;
    for (int64_t i = 0; i < divisors; ++i) undefined += !Op::defined(divisor[i]);
    if (undefined > 0 && arguments[1].constant) return Datum::null(type);
    if (undefined > 0) {
      BufferPtr defined = Buffer::allocate(bitmap_bytes(rows));
      fill_bits(rows, defined->mutable_data(),
                [&](int64_t i) { return Op::defined(divisor[i]) && !mask.is_null(i); });
      mask.null_count = rows - count_set_bits(defined->data(), 0, rows);
      mask.bits = std::move(defined);
    }
  }
  parts.null_count = mask.null_count;
  parts.validity = std::move(mask.bits);
  return Datum{Column::make(std::move(parts)), constant};
}

// Decimals row by row; `R` is what `of_decimals` gives an optional of.
template <class R, class Code>
Kernel decimal_kernel(Type result, Code code) {
  return [result, code](const CallContext& context,
                        std::span<const Datum> arguments) -> Result<Datum> {
    if (arguments[0].is_constant_null() || arguments[1].is_constant_null())
      return Datum::null(result);
    const int64_t rows = rows_to_compute(arguments, context.num_rows);
    const NullMask mask = combine_nulls(arguments, rows);
    const Decimal128* a = arguments[0].column->values<Decimal128>().data();
    const Decimal128* b = arguments[1].column->values<Decimal128>().data();
    FixedWriter<R> out(result, rows);
    for (int64_t i = 0; i < rows; ++i) {
      const std::optional<R> value =
          mask.is_null(i) ? std::nullopt : code(a[arguments[0].at(i)], b[arguments[1].at(i)]);
      value ? out.set(i, *value) : out.set_null(i);
    }
    return Datum{out.finish(), arguments[0].constant && arguments[1].constant};
  };
}

template <class Op>
BoundFunction decimal_operation(const Type& a, const Type& b) {
  const Type result = Op::decimal_type(a, b);
  const int a_scale = a.scale();
  const int b_scale = b.scale();
  return BoundFunction{{a, b},
                       result,
                       decimal_kernel<Decimal128>(result,
                                                  [=](Decimal128 x, Decimal128 y) {
                                                    return Op::of_decimals(x, a_scale, y, b_scale,
                                                                           result);
                                                  }),
                       true};
}

Error wrong_operands(const Arguments& arguments) {
  return Error::invalid(fmt::format(
      "`{}` cannot be applied to {} ({}) and {} ({})", arguments.function, arguments.names[0],
      arguments.types[0].simple_string(), arguments.names[1], arguments.types[1].simple_string()));
}

// The decimal an integral operand becomes beside a decimal: a literal only takes the digits it has.
Type decimal_operand(const Arguments& arguments, size_t i) {
  const Type& type = arguments.types[i];
  if (!arguments.is_literal(i) || !type.is_integral()) return decimal_for(type);
  return visit_fixed(type.id(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    int digits = 1;
    if constexpr (std::is_integral_v<T>) {
      for (auto value = static_cast<int64_t>(arguments.constants[i]->template values<T>()[0]) / 10;
           value != 0; value /= 10)
        ++digits;
    }
    return Type::decimal(digits, 0);
  });
}

// What the operands are cast to: one numeric type, or a decimal each.
struct Operands {
  Type left;
  Type right;
};
Result<Operands> numeric_operands(const Arguments& arguments) {
  Type a = arguments.types[0];
  Type b = arguments.types[1];
  if (a.id() == TypeId::string) a = Type::double_();
  if (b.id() == TypeId::string) b = Type::double_();
  if (a.id() == TypeId::null && b.id() == TypeId::null) a = b = Type::double_();
  if (a.id() == TypeId::null) a = b;
  if (b.id() == TypeId::null) b = a;
  if (!a.is_numeric() || !b.is_numeric()) return wrong_operands(arguments);
  if (a.id() == TypeId::decimal || b.id() == TypeId::decimal) {
    if (a.is_floating() || b.is_floating()) return Operands{Type::double_(), Type::double_()};
    if (a.id() != TypeId::decimal) a = decimal_operand(arguments, 0);
    if (b.id() != TypeId::decimal) b = decimal_operand(arguments, 1);
    return Operands{a, b};
  }
  const Type common = *tightest_common_type(a, b);
  return Operands{common, common};
}

template <class Op>
Result<BoundFunction> bind_arithmetic(const Arguments& arguments) {
  FLOWRUN_TRY(const Operands operands, numeric_operands(arguments));
  if (operands.left.id() == TypeId::decimal)
    return decimal_operation<Op>(operands.left, operands.right);
  const bool divides = std::is_same_v<Op, Divide>;
  const Type type = divides ? Type::double_() : operands.left;
  Kernel kernel = visit_fixed(type.id(), [&](auto tag) -> Kernel {
    using T = typename decltype(tag)::type;
    if constexpr (std::is_floating_point_v<T> ||
                  (std::is_integral_v<T> && !std::is_same_v<Op, Divide>)) {
      return [type](const CallContext& context, std::span<const Datum> values) {
        return compute<T, Op>(type, context, values);
      };
    } else {
      return {};
    }
  });
  return BoundFunction{{type, type}, type, std::move(kernel), !Op::kTotal};
}

Result<BoundFunction> bind_div(const Arguments& arguments) {
  for (const Type& type : arguments.types) {
    if (!type.is_integral() && type.id() != TypeId::decimal && type.id() != TypeId::null)
      return wrong_operands(arguments);
  }
  FLOWRUN_TRY(const Operands operands, numeric_operands(arguments));
  if (operands.left.id() == TypeId::decimal) {
    const int a_scale = operands.left.scale();
    const int b_scale = operands.right.scale();
    return BoundFunction{{operands.left, operands.right},
                         Type::bigint(),
                         decimal_kernel<int64_t>(Type::bigint(),
                                                 [=](Decimal128 a, Decimal128 b) {
                                                   return divide_decimals_integrally(a, a_scale, b,
                                                                                     b_scale);
                                                 }),
                         true};
  }
  return BoundFunction{{Type::bigint(), Type::bigint()},
                       Type::bigint(),
                       [](const CallContext& context, std::span<const Datum> values) {
                         return compute<int64_t, DivideIntegrally>(Type::bigint(), context, values);
                       },
                       true};
}

// -x; integers wrap.
Result<BoundFunction> bind_negative(const Arguments& arguments) {
  Type type = arguments.types[0];
  if (type.id() == TypeId::string || type.id() == TypeId::null) type = Type::double_();
  const bool interval =
      type.id() == TypeId::day_time_interval || type.id() == TypeId::year_month_interval;
  if (!type.is_numeric() && !interval)
    return wrong_argument(arguments, 0, "a number or an interval");
  Kernel kernel = [type](const CallContext& context,
                         std::span<const Datum> values) -> Result<Datum> {
    if (values[0].is_constant_null()) return Datum::null(type);
    const int64_t rows = rows_to_compute(values, context.num_rows);
    NullMask mask = combine_nulls(values, rows);
    Column::Parts parts{.type = type, .size = rows, .null_count = mask.null_count};
    parts.validity = std::move(mask.bits);
    visit_fixed(type.id(), [&](auto tag) {
      using T = typename decltype(tag)::type;
      if constexpr (!std::is_same_v<T, CalendarInterval>) {
        parts.values = Buffer::allocate(static_cast<size_t>(rows) * sizeof(T));
        T* out = reinterpret_cast<T*>(parts.values->mutable_data());
        const T* in = values[0].column->values<T>().data();
        for (int64_t i = 0; i < rows; ++i) {
          if constexpr (std::is_integral_v<T> && !std::is_same_v<T, Decimal128>) {
            out[i] = static_cast<T>(Unsigned<T>{0} - static_cast<Unsigned<T>>(in[i]));
          } else {
            out[i] = -in[i];
          }
        }
      }
    });
    return Datum{Column::make(std::move(parts)), values[0].constant};
  };
  return BoundFunction{{type}, type, std::move(kernel)};
}

Result<BoundFunction> bind_positive(const Arguments& arguments) {
  Type type = arguments.types[0];
  if (type.id() == TypeId::string || type.id() == TypeId::null) type = Type::double_();
  const bool interval =
      type.id() == TypeId::day_time_interval || type.id() == TypeId::year_month_interval;
  if (!type.is_numeric() && !interval)
    return wrong_argument(arguments, 0, "a number or an interval");
  return BoundFunction{
      {type}, type, [](const CallContext&, std::span<const Datum> values) -> Result<Datum> {
        return values[0];
      }};
}

auto infix(const char* symbol) {
  return [symbol](std::span<const std::string> arguments) {
    return fmt::format("({} {} {})", arguments[0], symbol, arguments[1]);
  };
}

// The operator over numbers under the name "numeric +"; "+" itself looks for dates and intervals
// first.
template <class Op>
void add_operator(FunctionRegistry& registry, const char* symbol, const char* numeric,
                  const char* doc) {
  registry.add(ScalarFunction(numeric, doc, 2, 2, BindFunction(bind_arithmetic<Op>))
                   .named_by(infix(symbol)));
  registry.add(ScalarFunction(symbol, doc, 2, 2,
                              BuildFunction([symbol, numeric](CallSite& site) -> Result<TypedPtr> {
                                if (is_datetime_arithmetic(site))
                                  return build_datetime_arithmetic(site, symbol[0]);
                                return site.call_as(numeric, symbol, site.arguments());
                              })));
}

}  // namespace

void register_arithmetic_functions(FunctionRegistry& registry) {
  add_operator<Add>(registry, "+", "numeric +",
                    "a + b: the sum; a date or time moved by days or an interval.");
  add_operator<Subtract>(registry, "-", "numeric -",
                         "a - b: the difference; of dates and times an interval.");
  add_operator<Multiply>(registry, "*", "numeric *", "a * b: the product.");
  add_operator<Divide>(registry, "/", "numeric /",
                       "a / b: the quotient, a double or decimal; null for b = 0.");
  registry.add(ScalarFunction("%", "a % b: the remainder with the sign of a; null for b = 0.", 2, 2,
                              BindFunction(bind_arithmetic<Remainder>))
                   .named_by(infix("%")));
  registry.add(ScalarFunction("mod", "mod(a, b): as a % b.", 2, 2,
                              BindFunction(bind_arithmetic<Remainder>)));
  registry.add(ScalarFunction("pmod",
                              "pmod(a, b): a % b, with b added where that is negative; null for "
                              "b = 0.",
                              2, 2, BindFunction(bind_arithmetic<PositiveRemainder>)));
  registry.add(ScalarFunction("div",
                              "a div b: the whole part of the quotient as bigint; null for b = 0.",
                              2, 2, BindFunction(bind_div))
                   .named_by(infix("div")));
  registry.add(
      ScalarFunction("unary -", "-x: x with its sign turned.", 1, 1, BindFunction(bind_negative))
          .named_by([](auto arguments) { return fmt::format("(- {})", arguments[0]); }));
  registry.add(ScalarFunction("negative", "negative(x): x with its sign turned.", 1, 1,
                              BindFunction(bind_negative)));
  registry.add(ScalarFunction({"positive", "unary +"}, "positive(x), +x: x.", 1, 1,
                              BindFunction(bind_positive))
                   .named_by([](auto arguments) { return fmt::format("(+ {})", arguments[0]); }));
}

}  // namespace flowrun
