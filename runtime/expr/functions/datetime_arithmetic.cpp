#include "runtime/expr/functions/datetime_arithmetic.h"

#include <fmt/format.h>

#include <cmath>

#include "runtime/columnar/builder.h"
#include "runtime/expr/coercion.h"
#include "runtime/expr/functions/functions.h"
#include "runtime/expr/scalar.h"
#include "runtime/format/civil.h"
#include "runtime/format/decimal.h"
#include "runtime/format/time_zone.h"

namespace flowrun {

namespace {

bool is_interval(const Type& type) {
  return type.id() == TypeId::day_time_interval || type.id() == TypeId::year_month_interval;
}
bool is_instant(const Type& type) {
  return type.id() == TypeId::date || type.id() == TypeId::timestamp;
}

Type day_to_second() { return Type::day_time_interval(IntervalUnit::day, IntervalUnit::second); }

Error overflow(std::string_view what) { return Error::data(fmt::format("{} overflows", what)); }

// Row by row over two fixed-width arguments; `code` gives Result<R>.
template <class R, class A, class B, class Code>
Kernel row_kernel(Type result, Code code) {
  return [result, code](const CallContext& context,
                        std::span<const Datum> arguments) -> Result<Datum> {
    if (arguments[0].is_constant_null() || arguments[1].is_constant_null())
      return Datum::null(result);
    const int64_t rows = rows_to_compute(arguments, context.num_rows);
    const NullMask mask = combine_nulls(arguments, rows);
    const A* a = arguments[0].column->values<A>().data();
    const B* b = arguments[1].column->values<B>().data();
    LocalTime wall(context.zone);
    FixedWriter<R> out(result, rows);
    for (int64_t i = 0; i < rows; ++i) {
      if (mask.is_null(i)) {
        out.set_null(i);
        continue;
      }
      FLOWRUN_TRY(const R value, code(wall, a[arguments[0].at(i)], b[arguments[1].at(i)]));
      out.set(i, value);
    }
    return Datum{out.finish(), arguments[0].constant && arguments[1].constant};
  };
}

// The instant `days` and `micros` later, days being those of the wall's calendar.
Result<int64_t> add_day_time(LocalTime& wall, int64_t instant, int64_t interval) {
  const int64_t days = interval / kMicrosPerDay;
  int64_t result = 0;
  if (__builtin_add_overflow(wall.to_local(instant), days * kMicrosPerDay, &result) ||
      __builtin_add_overflow(wall.to_utc(result), interval - days * kMicrosPerDay, &result)) {
    return overflow("a timestamp plus an interval");
  }
  return result;
}

Result<int64_t> add_year_month(LocalTime& wall, int64_t instant, int32_t months) {
  const int64_t local = wall.to_local(instant);
  const int64_t day = floor_div(local, kMicrosPerDay);
  const int64_t moved = add_months(day, months);
  int64_t result = 0;
  if (__builtin_mul_overflow(moved, kMicrosPerDay, &result))
    return overflow("a timestamp plus an interval");
  return wall.to_utc(result + (local - day * kMicrosPerDay));
}

Result<BoundFunction> bind_add_interval(const Arguments& arguments, int sign) {
  const Type& base = arguments.types[0];
  const Type& interval = arguments.types[1];
  if (interval.id() == TypeId::day_time_interval) {
    return BoundFunction{{Type::timestamp(), interval},
                         Type::timestamp(),
                         row_kernel<int64_t, int64_t, int64_t>(
                             Type::timestamp(), [sign](LocalTime& wall, int64_t a, int64_t b) {
                               return add_day_time(wall, a, sign * b);
                             })};
  }
  if (base.id() == TypeId::date) {
    return BoundFunction{{base, interval},
                         base,
                         row_kernel<int32_t, int32_t, int32_t>(
                             base, [sign](LocalTime&, int32_t a, int32_t b) -> Result<int32_t> {
                               return static_cast<int32_t>(add_months(a, int64_t{sign} * b));
                             })};
  }
  return BoundFunction{
      {base, interval},
      base,
      row_kernel<int64_t, int64_t, int32_t>(base, [sign](LocalTime& wall, int64_t a, int32_t b) {
        return add_year_month(wall, a, sign * b);
      })};
}

Result<BoundFunction> bind_subtract_dates(const Arguments&) {
  const Type result = Type::day_time_interval(IntervalUnit::day, IntervalUnit::day);
  return BoundFunction{{Type::date(), Type::date()},
                       result,
                       row_kernel<int64_t, int32_t, int32_t>(
                           result, [](LocalTime&, int32_t a, int32_t b) -> Result<int64_t> {
                             int64_t micros = 0;
                             if (__builtin_mul_overflow(int64_t{a} - b, kMicrosPerDay, &micros))
                               return overflow("a difference of dates");
                             return micros;
                           })};
}

Result<BoundFunction> bind_subtract_timestamps(const Arguments&) {
  return BoundFunction{
      {Type::timestamp(), Type::timestamp()},
      day_to_second(),
      row_kernel<int64_t, int64_t, int64_t>(
          day_to_second(), [](LocalTime& wall, int64_t a, int64_t b) -> Result<int64_t> {
            int64_t micros = 0;
            if (__builtin_sub_overflow(wall.to_local(a), wall.to_local(b), &micros))
              return overflow("a difference of timestamps");
            return micros;
          })};
}

template <class T>
Kernel add_intervals(const Type& type, int sign) {
  return row_kernel<T, T, T>(type, [sign](LocalTime&, T a, T b) -> Result<T> {
    T sum{};
    const bool failed =
        sign > 0 ? __builtin_add_overflow(a, b, &sum) : __builtin_sub_overflow(a, b, &sum);
    if (failed) return overflow("a sum of intervals");
    return sum;
  });
}

Result<BoundFunction> bind_interval_sum(const Arguments& arguments, int sign) {
  const std::optional<Type> type = tightest_common_type(arguments.types[0], arguments.types[1]);
  if (!type || !is_interval(*type)) {
    return Error::invalid(fmt::format("`{}` cannot be applied to {} ({}) and {} ({})",
                                      arguments.function, arguments.names[0],
                                      arguments.types[0].simple_string(), arguments.names[1],
                                      arguments.types[1].simple_string()));
  }
  return BoundFunction{{*type, *type},
                       *type,
                       type->id() == TypeId::day_time_interval
                           ? add_intervals<int64_t>(*type, sign)
                           : add_intervals<int32_t>(*type, sign)};
}

// An interval times or divided by a number, rounded half up. T is the interval's physical type.
template <class T>
Kernel scale_by_decimal(const Type& result, int scale, bool divides) {
  const Type whole = Type::decimal(38, 0);
  return row_kernel<T, T, Decimal128>(
      result, [=](LocalTime&, T interval, Decimal128 number) -> Result<T> {
        if (divides && number == 0) return Error::data("an interval is divided by zero");
        const auto value = divides ? divide_decimals(interval, 0, number, scale, whole)
                                   : multiply_decimals(interval, 0, number, scale, whole);
        if (!value || *value > std::numeric_limits<T>::max() ||
            *value < std::numeric_limits<T>::min())
          return overflow("an interval");
        return static_cast<T>(*value);
      });
}

template <class T>
Kernel scale_by_double(const Type& result, bool divides) {
  return row_kernel<T, T, double>(result, [=](LocalTime&, T interval, double number) -> Result<T> {
    if (divides && number == 0) return Error::data("an interval is divided by zero");
    const double value =
        divides ? static_cast<double>(interval) / number : static_cast<double>(interval) * number;
    constexpr double kLimit = static_cast<double>(std::numeric_limits<T>::max());
    if (!(std::fabs(value) < kLimit)) return overflow("an interval");
    return static_cast<T>(std::round(value));
  });
}

Result<BoundFunction> bind_scale(const Arguments& arguments, bool divides) {
  const Type& interval = arguments.types[0];
  const bool day_time = interval.id() == TypeId::day_time_interval;
  const Type result = day_time ? day_to_second()
                               : Type::year_month_interval(IntervalUnit::year, IntervalUnit::month);
  const Type& number = arguments.types[1];
  if (number.is_integral() || number.id() == TypeId::decimal) {
    const Type decimal = decimal_for(number);
    return BoundFunction{{interval, decimal},
                         result,
                         day_time ? scale_by_decimal<int64_t>(result, decimal.scale(), divides)
                                  : scale_by_decimal<int32_t>(result, decimal.scale(), divides)};
  }
  if (!implicit_cast(number, Type::double_())) return wrong_argument(arguments, 1, "a number");
  return BoundFunction{{interval, Type::double_()},
                       result,
                       day_time ? scale_by_double<int64_t>(result, divides)
                                : scale_by_double<int32_t>(result, divides)};
}

Result<BoundFunction> bind_move_days(const Arguments& arguments, int sign) {
  const Type& days = arguments.types[1];
  const bool small =
      days.id() == TypeId::tinyint || days.id() == TypeId::smallint || days.id() == TypeId::integer;
  const bool text = days.id() == TypeId::string && arguments.constants[1] != nullptr;
  if (!implicit_cast(arguments.types[0], Type::date()) || arguments.types[0].is_numeric()) {
    return wrong_argument(arguments, 0, "date");
  }
  if (text) {
    const std::string digits = *arguments.constant_text(1);
    if (digits.empty() || digits.find_first_not_of("-0123456789") != std::string::npos) {
      return wrong_argument(arguments, 1, "int");
    }
  } else if (!small && days.id() != TypeId::null) {
    return wrong_argument(arguments, 1, "int, smallint or tinyint");
  }
  return BoundFunction{{Type::date(), Type::integer()},
                       Type::date(),
                       row_kernel<int32_t, int32_t, int32_t>(
                           Type::date(),
                           [sign](LocalTime&, int32_t a, int32_t b) -> Result<int32_t> {
                             const auto moved =
                                 sign > 0 ? static_cast<uint32_t>(a) + static_cast<uint32_t>(b)
                                          : static_cast<uint32_t>(a) - static_cast<uint32_t>(b);
                             return static_cast<int32_t>(moved);
                           }),
                       true};
}

Result<BoundFunction> bind_interval_days(const Arguments& arguments) {
  return BoundFunction{
      {arguments.types[0]},
      Type::integer(),
      [](const CallContext& context, std::span<const Datum> values) -> Result<Datum> {
        const int64_t rows = rows_to_compute(values, context.num_rows);
        FixedWriter<int32_t> out(Type::integer(), rows);
        for (int64_t i = 0; i < rows; ++i) {
          if (values[0].is_null(i)) {
            out.set_null(i);
          } else {
            out.set(i,
                    static_cast<int32_t>(
                        values[0].column->values<int64_t>()[static_cast<size_t>(values[0].at(i))] /
                        kMicrosPerDay));
          }
        }
        return Datum{out.finish(), values[0].constant};
      }};
}

// What an interval may be added to; text is a timestamp on the way, and text again.
bool is_movable(const Type& type, const Type& by) {
  if (is_instant(type)) return is_interval(by);
  return type.id() == TypeId::string && by.id() == TypeId::day_time_interval;
}

// A date, a timestamp or text plus (sign 1) or minus an interval.
Result<TypedPtr> move_by_interval(CallSite& site, const TypedPtr& base, const TypedPtr& interval,
                                  int sign) {
  const bool whole_days = interval->type.id() == TypeId::day_time_interval &&
                          interval->type.last_unit() == IntervalUnit::day;
  if (base->type.id() == TypeId::date && whole_days) {
    FLOWRUN_TRY(TypedPtr days, site.call("extractansiintervaldays", {interval}));
    if (sign < 0) {
      FLOWRUN_TRY(days, site.call("unary -", {std::move(days)}));
    }
    return site.call("date_add", {base, std::move(days)});
  }
  FLOWRUN_TRY(
      TypedPtr moved,
      site.call_as(sign > 0 ? "instant + interval" : "instant - interval", site.function(),
                   {base->type.id() == TypeId::string ? site.cast(base, Type::timestamp()) : base,
                    interval}));
  return base->type.id() == TypeId::string ? site.cast(std::move(moved), base->type) : moved;
}

ScalarFunction internal(const char* name, const char* format, BindFunction bind) {
  return ScalarFunction(name, "", 2, 2, std::move(bind)).named_by([format](auto arguments) {
    return fmt::format(fmt::runtime(format), arguments[0], arguments[1]);
  });
}

}  // namespace

bool is_datetime_arithmetic(const CallSite& site) {
  for (const TypedPtr& argument : site.arguments()) {
    if (is_instant(argument->type) || is_interval(argument->type)) return true;
  }
  return false;
}

Result<TypedPtr> build_datetime_arithmetic(CallSite& site, char op) {
  const TypedPtr& a = site.argument(0);
  const TypedPtr& b = site.argument(1);
  const int sign = op == '-' ? -1 : 1;
  if (op == '*' || op == '/') {
    if (is_interval(a->type) && !is_interval(b->type)) {
      return site.call_as(op == '*' ? "interval * number" : "interval / number", site.function(),
                          {a, b});
    }
    if (op == '*' && is_interval(b->type) && !is_interval(a->type))
      return site.call_as("interval * number", "*", {b, a});
  } else if (is_interval(a->type) && is_interval(b->type)) {
    return site.call_as(sign > 0 ? "interval + interval" : "interval - interval", site.function(),
                        {a, b});
  } else if (is_movable(a->type, b->type)) {
    return move_by_interval(site, a, b, sign);
  } else if (op == '+' && is_movable(b->type, a->type)) {
    return move_by_interval(site, b, a, 1);
  } else if (op == '-' &&
             (a->type.id() == TypeId::timestamp || b->type.id() == TypeId::timestamp) &&
             (is_instant(a->type) || a->type.id() == TypeId::null) &&
             (is_instant(b->type) || b->type.id() == TypeId::null)) {
    return site.call_as("timestamp - timestamp", "-", {a, b});
  } else if (op == '-' && b->type.id() == TypeId::date &&
             (is_instant(a->type) || a->type.id() == TypeId::string)) {
    return site.call_as("date - date", "-", {a, b});
  } else if (a->type.id() == TypeId::date) {
    return site.call_as(sign > 0 ? "date_add" : "date_sub", sign > 0 ? "date_add" : "date_sub",
                        {a, b});
  } else if (op == '+' && b->type.id() == TypeId::date) {
    return site.call_as("date_add", "date_add", {b, a});
  }
  return Error::invalid(fmt::format("`{}` cannot be applied to {} ({}) and {} ({})", op, a->name,
                                    a->type.simple_string(), b->name, b->type.simple_string()));
}

void register_datetime_arithmetic_functions(FunctionRegistry& registry) {
  registry.add(internal("instant + interval", "{} + {}", [](const Arguments& a) {
                 return bind_add_interval(a, 1);
               }).may_fail());
  registry.add(internal("instant - interval", "{} - {}", [](const Arguments& a) {
                 return bind_add_interval(a, -1);
               }).may_fail());
  registry.add(internal("date - date", "({} - {})", bind_subtract_dates));
  registry.add(internal("timestamp - timestamp", "({} - {})", bind_subtract_timestamps).may_fail());
  registry.add(internal("interval + interval", "({} + {})", [](const Arguments& a) {
                 return bind_interval_sum(a, 1);
               }).may_fail());
  registry.add(internal("interval - interval", "({} - {})", [](const Arguments& a) {
                 return bind_interval_sum(a, -1);
               }).may_fail());
  registry.add(internal("interval * number", "({} * {})", [](const Arguments& a) {
                 return bind_scale(a, false);
               }).may_fail());
  registry.add(internal("interval / number", "({} / {})", [](const Arguments& a) {
                 return bind_scale(a, true);
               }).may_fail());
  registry.add(
      ScalarFunction("extractansiintervaldays", "", 1, 1, BindFunction(bind_interval_days)));
  registry.add(
      ScalarFunction("date_add", "date_add(date, days): the date so many days later.", 2, 2,
                     BindFunction([](const Arguments& a) { return bind_move_days(a, 1); })));
  registry.add(
      ScalarFunction("date_sub", "date_sub(date, days): the date so many days earlier.", 2, 2,
                     BindFunction([](const Arguments& a) { return bind_move_days(a, -1); })));
}

}  // namespace flowrun
