// Casts to numbers and booleans.
#include <cmath>
#include <limits>

#include "runtime/expr/cast_themes.h"
#include "runtime/format/civil.h"
#include "runtime/format/decimal.h"
#include "runtime/format/interval.h"

namespace flowrun {
namespace {

constexpr double kMicrosInSecond = 1e6;
constexpr int kMicrosScale = 6;

// As Spark: smaller integers by way of int.
template <class Out>
Out narrow_floating(double value) {
  if constexpr (sizeof(Out) < sizeof(int32_t)) {
    return static_cast<Out>(saturate<int32_t>(value));
  } else {
    return saturate<Out>(value);
  }
}

template <class Out>
std::optional<Out> checked_floating(double value) {
  constexpr auto kLeast = static_cast<double>(std::numeric_limits<Out>::min());
  if (std::floor(value) < -kLeast && std::ceil(value) >= kLeast) return static_cast<Out>(value);
  return std::nullopt;
}

template <class Out, class In>
std::optional<Out> checked_integer(In value) {
  const auto narrow = static_cast<Out>(value);
  if (static_cast<In>(narrow) != value) return std::nullopt;
  return narrow;
}

// Whole units of an interval's last field.
int64_t whole_units(const Type& interval, int64_t value) {
  if (interval.id() == TypeId::day_time_interval)
    return value / micros_of_unit(interval.last_unit());
  return interval.last_unit() == IntervalUnit::year ? value / 12 : value;
}

template <class Out, class In>
Result<ColumnPtr> interval_to_integral(const CastRequest& request) {
  bool overflows = false;
  ColumnPtr result = cast_some<Out, In>(request.column, request.to, [&](In value) {
    const auto narrow = checked_integer<Out>(whole_units(request.from(), value));
    if (!narrow && !request.checked()) overflows = true;
    return narrow;
  });
  if (overflows) {
    return Error::data("an interval is too large for " + request.to.simple_string() +
                       " — cast it to bigint");
  }
  return result;
}

template <class Out, class In>
ColumnPtr integer_to_integral(const CastRequest& request) {
  if constexpr (sizeof(Out) >= sizeof(In)) {
    return cast_all<Out, In>(request.column, request.to, [](In value) { return Out{value}; });
  } else {
    if (request.checked())
      return cast_some<Out, In>(request.column, request.to, checked_integer<Out, In>);
    return cast_all<Out, In>(request.column, request.to,
                             [](In value) { return static_cast<Out>(value); });
  }
}

template <class Out, class In>
ColumnPtr floating_to_integral(const CastRequest& request) {
  if (request.checked()) {
    return cast_some<Out, In>(request.column, request.to,
                              [](In value) { return checked_floating<Out>(value); });
  }
  return cast_all<Out, In>(request.column, request.to,
                           [](In value) { return narrow_floating<Out>(value); });
}

template <class Out>
ColumnPtr decimal_to_integral(const CastRequest& request) {
  const int scale = request.from().scale();
  if (request.checked()) {
    return cast_some<Out, Decimal128>(request.column, request.to, [scale](Decimal128 value) {
      return checked_integer<Out>(decimal_integral_part(value, scale));
    });
  }
  return cast_some<Out, Decimal128>(request.column, request.to, [scale](Decimal128 value) {
    return std::optional(static_cast<Out>(decimal_integral_part(value, scale)));
  });
}

template <class Out>
ColumnPtr text_to_integral(const CastRequest& request) {
  const bool allow_fraction = !request.checked();
  return cast_text<Out>(request.column, request.to,
                        [allow_fraction](std::string_view text) -> std::optional<Out> {
                          const auto value = parse_integer(text, allow_fraction);
                          if (!value) return std::nullopt;
                          return checked_integer<Out>(*value);
                        });
}

template <class Out>
Result<ColumnPtr> to_integral(const CastRequest& request) {
  switch (request.from().id()) {
    case TypeId::boolean:
      return cast_bits<Out>(request.column, request.to,
                            [](bool value) { return static_cast<Out>(value ? 1 : 0); });
    case TypeId::tinyint:
      return integer_to_integral<Out, int8_t>(request);
    case TypeId::smallint:
      return integer_to_integral<Out, int16_t>(request);
    case TypeId::integer:
      return integer_to_integral<Out, int32_t>(request);
    case TypeId::bigint:
      return integer_to_integral<Out, int64_t>(request);
    case TypeId::real:
      return floating_to_integral<Out, float>(request);
    case TypeId::double_:
      return floating_to_integral<Out, double>(request);
    case TypeId::decimal:
      return decimal_to_integral<Out>(request);
    case TypeId::string:
      return text_to_integral<Out>(request);
    case TypeId::timestamp:
      return cast_some<Out, int64_t>(request.column, request.to, [](int64_t micros) {
        return checked_integer<Out>(floor_div(micros, kMicrosPerSecond));
      });
    case TypeId::day_time_interval:
      return interval_to_integral<Out, int64_t>(request);
    case TypeId::year_month_interval:
      return interval_to_integral<Out, int32_t>(request);
    default:
      return null_column(request.to, request.column.size());  // date
  }
}

template <class Out>
Result<ColumnPtr> to_floating(const CastRequest& request) {
  const Column& column = request.column;
  switch (request.from().id()) {
    case TypeId::boolean:
      return cast_bits<Out>(column, request.to, [](bool value) { return value ? Out{1} : Out{0}; });
    case TypeId::decimal: {
      const int scale = request.from().scale();
      return cast_all<Out, Decimal128>(column, request.to, [scale](Decimal128 value) {
        if constexpr (std::is_same_v<Out, float>)
          return decimal_to_float(value, scale);
        else
          return decimal_to_double(value, scale);
      });
    }
    case TypeId::timestamp:
      return cast_all<Out, int64_t>(column, request.to, [](int64_t micros) {
        return static_cast<Out>(static_cast<double>(micros) / kMicrosInSecond);
      });
    case TypeId::string:
      return cast_text<Out>(column, request.to, parse_floating<Out>);
    case TypeId::date:
      return null_column(request.to, column.size());
    default:
      return visit_fixed(request.from().id(), [&](auto tag) -> Result<ColumnPtr> {
        using In = typename decltype(tag)::type;
        if constexpr (std::is_arithmetic_v<In>) {
          return cast_all<Out, In>(column, request.to,
                                   [](In value) { return static_cast<Out>(value); });
        } else {
          return null_column(request.to, column.size());
        }
      });
  }
}

// An interval as a decimal of its last unit; seconds keep their fraction.
template <class In>
ColumnPtr interval_to_decimal(const CastRequest& request) {
  const Type& from = request.from();
  const bool seconds = from.last_unit() == IntervalUnit::second;
  return cast_some<Decimal128, In>(request.column, request.to, [&, seconds](In value) {
    const int64_t units = seconds ? value : whole_units(from, value);
    return rescale_decimal(units, seconds ? 6 : 0, request.to.precision(), request.to.scale());
  });
}

template <class In>
ColumnPtr integer_to_decimal(const CastRequest& request) {
  const int precision = request.to.precision();
  const int scale = request.to.scale();
  if (!cast_adds_nulls(request.from(), request.to)) {
    const Decimal128 unit = decimal_power(scale);
    return cast_all<Decimal128, In>(request.column, request.to,
                                    [unit](In value) { return value * unit; });
  }
  return cast_some<Decimal128, In>(request.column, request.to, [precision, scale](In value) {
    return decimal_from_integer(value, precision, scale);
  });
}

template <class In, class Code>
ColumnPtr number_to_boolean(const CastRequest& request, const Code& code) {
  BooleanBuilder builder;
  const std::span<const In> values = request.column.values<In>();
  for (int64_t i = 0; i < request.column.size(); ++i) {
    request.column.is_null(i) ? builder.append_null()
                              : builder.append(code(values[static_cast<size_t>(i)]));
  }
  return builder.finish();
}

ColumnPtr text_to_boolean(const Column& column) {
  BooleanBuilder builder;
  for (int64_t i = 0; i < column.size(); ++i) {
    const auto value = column.is_null(i) ? std::nullopt : parse_boolean(column.string(i));
    value ? builder.append(*value) : builder.append_null();
  }
  return builder.finish();
}

}  // namespace

Result<ColumnPtr> cast_to_integral(const CastRequest& request) {
  switch (request.to.id()) {
    case TypeId::tinyint:
      return to_integral<int8_t>(request);
    case TypeId::smallint:
      return to_integral<int16_t>(request);
    case TypeId::integer:
      return to_integral<int32_t>(request);
    default:
      return to_integral<int64_t>(request);
  }
}

Result<ColumnPtr> cast_to_floating(const CastRequest& request) {
  return request.to.id() == TypeId::real ? to_floating<float>(request)
                                         : to_floating<double>(request);
}

Result<ColumnPtr> cast_to_decimal(const CastRequest& request) {
  const Column& column = request.column;
  const Type& to = request.to;
  const int precision = to.precision();
  const int scale = to.scale();
  const auto from_double = [=](double value) {
    return decimal_from_double(value, precision, scale);
  };
  switch (request.from().id()) {
    case TypeId::boolean:
      return cast_rows<Decimal128>(
          column, to, [&](int64_t i) { return column.boolean(i); },
          [=](bool value) { return decimal_from_integer(value ? 1 : 0, precision, scale); });
    case TypeId::tinyint:
      return integer_to_decimal<int8_t>(request);
    case TypeId::smallint:
      return integer_to_decimal<int16_t>(request);
    case TypeId::integer:
      return integer_to_decimal<int32_t>(request);
    case TypeId::bigint:
      return integer_to_decimal<int64_t>(request);
    case TypeId::real:
      return cast_some<Decimal128, float>(column, to, from_double);
    case TypeId::double_:
      return cast_some<Decimal128, double>(column, to, from_double);
    case TypeId::decimal:
      return cast_some<Decimal128, Decimal128>(
          column, to, [=, from = request.from().scale()](Decimal128 value) {
            return rescale_decimal(value, from, precision, scale);
          });
    case TypeId::string:
      return cast_text<Decimal128>(
          column, to, [=](std::string_view text) { return parse_decimal(text, precision, scale); });
    case TypeId::timestamp:
      return cast_some<Decimal128, int64_t>(column, to, [=](int64_t micros) {
        return rescale_decimal(micros, kMicrosScale, precision, scale);
      });
    case TypeId::day_time_interval:
      return interval_to_decimal<int64_t>(request);
    case TypeId::year_month_interval:
      return interval_to_decimal<int32_t>(request);
    default:
      return null_column(to, column.size());  // date
  }
}

Result<ColumnPtr> cast_to_boolean(const CastRequest& request) {
  switch (request.from().id()) {
    case TypeId::string:
      return text_to_boolean(request.column);
    case TypeId::date:
      return null_column(request.to, request.column.size());
    default:
      return visit_fixed(request.from().id(), [&](auto tag) -> Result<ColumnPtr> {
        using In = typename decltype(tag)::type;
        if constexpr (std::is_same_v<In, CalendarInterval>) {
          return null_column(request.to, request.column.size());
        } else {
          return number_to_boolean<In>(request, [](In value) { return value != In{}; });
        }
      });
  }
}

}  // namespace flowrun
