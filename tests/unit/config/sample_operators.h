#pragma once
// Operators with specs only, for tests of loading: nothing can be made of them.

#include "runtime/operator/option_specs.h"
#include "runtime/operator/reader_options.h"
#include "runtime/operator/registry.h"

namespace flowrun {

inline OptionSpec sample_agg() {
  using namespace option;
  return one_of("agg", "what to compute",
                {word("", {"count", "sum", "avg", "min", "max"}, ""), map_of(expression("", "")),
                 list_of(expression("", ""))});
}

inline Registry sample_registry() {
  using namespace option;
  Registry registry;
  const auto transform = [&](OperatorSpec spec) {
    registry.add_transform(std::move(spec), nullptr);
  };
  registry.add_source({.name = "socket",
                       .summary = "Lines over TCP",
                       .options = {text("host", "where").with_default("127.0.0.1"),
                                   required(integer("port", "the port").between(1, 65535)),
                                   secret(text("password", "who"))}},
                      nullptr);
  registry.add_source(
      {.name = "file",
       .summary = "Files",
       .options = together(
           {{required(path("path", "a file or folder")),
             required(word("format", {"text", "json", "csv"}, "what it holds")),
             integer("max_files", "files an epoch takes").at_least(1), schema("schema", "columns"),
             word("order", {"name", "time"}, "in which order").with_default("time")},
            reader_option_specs()}),
       .ports = {"errors"}},
      nullptr);
  transform({.name = "parse",
             .summary = "Text to columns",
             .primary = word("parse", {"json", "csv"}, "the format"),
             .options = together({{required(schema("schema", "columns")),
                                   column("column", "which").with_default("value")},
                                  reader_option_specs("parse")}),
             .ports = {"errors"}});
  transform(
      {.name = "select", .summary = "Columns", .primary = list_of(expression("select", "what"))});
  transform({.name = "with_columns",
             .summary = "More columns",
             .primary = map_of(expression("with_columns", "name: expression"))});
  transform({.name = "filter", .summary = "Rows", .primary = expression("filter", "which")});
  transform({.name = "dropna",
             .summary = "No nulls",
             .primary = word("dropna", {"any", "all"}, "when").with_default("any"),
             .options = {list_of(column("subset", "columns")), integer("thresh", "how many")}});
  transform(
      {.name = "fillna",
       .summary = "Nulls to values",
       .primary = one_of("fillna", "values", {any_scalar("", ""), map_of(any_scalar("", ""))})});
  transform({.name = "watermark",
             .summary = "Event time",
             .primary = column("watermark", "of time"),
             .options = {required(duration("delay", "how late"))}});
  transform({.name = "static_join",
             .summary = "Join a table",
             .primary = text("static_join", "the table").naming(NameRole::static_table),
             .options = {word("how", {"inner", "left"}, "which rows").with_default("inner"),
                         list_of(column("on", "keys"))}});
  const auto stateful = [&](OperatorSpec spec) { registry.add_stateful(std::move(spec), nullptr); };
  stateful({.name = "group_by",
            .summary = "Groups",
            .primary = list_of(expression("group_by", "keys")),
            .options = {required(sample_agg())}});
  stateful({.name = "window",
            .summary = "Windows",
            .primary = duration("window", "its length").at_least(1),
            .options = {required(column("on", "the time")),
                        duration("slide", "from one to the next").at_least(1),
                        list_of(expression("group_by", "keys")), required(sample_agg())},
            .ports = {"late"}});
  stateful({.name = "stream_join",
            .summary = "Joins streams",
            .primary = word("stream_join", {"inner", "left"}, "which rows"),
            .options = {list_of(column("on", "keys")), expression("condition", "which pairs")},
            .ports = {"late_left", "late_right"},
            .inputs = InputShape::sides});
  registry.add_sink({.name = "console",
                     .summary = "Prints",
                     .options = {rows("truncate", "to how many characters").with_default("20")}},
                    nullptr);
  registry.add_sink({.name = "memory",
                     .summary = "A table",
                     .options = {text("table", "its name").naming(NameRole::live_table)}},
                    nullptr);
  return registry;
}

}  // namespace flowrun
