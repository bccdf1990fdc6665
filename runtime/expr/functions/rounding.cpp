// Rounding, absolute values and signs: functions whose result follows the type of their argument.
#include <array>
#include <charconv>
#include <cmath>
#include <limits>

#include "runtime/expr/cast_themes.h"
#include "runtime/expr/coercion.h"
#include "runtime/expr/functions/functions.h"
#include "runtime/expr/scalar.h"
#include "runtime/format/decimal.h"

namespace flowrun {

namespace {

enum class Rounding : uint8_t { half_up, half_even, ceiling, floor };

constexpr int kMaxScale = 38;

// value / 10^drop in a rounding mode. REQUIRES: drop >= 0.
Decimal128 drop_digits(Decimal128 value, int drop, Rounding rounding) {
  const bool gone = drop > kMaxScale;
  const Decimal128 divisor = gone ? decimal_power(kMaxScale) : decimal_power(drop);
  const Decimal128 quotient = gone ? 0 : value / divisor;
  const Decimal128 rest = gone ? value : value % divisor;
  const Decimal128 size = rest < 0 ? -rest : rest;
  const int half = gone ? -1 : size > divisor - size ? 1 : size == divisor - size ? 0 : -1;
  switch (rounding) {
    case Rounding::ceiling:
      return rest > 0 ? quotient + 1 : quotient;
    case Rounding::floor:
      return rest < 0 ? quotient - 1 : quotient;
    case Rounding::half_even:
      if (half < 0 || (half == 0 && quotient % 2 == 0)) return quotient;
      break;
    default:
      if (half < 0) return quotient;
  }
  return rest < 0 ? quotient - 1 : quotient + 1;
}

// A decimal at `places` digits behind the point (before it if negative), as a decimal of `type`.
std::optional<Decimal128> round_decimal(Decimal128 value, int scale, int places, const Type& type,
                                        Rounding rounding) {
  Decimal128 rounded = value;
  if (places < scale) rounded = drop_digits(value, scale - places, rounding);
  const int now = std::min(places, scale);
  if (now >= 0) return rescale_decimal(rounded, now, type.precision(), type.scale());
  // The zeros of a negative scale come back.
  return rescale_decimal(rounded, 0, type.precision(), std::min(-now, kMaxScale));
}

// By way of the shortest digits, as Spark does it with BigDecimal(Double.toString).
double round_double(double value, int places, Rounding rounding) {
  if (!std::isfinite(value)) return value;
  std::array<char, 32> text{};
  auto* end =
      std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::scientific)
          .ptr;
  const std::string_view digits(text.data(), static_cast<size_t>(end - text.data()));
  const size_t e = digits.find('e');
  int exponent = 0;
  std::from_chars(digits.data() + e + (digits[e + 1] == '+' ? 2 : 1), end, exponent);
  Decimal128 mantissa = 0;
  int behind_point = 0;
  bool point = false;
  for (const char c : digits.substr(0, e)) {
    if (c == '.') point = true;
    if (c < '0' || c > '9') continue;
    mantissa = mantissa * 10 + (c - '0');
    behind_point += point ? 1 : 0;
  }
  const int scale = behind_point - exponent;  // value = mantissa / 10^scale
  if (places >= scale) return value == 0 ? 0.0 : value;
  if (value < 0) mantissa = -mantissa;
  const Decimal128 rounded = drop_digits(mantissa, scale - places, rounding);
  std::string result;
  append_decimal(rounded, 0, result);
  result += 'e' + std::to_string(-places);
  double number = 0;
  std::from_chars(result.data(), result.data() + result.size(), number);
  return number;
}

// The double that has the digits of a float.
double shortest_double(float value) {
  std::array<char, 32> text{};
  const auto* end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  double number = value;
  std::from_chars(text.data(), end, number);
  return number;
}

// Wraps where the rounded value does not fit, as Spark's narrowing does.
template <class T>
T round_integer(T value, int places, Rounding rounding) {
  if (places >= 0) return value;
  const Decimal128 rounded = drop_digits(value, -places, rounding);
  if (rounded == 0) return 0;
  return static_cast<T>(rounded * decimal_power(std::min(-places, kMaxScale)));
}

// Spark's type of a rounded decimal.
Type rounded_type(const Type& type, int places) {
  const int whole = type.precision() - type.scale() + 1;
  if (places < 0) return Type::decimal(std::min(std::max(whole, -places + 1), kMaxScale), 0);
  const int scale = std::min(type.scale(), places);
  return Type::decimal(std::min(whole + scale, kMaxScale), scale);
}

Kernel decimal_kernel(const Type& from, const Type& to, int places, Rounding rounding) {
  return [scale = from.scale(), to, places, rounding](
             const CallContext&, std::span<const Datum> arguments) -> Result<Datum> {
    return Datum{
        cast_some<Decimal128, Decimal128>(
            *arguments[0].column, to,
            [&](Decimal128 value) { return round_decimal(value, scale, places, to, rounding); }),
        arguments[0].constant};
  };
}

template <class T, class Code>
Kernel number_kernel(const Type& type, Code code) {
  return [type, code](const CallContext&, std::span<const Datum> arguments) -> Result<Datum> {
    return Datum{cast_all<T, T>(*arguments[0].column, type, code), arguments[0].constant};
  };
}

BoundFunction bind_decimal_rounding(const Type& from, int places, Rounding rounding) {
  const Type to = rounded_type(from, places);
  return {.arguments = {from},
          .result = to,
          .kernel = decimal_kernel(from, to, places, rounding),
          .adds_nulls = true};
}

BoundFunction bind_number_rounding(const Type& type, int places, Rounding rounding) {
  BoundFunction bound{.arguments = {type}, .result = type, .kernel = {}};
  switch (type.id()) {
    case TypeId::tinyint:
      bound.kernel =
          number_kernel<int8_t>(type, [=](int8_t x) { return round_integer(x, places, rounding); });
      break;
    case TypeId::smallint:
      bound.kernel = number_kernel<int16_t>(
          type, [=](int16_t x) { return round_integer(x, places, rounding); });
      break;
    case TypeId::integer:
      bound.kernel = number_kernel<int32_t>(
          type, [=](int32_t x) { return round_integer(x, places, rounding); });
      break;
    case TypeId::bigint:
      bound.kernel = number_kernel<int64_t>(
          type, [=](int64_t x) { return round_integer(x, places, rounding); });
      break;
    case TypeId::real:
      bound.kernel = number_kernel<float>(type, [=](float x) {
        return static_cast<float>(round_double(shortest_double(x), places, rounding));
      });
      break;
    default:
      bound.kernel =
          number_kernel<double>(type, [=](double x) { return round_double(x, places, rounding); });
  }
  return bound;
}

// The constant number of places; nothing for a null.
Result<std::optional<int>> constant_places(const Arguments& arguments) {
  const ColumnPtr& places = arguments.constants[1];
  if (places != nullptr && places->is_null(0)) return std::optional<int>{};
  const auto number = arguments.constant_integer(1);
  if (!number) return wrong_argument(arguments, 1, "a constant int");
  // More places than any number has; their powers of ten would leave an int.
  constexpr int kMost = 400;
  return std::optional<int>{std::clamp(*number, -kMost, kMost)};
}

Type number_for(const Type& type) { return type.is_numeric() ? type : Type::double_(); }

BoundFunction always_null(const Type& type, const Arguments& arguments) {
  return {.arguments = {type, arguments.types[1]},
          .result = type,
          .kernel = [type](const CallContext&, std::span<const Datum>) -> Result<Datum> {
            return Datum::null(type);
          },
          .adds_nulls = true};
}

// round(x, places) and bround(x, places).
Result<BoundFunction> bind_round(const Arguments& arguments, Rounding rounding) {
  const Type& given = arguments.types[0];
  if (!given.is_numeric() && !implicit_cast(given, Type::double_()))
    return wrong_argument(arguments, 0, "a number");
  FLOWRUN_TRY(const auto places, constant_places(arguments));
  const Type type = number_for(given);
  BoundFunction bound = type.id() == TypeId::decimal
                            ? bind_decimal_rounding(type, places.value_or(0), rounding)
                            : bind_number_rounding(type, places.value_or(0), rounding);
  if (!places) return always_null(bound.result, arguments);
  bound.arguments.push_back(Type::integer());
  return bound;
}

// ceil(x) and floor(x): a bigint, or a decimal of a decimal; with places always a decimal.
Result<BoundFunction> bind_edge(const Arguments& arguments, Rounding rounding) {
  const Type& given = arguments.types[0];
  if (!given.is_numeric() && !implicit_cast(given, Type::double_()))
    return wrong_argument(arguments, 0, "a number");
  if (arguments.size() == 2) {
    if (arguments.types[1].id() != TypeId::integer)
      return wrong_argument(arguments, 1, "a constant int");
    FLOWRUN_TRY(const auto places, constant_places(arguments));
    const Type type = given.is_integral() || given.id() == TypeId::decimal ? decimal_type_for(given)
                      : given.id() == TypeId::real                         ? Type::decimal(14, 7)
                                                                           : Type::decimal(30, 15);
    if (!places) return always_null(type, arguments);
    BoundFunction bound = bind_decimal_rounding(type, *places, rounding);
    bound.arguments.push_back(Type::integer());
    return bound;
  }
  if (given.id() == TypeId::decimal) return bind_decimal_rounding(given, 0, rounding);
  if (given.is_integral()) {
    return BoundFunction{
        .arguments = {Type::bigint()},
        .result = Type::bigint(),
        .kernel = [](const CallContext&, std::span<const Datum> rows) -> Result<Datum> {
          return rows[0];
        }};
  }
  return BoundFunction{
      .arguments = {Type::double_()},
      .result = Type::bigint(),
      .kernel = [rounding](const CallContext&, std::span<const Datum> rows) -> Result<Datum> {
        return Datum{cast_all<int64_t, double>(*rows[0].column, Type::bigint(),
                                               [rounding](double x) {
                                                 return saturate<int64_t>(
                                                     rounding == Rounding::ceiling ? std::ceil(x)
                                                                                   : std::floor(x));
                                               }),
                     rows[0].constant};
      }};
}

ScalarFunction edge_function(FunctionNames names, const char* shown, std::string doc,
                             Rounding rounding) {
  return ScalarFunction(std::move(names), std::move(doc), 1, 2,
                        BindFunction([rounding](const Arguments& arguments) {
                          return bind_edge(arguments, rounding);
                        }))
      .named_by([shown](std::span<const std::string> arguments) {
        if (arguments.size() == 1) return std::string(shown) + "(" + arguments[0] + ")";
        return lower_name(shown) + "(" + arguments[0] + ", " + arguments[1] + ")";
      });
}

// As java.math with the 34 digits of Scala's BigDecimal: more are rounded, which may overflow.
Result<Decimal128> absolute_decimal(Decimal128 value, int precision) {
  constexpr int kContextDigits = 34;
  if (value >= 0) return value;
  value = -value;
  int digits = kContextDigits;
  while (digits < kMaxScale && !fits_precision(value, digits)) ++digits;
  const int drop = digits - kContextDigits;
  if (drop > 0) value = drop_digits(value, drop, Rounding::half_even) * decimal_power(drop);
  if (!fits_precision(value, precision)) return Error::data("abs: a decimal is too large");
  return value;
}

Result<Datum> absolute_decimals(const Datum& argument) {
  std::optional<Error> error;
  const Type& type = argument.type();
  ColumnPtr column = cast_some<Decimal128, Decimal128>(
      *argument.column, type, [&](Decimal128 value) -> std::optional<Decimal128> {
        Result<Decimal128> result = absolute_decimal(value, type.precision());
        if (result) return *result;
        error = std::move(result.error());
        return std::nullopt;
      });
  if (error) return std::move(*error);
  return Datum{std::move(column), argument.constant};
}

bool is_unit_interval(const Type& type) {
  return type.id() == TypeId::year_month_interval || type.id() == TypeId::day_time_interval;
}

Result<BoundFunction> bind_abs(const Arguments& arguments) {
  const Type& given = arguments.types[0];
  if (!given.is_numeric() && !is_unit_interval(given) && !implicit_cast(given, Type::double_())) {
    return wrong_argument(arguments, 0, "a number or an interval");
  }
  const Type type = is_unit_interval(given) ? given : number_for(given);
  return BoundFunction{
      .arguments = {type},
      .result = type,
      .kernel = [type](const CallContext&, std::span<const Datum> rows) -> Result<Datum> {
        if (type.id() == TypeId::decimal) return absolute_decimals(rows[0]);
        return visit_fixed(type.id(), [&](auto tag) -> Result<Datum> {
          using T = typename decltype(tag)::type;
          if constexpr (std::is_floating_point_v<T>) {
            return Datum{cast_all<T, T>(*rows[0].column, type, [](T x) { return std::abs(x); }),
                         rows[0].constant};
          } else if constexpr (std::is_integral_v<T>) {
            // The least number stays as it is.
            return Datum{cast_all<T, T>(*rows[0].column, type,
                                        [](T x) {
                                          return static_cast<T>(x < 0 ? 0 - static_cast<uint64_t>(x)
                                                                      : static_cast<uint64_t>(x));
                                        }),
                         rows[0].constant};
          } else {
            return rows[0];
          }
        });
      }};
}

double sign_of(double x) { return x > 0 ? 1.0 : x < 0 ? -1.0 : x; }

Result<BoundFunction> bind_sign(const Arguments& arguments) {
  const Type& given = arguments.types[0];
  if (!is_unit_interval(given)) {
    if (!implicit_cast(given, Type::double_()))
      return wrong_argument(arguments, 0, "a number or an interval");
    return BoundFunction{.arguments = {Type::double_()},
                         .result = Type::double_(),
                         .kernel = number_kernel<double>(Type::double_(), sign_of)};
  }
  return BoundFunction{
      .arguments = {given},
      .result = Type::double_(),
      .kernel = [given](const CallContext&, std::span<const Datum> rows) -> Result<Datum> {
        return visit_fixed(given.id(), [&](auto tag) -> Result<Datum> {
          using T = typename decltype(tag)::type;
          if constexpr (std::is_integral_v<T>) {
            return Datum{cast_all<double, T>(*rows[0].column, Type::double_(),
                                             [](T x) { return sign_of(static_cast<double>(x)); }),
                         rows[0].constant};
          } else {
            return Datum::null(Type::double_());
          }
        });
      }};
}

}  // namespace

void register_rounding_functions(FunctionRegistry& registry) {
  registry.add(
      ScalarFunction(
          "round", "round(x[, places]): to places behind the point, halves away from zero.", 2, 2,
          BindFunction([](const Arguments& a) { return bind_round(a, Rounding::half_up); }))
          .with_defaults({constant_int(0)}));
  registry.add(
      ScalarFunction(
          "bround", "bround(x[, places]): to places behind the point, halves to the even digit.", 2,
          2, BindFunction([](const Arguments& a) { return bind_round(a, Rounding::half_even); }))
          .with_defaults({constant_int(0)}));
  registry.add(edge_function({"ceil", "ceiling"}, "CEIL",
                             "ceil(x[, places]): the least number not below x.",
                             Rounding::ceiling));
  registry.add(edge_function(
      "floor", "FLOOR", "floor(x[, places]): the greatest number not above x.", Rounding::floor));
  registry.add(ScalarFunction("abs", "abs(x): x without its sign.", 1, 1, BindFunction(bind_abs))
                   .may_fail());
  registry.add(
      ScalarFunction("sign", "sign(x): -1, 0 or 1 as a double.", 1, 1, BindFunction(bind_sign)));
  registry.add(
      ScalarFunction("signum", "signum(x): -1, 0 or 1 as a double.", 1, 1, BindFunction(bind_sign))
          .shown_as("SIGNUM"));
  registry.add(scalar<double(double)>(
      "rint", "rint(x): the nearest whole number, halves to the even one, as a double.",
      [](double x) { return std::nearbyint(x); }));
}

}  // namespace flowrun
