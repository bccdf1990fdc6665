#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <optional>

#include "tests/unit/embed/host.h"

using namespace host;

namespace {

struct Reading {
  std::string sensor;
  std::optional<double> value;
  bool good = false;
};

}  // namespace

template <>
constexpr auto flowrun::describe<Reading> =
    flowrun::columns("sensor", &Reading::sensor, "value", &Reading::value, "good", &Reading::good);

TEST_CASE("structs go in and come out whole, with nulls and long texts") {
  auto engine = loaded(
      "nodes:\n"
      "  in: { source: push, schema: \"sensor STRING, value DOUBLE, good BOOLEAN\" }\n"
      "  out: { from: in, sink: pull }\n");
  auto in = engine.push_rows<Reading>("in");
  auto out = engine.pull_rows<Reading>("out");
  REQUIRE(in);
  REQUIRE(out);
  REQUIRE(engine.start());
  const std::vector<Reading> sent{{"short", 1.5, true},
                                  {"a name of more than twelve bytes", std::nullopt, false},
                                  {"", -2.0, true}};
  REQUIRE(in->push(sent));
  auto got = out->pull(kPatience);
  REQUIRE(got);
  REQUIRE(got->size() == sent.size());
  for (size_t i = 0; i < sent.size(); ++i) {
    CHECK((*got)[i].sensor == sent[i].sensor);
    CHECK((*got)[i].value == sent[i].value);
    CHECK((*got)[i].good == sent[i].good);
  }
  auto strict = engine.pull_rows<std::tuple<std::string, double>>("out");
  REQUIRE(strict);
  REQUIRE(in->push({"none", std::nullopt, true}));
  CHECK(strict->pull(kPatience).status().text().find("std::optional") != std::string::npos);
}

TEST_CASE("a builder makes the pipeline that a text makes, and is told the same by node") {
  flowrun::Builder right;
  right.set("name", "counting");
  right.node("in").option("source", "push").option("schema", "x BIGINT");
  right.node("counts").from("in").option("group_by", {"x"}).option("agg", "count");
  right.node("rows").from("counts").option("select", {"x", "count * 2 AS twice"});
  right.node("out").from("rows").option("sink", "pull").option("mode", "complete");
  auto engine = flowrun::Engine::from(right);
  INFO(engine.status().text());
  REQUIRE(engine);
  CHECK(engine->name() == "counting");
  auto in = push_into(*engine);
  auto out = engine->pull_rows<std::tuple<int64_t, int64_t>>("out");
  REQUIRE(engine->start());
  REQUIRE(in.push(std::vector<Number>{{7}, {7}, {7}}));
  in.finish();
  auto rows = out->pull(kPatience);
  REQUIRE(rows);
  CHECK(*rows == std::vector<std::tuple<int64_t, int64_t>>{{7, 6}});

  flowrun::Builder wrong;
  wrong.node("in").option("source", "push").option("shema", "x BIGINT");
  wrong.node("big").from("inn").option("filter", "x > 10");
  wrong.node("out").from("big").option("sink", "pull").option("mode", "sideways");
  flowrun::Diagnostics built;
  CHECK_FALSE(flowrun::Engine::from(wrong, {}, &built));
  flowrun::Diagnostics read;
  CHECK_FALSE(
      flowrun::Engine::from_text("nodes:\n  in: { source: push, shema: \"x BIGINT\" }\n  big: { "
                                 "from: inn, filter: \"x > 10\" }\n"
                                 "  out: { from: big, sink: pull, mode: sideways }\n",
                                 {}, &read));
  const auto said = [](const flowrun::Diagnostics& diagnostics) {
    std::vector<std::string> all;
    for (const flowrun::Diagnostic& each : diagnostics.list)
      all.push_back(each.node + ": " + each.message);
    std::sort(all.begin(), all.end());
    return all;
  };
  CHECK(said(built) == said(read));
  CHECK(built.list.front().line == 0);
  CHECK(read.list.front().line == 2);
  CHECK(read.list.front().severity == flowrun::Diagnostic::Severity::error);
  CHECK(read.text.find("pipeline:2:") != std::string::npos);
}

TEST_CASE("lambdas are operators, sinks and functions of a pipeline") {
  std::mutex mutex;
  std::vector<int64_t> seen;
  flowrun::Registry registry;
  REQUIRE(registry.scalar<int64_t(int64_t, int64_t)>("host_add",
                                                     [](int64_t a, int64_t b) { return a + b; }));
  REQUIRE(
      registry.transform("host_pass", "", [](flowrun::Batch batch, const flowrun::Emitter& out) {
        return out.emit(std::move(batch));
      }));
  REQUIRE(registry.sink("host_sink", [&](int64_t, std::vector<flowrun::Batch> batches) {
    const std::lock_guard lock(mutex);
    for (const flowrun::Batch& batch : batches) {
      auto rows = flowrun::rows_of<Number>(batch);
      if (!rows) return rows.status();
      for (const auto& [x] : *rows) {
        if (x < 0) return flowrun::Status(flowrun::Code::data, "it is negative");
        seen.push_back(x);
      }
    }
    return flowrun::Status();
  }));
  CHECK(registry
            .sink("console", [](int64_t, std::vector<flowrun::Batch>) { return flowrun::Status(); })
            .text()
            .find("built-in") != std::string::npos);
  flowrun::Settings settings;
  settings.registry = &registry;
  auto engine = loaded(
      "nodes:\n"
      "  in: { source: push, schema: \"x BIGINT\" }\n"
      "  same: { from: in, host_pass: \"\" }\n"
      "  more: { from: same, select: [\"host_add(x, 1) AS x\"] }\n"
      "  out: { from: more, sink: host_sink }\n",
      std::move(settings));
  auto in = push_into(engine);
  REQUIRE(engine.start());
  auto ticket = in.push(std::vector<Number>{{1}, {2}});
  CHECK(ticket->wait(kPatience));
  {
    const std::lock_guard lock(mutex);
    CHECK(seen == std::vector<int64_t>{2, 3});
  }
  REQUIRE(in.push({-5}));
  const flowrun::Status failed = engine.wait(kPatience);
  CHECK(failed.code() == flowrun::Code::data);
  CHECK(failed.node() == "out");
  CHECK(failed.text().find("it is negative") != std::string::npos);
}

TEST_CASE("tables, progress, the log and the console are the host's to look at") {
  std::mutex mutex;
  std::string console;
  int epochs = 0;
  flowrun::Settings settings;
  settings.set = {"table.keep_rows=3"};
  settings.on_console = [&](std::string_view text) {
    const std::lock_guard lock(mutex);
    console += text;
  };
  settings.on_progress = [&](const flowrun::Progress& progress) {
    const std::lock_guard lock(mutex);
    if (progress.input_rows > 0) ++epochs;
  };
  auto engine = loaded(
      "nodes:\n"
      "  in: { source: push, schema: \"x BIGINT\" }\n"
      "  table: { from: in, sink: memory, table: last, keep_rows: 10 }\n"
      "  screen: { from: in, sink: console, mode: append }\n",
      std::move(settings));
  CHECK(engine.progress().status().code() == flowrun::Code::timeout);
  auto in = push_into(engine);
  REQUIRE(engine.start());
  auto ticket = in.push(numbers(5));
  in.finish();
  CHECK(engine.wait(kPatience));
  auto table = engine.table("last");
  REQUIRE(table);
  CHECK(table->num_rows == 3);
  CHECK(table->dropped_rows == 2);
  REQUIRE(table->batches.size() == 1);
  CHECK(*flowrun::rows_of<Number>(table->batches[0]) == std::vector<Number>{{13}, {14}, {15}});
  CHECK(engine.progress_json().find("\"input_rows\"") != std::string::npos);
  CHECK(engine.explain().find("push from the host") != std::string::npos);
  const std::lock_guard lock(mutex);
  CHECK(epochs >= 1);
  CHECK(console.find("|  x|") != std::string::npos);
}

TEST_CASE("plugins are looked for where the program says, not where its environment does") {
  std::string folder = "/tmp/flowrun-embed-XXXXXX";
  REQUIRE(mkdtemp(folder.data()));
  const std::string library = folder + "/mine.so";
  std::ofstream(library) << "no library";
  REQUIRE(setenv("FLOWRUN_PLUGIN_PATH", folder.c_str(), 1) == 0);
  const std::string text = "plugins: [mine]\n" + kThrough;
  const auto refused = flowrun::Engine::from_text(text);
  REQUIRE_FALSE(refused);
  CHECK(refused.status().text().find("no plugin `mine` in the settings' plugin_folders") !=
        std::string::npos);
  flowrun::Settings settings;
  settings.plugin_folders = {folder};
  const auto found = flowrun::Engine::from_text(text, std::move(settings));
  REQUIRE_FALSE(found);
  CHECK(found.status().text().find("cannot load the plugin " + library) != std::string::npos);
  unsetenv("FLOWRUN_PLUGIN_PATH");
  std::filesystem::remove_all(folder);
}
