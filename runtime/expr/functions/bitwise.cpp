// Operators on the bits of integers.
#include <fmt/format.h>

#include <bit>

#include "runtime/columnar/builder.h"
#include "runtime/expr/coercion.h"
#include "runtime/expr/functions/functions.h"
#include "runtime/expr/scalar.h"
#include "runtime/expr/vector_loops.h"

namespace flowrun {

namespace {

// Calls `code` with a tag of the physical type. REQUIRES: an integral type.
template <class Code>
Kernel integral_kernel(const Type& type, Code code) {
  switch (type.id()) {
    case TypeId::tinyint:
      return code(TypeTag<int8_t>{});
    case TypeId::smallint:
      return code(TypeTag<int16_t>{});
    case TypeId::integer:
      return code(TypeTag<int32_t>{});
    default:
      return code(TypeTag<int64_t>{});
  }
}

template <class T, class B, class Op>
Kernel binary_kernel(const Type& type, Op op) {
  return [type, op](const CallContext& context, std::span<const Datum> arguments) -> Result<Datum> {
    if (arguments[0].is_constant_null() || arguments[1].is_constant_null())
      return Datum::null(type);
    const int64_t rows = rows_to_compute(arguments, context.num_rows);
    NullMask mask = combine_nulls(arguments, rows);
    Column::Parts parts{.type = type, .size = rows, .null_count = mask.null_count};
    parts.validity = std::move(mask.bits);
    parts.values = Buffer::allocate(static_cast<size_t>(rows) * sizeof(T));
    binary_loop<T, B>(arguments[0], arguments[1], rows,
                      reinterpret_cast<T*>(parts.values->mutable_data()), op);
    return Datum{Column::make(std::move(parts)), arguments[0].constant && arguments[1].constant};
  };
}

template <class Op>
ScalarFunction bit_operator(const char* symbol, const char* doc, Op op) {
  return ScalarFunction(symbol, doc, 2, 2,
                        BindFunction([op](const Arguments& arguments) -> Result<BoundFunction> {
                          Type a = arguments.types[0];
                          Type b = arguments.types[1];
                          if (a.id() == TypeId::null && b.id() == TypeId::null)
                            a = b = Type::integer();
                          if (a.id() == TypeId::null) a = b;
                          if (b.id() == TypeId::null) b = a;
                          for (size_t i = 0; i < 2; ++i) {
                            if (!(i == 0 ? a : b).is_integral())
                              return wrong_argument(arguments, i, "an integer");
                          }
                          const Type type = *tightest_common_type(a, b);
                          return BoundFunction{
                              {type, type}, type, integral_kernel(type, [&](auto tag) {
                                using T = typename decltype(tag)::type;
                                return binary_kernel<T, T>(
                                    type, [op](T x, T y) { return static_cast<T>(op(x, y)); });
                              })};
                        }))
      .named_by([symbol](auto arguments) {
        return fmt::format("({} {} {})", arguments[0], symbol, arguments[1]);
      });
}

// Shifts of int and bigint; the distance counts modulo the width, as in Java.
template <class Op>
BindFunction bind_shift(Op op) {
  return [op](const Arguments& arguments) -> Result<BoundFunction> {
    const Type type = arguments.types[0].id() == TypeId::bigint ? Type::bigint() : Type::integer();
    for (size_t i = 0; i < 2; ++i) {
      if (!implicit_cast(arguments.types[i], Type::integer()))
        return wrong_argument(arguments, i, "an integer");
    }
    Kernel kernel = integral_kernel(type, [&](auto tag) {
      using T = typename decltype(tag)::type;
      return binary_kernel<T, int32_t>(type, [op](T x, int32_t n) {
        return static_cast<T>(op(x, n & static_cast<int32_t>(sizeof(T) * 8 - 1)));
      });
    });
    return BoundFunction{{type, Type::integer()}, type, std::move(kernel)};
  };
}

template <class Op>
void add_shift(FunctionRegistry& registry, const char* name, const char* symbol, const char* doc,
               Op op) {
  registry.add(ScalarFunction(name, doc, 2, 2, bind_shift(op)));
  registry.add(ScalarFunction(symbol, doc, 2, 2, bind_shift(op)).named_by([symbol](auto arguments) {
    return fmt::format("({} {} {})", arguments[0], symbol, arguments[1]);
  }));
}

Result<BoundFunction> bind_not(const Arguments& arguments) {
  const Type type = arguments.types[0].id() == TypeId::null ? Type::integer() : arguments.types[0];
  if (!type.is_integral()) return wrong_argument(arguments, 0, "an integer");
  return BoundFunction{
      {type}, type, integral_kernel(type, [&](auto tag) -> Kernel {
        using T = typename decltype(tag)::type;
        const Kernel exclusive =
            binary_kernel<T, T>(type, [](T x, T y) { return static_cast<T>(x ^ y); });
        FixedWriter<T> ones(type, 1);
        ones.set(0, T{-1});
        return [exclusive, all = Datum{ones.finish(), true}](
                   const CallContext& context, std::span<const Datum> arguments_of_call) {
          const std::array<Datum, 2> both{arguments_of_call[0], all};
          return exclusive(context, both);
        };
      })};
}

}  // namespace

void register_bitwise_functions(FunctionRegistry& registry) {
  registry.add(
      bit_operator("&", "a & b: the bits set in both.", [](auto a, auto b) { return a & b; }));
  registry.add(
      bit_operator("|", "a | b: the bits set in either.", [](auto a, auto b) { return a | b; }));
  registry.add(bit_operator("^", "a ^ b: the bits set in one of the two.",
                            [](auto a, auto b) { return a ^ b; }));
  registry.add(ScalarFunction("~", "~a: every bit turned.", 1, 1, BindFunction(bind_not))
                   .named_by([](auto arguments) { return "~" + arguments[0]; }));
  add_shift(
      registry, "shiftleft", "<<", "shiftleft(a, n), a << n: the bits moved up by n.",
      [](auto x, int32_t n) { return static_cast<std::make_unsigned_t<decltype(x)>>(x) << n; });
  add_shift(registry, "shiftright", ">>",
            "shiftright(a, n), a >> n: the bits moved down by n, the sign kept.",
            [](auto x, int32_t n) { return x >> n; });
  add_shift(
      registry, "shiftrightunsigned", ">>>",
      "shiftrightunsigned(a, n), a >>> n: the bits moved down by n, zeroes put in.",
      [](auto x, int32_t n) { return static_cast<std::make_unsigned_t<decltype(x)>>(x) >> n; });
  registry.add(
      overloads("bit_count", "bit_count(x): how many bits are set; a boolean counts as 0 or 1.",
                {scalar<int32_t(bool)>("", "", [](bool x) { return static_cast<int32_t>(x); }),
                 scalar<int32_t(int64_t)>(
                     "", "", [](int64_t x) { return std::popcount(static_cast<uint64_t>(x)); })}));
}

}  // namespace flowrun
