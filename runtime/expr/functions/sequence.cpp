// sequence(start, stop, step): numbers, dates or times at equal distances, both ends included.
#include <fmt/format.h>

#include "runtime/columnar/builder.h"
#include "runtime/expr/coercion.h"
#include "runtime/expr/functions/functions.h"
#include "runtime/expr/list_values.h"
#include "runtime/expr/scalar.h"
#include "runtime/format/civil.h"
#include "runtime/format/time_zone.h"

namespace flowrun {

namespace {

Error wrong_step() { return Error::data("sequence: the step leads away from the end, or is zero"); }

// A step in months, days and microseconds; numbers use the last alone.
struct Step {
  int64_t months = 0;
  int64_t micros = 0;
};

// The row's elements, `at(k)` being the k-th.
template <class T, class At>
Status append_elements(T start, T stop, bool up, const At& at, FixedBuilder<T>& out) {
  for (int64_t k = 0; k < kMostElements; ++k) {
    const std::optional<T> value = at(k);
    if (!value || (up ? *value > stop : *value < stop)) return {};
    if (k > 0 && (up ? *value <= start : *value >= start)) return {};  // wrapped around
    out.append(*value);
  }
  return Error::data(fmt::format("sequence would have more than {} elements", kMostElements));
}

template <class T>
Status append_numbers(T start, T stop, int64_t step, FixedBuilder<T>& out) {
  const bool up = stop >= start;
  if (start == stop) {
    out.append(start);
    return {};
  }
  if (step == 0 || (step > 0) != up) return wrong_step();
  return append_elements<T>(
      start, stop, up,
      [&](int64_t k) -> std::optional<T> {
        int64_t distance = 0;
        int64_t value = 0;
        if (__builtin_mul_overflow(k, step, &distance) ||
            __builtin_add_overflow(int64_t{start}, distance, &value))
          return std::nullopt;
        return static_cast<T>(value);
      },
      out);
}

Status append_dates(int32_t start, int32_t stop, Step step, FixedBuilder<int32_t>& out) {
  if (step.months == 0)
    return append_numbers<int32_t>(start, stop, step.micros / kMicrosPerDay, out);
  const bool up = stop >= start;
  if (start != stop && (step.months > 0) != up) return wrong_step();
  return append_elements<int32_t>(
      start, stop, up,
      [&](int64_t k) -> std::optional<int32_t> {
        return static_cast<int32_t>(add_months(start, k * step.months));
      },
      out);
}

Status append_times(int64_t start, int64_t stop, Step step, LocalTime& wall,
                    FixedBuilder<int64_t>& out) {
  if (step.months == 0 && step.micros % kMicrosPerDay != 0)
    return append_numbers<int64_t>(start, stop, step.micros, out);
  const bool up = stop >= start;
  if (start != stop && (step.months + step.micros == 0 || (step.months + step.micros > 0) != up))
    return wrong_step();
  const int64_t local = wall.to_local(start);
  const int64_t day = floor_div(local, kMicrosPerDay);
  return append_elements<int64_t>(
      start, stop, up,
      [&](int64_t k) -> std::optional<int64_t> {
        const int64_t moved = add_months(day, k * step.months) + k * (step.micros / kMicrosPerDay);
        return wall.to_utc(moved * kMicrosPerDay + (local - day * kMicrosPerDay));
      },
      out);
}

Step step_at(std::span<const Datum> values, int64_t row) {
  const Column& column = *values[2].column;
  const auto at = static_cast<size_t>(values[2].at(row));
  if (column.type().id() == TypeId::year_month_interval) return {column.values<int32_t>()[at], 0};
  return {0, column.values<int64_t>()[at]};
}

template <class T>
Result<Datum> run(const Type& type, const CallContext& context, std::span<const Datum> values) {
  const int64_t rows = rows_to_compute(values, context.num_rows);
  LocalTime wall(context.zone);
  FixedBuilder<T> elements(type.element());
  ListAssembler lists(rows);
  for (int64_t row = 0; row < rows; ++row) {
    if (values[0].is_null(row) || values[1].is_null(row) ||
        (values.size() > 2 && values[2].is_null(row))) {
      lists.null_row();
      continue;
    }
    const T start = values[0].column->values<T>()[static_cast<size_t>(values[0].at(row))];
    const T stop = values[1].column->values<T>()[static_cast<size_t>(values[1].at(row))];
    const int64_t before = elements.size();
    const int64_t direction = stop >= start ? 1 : -1;
    if (type.element().id() == TypeId::date) {
      const Step step =
          values.size() > 2 ? step_at(values, row) : Step{0, direction * kMicrosPerDay};
      if constexpr (std::is_same_v<T, int32_t>)
        FLOWRUN_RETURN_IF_ERROR(append_dates(start, stop, step, elements));
    } else if (type.element().id() == TypeId::timestamp) {
      const Step step =
          values.size() > 2 ? step_at(values, row) : Step{0, direction * kMicrosPerDay};
      if constexpr (std::is_same_v<T, int64_t>)
        FLOWRUN_RETURN_IF_ERROR(append_times(start, stop, step, wall, elements));
    } else {
      const int64_t step = values.size() > 2 ? step_at(values, row).micros : direction;
      FLOWRUN_RETURN_IF_ERROR(append_numbers<T>(start, stop, step, elements));
    }
    for (int64_t i = before; i < elements.size(); ++i) lists.add(0);
    lists.close_row();
  }
  return Datum{lists.finish(type, {elements.finish()}), all_constant(values)};
}

Result<BoundFunction> bind_sequence(const Arguments& arguments) {
  Type a = arguments.types[0].id() == TypeId::null ? arguments.types[1] : arguments.types[0];
  Type b = arguments.types[1].id() == TypeId::null ? a : arguments.types[1];
  const bool times = a.id() == TypeId::date || a.id() == TypeId::timestamp;
  auto element = tightest_common_type(a, b);
  if (!element || (!times && !element->is_integral())) {
    return Error::invalid(fmt::format("`{}` takes two integers, dates or timestamps; got {} and {}",
                                      arguments.function, a.simple_string(), b.simple_string()));
  }
  std::vector<Type> types{*element, *element};
  if (arguments.size() > 2) {
    const Type& step = arguments.types[2];
    const bool interval =
        step.id() == TypeId::day_time_interval || step.id() == TypeId::year_month_interval;
    if (times ? !interval : !(step.is_integral() || step.id() == TypeId::null))
      return wrong_argument(arguments, 2, times ? "an interval" : "an integer");
    if (!times) element = tightest_common_type(*element, step);
    types = {*element, *element};
    types.push_back(times ? step : Type::bigint());
  }
  const Type type = Type::array(*element);
  Kernel kernel = visit_fixed(element->id(), [&](auto tag) -> Kernel {
    using T = typename decltype(tag)::type;
    if constexpr (std::is_integral_v<T> && !std::is_same_v<T, Decimal128>) {
      return [type](const CallContext& context, std::span<const Datum> values) {
        return run<T>(type, context, values);
      };
    } else {
      return {};
    }
  });
  return BoundFunction{std::move(types), type, std::move(kernel)};
}

}  // namespace

void register_sequence_functions(FunctionRegistry& registry) {
  registry.add(ScalarFunction("sequence",
                              "sequence(start, stop, step): the values from start to stop, both "
                              "included; the step is 1 (day) without one.",
                              2, 3, BindFunction(bind_sequence))
                   .may_fail());
}

}  // namespace flowrun
