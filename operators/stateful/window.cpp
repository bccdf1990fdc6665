// window: aggregates per window of event time, tumbling or sliding, and per key in it.

#include <cstdlib>
#include <limits>

#include "runtime/operator/aggregate_list.h"
#include "runtime/operator/aggregation.h"
#include "runtime/operator/option_specs.h"
#include "runtime/operator/registry.h"

namespace flowrun {

namespace {

OperatorSpec spec() {
  using namespace option;
  OperatorSpec spec;
  spec.name = "window";
  spec.summary = "Aggregates per window of event time.";
  spec.doc =
      "Windows are half-open, aligned to 1970-01-01T00:00:00Z plus `start`; a row belongs to every "
      "window that holds "
      "its time, a row without a time to none. The column `window` comes first, a struct of "
      "`start` and `end`. "
      "With a watermark on the time column windows end: `append` gives each once, when the "
      "watermark has passed its "
      "end, and rows all of whose windows have ended are late: they are counted and offered on "
      "`.late`. "
      "The cost of a row does not depend on how many windows overlap.";
  spec.primary = duration("window", "how long a window is");
  spec.options = {
      required(expression("on",
                          "a timestamp column, or an earlier `window` or `session_window` column")),
      duration("slide", "how far apart windows begin; without it they follow one another"),
      duration("start", "shifts the windows; may be negative, and is shorter than the slide")
          .at_least(std::numeric_limits<int64_t>::min()),
      list_of(expression("group_by", "keys within the window")),
      AggregateList::option(),
  };
  spec.ports = {"late"};
  spec.examples = {
      {"Readings per 5 seconds",
       "per_window: { from: timed, window: 5 seconds, on: event_time, agg: count }\n"},
      {"Sliding, per activity",
       "per_window: { from: timed, window: 10 seconds, slide: 5 seconds, on: event_time, group_by: "
       "[gt], agg: count "
       "}\n"},
  };
  return spec;
}

Result<WindowGrid> grid_of(const Options& options) {
  WindowGrid grid{options.integer("window"), 0, options.integer_or("start", 0)};
  grid.slide = options.integer_or("slide", grid.size);
  if (grid.size <= 0) {
    return Error::invalid("the window has no length — write a duration above zero")
        .at(options.at("window").position);
  }
  if (grid.slide <= 0) {
    return Error::invalid("the slide has no length — write a duration above zero")
        .at(options.at("slide").position);
  }
  if (grid.slide > grid.size) {
    return Error::invalid(
               "the slide is longer than the window, so rows would fall between windows — write "
               "one no "
               "longer than the window")
        .at(options.at("slide").position);
  }
  if (std::abs(grid.start) >= grid.slide) {
    return Error::invalid(
               "the start is not shorter than the slide — subtract the slide until it is")
        .at(options.at("start").position);
  }
  return grid;
}

}  // namespace

void register_window(Registry& registry) {
  registry.add_stateful(
      spec(),
      [](const Options& options, const MakeContext& context) -> Result<std::unique_ptr<Stateful>> {
        FLOWRUN_TRY(const WindowGrid grid, grid_of(options));
        const OptionValue* keys = options.find("group_by");
        return make_aggregation({.name = "window",
                                 .keys = keys ? keys->items : std::vector<OptionValue>(),
                                 .aggregates = options.at("agg"),
                                 .window = AggregationOptions::Window{grid, options.at("on")},
                                 .sets = {}},
                                context.expressions);
      });
}

}  // namespace flowrun
