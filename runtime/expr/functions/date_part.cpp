// The parts of dates, times and intervals: year(x), hour(x), extract(field FROM x).
#include <array>
#include <vector>

#include "runtime/expr/cast_themes.h"
#include "runtime/expr/coercion.h"
#include "runtime/expr/functions/functions.h"
#include "runtime/expr/functions/session_clock.h"
#include "runtime/expr/scalar.h"
#include "runtime/format/datetime_names.h"
#include "runtime/format/decimal.h"
#include "runtime/format/interval.h"

namespace flowrun {

namespace {

using Text = std::string_view;
using DayPart = int32_t (*)(int32_t days);
using TimePart = int32_t (*)(int64_t local);  // microseconds on the local clock

constexpr int kSecondScale = 6;

int32_t year_of(int32_t days) { return static_cast<int32_t>(civil_from_days(days).year); }
int32_t month_of(int32_t days) { return civil_from_days(days).month; }
int32_t day_of(int32_t days) { return civil_from_days(days).day; }
int32_t quarter_of(int32_t days) { return (civil_from_days(days).month + 2) / 3; }
int32_t day_of_year_of(int32_t days) { return day_of_year(days); }
int32_t week_of(int32_t days) { return iso_week(days); }
int32_t week_year_of(int32_t days) { return static_cast<int32_t>(iso_week_year(days)); }
int32_t day_of_week_iso_of(int32_t days) { return iso_day_of_week(days); }
// Sunday is 1.
int32_t day_of_week_of(int32_t days) { return iso_day_of_week(days) % 7 + 1; }
// Monday is 0.
int32_t weekday_of(int32_t days) { return iso_day_of_week(days) - 1; }

int64_t time_of_day(int64_t local) { return floor_mod(local, kMicrosPerDay); }
int32_t hour_of(int64_t local) { return static_cast<int32_t>(time_of_day(local) / kMicrosPerHour); }
int32_t minute_of(int64_t local) {
  return static_cast<int32_t>(time_of_day(local) / kMicrosPerMinute % 60);
}
int32_t second_of(int64_t local) {
  return static_cast<int32_t>(time_of_day(local) / kMicrosPerSecond % 60);
}

ScalarFunction day_function(FunctionNames names, std::string doc, DayPart part) {
  return scalar<int32_t(Date)>(std::move(names), std::move(doc),
                               [part](Date date) { return part(date.days); });
}

ScalarFunction time_function(const char* name, std::string doc, TimePart part) {
  return scalar_with<SessionClock, int32_t(Timestamp)>(
      name, std::move(doc),
      [part](SessionClock& clock, const CallContext& context, Timestamp time) {
        return part(clock.at(context).to_local(time.micros));
      });
}

// A field of extract, under all of its names. At most one of the two codes is set; none: seconds
// with fraction.
struct Field {
  std::vector<Text> names;
  DayPart of_day;
  TimePart of_time;
  std::optional<IntervalUnit> unit;  // of intervals that have such a field
};

const Field* find_field(Text name) {
  static const std::array<Field, 12> kFields{{
      {{"year", "y", "years", "yr", "yrs"}, year_of, nullptr, IntervalUnit::year},
      {{"yearofweek"}, week_year_of, nullptr, {}},
      {{"quarter", "qtr"}, quarter_of, nullptr, {}},
      {{"month", "mon", "mons", "months"}, month_of, nullptr, IntervalUnit::month},
      {{"week", "w", "weeks"}, week_of, nullptr, {}},
      {{"day", "d", "days"}, day_of, nullptr, IntervalUnit::day},
      {{"dayofweek", "dow"}, day_of_week_of, nullptr, {}},
      {{"dayofweek_iso", "dow_iso"}, day_of_week_iso_of, nullptr, {}},
      {{"doy"}, day_of_year_of, nullptr, {}},
      {{"hour", "h", "hours", "hr", "hrs"}, nullptr, hour_of, IntervalUnit::hour},
      {{"minute", "m", "min", "mins", "minutes"}, nullptr, minute_of, IntervalUnit::minute},
      {{"second", "s", "sec", "seconds", "secs"}, nullptr, nullptr, IntervalUnit::second},
  }};
  const std::string lower = lower_name(name);
  for (const Field& field : kFields) {
    for (const Text known : field.names) {
      if (lower == known) return &field;
    }
  }
  return nullptr;
}

Type seconds_type() { return Type::decimal(8, kSecondScale); }

// One number per row of the source, which is the second argument.
template <class Out, class In, class Code>
Kernel part_kernel(const Type& type, Code code) {
  return
      [type, code](const CallContext& context, std::span<const Datum> arguments) -> Result<Datum> {
        const Datum& source = arguments[1];
        LocalTime wall(context.zone);
        return Datum{
            cast_all<Out, In>(*source.column, type, [&](In value) { return code(value, wall); }),
            source.constant};
      };
}

// The field of an interval; its sign is the interval's.
Kernel interval_kernel(const Type& source, IntervalUnit unit, const Type& type) {
  if (source.id() == TypeId::year_month_interval) {
    if (unit == IntervalUnit::year) {
      return part_kernel<int32_t, int32_t>(type,
                                           [](int32_t months, LocalTime&) { return months / 12; });
    }
    return part_kernel<int8_t, int32_t>(
        type, [](int32_t months, LocalTime&) { return static_cast<int8_t>(months % 12); });
  }
  switch (unit) {
    case IntervalUnit::day:
      return part_kernel<int32_t, int64_t>(type, [](int64_t micros, LocalTime&) {
        return static_cast<int32_t>(micros / kMicrosPerDay);
      });
    case IntervalUnit::hour:
      return part_kernel<int8_t, int64_t>(type, [](int64_t micros, LocalTime&) {
        return static_cast<int8_t>(micros / kMicrosPerHour % 24);
      });
    case IntervalUnit::minute:
      return part_kernel<int8_t, int64_t>(type, [](int64_t micros, LocalTime&) {
        return static_cast<int8_t>(micros / kMicrosPerMinute % 60);
      });
    default:
      return part_kernel<Decimal128, int64_t>(
          type, [](int64_t micros, LocalTime&) { return Decimal128{micros % kMicrosPerMinute}; });
  }
}

std::optional<BoundFunction> bind_interval_part(const Field& field, const Type& source) {
  if (!field.unit || *field.unit < source.first_unit() || *field.unit > source.last_unit())
    return std::nullopt;
  Type type = *field.unit == IntervalUnit::second ? seconds_type()
              : *field.unit == IntervalUnit::year || *field.unit == IntervalUnit::day
                  ? Type::integer()
                  : Type::tinyint();
  return BoundFunction{
      .arguments = {}, .result = type, .kernel = interval_kernel(source, *field.unit, type)};
}

BoundFunction bind_instant_part(const Field& field) {
  if (field.of_day != nullptr) {
    return {.arguments = {Type::string(), Type::date()},
            .result = Type::integer(),
            .kernel = part_kernel<int32_t, int32_t>(
                Type::integer(),
                [part = field.of_day](int32_t days, LocalTime&) { return part(days); })};
  }
  if (field.of_time != nullptr) {
    return {.arguments = {Type::string(), Type::timestamp()},
            .result = Type::integer(),
            .kernel = part_kernel<int32_t, int64_t>(
                Type::integer(), [part = field.of_time](int64_t micros, LocalTime& wall) {
                  return part(wall.to_local(micros));
                })};
  }
  return {.arguments = {Type::string(), Type::timestamp()},
          .result = seconds_type(),
          .kernel =
              part_kernel<Decimal128, int64_t>(seconds_type(), [](int64_t micros, LocalTime& wall) {
                return Decimal128{floor_mod(wall.to_local(micros), kMicrosPerMinute)};
              })};
}

Result<BoundFunction> bind_extract(const Arguments& arguments) {
  const Type& source = arguments.types[1];
  if (arguments.constants[0] != nullptr && arguments.constants[0]->is_null(0)) {
    return BoundFunction{.arguments = {arguments.types[0], source},
                         .result = Type::double_(),
                         .kernel = [](const CallContext&, std::span<const Datum>) -> Result<Datum> {
                           return Datum::null(Type::double_());
                         }};
  }
  const auto name = arguments.constant_text(0);
  if (!name) return wrong_argument(arguments, 0, "the name of a field, as a constant");
  const Field* field = find_field(*name);
  const bool interval =
      source.id() == TypeId::year_month_interval || source.id() == TypeId::day_time_interval;
  if (field != nullptr && interval) {
    if (auto bound = bind_interval_part(*field, source)) {
      bound->arguments = {Type::string(), source};
      return std::move(*bound);
    }
  } else if (field != nullptr && implicit_cast(source, Type::timestamp())) {
    return bind_instant_part(*field);
  }
  return Error::invalid(
      "there is no field `" + *name + "` of " + source.simple_string() +
      " — fields are year, quarter, month, week, day, dayofweek, doy, hour, minute, second");
}

ScalarFunction extract_function(const char* name, const char* format, std::string doc) {
  return ScalarFunction(name, std::move(doc), 2, 2, BindFunction(bind_extract))
      .named_by([name, separator = std::string(format)](std::span<const std::string> arguments) {
        return std::string(name) + "(" + arguments[0] + separator + arguments[1] + ")";
      });
}

}  // namespace

void register_date_part_functions(FunctionRegistry& registry) {
  registry.add(day_function("year", "year(date): the year.", year_of));
  registry.add(
      day_function("quarter", "quarter(date): the quarter of the year, 1 to 4.", quarter_of));
  registry.add(day_function("month", "month(date): the month, 1 to 12.", month_of));
  registry.add(day_function({"day", "dayofmonth"}, "day(date): the day of the month.", day_of));
  registry.add(
      day_function("dayofyear", "dayofyear(date): the day of the year, from 1.", day_of_year_of));
  registry.add(day_function("dayofweek", "dayofweek(date): 1 for Sunday to 7 for Saturday.",
                            day_of_week_of));
  registry.add(day_function("weekday", "weekday(date): 0 for Monday to 6 for Sunday.", weekday_of));
  registry.add(day_function("weekofyear", "weekofyear(date): the ISO week of the year.", week_of));
  registry.add(scalar<Text(Date)>("dayname", "dayname(date): Mon, Tue, ..., Sun.", [](Date date) {
    return day_name(weekday_of(date.days) + 1, false);
  }));
  registry.add(
      scalar<Text(Date)>("monthname", "monthname(date): Jan, Feb, ..., Dec.",
                         [](Date date) { return month_name(month_of(date.days), false); }));
  registry.add(time_function("hour", "hour(timestamp): the hour of the day, 0 to 23.", hour_of));
  registry.add(time_function("minute", "minute(timestamp): the minute of the hour.", minute_of));
  registry.add(time_function("second", "second(timestamp): the second of the minute.", second_of));
  registry.add(extract_function(
      "extract", " FROM ", "extract(field FROM x): a part of a date, a timestamp or an interval."));
  registry.add(extract_function("datepart", " FROM ", "datepart(field, x): as extract."));
  registry.add(extract_function("date_part", ", ", "date_part(field, x): as extract."));
}

}  // namespace flowrun
