// Casts to dates, timestamps and intervals.
#include <cmath>
#include <limits>

#include "runtime/expr/cast_themes.h"
#include "runtime/format/datetime.h"
#include "runtime/format/decimal.h"
#include "runtime/format/interval.h"

namespace flowrun {
namespace {

constexpr double kMicrosInSecond = 1e6;
constexpr int kMicrosScale = 6;

// TimeUnit.SECONDS.toMicros.
int64_t micros_of_seconds(int64_t seconds) {
  int64_t micros = 0;
  if (!__builtin_mul_overflow(seconds, kMicrosPerSecond, &micros)) return micros;
  return seconds < 0 ? std::numeric_limits<int64_t>::min() : std::numeric_limits<int64_t>::max();
}

int64_t saturated_micros(double seconds) {
  constexpr double kAbove = 9223372036854775808.0;  // 2^63
  const double micros = seconds * kMicrosInSecond;
  if (!(micros > -kAbove)) return std::numeric_limits<int64_t>::min();
  return micros >= kAbove ? std::numeric_limits<int64_t>::max() : static_cast<int64_t>(micros);
}

// NaN and infinities are null; they are rare, so the loop only notes that there was one.
template <class In>
ColumnPtr floating_to_timestamp(const Column& column) {
  const std::span<const In> in = column.values<In>();
  FixedWriter<int64_t> writer(Type::timestamp(), column.size());
  writer.share_validity(column);
  int64_t* out = writer.data();
  const auto rows = static_cast<size_t>(column.size());
  bool all_finite = true;
  for (size_t i = 0; i < rows; ++i) {
    const double seconds = in[i];
    all_finite &= std::abs(seconds) <= std::numeric_limits<double>::max();
    out[i] = saturated_micros(seconds);
  }
  if (!all_finite) {
    for (size_t i = 0; i < rows; ++i) {
      const auto row = static_cast<int64_t>(i);
      if (!std::isfinite(in[i]) && !column.is_null(row)) writer.set_null(row);
    }
  }
  return writer.finish();
}

template <class In>
ColumnPtr integer_to_timestamp(const Column& column) {
  return cast_all<int64_t, In>(column, Type::timestamp(),
                               [](In value) { return micros_of_seconds(value); });
}

// As BigDecimal.longValue: the low 64 bits of the microseconds.
ColumnPtr decimal_to_timestamp(const Column& column) {
  const int scale = column.type().scale();
  const int shift = scale - kMicrosScale;
  const Decimal128 factor = decimal_power(shift < 0 ? -shift : shift);
  return cast_some<int64_t, Decimal128>(column, Type::timestamp(), [=](Decimal128 value) {
    if (shift >= 0) return std::optional(static_cast<int64_t>(value / factor));
    return std::optional(
        static_cast<int64_t>(static_cast<uint64_t>(value) * static_cast<uint64_t>(factor)));
  });
}

int32_t truncate_months(int32_t months, IntervalUnit last) {
  return last == IntervalUnit::year ? months - months % 12 : months;
}

int64_t truncate_micros(int64_t micros, IntervalUnit last) {
  return last == IntervalUnit::second ? micros : micros - micros % micros_of_unit(last);
}

Error interval_overflow(const Type& to) {
  return Error::data("a number is too large for " + to.simple_string());
}

// A number of the interval's last unit.
template <class Out, class In, class Number>
Result<ColumnPtr> number_to_interval(const CastRequest& request, const Number& number) {
  bool overflows = false;
  ColumnPtr result = cast_some<Out, In>(request.column, request.to, [&](In value) {
    const std::optional<Out> units = number(value);
    if (!units && !request.checked()) overflows = true;
    return units;
  });
  if (overflows) return interval_overflow(request.to);
  return result;
}

template <class Out>
Result<ColumnPtr> exact_to_interval(const CastRequest& request, int64_t unit) {
  if (request.from().id() == TypeId::decimal) {
    const int scale = request.from().scale();
    constexpr int kDigits = 19;
    return number_to_interval<Out, Decimal128>(
        request, [=](Decimal128 value) -> std::optional<Out> {
          const auto product = multiply_decimals(value, scale, unit, 0, Type::decimal(kDigits, 0));
          if (!product || *product != static_cast<Out>(*product)) return std::nullopt;
          return static_cast<Out>(*product);
        });
  }
  return visit_fixed(request.from().id(), [&](auto tag) -> Result<ColumnPtr> {
    using In = typename decltype(tag)::type;
    if constexpr (std::is_integral_v<In>) {
      return number_to_interval<Out, In>(request, [=](In value) -> std::optional<Out> {
        Out product = 0;
        if (__builtin_mul_overflow(value, unit, &product)) return std::nullopt;
        return product;
      });
    } else {
      return null_column(request.to, request.column.size());
    }
  });
}

// Text: bare ("1-2", "1 02:03:04") or the whole literal. What is malformed fails, as in Spark.
template <class Out, class Parse>
Result<ColumnPtr> text_to_interval(const CastRequest& request, const Parse& parse) {
  std::optional<Error> error;
  ColumnPtr result =
      cast_text<Out>(request.column, request.to, [&](std::string_view text) -> std::optional<Out> {
        Result<Out> value = parse(trim_for_cast(text));
        if (value) return *value;
        if (!error) error = std::move(value.error());
        return std::nullopt;
      });
  if (error && !request.checked()) return Error::data(std::move(error->message));
  return result;
}

Result<ColumnPtr> text_to_year_month(const CastRequest& request) {
  const Type& to = request.to;
  return text_to_interval<int32_t>(request, [&to](std::string_view text) -> Result<int32_t> {
    if (auto bare = parse_year_month_interval(text, to.first_unit(), to.last_unit())) return bare;
    FLOWRUN_TRY(const WrittenInterval written, parse_written_interval(text));
    if (written.first == to.first_unit() && written.last == to.last_unit())
      return written.value.months;
    return Error::data("`" + std::string(text) + "` is no " + to.simple_string());
  });
}

Result<ColumnPtr> text_to_day_time(const CastRequest& request) {
  const Type& to = request.to;
  return text_to_interval<int64_t>(request, [&to](std::string_view text) -> Result<int64_t> {
    if (auto bare = parse_day_time_interval(text, to.first_unit(), to.last_unit())) return bare;
    FLOWRUN_TRY(const WrittenInterval written, parse_written_interval(text));
    if (written.first == to.first_unit() && written.last == to.last_unit()) {
      return written.value.days * kMicrosPerDay + written.value.microseconds;
    }
    return Error::data("`" + std::string(text) + "` is no " + to.simple_string());
  });
}

ColumnPtr text_to_calendar_interval(const CastRequest& request) {
  return cast_text<CalendarInterval>(request.column, request.to,
                                     [](std::string_view text) -> std::optional<CalendarInterval> {
                                       const auto interval = parse_interval(text);
                                       if (!interval) return std::nullopt;
                                       return *interval;
                                     });
}

}  // namespace

Result<ColumnPtr> cast_to_date(const CastRequest& request) {
  if (request.from().id() == TypeId::string) {
    return cast_text<int32_t>(request.column, request.to, parse_date);
  }
  LocalTime wall(request.zone);
  return cast_all<int32_t, int64_t>(request.column, request.to, [&wall](int64_t micros) {
    return date_of_timestamp(micros, wall);
  });
}

Result<ColumnPtr> cast_to_timestamp(const CastRequest& request) {
  const Column& column = request.column;
  LocalTime wall(request.zone);
  switch (request.from().id()) {
    case TypeId::boolean:  // in microseconds, as in Spark
      return cast_bits<int64_t>(column, request.to,
                                [](bool value) { return value ? int64_t{1} : int64_t{0}; });
    case TypeId::tinyint:
      return integer_to_timestamp<int8_t>(column);
    case TypeId::smallint:
      return integer_to_timestamp<int16_t>(column);
    case TypeId::integer:
      return integer_to_timestamp<int32_t>(column);
    case TypeId::bigint:
      return integer_to_timestamp<int64_t>(column);
    case TypeId::real:
      return floating_to_timestamp<float>(column);
    case TypeId::double_:
      return floating_to_timestamp<double>(column);
    case TypeId::decimal:
      return decimal_to_timestamp(column);
    case TypeId::date:
      return cast_all<int64_t, int32_t>(
          column, request.to, [&wall](int32_t days) { return timestamp_of_date(days, wall); });
    default:
      return cast_text<int64_t>(column, request.to, [&wall](std::string_view text) {
        return parse_timestamp(text, wall);
      });
  }
}

Result<ColumnPtr> cast_to_interval(const CastRequest& request) {
  const TypeId from = request.from().id();
  const IntervalUnit last = request.to.last_unit();
  switch (request.to.id()) {
    case TypeId::year_month_interval:
      if (from == TypeId::string) return text_to_year_month(request);
      if (from == TypeId::year_month_interval) {
        return cast_all<int32_t, int32_t>(request.column, request.to, [last](int32_t months) {
          return truncate_months(months, last);
        });
      }
      return exact_to_interval<int32_t>(request, last == IntervalUnit::year ? 12 : 1);
    case TypeId::day_time_interval:
      if (from == TypeId::string) return text_to_day_time(request);
      if (from == TypeId::day_time_interval) {
        return cast_all<int64_t, int64_t>(request.column, request.to, [last](int64_t micros) {
          return truncate_micros(micros, last);
        });
      }
      return exact_to_interval<int64_t>(request, micros_of_unit(last));
    default:
      return text_to_calendar_interval(request);
  }
}

}  // namespace flowrun
