// Intervals made of numbers: make_dt_interval, make_ym_interval, make_interval.
#include <array>

#include "runtime/columnar/builder.h"
#include "runtime/expr/coercion.h"
#include "runtime/expr/functions/functions.h"
#include "runtime/expr/scalar.h"
#include "runtime/format/civil.h"

namespace flowrun {

namespace {

__extension__ typedef __int128 Wide;

// The arguments of a row: whole numbers, seconds last and in microseconds.
using Parts = std::array<int64_t, 7>;

Type seconds_type() { return Type::decimal(18, 6); }

Error overflow() { return Error::data("the parts of an interval are too large for one"); }

// Null where a part is; code(parts) gives an interval, nothing for null, or an error.
template <class T, class Code>
Kernel interval_kernel(const Type& type, const Code& code) {
  return [=](const CallContext& context, std::span<const Datum> arguments) -> Result<Datum> {
    for (const Datum& argument : arguments) {
      if (argument.is_constant_null()) return Datum::null(type);
    }
    const int64_t rows = rows_to_compute(arguments, context.num_rows);
    const NullMask mask = combine_nulls(arguments, rows);
    FixedWriter<T> out(type, rows);
    Parts parts{};
    for (int64_t row = 0; row < rows; ++row) {
      if (mask.is_null(row)) {
        out.set_null(row);
        continue;
      }
      for (size_t i = 0; i < arguments.size(); ++i) {
        const Column& column = *arguments[i].column;
        const auto at = static_cast<size_t>(arguments[i].at(row));
        parts[i] = column.type().id() == TypeId::decimal
                       ? static_cast<int64_t>(column.values<Decimal128>()[at])
                       : column.values<int32_t>()[at];
      }
      FLOWRUN_TRY(const std::optional<T> interval, code(parts));
      interval ? out.set(row, *interval) : out.set_null(row);
    }
    return Datum{out.finish(), rows_to_compute(arguments, 2) == 1};
  };
}

// So many whole numbers, each 0 if left out, and seconds behind them if `with_seconds`.
ScalarFunction interval_function(FunctionNames names, std::string doc, size_t whole_numbers,
                                 bool with_seconds, const Type& type, const Kernel& kernel) {
  const size_t count = whole_numbers + (with_seconds ? 1 : 0);
  std::vector<Type> parameters(whole_numbers, Type::integer());
  std::vector<ColumnPtr> defaults(whole_numbers, constant_int(0));
  if (with_seconds) {
    parameters.push_back(seconds_type());
    FixedBuilder<Decimal128> zero(seconds_type());
    zero.append(0);
    defaults.push_back(zero.finish());
  }
  return ScalarFunction(std::move(names), std::move(doc), count, count,
                        BindFunction([=](const Arguments& arguments) {
                          return bind_to_signature(arguments, parameters, type, kernel);
                        }))
      .with_defaults(std::move(defaults))
      .may_fail();
}

Result<std::optional<int64_t>> day_time_interval(const Parts& parts) {
  const Wide micros = Wide{parts[0]} * kMicrosPerDay + Wide{parts[1]} * kMicrosPerHour +
                      Wide{parts[2]} * kMicrosPerMinute + parts[3];
  if (micros != static_cast<int64_t>(micros)) return overflow();
  return std::optional<int64_t>(static_cast<int64_t>(micros));
}

Result<std::optional<int32_t>> year_month_interval(const Parts& parts) {
  const int64_t months = parts[0] * 12 + parts[1];
  if (months != static_cast<int32_t>(months)) return overflow();
  return std::optional<int32_t>(static_cast<int32_t>(months));
}

// Null where it does not fit.
Result<std::optional<CalendarInterval>> calendar_interval(const Parts& parts) {
  const int64_t months = parts[0] * 12 + parts[1];
  const int64_t days = parts[2] * 7 + parts[3];
  const Wide micros =
      Wide{parts[4]} * kMicrosPerHour + Wide{parts[5]} * kMicrosPerMinute + parts[6];
  const bool fits = months == static_cast<int32_t>(months) && days == static_cast<int32_t>(days) &&
                    micros == static_cast<int64_t>(micros);
  if (!fits) return std::optional<CalendarInterval>();
  return std::optional<CalendarInterval>(CalendarInterval{
      static_cast<int32_t>(months), static_cast<int32_t>(days), static_cast<int64_t>(micros)});
}

}  // namespace

void register_interval_make_functions(FunctionRegistry& registry) {
  const Type day_time = Type::day_time_interval(IntervalUnit::day, IntervalUnit::second);
  const Type year_month = Type::year_month_interval(IntervalUnit::year, IntervalUnit::month);
  registry.add(interval_function(
      "make_dt_interval",
      "make_dt_interval([days[, hours[, minutes[, seconds]]]]): a day-time interval.", 3, true,
      day_time, interval_kernel<int64_t>(day_time, day_time_interval)));
  registry.add(interval_function(
      "make_ym_interval", "make_ym_interval([years[, months]]): a year-month interval.", 2, false,
      year_month, interval_kernel<int32_t>(year_month, year_month_interval)));
  registry.add(interval_function(
      {"make_interval", "try_make_interval"},
      "make_interval([years[, months[, weeks[, days[, hours[, minutes[, seconds]]]]]]]): an "
      "interval; null where it is too large.",
      6, true, TypeId::calendar_interval,
      interval_kernel<CalendarInterval>(TypeId::calendar_interval, calendar_interval)));
}

}  // namespace flowrun
