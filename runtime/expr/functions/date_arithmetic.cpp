// Dates and times moved, compared, cut to units and made of parts.
#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "runtime/expr/cast.h"
#include "runtime/expr/coercion.h"
#include "runtime/expr/functions/functions.h"
#include "runtime/expr/functions/session_clock.h"
#include "runtime/expr/scalar.h"
#include "runtime/format/decimal.h"

namespace flowrun {

namespace {

using Text = std::string_view;

constexpr int64_t kSecondsInMonth = 31 * kSecondsPerDay;  // for months_between, as Hive has it

// Units of time that truncation and timestampadd know, from fine to coarse.
enum class Unit : uint8_t {
  microsecond,
  millisecond,
  second,
  minute,
  hour,
  day,
  week,
  month,
  quarter,
  year
};

struct UnitName {
  Text name;
  Unit unit;
};
constexpr std::array<UnitName, 16> kTruncationUnits{{{"microsecond", Unit::microsecond},
                                                     {"millisecond", Unit::millisecond},
                                                     {"second", Unit::second},
                                                     {"minute", Unit::minute},
                                                     {"hour", Unit::hour},
                                                     {"day", Unit::day},
                                                     {"dd", Unit::day},
                                                     {"week", Unit::week},
                                                     {"month", Unit::month},
                                                     {"mon", Unit::month},
                                                     {"mm", Unit::month},
                                                     {"quarter", Unit::quarter},
                                                     {"year", Unit::year},
                                                     {"yyyy", Unit::year},
                                                     {"yy", Unit::year},
                                                     {"dayofyear", Unit::day}}};

std::optional<Unit> find_unit(Text name) {
  const std::string lower = lower_name(name);
  for (const UnitName& known : kTruncationUnits) {
    if (lower == known.name) return known.unit;
  }
  return std::nullopt;
}

int64_t micros_in(Unit unit) {
  switch (unit) {
    case Unit::microsecond:
      return 1;
    case Unit::millisecond:
      return kMicrosPerMilli;
    case Unit::second:
      return kMicrosPerSecond;
    case Unit::minute:
      return kMicrosPerMinute;
    case Unit::hour:
      return kMicrosPerHour;
    case Unit::day:
      return kMicrosPerDay;
    default:
      return 7 * kMicrosPerDay;
  }
}

int months_in(Unit unit) { return unit == Unit::month ? 1 : unit == Unit::quarter ? 3 : 12; }

// The first day of the week, month, quarter or year. REQUIRES: unit >= day.
int64_t first_day(int64_t days, Unit unit) {
  if (unit == Unit::day) return days;
  if (unit == Unit::week) return days - (iso_day_of_week(days) - 1);
  const CivilDate date = civil_from_days(days);
  const int months = months_in(unit);
  return days_from_civil(date.year, (date.month - 1) / months * months + 1, 1);
}

// Remembers the unit last named.
struct Truncation : SessionClock {
  std::string name;
  std::optional<Unit> unit;
  std::optional<Unit> find(Text wanted) {
    if (name != wanted) {
      name = wanted;
      unit = wanted == "dayofyear" ? std::nullopt : find_unit(wanted);
    }
    return unit;
  }
};

std::optional<Timestamp> truncate_time(Truncation& state, const CallContext& context, Text name,
                                       Timestamp time) {
  const auto unit = state.find(name);
  if (!unit) return std::nullopt;
  LocalTime& wall = state.at(context);
  const int64_t local = wall.to_local(time.micros);
  if (*unit < Unit::day) return Timestamp{time.micros - floor_mod(local, micros_in(*unit))};
  const int64_t day = first_day(floor_div(local, kMicrosPerDay), *unit);
  return Timestamp{wall.to_utc(day * kMicrosPerDay)};
}

std::optional<Date> truncate_date(Truncation& state, Date date, Text name) {
  const auto unit = state.find(name);
  if (!unit || *unit < Unit::week) return std::nullopt;
  return Date{static_cast<int32_t>(first_day(date.days, *unit))};
}

// 1 for Monday to 7; nothing for what is no day's name.
std::optional<int> day_of_name(Text name) {
  constexpr std::array<Text, 7> kDays{"monday", "tuesday",  "wednesday", "thursday",
                                      "friday", "saturday", "sunday"};
  const std::string lower = lower_name(name);
  for (size_t i = 0; i < kDays.size(); ++i) {
    const Text day = kDays[i];
    if (lower == day || lower == day.substr(0, 3) || lower == day.substr(0, 2))
      return static_cast<int>(i) + 1;
  }
  return std::nullopt;
}

std::optional<Date> next_day(Date date, Text name) {
  const auto wanted = day_of_name(name);
  if (!wanted) return std::nullopt;
  return Date{
      static_cast<int32_t>(date.days + 1 + floor_mod(*wanted - 1 - iso_day_of_week(date.days), 7))};
}

Date last_day(Date date) {
  const CivilDate civil = civil_from_days(date.days);
  return {date.days + days_in_month(civil.year, civil.month) - civil.day};
}

double months_between(SessionClock& clock, const CallContext& context, Timestamp a, Timestamp b,
                      bool round) {
  LocalTime& wall = clock.at(context);
  const int32_t day_a = date_of_timestamp(a.micros, wall);
  const int32_t day_b = date_of_timestamp(b.micros, wall);
  const CivilDate date_a = civil_from_days(day_a);
  const CivilDate date_b = civil_from_days(day_b);
  const auto months =
      static_cast<double>((date_a.year - date_b.year) * 12 + date_a.month - date_b.month);
  const bool both_last = date_a.day == days_in_month(date_a.year, date_a.month) &&
                         date_b.day == days_in_month(date_b.year, date_b.month);
  if (date_a.day == date_b.day || both_last) return months;
  const int64_t seconds_a = (a.micros - timestamp_of_date(day_a, wall)) / kMicrosPerSecond;
  const int64_t seconds_b = (b.micros - timestamp_of_date(day_b, wall)) / kMicrosPerSecond;
  const int64_t seconds = (date_a.day - date_b.day) * kSecondsPerDay + seconds_a - seconds_b;
  const double difference =
      months + static_cast<double>(seconds) / static_cast<double>(kSecondsInMonth);
  constexpr double kDigits = 1e8;
  return round ? std::floor(difference * kDigits + 0.5) / kDigits : difference;
}

// Whole months from one local time to another, towards zero.
int64_t months_from(int64_t begin, int64_t end) {
  const CivilDate from = civil_from_days(floor_div(begin, kMicrosPerDay));
  const CivilDate to = civil_from_days(floor_div(end, kMicrosPerDay));
  const int64_t months = (to.year - from.year) * 12 + to.month - from.month;
  // The rest of the month: day and time.
  const int64_t rest = (to.day - from.day) * kMicrosPerDay + floor_mod(end, kMicrosPerDay) -
                       floor_mod(begin, kMicrosPerDay);
  if (months > 0 && rest < 0) return months - 1;
  return months < 0 && rest > 0 ? months + 1 : months;
}

Error unknown_unit(Text name) {
  return Error::data("`" + std::string(name) +
                     "` is no unit of time — write year, quarter, month, week, day, hour, "
                     "minute, second, millisecond or microsecond");
}

Result<int64_t> difference_in(Truncation& state, const CallContext& context, Text name,
                              Timestamp begin, Timestamp end) {
  const auto unit = find_unit(name);
  if (!unit) return unknown_unit(name);
  LocalTime& wall = state.at(context);
  const int64_t from = wall.to_local(begin.micros);
  const int64_t to = wall.to_local(end.micros);
  if (*unit >= Unit::month) return months_from(from, to) / months_in(*unit);
  return (to - from) / micros_in(*unit);
}

Result<Timestamp> add_units(Truncation& state, const CallContext& context, Text name,
                            int64_t amount, Timestamp time) {
  const auto unit = find_unit(name);
  if (!unit) return unknown_unit(name);
  LocalTime& wall = state.at(context);
  const int64_t local = wall.to_local(time.micros);
  int64_t moved = 0;
  bool overflows = false;
  if (*unit >= Unit::month) {
    int64_t months = 0;
    overflows = __builtin_mul_overflow(amount, int64_t{months_in(*unit)}, &months) ||
                months > (int64_t{1} << 31) || months < -(int64_t{1} << 31);
    if (!overflows) {
      const int64_t days = add_months(floor_div(local, kMicrosPerDay), months);
      overflows = __builtin_mul_overflow(days, kMicrosPerDay, &moved) ||
                  __builtin_add_overflow(moved, floor_mod(local, kMicrosPerDay), &moved);
    }
    moved = wall.to_utc(moved);
  } else {
    overflows = __builtin_mul_overflow(amount, micros_in(*unit), &moved) ||
                __builtin_add_overflow(moved, *unit >= Unit::day ? local : time.micros, &moved);
    if (*unit >= Unit::day) moved = wall.to_utc(moved);
  }
  if (overflows) return Error::data("timestampadd leaves the range of timestamps");
  return Timestamp{moved};
}

std::optional<Date> make_date(int32_t year, int32_t month, int32_t day) {
  if (month < 1 || month > 12 || !is_valid_date(year, month, day)) return std::nullopt;
  const int64_t days = days_from_civil(year, month, day);
  if (days != static_cast<int32_t>(days)) return std::nullopt;
  return Date{static_cast<int32_t>(days)};
}

void register_moves(FunctionRegistry& registry) {
  registry.add(scalar<Date(Date, int32_t)>(
      "add_months", "add_months(date, months): so many months later, at most the month's last day.",
      [](Date date, int32_t months) {
        return Date{static_cast<int32_t>(add_months(date.days, months))};
      }));
  registry.add(scalar<int32_t(Date, Date)>(
      {"datediff", "date_diff"}, "datediff(end, start): days from one date to another.",
      [](Date end, Date start) {
        return static_cast<int32_t>(static_cast<uint32_t>(end.days) -
                                    static_cast<uint32_t>(start.days));
      }));
  registry.add(scalar_with<SessionClock, double(Timestamp, Timestamp, bool)>(
                   "months_between",
                   "months_between(a, b[, round]): months from b to a, with a fraction of 31 days.",
                   months_between)
                   .with_defaults({constant_bool(true)}));
  registry.add(
      scalar<Date(Date)>("last_day", "last_day(date): the last day of its month.", last_day));
  registry.add(scalar<Date(Date, Text)>(
      "next_day", "next_day(date, day): the first such day of the week after a date.", next_day));
  registry.add(scalar_with<Truncation, int64_t(Text, Timestamp, Timestamp)>(
                   "timestampdiff",
                   "timestampdiff(unit, start, end): whole units between two times.", difference_in)
                   .may_fail());
  registry.add(
      scalar_with<Truncation, Timestamp(Text, int64_t, Timestamp)>(
          "timestampadd", "timestampadd(unit, n, time): the time so many units later.", add_units)
          .may_fail());
}

// The instant of local parts; nothing if there is no such time. Second 60 without a fraction is the
// next minute.
std::optional<Timestamp> instant_of(LocalTime& wall, int32_t year, int32_t month, int32_t day,
                                    int32_t hour, int32_t minute, int64_t second_micros) {
  const auto date = make_date(year, month, day);
  const bool leap = second_micros == kMicrosPerMinute;
  if (!date || hour < 0 || hour > 23 || minute < 0 || minute > 59 || second_micros < 0 ||
      (second_micros >= kMicrosPerMinute && !leap)) {
    return std::nullopt;
  }
  return Timestamp{wall.to_utc(date->days * kMicrosPerDay + hour * kMicrosPerHour +
                               minute * kMicrosPerMinute + second_micros)};
}

Result<Datum> make_timestamps(const CallContext& context, std::span<const Datum> arguments) {
  const int64_t rows = rows_to_compute(arguments, context.num_rows);
  FixedBuilder<int64_t> builder(Type::timestamp());
  LocalTime session(context.zone);
  ZoneCache zones;
  for (int64_t row = 0; row < rows; ++row) {
    bool null = false;
    for (const Datum& argument : arguments) null = null || argument.is_null(row);
    if (null) {
      builder.append_null();
      continue;
    }
    const auto part = [&](size_t i) {
      return arguments[i].column->values<int32_t>()[static_cast<size_t>(arguments[i].at(row))];
    };
    LocalTime* wall = &session;
    if (arguments.size() > 6) {
      FLOWRUN_TRY(wall, zones.find(arguments[6].column->string(arguments[6].at(row))));
    }
    const auto second =
        arguments[5].column->values<Decimal128>()[static_cast<size_t>(arguments[5].at(row))];
    const auto time = instant_of(*wall, part(0), part(1), part(2), part(3), part(4),
                                 static_cast<int64_t>(second));
    time ? builder.append(time->micros) : builder.append_null();
  }
  return Datum{builder.finish(), rows_to_compute(arguments, 2) == 1};
}

Result<BoundFunction> bind_make_timestamp(const Arguments& arguments) {
  std::vector<Type> parameters(5, Type::integer());
  parameters.push_back(Type::decimal(16, 6));
  if (arguments.size() > 6) parameters.push_back(Type::string());
  return bind_to_signature(arguments, parameters, Type::timestamp(), make_timestamps);
}

// Whole seconds that a timestamp can tell.
Status check_seconds(const Column& numbers) {
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max() / kMicrosPerSecond;
  if (numbers.type().id() != TypeId::bigint) return {};
  for (int64_t row = 0; row < numbers.size(); ++row) {
    const int64_t seconds = numbers.values<int64_t>()[static_cast<size_t>(row)];
    if (numbers.is_valid(row) && (seconds > kMost || seconds < -kMost))
      return Error::data("timestamp_seconds: " + std::to_string(seconds) +
                         " leaves the range of timestamps");
  }
  return {};
}

// timestamp_seconds of a number of any type is its cast, but whole seconds may not overflow.
Result<BoundFunction> bind_timestamp_seconds(const Arguments& arguments) {
  const Type& type = arguments.types[0];
  if (!type.is_numeric() && type.id() != TypeId::null)
    return wrong_argument(arguments, 0, "a number");
  return BoundFunction{
      .arguments = {type.id() == TypeId::null ? Type::bigint() : type},
      .result = Type::timestamp(),
      .kernel = [](const CallContext& context, std::span<const Datum> rows) -> Result<Datum> {
        FLOWRUN_RETURN_IF_ERROR(check_seconds(*rows[0].column));
        FLOWRUN_TRY(ColumnPtr times, cast(rows[0].column, Type::timestamp(), context.zone));
        return Datum{std::move(times), rows[0].constant};
      },
      .adds_nulls = type.is_floating()};
}

ScalarFunction from_units(const char* name, std::string doc, int64_t unit) {
  return scalar<Timestamp(int64_t)>(
             name, std::move(doc),
             [unit](int64_t value) -> Result<Timestamp> {
               int64_t micros = 0;
               if (__builtin_mul_overflow(value, unit, &micros))
                 return Error::data("a number leaves the range of timestamps");
               return Timestamp{micros};
             })
      .without_casts({Type::bigint()})
      .may_fail();
}

ScalarFunction to_units(const char* name, std::string doc, int64_t unit) {
  return scalar<int64_t(Timestamp)>(name, std::move(doc),
                                    [unit](Timestamp time) { return floor_div(time.micros, unit); })
      .without_casts({Type::timestamp()});
}

void register_makers(FunctionRegistry& registry) {
  registry.add(scalar<Date(int32_t, int32_t, int32_t)>(
      "make_date", "make_date(year, month, day): null if there is no such day.", make_date));
  registry.add(ScalarFunction("make_timestamp",
                              "make_timestamp(year, month, day, hour, minute, second[, zone]): "
                              "null if there is no such time.",
                              6, 7, BindFunction(bind_make_timestamp))
                   .may_fail());
  registry.add(ScalarFunction("timestamp_seconds",
                              "timestamp_seconds(n): n seconds after 1970 began.", 1, 1,
                              BindFunction(bind_timestamp_seconds))
                   .may_fail());
  registry.add(from_units("timestamp_millis",
                          "timestamp_millis(n): n milliseconds after 1970 began.",
                          kMicrosPerMilli));
  registry.add(
      from_units("timestamp_micros", "timestamp_micros(n): n microseconds after 1970 began.", 1));
  registry.add(
      to_units("unix_seconds", "unix_seconds(time): seconds since 1970 began.", kMicrosPerSecond));
  registry.add(to_units("unix_millis", "unix_millis(time): milliseconds since 1970 began.",
                        kMicrosPerMilli));
  registry.add(to_units("unix_micros", "unix_micros(time): microseconds since 1970 began.", 1));
  registry.add(
      scalar<int32_t(Date)>("unix_date", "unix_date(date): days since 1970 began.", [](Date date) {
        return date.days;
      }).without_casts({Type::date()}));
  registry.add(scalar<Date(int32_t)>("date_from_unix_date",
                                     "date_from_unix_date(n): n days after 1970-01-01.",
                                     [](int32_t days) { return Date{days}; })
                   .without_casts({Type::integer()}));
}

}  // namespace

void register_date_arithmetic_functions(FunctionRegistry& registry) {
  register_moves(registry);
  register_makers(registry);
  registry.add(scalar_with<Truncation, Timestamp(Text, Timestamp)>(
      "date_trunc",
      "date_trunc(unit, time): cut to year, quarter, month, week, day, hour, minute, second and "
      "smaller.",
      truncate_time));
  registry.add(scalar_with<Truncation, Date(Date, Text)>(
      "trunc", "trunc(date, unit): cut to year, quarter, month or week; null for other units.",
      truncate_date));
  registry.add(
      scalar_with<ZoneCache, Timestamp(Timestamp, Text)>(
          "from_utc_timestamp",
          "from_utc_timestamp(time, zone): what a clock in the zone shows, as if it were UTC.",
          [](ZoneCache& zones, Timestamp time, Text zone) -> Result<Timestamp> {
            FLOWRUN_TRY(LocalTime * wall, zones.find(zone));
            return Timestamp{wall->to_local(time.micros)};
          })
          .may_fail());
  registry.add(
      scalar_with<ZoneCache, Timestamp(Timestamp, Text)>(
          "to_utc_timestamp",
          "to_utc_timestamp(time, zone): the instant at which a clock in the zone shows a time.",
          [](ZoneCache& zones, Timestamp time, Text zone) -> Result<Timestamp> {
            FLOWRUN_TRY(LocalTime * wall, zones.find(zone));
            return Timestamp{wall->to_utc(time.micros)};
          })
          .may_fail());
}

}  // namespace flowrun
