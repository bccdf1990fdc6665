#include <catch2/catch.hpp>
#include <string>
#include <tuple>
#include <vector>

#include "include/flowrun/flowrun.h"

namespace {

using Number = std::tuple<int64_t>;
using namespace std::chrono_literals;

constexpr flowrun::Wait kPatience = 60s;  // generous: a slow machine must not fail

const std::string kThrough =
    "nodes:\n"
    "  in: { source: push, schema: \"x BIGINT\" }\n"
    "  big: { from: in, filter: \"x > 10\" }\n"
    "  out: { from: big, sink: pull }\n";

flowrun::Engine loaded(const std::string& text, flowrun::Settings settings = {}) {
  auto engine = flowrun::Engine::from_text(text, std::move(settings));
  INFO(engine.status().text());
  REQUIRE(engine);
  return std::move(*engine);
}

}  // namespace

TEST_CASE("what is pushed comes out by pull, and its ticket says when it is committed") {
  auto engine = loaded(kThrough);
  auto in = engine.push_rows<Number>("in");
  auto out = engine.pull_rows<Number>("out");
  REQUIRE(in);
  REQUIRE(out);
  REQUIRE(engine.start());
  auto ticket = in->push(std::vector<Number>{{5}, {11}, {12}});
  REQUIRE(ticket);
  auto rows = out->pull(kPatience);
  REQUIRE(rows);
  CHECK(*rows == std::vector<Number>{{11}, {12}});
  CHECK(ticket->wait(kPatience));
  CHECK(ticket->committed().get());
  in->finish();
  CHECK(engine.wait(kPatience));
  CHECK(out->pull(kPatience).status().code() == flowrun::Code::ended);
  CHECK(engine.state() == flowrun::State::ended);
}

TEST_CASE("a stepped engine runs everything on its caller's thread") {
  flowrun::Settings settings;
  settings.stepped = true;
  auto engine = loaded(kThrough, settings);
  auto in = engine.push_rows<Number>("in");
  auto out = engine.pull_rows<Number>("out");
  REQUIRE(in);
  REQUIRE(out);
  auto idle = engine.step();
  REQUIRE(idle);
  CHECK_FALSE(idle->made_epoch);
  auto first = in->push({20});
  auto second = in->push({30});
  REQUIRE(second);
  auto step = engine.step();
  REQUIRE(step);
  CHECK(step->made_epoch);
  CHECK(second->is_committed());
  auto rows = out->pull(flowrun::kNow);
  REQUIRE(rows);
  CHECK(*rows == std::vector<Number>{{20}, {30}});
  in->finish();
  while (engine.state() == flowrun::State::running) REQUIRE(engine.step());
  CHECK(engine.state() == flowrun::State::ended);
}
