#include "runtime/exec/engine.h"

#include <catch2/catch.hpp>
#include <future>
#include <numeric>
#include <thread>

#include "runtime/expr/function_registry.h"
#include "tests/unit/exec/fakes.h"

using namespace flowrun;
using namespace flowrun::testing;

namespace {

OperatorSpec named(const std::string& name) {
  OperatorSpec spec;
  spec.name = name;
  return spec;
}

// A pipeline in -> keep -> { rows, sum -> totals }, run on a thread of its own.
class Pipeline {
 public:
  explicit Pipeline(Trigger trigger = {}, bool with_sum = true) {
    registry_.add_source(named("script"),
                         [this](const Options&, const MakeContext&) -> Result<MadeSource> {
                           return MadeSource{std::make_unique<FakeSource>(script), nullptr};
                         });
    registry_.add_transform(
        named("nonzero"),
        [this](const Options&, const MakeContext&) -> Result<std::unique_ptr<Transform>> {
          return std::make_unique<FakeFilter>(met_negative);
        });
    registry_.add_stateful(
        named("sum"), [](const Options&, const MakeContext&) -> Result<std::unique_ptr<Stateful>> {
          return std::make_unique<FakeSum>();
        });
    registry_.add_sink(
        named("remember"),
        [this](const Options&, const MakeContext& context) -> Result<std::unique_ptr<Sink>> {
          return std::make_unique<FakeSink>(context.node == "rows" ? rows : totals);
        });
    plan_.trigger = trigger;
    add("in", OperatorKind::source, "script", {});
    add("keep", OperatorKind::transform, "nonzero", {"in"});
    add("rows", OperatorKind::sink, "remember", {"keep"});
    if (!with_sum) return;
    add("sum", OperatorKind::stateful, "sum", {"keep"});
    add("totals", OperatorKind::sink, "remember", {"sum"});
    OptionValue mode;
    mode.text = "complete";
    plan_.nodes.back().options.set("mode", mode);
  }

  void load(EngineOptions options) {
    options.threads = options.threads.value_or(2);
    options.on_log = [this](const LogEvent& event) {
      const std::lock_guard lock(log_mutex_);
      log_.push_back(event.node + ": " + event.message);
    };
    Diagnostics diagnostics;
    engine = Engine::load(std::move(plan_), registry_, functions_, std::move(options), diagnostics);
    REQUIRE(engine);
  }
  void start(EngineOptions options = {}) {
    load(std::move(options));
    thread_ = std::thread([this] {
      Status done = engine->run();
      failed_ = !done;
      if (failed_) error_ = done.error().message;
    });
  }
  // The error's text, or "" when the run was right.
  std::string join() {
    thread_.join();
    return error_;
  }
  std::vector<std::string> log() {
    const std::lock_guard lock(log_mutex_);
    return log_;
  }

  std::shared_ptr<Script> script = std::make_shared<Script>();
  std::shared_ptr<Received> rows = std::make_shared<Received>();
  std::shared_ptr<Received> totals = std::make_shared<Received>();
  std::shared_ptr<std::atomic<bool>> met_negative = std::make_shared<std::atomic<bool>>(false);
  std::unique_ptr<Engine> engine;

 private:
  void add(const std::string& name, OperatorKind kind, const std::string& op,
           const std::vector<std::string>& inputs) {
    PlanNode& node = plan_.nodes.emplace_back();
    node.id = node.name = name;
    node.kind = kind;
    node.op = op;
    for (const std::string& input : inputs) node.inputs.push_back({input, "", {}});
  }

  Registry registry_;
  FunctionRegistry functions_;
  Plan plan_;
  std::thread thread_;
  std::mutex log_mutex_;
  std::vector<std::string> log_;
  bool failed_ = false;
  std::string error_;
};

std::vector<int64_t> range(int64_t begin, int64_t end) {
  std::vector<int64_t> values(static_cast<size_t>(end - begin));
  std::iota(values.begin(), values.end(), begin);
  return values;
}

}  // namespace

TEST_CASE("rows reach a sink in the order of their chunks whatever the number of workers") {
  Pipeline pipeline;
  for (int64_t i = 0; i < 200; ++i) pipeline.script->give(range(i * 10 + 1, i * 10 + 11));
  pipeline.script->give({}, Chunk::Mark::stream_ends);
  EngineOptions options;
  options.threads = 4;
  options.chunking = 7;
  pipeline.start(std::move(options));
  CHECK(pipeline.join().empty());
  CHECK(pipeline.rows->all() == range(1, 2001));
}

TEST_CASE("the last result of a stateful operator counts every row") {
  Pipeline pipeline;
  for (int64_t i = 0; i < 50; ++i) pipeline.script->give(range(0, 100));
  pipeline.script->give({}, Chunk::Mark::stream_ends);
  pipeline.start();
  CHECK(pipeline.join().empty());
  REQUIRE(!pipeline.totals->all().empty());
  CHECK(pipeline.totals->all().back() == 50 * 99 * 50);
}

TEST_CASE("available_now makes one epoch of each part that a source marks") {
  Pipeline pipeline({Trigger::Kind::available_now, 0});
  pipeline.script->marks = true;
  pipeline.script->give({1, 2}, Chunk::Mark::epoch_ends);
  pipeline.script->give({}, Chunk::Mark::epoch_ends);
  pipeline.script->give({3}, Chunk::Mark::epoch_ends);
  pipeline.script->give({}, Chunk::Mark::stream_ends);
  pipeline.start();
  CHECK(pipeline.join().empty());
  CHECK(pipeline.rows->epochs[0] == std::vector<int64_t>{1, 2});
  CHECK(pipeline.rows->epochs[1].empty());
  CHECK(pipeline.rows->epochs[2] == std::vector<int64_t>{3});
  CHECK(pipeline.totals->all() == std::vector<int64_t>{3, 3, 6});
}

TEST_CASE("once makes one epoch of everything") {
  Pipeline pipeline({Trigger::Kind::once, 0});
  pipeline.script->marks = true;
  pipeline.script->give({1, 2}, Chunk::Mark::epoch_ends);
  pipeline.script->give({3}, Chunk::Mark::stream_ends);
  pipeline.start();
  CHECK(pipeline.join().empty());
  CHECK(pipeline.totals->all() == std::vector<int64_t>{6});
}

TEST_CASE("stop commits what was read and returns") {
  Pipeline pipeline;
  pipeline.script->give({1, 2, 3});
  pipeline.start();
  pipeline.rows->await_rows(3);
  pipeline.engine->stop();
  CHECK(pipeline.join().empty());
  CHECK(pipeline.totals->all().back() == 6);
}

TEST_CASE("a stop before anything was read returns too") {
  Pipeline pipeline;
  pipeline.start();
  pipeline.engine->stop();
  CHECK(pipeline.join().empty());
  CHECK(pipeline.rows->all().empty());
}

TEST_CASE("an error of an operator ends the run and names its node") {
  Pipeline pipeline;
  pipeline.script->give({1, -1});
  pipeline.start();
  CHECK(pipeline.join() == "keep: a negative number; no epoch is committed");
}

TEST_CASE("an error of a sink ends the run and names its node") {
  Pipeline pipeline;
  pipeline.rows->fail_on_write = true;
  pipeline.script->give({1});
  pipeline.start();
  CHECK(pipeline.join() == "rows: the disk is full; no epoch is committed");
}

TEST_CASE("an epoch that is being committed when the next one fails is committed") {
  Pipeline pipeline({Trigger::Kind::available_now, 0});
  pipeline.script->marks = true;
  pipeline.totals->before_prepare = [met = pipeline.met_negative] { met->wait(false); };
  pipeline.script->give({1}, Chunk::Mark::epoch_ends);
  pipeline.script->give({-1}, Chunk::Mark::epoch_ends);
  pipeline.start();
  CHECK(pipeline.join() == "keep: a negative number; epochs up to 0 are committed");
  CHECK(pipeline.rows->epochs[0] == std::vector<int64_t>{1});
}

TEST_CASE("an epoch beyond those asked for may fail") {
  Pipeline pipeline({Trigger::Kind::available_now, 0});
  pipeline.script->marks = true;
  pipeline.totals->before_prepare = [met = pipeline.met_negative] { met->wait(false); };
  pipeline.script->give({1}, Chunk::Mark::epoch_ends);
  pipeline.script->give({-1}, Chunk::Mark::epoch_ends);
  EngineOptions options;
  options.epochs = 1;
  pipeline.start(std::move(options));
  CHECK(pipeline.join().empty());
}

TEST_CASE("an absent peer is tried again, with a line that says so") {
  Pipeline pipeline;
  pipeline.script->refusals = 1;
  pipeline.script->give({4}, Chunk::Mark::stream_ends);
  pipeline.start();
  CHECK(pipeline.join().empty());
  CHECK(pipeline.script->opened == 2);
  CHECK(pipeline.rows->all() == std::vector<int64_t>{4});
  REQUIRE(!pipeline.log().empty());
  CHECK(pipeline.log()[0] == "in: nobody there; next try in 0.25 s");
}

TEST_CASE("a sink whose peer is absent is opened again, and nothing is read meanwhile") {
  Pipeline pipeline;
  pipeline.totals->refusals = 2;
  pipeline.script->give({4}, Chunk::Mark::stream_ends);
  pipeline.start();
  pipeline.totals->await_opened(2);
  CHECK(pipeline.script->opened == 0);
  CHECK(pipeline.join().empty());
  CHECK(pipeline.totals->opened == 3);
  CHECK(pipeline.rows->opened == 1);
  CHECK(pipeline.totals->all() == std::vector<int64_t>{4});
  REQUIRE(pipeline.log().size() >= 2);
  CHECK(pipeline.log()[0] == "totals: nobody there; next try in 0.25 s");
  CHECK(pipeline.log()[1] == "totals: nobody there; next try in 0.5 s");
}

TEST_CASE("a stop does not wait for the peer of a sink") {
  Pipeline pipeline;
  pipeline.totals->refusals = 1'000'000;
  pipeline.start();
  pipeline.totals->await_opened(2);
  for (const SinkView& sink : pipeline.engine->sinks()) {
    INFO(sink.node);
    CHECK(sink.available == (sink.node != "totals"));
    CHECK((sink.absent_since > 0) == (sink.node == "totals"));
  }
  pipeline.engine->stop();
  CHECK(pipeline.join().empty());
  CHECK(pipeline.script->opened == 0);
}

TEST_CASE("a stepped run does not wait for the peer of a sink either") {
  Pipeline pipeline;
  pipeline.totals->refusals = 1;
  pipeline.script->give({4}, Chunk::Mark::stream_ends);
  EngineOptions options;
  options.stepped = true;
  pipeline.load(std::move(options));
  const auto first = pipeline.engine->step();
  REQUIRE(first);
  CHECK_FALSE(first->ended);
  CHECK(first->next_wake > 0);
  bool ended = false;
  while (!ended) {
    const auto step = pipeline.engine->step();
    REQUIRE(step);
    ended = step->ended;
  }
  CHECK(pipeline.totals->opened == 2);
  CHECK(pipeline.totals->all() == std::vector<int64_t>{4});
}

TEST_CASE("a small in-flight budget slows the source and loses nothing") {
  Pipeline pipeline;
  for (int64_t i = 0; i < 500; ++i) pipeline.script->give(range(i * 20 + 1, i * 20 + 21));
  pipeline.script->give({}, Chunk::Mark::stream_ends);
  EngineOptions options;
  options.in_flight = 200;
  pipeline.start(std::move(options));
  CHECK(pipeline.join().empty());
  CHECK(pipeline.rows->all() == range(1, 10001));
}

TEST_CASE("a paced sink is given the latest result at the end") {
  Pipeline pipeline;
  pipeline.totals->pace = 3'600'000'000;
  for (int64_t i = 0; i < 20; ++i) pipeline.script->give({1});
  pipeline.script->give({}, Chunk::Mark::stream_ends);
  pipeline.start();
  CHECK(pipeline.join().empty());
  CHECK(pipeline.totals->all().size() <= 2);
  CHECK(pipeline.totals->all().back() == 20);
}

TEST_CASE("a sink that blocks holds no worker, and a stop does not wait for it for ever") {
  Pipeline pipeline;
  pipeline.rows->blocks = true;
  for (int64_t i = 0; i < 10; ++i) pipeline.script->give({1});
  EngineOptions options;
  options.threads = 1;
  pipeline.start(std::move(options));
  pipeline.rows->await_blocked();
  pipeline.engine->stop();
  CHECK(pipeline.join().empty());
  CHECK(pipeline.rows->cancelled);
  CHECK(pipeline.rows->all().empty());
}

TEST_CASE(
    "a run that fails does not wait for ever for a sink that blocks, and tells why it failed") {
  Pipeline pipeline;
  pipeline.rows->blocks = true;
  pipeline.rows->own_thread = GENERATE(true, false);
  pipeline.rows->breaks = GENERATE(true, false);
  pipeline.script->give({1});
  EngineOptions options;
  options.threads = 2;
  pipeline.start(std::move(options));
  pipeline.rows->await_blocked();
  pipeline.script->give({-1});
  CHECK(pipeline.join() == "keep: a negative number; no epoch is committed");
  CHECK(pipeline.rows->cancelled);
  CHECK(pipeline.rows->all().empty());
}

TEST_CASE("a sink that does not let a failed run end is named, after the reason of the failure") {
  Pipeline pipeline;
  pipeline.rows->blocks = true;
  pipeline.rows->deaf = true;
  pipeline.script->give({1});
  std::promise<std::string> stuck;
  EngineOptions options;
  options.threads = 2;
  options.on_stuck = [&](const std::string& node) { stuck.set_value(node); };
  pipeline.start(std::move(options));
  pipeline.rows->await_blocked();
  pipeline.script->give({-1});
  CHECK(stuck.get_future().get() == "rows");
  const std::vector<std::string> told = pipeline.log();
  pipeline.rows->release();
  CHECK(pipeline.join() == "keep: a negative number; no epoch is committed");
  REQUIRE(told.size() >= 2);
  CHECK(told[told.size() - 2] == ": keep: a negative number");
  CHECK(told.back() == "rows: fake has not come back, 10 s after it was told to end");
}

TEST_CASE("paced sinks are served when their time has come, though no more rows do") {
  Pipeline pipeline;
  pipeline.totals->pace = 20'000;
  pipeline.script->give({1});
  pipeline.start();
  pipeline.totals->await_rows(1);
  pipeline.script->give({2});
  pipeline.rows->await_rows(2);
  pipeline.totals->await_rows(2);
  pipeline.engine->stop();
  CHECK(pipeline.join().empty());
  CHECK(pipeline.totals->all().back() == 3);
}

TEST_CASE(
    "a bounded number of epochs is exactly that many, the last one shown to paced sinks too") {
  Pipeline pipeline({Trigger::Kind::available_now, 0});
  pipeline.script->marks = true;
  pipeline.totals->pace = 3'600'000'000;
  for (int64_t i = 1; i <= 5; ++i) pipeline.script->give({i}, Chunk::Mark::epoch_ends);
  EngineOptions options;
  options.epochs = 3;
  pipeline.start(std::move(options));
  CHECK(pipeline.join().empty());
  CHECK(pipeline.rows->epochs.size() == 3);
  CHECK(pipeline.totals->all().back() == 6);
}

TEST_CASE("what came since the last tick does not wait for the next one when the data has ended") {
  Pipeline pipeline({Trigger::Kind::period, 3'600'000'000}, false);
  pipeline.script->give({1});
  pipeline.start();
  pipeline.rows->await_rows(1);
  pipeline.script->give({2});
  pipeline.script->give({3}, Chunk::Mark::stream_ends);
  CHECK(pipeline.join().empty());
  CHECK(pipeline.rows->all() == range(1, 4));
}

TEST_CASE("an epoch ends before the rows that a sink keeps of it spend the memory budget") {
  constexpr int64_t kRowsOfMebibyte = 131'072;
  constexpr int64_t kChunks = 40;
  Pipeline pipeline({Trigger::Kind::period, 3'600'000'000}, false);
  pipeline.rows->counts_memory = true;
  for (int64_t i = 0; i < kChunks; ++i) pipeline.script->give(range(1, kRowsOfMebibyte + 1));
  pipeline.script->give({}, Chunk::Mark::stream_ends);
  EngineOptions options;
  options.memory = int64_t{16} << 20;
  pipeline.start(std::move(options));
  CHECK(pipeline.join().empty());
  CHECK(pipeline.rows->all().size() == static_cast<size_t>(kChunks * kRowsOfMebibyte));
  for (const auto& [epoch, rows] : pipeline.rows->epochs)
    CHECK(rows.size() <= 16 * kRowsOfMebibyte);
}
