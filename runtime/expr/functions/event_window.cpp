#include "runtime/expr/functions/event_window.h"

#include <fmt/format.h>

#include <cstdlib>

#include "runtime/columnar/builder.h"
#include "runtime/expr/scalar.h"
#include "runtime/expr/window_grid.h"
#include "runtime/format/interval.h"

namespace flowrun {

namespace {

Type window_type() {
  return Type::struct_({{"start", Type::timestamp()}, {"end", Type::timestamp()}});
}

bool is_window(const Type& type) {
  return type.id() == TypeId::struct_ && type.fields().size() == 2 &&
         type.fields()[1].type.id() == TypeId::timestamp;
}

Result<int64_t> duration_of(const Arguments& arguments, size_t i) {
  const auto text = arguments.constant_text(i);
  if (!text) return wrong_argument(arguments, i, "a constant duration such as '10 seconds'");
  return parse_duration(*text);
}

// One window per row: what overlaps would make rows of one.
Result<WindowGrid> grid_of(const Arguments& arguments) {
  WindowGrid grid;
  FLOWRUN_TRY(grid.size, duration_of(arguments, 1));
  grid.slide = grid.size;
  if (arguments.size() > 2) {
    FLOWRUN_TRY(grid.slide, duration_of(arguments, 2));
  }
  if (arguments.size() > 3) {
    FLOWRUN_TRY(grid.start, duration_of(arguments, 3));
  }
  if (grid.size <= 0)
    return Error::invalid("the window has no length — write a duration above zero");
  if (grid.slide != grid.size) {
    return Error::invalid(
        "sliding windows in an expression would make several rows of one — use the operator "
        "`window` with `slide:`");
  }
  if (std::abs(grid.start) >= grid.slide)
    return Error::invalid(
        "the start is not shorter than the window — subtract the window's length");
  return grid;
}

Result<BoundFunction> bind_window(const Arguments& arguments) {
  FLOWRUN_TRY(const WindowGrid grid, grid_of(arguments));
  std::vector<Type> types(arguments.types.begin(), arguments.types.end());
  types[0] = Type::timestamp();
  return BoundFunction{
      types, window_type(),
      [grid](const CallContext& context, std::span<const Datum> values) -> Result<Datum> {
        const Datum& time = values[0];
        const int64_t rows = rows_to_compute(values, context.num_rows);
        FixedWriter<int64_t> start(Type::timestamp(), rows);
        FixedWriter<int64_t> end(Type::timestamp(), rows);
        BufferPtr validity;
        if (time.column->null_count() > 0) {
          validity = Buffer::allocate(bitmap_bytes(rows));
          set_bits(validity->mutable_data(), 0, rows);
        }
        const auto times = time.column->values<int64_t>();
        for (int64_t i = 0; i < rows; ++i) {
          if (time.is_null(i)) {
            start.set_null(i);
            end.set_null(i);
            clear_bit(validity->mutable_data(), i);
            continue;
          }
          const int64_t begin = grid.last_window(times[static_cast<size_t>(time.at(i))]);
          start.set(i, begin);
          end.set(i, grid.end_of(begin));
        }
        Column::Parts parts{.type = window_type(), .size = rows};
        if (!validity) parts.null_count = 0;
        parts.validity = std::move(validity);
        parts.children = {start.finish(), end.finish()};
        return Datum{Column::make(std::move(parts)), time.constant};
      }};
}

Result<BoundFunction> bind_window_time(const Arguments& arguments) {
  if (!is_window(arguments.types[0])) return wrong_argument(arguments, 0, "a window");
  return BoundFunction{{arguments.types[0]},
                       Type::timestamp(),
                       [](const CallContext&, std::span<const Datum> values) -> Result<Datum> {
                         const Column& windows = *values[0].column;
                         const Column& ends = *windows.child(1);
                         FixedWriter<int64_t> last(Type::timestamp(), windows.size());
                         for (int64_t i = 0; i < windows.size(); ++i) {
                           windows.is_null(i) || ends.is_null(i)
                               ? last.set_null(i)
                               : last.set(i, ends.values<int64_t>()[static_cast<size_t>(i)] - 1);
                         }
                         return Datum{last.finish(), values[0].constant};
                       }};
}

}  // namespace

void register_event_window_functions(FunctionRegistry& registry) {
  registry.add(ScalarFunction("window",
                              "window(time, duration[, slide[, start]]): the window of that length "
                              "which holds the time, a struct of start and end; not sliding.",
                              2, 4, BindFunction(bind_window))
                   .shown_as("window")
                   .named_by([](auto) { return std::string("window"); }));
  registry.add(ScalarFunction("window_time",
                              "window_time(window): the last microsecond of a window, its time for "
                              "a window over windows.",
                              1, 1, BindFunction(bind_window_time)));
}

}  // namespace flowrun
