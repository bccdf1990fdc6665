// Dates and times to text and back by patterns; the time now.
#include "runtime/expr/analyzer.h"
#include "runtime/expr/cast.h"
#include "runtime/expr/coercion.h"
#include "runtime/expr/expression.h"
#include "runtime/expr/functions/functions.h"
#include "runtime/expr/functions/session_clock.h"
#include "runtime/expr/scalar.h"

namespace flowrun {

namespace {

using Text = std::string_view;
using Use = DateTimePattern::Use;

constexpr Text kDefaultPattern = "yyyy-MM-dd HH:mm:ss";

Status format_time(PatternCache& cache, const CallContext& context, Timestamp time, Text pattern,
                   std::string& out) {
  FLOWRUN_TRY(const DateTimePattern* compiled, cache.compile(pattern, Use::format));
  compiled->format(time.micros, cache.at(context), out);
  return {};
}

Result<std::optional<Timestamp>> parse_time(PatternCache& cache, const CallContext& context,
                                            Text text, Text pattern) {
  FLOWRUN_TRY(const DateTimePattern* compiled, cache.compile(pattern, Use::parse));
  const auto micros = compiled->parse_timestamp(text, cache.at(context));
  if (!micros) return std::optional<Timestamp>{};
  return std::optional<Timestamp>{Timestamp{*micros}};
}

Result<std::optional<Date>> parse_day(PatternCache& cache, const CallContext& context, Text text,
                                      Text pattern) {
  FLOWRUN_TRY(const auto time, parse_time(cache, context, text, pattern));
  if (!time) return std::optional<Date>{};
  return std::optional<Date>{Date{date_of_timestamp(time->micros, cache.at(context))}};
}

Result<std::optional<int64_t>> parse_seconds(PatternCache& cache, const CallContext& context,
                                             Text text, Text pattern) {
  FLOWRUN_TRY(const auto time, parse_time(cache, context, text, pattern));
  if (!time) return std::optional<int64_t>{};
  return std::optional<int64_t>{floor_div(time->micros, kMicrosPerSecond)};
}

// One argument: a cast to `target`. Two: text by a pattern; what is a date or a timestamp already
// is cast.
ScalarFunction parse_function(const char* name, std::string doc, const Type& target,
                              const ScalarFunction& by_pattern) {
  const Kernel cast_kernel = [target](const CallContext& context,
                                      std::span<const Datum> arguments) -> Result<Datum> {
    FLOWRUN_TRY(ColumnPtr column, cast(arguments[0].column, target, context.zone));
    return Datum{std::move(column), arguments[0].constant};
  };
  ScalarFunction function(
      name, std::move(doc), 1, 2,
      BindFunction(
          [=, bind = by_pattern.bind](const Arguments& arguments) -> Result<BoundFunction> {
            const Type& type = arguments.types[0];
            const bool instant = type.id() == TypeId::date || type.id() == TypeId::timestamp;
            if (arguments.size() == 2 && !instant) return bind(arguments);
            if (!can_cast(type, target))
              return wrong_argument(arguments, 0, "text, a date or a timestamp");
            BoundFunction bound{.arguments = {type},
                                .result = target,
                                .kernel = cast_kernel,
                                .adds_nulls = cast_adds_nulls(type, target)};
            if (arguments.size() == 2) bound.arguments.push_back(arguments.types[1]);
            return bound;
          }));
  function.fallible = true;
  return function;
}

// Seconds since 1970 began, towards it, as Spark computes them.
ScalarFunction seconds_function() {
  ScalarFunction text = scalar_with<PatternCache, int64_t(Text, Text)>("", "", parse_seconds);
  ScalarFunction time = scalar<int64_t(Timestamp, Text)>(
      "", "", [](Timestamp value, Text) { return value.micros / kMicrosPerSecond; });
  ScalarFunction date = scalar_with<SessionClock, int64_t(Date, Text)>(
      "", "", [](SessionClock& clock, const CallContext& context, Date value, Text) {
        return floor_div(timestamp_of_date(value.days, clock.at(context)), kMicrosPerSecond);
      });
  return overloads("seconds of", "unix_timestamp of x by a pattern.",
                   {std::move(text), std::move(time), std::move(date)})
      .may_fail();
}

// Without an argument the seconds of now.
ScalarFunction unix_timestamp_function(const char* name, size_t least_arguments) {
  return ScalarFunction(
      name,
      std::string(name) + "(x[, pattern]): seconds since 1970 began of a time, a date or a text.",
      least_arguments, 2, BuildFunction([](CallSite& site) -> Result<TypedPtr> {
        std::vector<TypedPtr> arguments = site.arguments();
        if (arguments.empty()) {
          FLOWRUN_TRY(arguments.emplace_back(), site.call("current_timestamp", {}));
        }
        const TypeId type = arguments[0]->type.id();
        if (type != TypeId::string && type != TypeId::date && type != TypeId::timestamp &&
            type != TypeId::null)
          return site.wrong_argument(0, "text, a date or a timestamp");
        if (arguments.size() < 2)
          arguments.push_back(CallSite::constant(constant_text(kDefaultPattern)));
        return site.call_as("seconds of", site.function(), std::move(arguments));
      }));
}

void register_now(FunctionRegistry& registry) {
  registry.add(scalar<Timestamp()>(
                   {"current_timestamp", "now"}, "current_timestamp(): when this epoch began.",
                   [](const CallContext& context) { return Timestamp{context.evaluation.now}; })
                   .not_foldable(true));
  registry.add(scalar_with<SessionClock, Date()>(
                   {"current_date", "curdate"},
                   "current_date(): the day on which this epoch began.",
                   [](SessionClock& clock, const CallContext& context) {
                     return Date{date_of_timestamp(context.evaluation.now, clock.at(context))};
                   })
                   .not_foldable(true));
  registry.add(scalar<std::string()>(
      "current_timezone", "current_timezone(): the session's time zone.",
      [](const CallContext& context, std::string& out) { out += context.zone.name(); }));
}

}  // namespace

void register_date_text_functions(FunctionRegistry& registry) {
  registry.add(scalar_with<PatternCache, std::string(Timestamp, Text)>(
                   "date_format",
                   "date_format(time, pattern): a time as text, such as 'yyyy-MM-dd HH:mm'.",
                   format_time)
                   .may_fail());
  registry.add(scalar_with<PatternCache, std::string(int64_t, Text)>(
                   "from_unixtime",
                   "from_unixtime(seconds[, pattern]): seconds since 1970 began as text.",
                   [](PatternCache& cache, const CallContext& context, int64_t seconds,
                      Text pattern, std::string& out) -> Status {
                     // Wraps, as Java's multiplication does.
                     const auto micros = static_cast<int64_t>(
                         static_cast<uint64_t>(seconds) * static_cast<uint64_t>(kMicrosPerSecond));
                     return format_time(cache, context, Timestamp{micros}, pattern, out);
                   })
                   .with_defaults({constant_text(kDefaultPattern)})
                   .may_fail());
  registry.add(parse_function(
      "to_date", "to_date(x[, pattern]): a date of a text or a timestamp; null if it is none.",
      Type::date(), scalar_with<PatternCache, Date(Text, Text)>("", "", parse_day)));
  for (const char* name : {"to_timestamp", "try_to_timestamp"}) {
    registry.add(parse_function(
        name,
        std::string(name) +
            "(x[, pattern]): a timestamp of a text, a number or a date; null if it is none.",
        Type::timestamp(), scalar_with<PatternCache, Timestamp(Text, Text)>("", "", parse_time)));
  }
  registry.add(seconds_function());
  registry.add(unix_timestamp_function("unix_timestamp", 0));
  registry.add(unix_timestamp_function("to_unix_timestamp", 1));
  register_now(registry);
}

}  // namespace flowrun
