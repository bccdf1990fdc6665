#include "runtime/config/load.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "tests/unit/config/sample_operators.h"

namespace flowrun {
namespace {

LoadedPlan load(const std::string& text, LoadOptions options = {}) {
  static const Registry kRegistry = sample_registry();
  return load_plan_text(text, "dir/p.yaml", kRegistry, options);
}

std::string shown(const LoadedPlan& loaded) {
  return render_text(loaded.diagnostics, loaded.sources);
}

// All messages, one a line, as "line:column node: message".
std::string messages(const std::string& text, LoadOptions options = {}) {
  std::string all;
  for (const Diagnostic& diagnostic : load(text, std::move(options)).diagnostics) {
    all += std::to_string(diagnostic.position.line) + ":" +
           std::to_string(diagnostic.position.column) + " " + diagnostic.node + ": " +
           diagnostic.message + "\n";
  }
  return all;
}

using Catch::Matchers::Contains;

// A valid frame around nodes of a test.
std::string nodes(const std::string& lines) {
  return "nodes:\n  s: { source: socket, port: 1 }\n" + lines;
}

const PlanNode& node(const Plan& plan, const std::string& id) {
  for (const PlanNode& candidate : plan.nodes) {
    if (candidate.id == id) return candidate;
  }
  FAIL("no node " << id);
  return plan.nodes.front();
}

TEST_CASE("the lab's pipeline becomes a plan") {
  const LoadedPlan loaded = load(R"yaml(
name: iot
trigger: 2 seconds
threads: 4
memory: 64 MiB
tables:
  users: { file: ../data/users.csv, format: csv, header: true, sep: ";", infer_schema: true }
nodes:
  watches:  { source: socket, host: 127.0.0.1, port: 9999 }
  readings:
    from: watches
    parse: json
    schema:
      Index: bigint
      gt: string
      "on": array<string>
  clean:      { from: readings, dropna: any }
  named:      { from: clean, static-join: users, on: User }
  activities: { from: named, group_by: [gt], agg: count }
  screen:     { from: activities, sink: console, mode: complete, every: 5 seconds }
  timed:
    from: clean
    chain:
      - with_columns: { event_time: "cast(x as timestamp)" }
      - watermark: event_time
        delay: 10 seconds
  per_window: {
from:
  timed, window : 10 seconds, slide : 5 seconds, on : event_time, group_by : gt, agg : {
  n:
    count(*)
  }
}
  table:      { from: per_window, sink: memory, table: event_per_window, mode: complete }
  rejects:    { from: readings.errors, sink: console }
)yaml");
  INFO(shown(loaded));
  REQUIRE(loaded.plan);
  const Plan& plan = *loaded.plan;
  CHECK(loaded.diagnostics.empty());
  CHECK(plan.trigger.kind == Trigger::Kind::period);
  CHECK(plan.trigger.period == 2'000'000);
  CHECK(plan.memory == 64 << 20);
  CHECK(plan.tables.at(0).options.text("file") == "data/users.csv");
  CHECK(plan.tables.at(0).options.text("sep") == ";");
  CHECK(node(plan, "readings").on_error == ErrorPolicy::route);
  CHECK(node(plan, "readings").options.at("schema").schema->ddl() ==
        "Index BIGINT,gt STRING,on ARRAY<STRING>");
  CHECK(node(plan, "timed.with_columns_1").inputs.at(0).node == "clean");
  CHECK(node(plan, "timed").inputs.at(0).node == "timed.with_columns_1");
  CHECK(node(plan, "timed").options.integer("delay") == 10'000'000);
  CHECK(node(plan, "per_window").options.at("agg").kind == OptionKind::map);
  CHECK(node(plan, "activities").options.at("agg").kind == OptionKind::word);
  CHECK(node(plan, "screen").options.text("mode") == "complete");
  CHECK(node(plan, "screen").options.integer("every") == 5'000'000);
  CHECK(node(plan, "rejects").inputs.at(0).port == "errors");
}

TEST_CASE("a scalar has the type of its option, not YAML's") {
  const LoadedPlan loaded = load(R"yaml(
name: 0123
nodes:
  s: { source: socket, host: no, port: "9_999" }
  d: { from: s, dropna: all, subset: [y, no, null, ~, 1.0, on] }
  f: { from: d, fillna: { a: "1", b: 1, c: 1.5, d: true, e: no } }
  o: { from: f, sink: console, truncate: false }
)yaml");
  INFO(shown(loaded));
  REQUIRE(loaded.plan);
  CHECK(loaded.plan->name == "0123");
  CHECK(node(*loaded.plan, "s").options.text("host") == "no");
  CHECK(node(*loaded.plan, "s").options.integer("port") == 9999);
  CHECK(node(*loaded.plan, "d").options.texts("subset") ==
        std::vector<std::string>{"y", "no", "null", "~", "1.0", "on"});
  CHECK(node(*loaded.plan, "o").options.integer("truncate") == -1);
  std::vector<OptionKind> kinds;
  for (const OptionValue& item : node(*loaded.plan, "f").options.at("fillna").items)
    kinds.push_back(item.kind);
  CHECK(kinds == std::vector{OptionKind::text, OptionKind::integer, OptionKind::number,
                             OptionKind::boolean, OptionKind::text});
}

TEST_CASE("everything wrong is said at once, at its place, with what would be right") {
  const LoadedPlan loaded = load(R"yaml(triger: asap
nodes:
  s: { source: sockt, port: 70000 }
  p: { from: s2, parse: json, inferSchema: true }
  w: { from: p, window: 1 month, on: t, agg: count, slid: 5 seconds }
  o: { from: w, sink: console, outputMode: complete }
)yaml");
  CHECK_FALSE(loaded.plan);
  const std::string text = shown(loaded);
  CHECK_THAT(text, Contains("dir/p.yaml:1:1: error: unknown option `triger` of the pipeline file "
                            "— did you mean `trigger`?"));
  CHECK_THAT(text,
             Contains("3:16: error: s: no source is called `sockt` — did you mean `socket`?"));
  CHECK_THAT(text, Contains("4:14: error: p: there is no node `s2` — there are `s`, `p`"));
  CHECK_THAT(text, Contains("p: parse needs `schema`"));
  CHECK_THAT(text, Contains("unknown option `inferSchema` of parse — here it is `infer_schema`"));
  CHECK_THAT(text, Contains("w: `window` cannot be `1 month`"));
  CHECK_THAT(text, Contains("unknown option `slid` of window — did you mean `slide`?"));
  CHECK_THAT(text, Contains("`outputMode` of sink console — here it is `mode`"));
  CHECK_THAT(text, Contains("    4 |   p: { from: s2, parse: json, inferSchema: true }\n      |  "
                            "            ^~\n"));
  CHECK_THAT(text, Contains("8 errors; nothing was started"));
}

TEST_CASE("graphs that cannot be are refused") {
  CHECK_THAT(messages("nodes:\n  a: { from: c, filter: x }\n  b: { from: a, filter: x }\n  c: { "
                      "from: b, filter: x }\n  o: { from: c, sink: console }\n"),
             Contains("a cycle: "));
  CHECK_THAT(messages(nodes("  o: { from: s, sink: console }\n  q: { from: o, sink: console }\n")),
             Contains("4:14 q: `o` is a sink and gives no rows — read what it reads: `s`"));
  CHECK_THAT(messages(nodes("  o: { from: s.error, sink: console }\n")),
             Contains("`s` has no port `error`"));
  CHECK_THAT(messages(nodes("  o: { sink: console }\n")), Contains("3:3 o: `from` is missing"));
  CHECK_THAT(
      messages(
          "nodes:\n  s: { from: s, source: socket, port: 1 }\n  o: { from: s, sink: console }\n"),
      Contains("a source reads nothing"));
  CHECK_THAT(messages(nodes(
                 "  a: { from: s, filter: x, select: [y] }\n  o: { from: a, sink: console }\n")),
             Contains("two operators in one node: `filter` and `select`"));
  CHECK_THAT(messages(nodes("  a: { from: s, sink: memory, table: t }\n  b: { from: s, sink: "
                            "memory, table: t }\n")),
             Contains("4:38 b: the table `t` is filled by `a` too"));
  CHECK_THAT(messages(nodes(
                 "  a: { from: s, static_join: usrs, on: k }\n  o: { from: a, sink: console }\n")),
             Contains("there is no table `usrs` — declare it under `tables:`"));
  CHECK_THAT(
      messages(nodes("  a: { from: s, stream_join: inner }\n  o: { from: a, sink: console }\n")),
      Contains("write `from: { left: NODE, right: NODE }`"));
  CHECK_THAT(messages(nodes(
                 "  a: { from: s, groupBy: [k], agg: count }\n  o: { from: a, sink: console }\n")),
             Contains("unknown operator `groupBy` — here it is `group_by`"));
}

TEST_CASE("what leads to no sink is said") {
  const LoadedPlan loaded =
      load("tables: { t: { file: a.csv, format: csv } }\n" +
           nodes("  r: { source: socket, port: 2 }\n  o: { from: s, sink: console }\n"));
  REQUIRE(loaded.plan);
  const std::string text = shown(loaded);
  CHECK_THAT(text, Contains("warning: r: this source leads to no sink"));
  CHECK_THAT(text, Contains("the table `t` leads to no sink"));
  CHECK_THAT(text, Contains("2 warnings\n"));
}

TEST_CASE("interpolation resolves after parsing, in scalars only, and echoes no value") {
  LoadOptions options;
  options.environment = [](const std::string& name) -> std::optional<std::string> {
    if (name == "HOST") return "a: {b";
    if (name == "PORT") return "s3cret";
    return std::nullopt;
  };
  const LoadedPlan good = load(
      "nodes:\n  s: { source: socket, host: '${env:HOST}', port: '${env:P:-7}' }\n  o: { from: "
      "s, sink: console }\n",
      options);
  INFO(shown(good));
  REQUIRE(good.plan);
  CHECK(good.plan->nodes.at(0).options.text("host") == "a: {b");
  CHECK(good.plan->nodes.at(0).options.integer("port") == 7);

  const std::string bad = messages(
      "nodes:\n  s: { source: socket, host: '${env:NO}', port: '${env:PORT}' }\n  o: { from: s, "
      "sink: console }\n",
      options);
  CHECK_THAT(bad, Contains("the environment variable `NO` is not set"));
  CHECK_THAT(bad, Contains("`port` cannot be `${env:PORT}`"));
  CHECK_THAT(bad, !Contains("s3cret"));
}

TEST_CASE("a secret does not show in the source lines of messages") {
  const LoadedPlan loaded = load(
      "nodes:\n  s: { source: socket, password: hunter2, prt: 1 }\n  o: { from: s, sink: console "
      "}\n");
  const std::string text = shown(loaded);
  CHECK_THAT(text, Contains("unknown option `prt`"));
  CHECK_THAT(text, !Contains("hunter2"));
}

TEST_CASE("--set changes nodes and top-level keys") {
  const LoadedPlan loaded =
      load(nodes("  o: { from: s, sink: console }\n"),
           {.sets = {"s.port=7", "trigger=once", "o.mode=update", "o.from=[s, s]"}});
  INFO(shown(loaded));
  REQUIRE(loaded.plan);
  CHECK(loaded.plan->nodes.at(0).options.integer("port") == 7);
  CHECK(loaded.plan->trigger.kind == Trigger::Kind::once);
  CHECK(loaded.plan->nodes.at(1).inputs.size() == 2);
  CHECK_THAT(messages(nodes("  o: { from: s, sink: console }\n"), {.sets = {"soo.port=7"}}),
             Contains("there is no node `soo`"));
  CHECK_THAT(messages(nodes("  o: { from: s, sink: console }\n"), {.sets = {"s.port=x"}}),
             Contains("1:8 s: `port` cannot be `x`"));
}

TEST_CASE("anchors, merge keys and x- keys serve for reuse") {
  const LoadedPlan loaded = load(R"yaml(x-base: &base { host: h, port: 5 }
nodes:
  s: { source: socket, <<: *base, port: 6 }
  o: { from: s, sink: console }
)yaml");
  INFO(shown(loaded));
  REQUIRE(loaded.plan);
  CHECK(loaded.plan->nodes.at(0).options.text("host") == "h");
  CHECK(loaded.plan->nodes.at(0).options.integer("port") == 6);
}

TEST_CASE("a file of one line may be a chain") {
  const LoadedPlan loaded = load(R"yaml(chain:
  - { source: socket, port: 1 }
  - { parse: json, schema: "a int", id: read }
  - { filter: a > 1 }
  - { sink: console }
)yaml");
  INFO(shown(loaded));
  REQUIRE(loaded.plan);
  std::vector<std::string> ids;
  for (const PlanNode& step : loaded.plan->nodes) ids.push_back(step.id);
  CHECK(ids == std::vector<std::string>{"socket_1", "read", "filter_1", "console_1"});
  CHECK(loaded.plan->nodes.at(3).inputs.at(0).node == "filter_1");
}

TEST_CASE("a union needs no operator of its own") {
  const LoadedPlan loaded =
      load(nodes("  r: { source: socket, port: 2 }\n  u: { from: [s, r], by_name: true }\n  o: { "
                 "from: u, sink: console }\n"));
  INFO(shown(loaded));
  REQUIRE(loaded.plan);
  CHECK(node(*loaded.plan, "u").op == "select");
  CHECK(node(*loaded.plan, "u").union_by_name);
  CHECK(node(*loaded.plan, "u").inputs.size() == 2);
}

TEST_CASE("an error inside an expression points into its text") {
  const LoadedPlan loaded = load(
      "nodes:\n  s: { source: socket, port: 1 }\n  o: { from: s, sink: console }\n  f:\n    "
      "from: s\n    filter: |\n      a\n      > b\n  g: { from: s, filter: 'a ''b'' > c' }\n  h: "
      "{ from: s, filter: \"a\\tb > c\" }\n");
  REQUIRE(loaded.plan);
  const auto where = [&](const std::string& id, size_t offset) {
    const Error placed =
        node(*loaded.plan, id).options.at("filter").place(Error::invalid("x").at_offset(offset));
    return std::to_string(placed.position.line) + ":" + std::to_string(placed.position.column);
  };
  CHECK(where("f", 0) == "7:7");
  CHECK(where("f", 4) == "8:9");
  CHECK(where("g", 0) == "9:26");
  CHECK(where("g", 8) == "9:36");
  CHECK(where("h", 4) == "10:31");
}

TEST_CASE("messages for programs are JSON") {
  const LoadedPlan loaded = load("nodes: { s: { source: x } }\n");
  CHECK_THAT(render_json(loaded.diagnostics),
             Contains(R"yaml("severity":"error")yaml") &&
                 Contains(R"yaml("line":1,"column":23,"length":1)yaml"));
}

TEST_CASE("the part of a refused file that no error touches is given for further checks") {
  const LoadedPlan loaded =
      load(nodes("  a: { from: s, filter: x }\n  b: { from: a, select: x, oops: 1 }\n  o: { from: "
                 "a, sink: console }\n  p: { from: b, sink: console }\n"));
  CHECK_FALSE(loaded.plan);
  REQUIRE(loaded.sound_part);
  std::vector<std::string> ids;
  for (const PlanNode& part : loaded.sound_part->nodes) ids.push_back(part.id);
  CHECK(ids == std::vector<std::string>{"s", "a", "o"});
}

TEST_CASE("a zone that does not exist is refused where it stands") {
  CHECK_THAT(messages("timezone: Europe/Pariss\n" + nodes("  o: { from: s, sink: console }\n")),
             Contains("1:11 : "));
}

class Folder {
 public:
  Folder() {
    std::string pattern =
        (std::filesystem::temp_directory_path() / "flowrun-config-XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string write(const std::string& name, const std::string& text) const {
    const std::filesystem::path path = path_ / name;
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << text;
    return path.string();
  }

 private:
  std::filesystem::path path_;
};

TEST_CASE("includes bring nodes, tables and connections; paths are relative to their own file") {
  const Folder folder;
  const Registry registry = sample_registry();
  folder.write("shared/base.yaml",
               "include: deeper/more.yaml\nconnections: { here: { host: h, port: 5 } }\ntables: { "
               "t: { file: t.csv, format: csv } }\n");
  folder.write("shared/deeper/more.yaml",
               "nodes: { files: { source: file, path: in, format: text } }\n");
  folder.write("secret.txt", "hunter2\n");
  const std::string main =
      folder.write("main.yaml",
                   "include: [shared/base.yaml, shared/deeper/more.yaml]\nnodes:\n  s: { source: "
                   "socket, connection: here, password: '${file:secret.txt}' }\n  j: { from: "
                   "[files, s], static_join: t, on: value }\n  o: { from: j, sink: console }\n");
  const LoadedPlan loaded = load_plan(main, registry);
  INFO(shown(loaded));
  REQUIRE(loaded.plan);
  CHECK(loaded.diagnostics.empty());
  CHECK_THAT(node(*loaded.plan, "files").options.text("path"),
             Catch::Matchers::EndsWith("shared/deeper/in"));
  CHECK_THAT(loaded.plan->tables.at(0).options.text("file"),
             Catch::Matchers::EndsWith("shared/t.csv"));
  CHECK(node(*loaded.plan, "s").options.text("host") == "h");
  CHECK(node(*loaded.plan, "s").options.text("password") == "hunter2");
}

TEST_CASE("includes in a circle, of absent files or of the same node are refused") {
  const Folder folder;
  const Registry registry = sample_registry();
  folder.write("a.yaml", "include: b.yaml\n");
  const std::string circle = folder.write("b.yaml",
                                          "include: [a.yaml, c.yaml]\nnodes: { s: { source: "
                                          "socket, port: 1 }, o: { from: s, sink: console } }\n");
  const std::string text = render_text(load_plan(circle, registry).diagnostics, {});
  CHECK_THAT(text, Contains("`include` goes in a circle") && Contains("cannot read"));
  folder.write("d.yaml", "nodes: { s: { source: socket, port: 1 } }\ntrigger: once\n");
  const std::string twice = folder.write("e.yaml",
                                         "include: d.yaml\nnodes: { s: { source: socket, port: 1 "
                                         "}, o: { from: s, sink: console } }\n");
  CHECK_THAT(render_text(load_plan(twice, registry).diagnostics, {}),
             Contains("there are two nodes `s`") &&
                 Contains("`trigger` cannot stand in an included file"));
  CHECK_THAT(render_text(load_plan("/nonexistent/x.yaml", registry).diagnostics, {}),
             Contains("cannot read /nonexistent/x.yaml: No such file or directory"));
}

TEST_CASE("ports of a chain are those of its step") {
  const std::string chain = nodes(
      "  c:\n    from: s\n    chain:\n      - { parse: json, schema: a int, id: read }\n      - "
      "filter: a > 1\n  o: { from: c, sink: console }\n");
  const LoadedPlan loaded =
      load(chain + "  e: { from: c.errors, sink: console }\n  m: { from: c.read, sink: memory }\n");
  INFO(shown(loaded));
  REQUIRE(loaded.plan);
  CHECK(node(*loaded.plan, "e").inputs.at(0).node == "c.read");
  CHECK(node(*loaded.plan, "c.read").on_error == ErrorPolicy::route);
  CHECK(node(*loaded.plan, "m").inputs.at(0).node == "c.read");
  CHECK_THAT(
      messages(nodes(
          "  c:\n    from: s\n    chain: [ { parse: json, schema: a int }, { parse: json, schema: "
          "a int } ]\n  e: { from: c.errors, sink: console }\n  o: { from: c, sink: console }\n")),
      Contains("several steps of `c` have a port `errors` — name the step: `c.parse_1.errors`"));
}

}  // namespace
}  // namespace flowrun
