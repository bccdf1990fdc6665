#include <algorithm>
#include <atomic>
#include <thread>

#include "tests/unit/embed/host.h"

using namespace host;

namespace {

constexpr size_t kLargePush = 100'000;               // rows of 8 bytes
constexpr int64_t kSmallMemory = int64_t{16} << 20;  // a port's room is a part of it

flowrun::Settings small() {
  flowrun::Settings settings;
  settings.memory = kSmallMemory;
  return settings;
}

// Pushes until there is no room any more; the tickets it got.
std::vector<flowrun::Ticket> fill(const flowrun::RowPush<Number>& in) {
  std::vector<flowrun::Ticket> tickets;
  const std::vector<Number> rows = numbers(kLargePush);
  while (true) {
    auto ticket = in.push(rows, flowrun::kNow);
    if (!ticket) {
      CHECK(ticket.status().code() == flowrun::Code::timeout);
      return tickets;
    }
    tickets.push_back(*ticket);
    REQUIRE(tickets.size() < 1000);
  }
}

}  // namespace

TEST_CASE("a push waits for room, and says in time that there was none") {
  auto engine = loaded(kThrough, small());
  auto in = push_into(engine);
  auto out = pull_from(engine);
  std::vector<flowrun::Ticket> tickets = fill(in);
  REQUIRE_FALSE(tickets.empty());
  CHECK_FALSE(in.try_push({11}));
  const auto deadline = std::chrono::steady_clock::now() + 5ms;
  CHECK(in.push_until(deadline, {11}).status().code() == flowrun::Code::timeout);
  CHECK(std::chrono::steady_clock::now() >= deadline);
  REQUIRE(engine.start());
  std::thread pushing([&] {
    for (int i = 0; i < 20; ++i) {
      auto ticket = in.push(numbers(kLargePush), kPatience);
      if (!ticket) return;
      tickets.push_back(*ticket);
    }
    in.finish();
  });
  const std::vector<Number> all = pull_all(out);
  pushing.join();
  CHECK(all.size() == tickets.size() * kLargePush);
  CHECK(engine.wait(kPatience));
  for (const flowrun::Ticket& ticket : tickets) CHECK(ticket.is_committed());
}

TEST_CASE("rows that nobody pulls hold the pipeline back") {
  auto engine = loaded(kThrough, small());
  auto in = push_into(engine);
  REQUIRE(engine.start());
  int pushed = 0;
  const std::vector<Number> rows = numbers(kLargePush);
  while (in.push(rows, 500ms)) REQUIRE(++pushed < 1000);
  SECTION("a stop gives up on what was not pulled, and says so to its tickets") {
    engine.stop();
    CHECK(engine.wait(kPatience).text().empty());
    auto after = in.push(rows, flowrun::kNow);
    CHECK(after.status().code() == flowrun::Code::cancelled);
  }
  SECTION("pulling lets it go on") {
    in.finish();
    CHECK(pull_all(pull_from(engine)).size() == static_cast<size_t>(pushed) * kLargePush);
    CHECK(engine.wait(kPatience).text().empty());
  }
  SECTION("it can be destroyed as it is") {}
}

TEST_CASE("a ticket fires once, with the reason if its rows are never committed") {
  SECTION("the run fails") {
    auto engine = loaded(
        "nodes:\n"
        "  in: { source: push, schema: \"x BIGINT\" }\n"
        "  bad: { from: in, select: [\"element_at(array(x), int(x)) AS x\"] }\n"
        "  out: { from: bad, sink: pull }\n");
    auto in = push_into(engine);
    auto ticket = in.push({0});
    REQUIRE(ticket);
    std::atomic<int> fired = 0;
    ticket->on_committed([&](const flowrun::Status& status) {
      if (!status) ++fired;
    });
    REQUIRE(engine.start());
    const flowrun::Status failed = engine.wait(kPatience);
    CHECK(failed.code() == flowrun::Code::data);
    CHECK(failed.node() == "bad");
    CHECK(failed.line() == 3);
    CHECK(ticket->wait(kPatience).code() == flowrun::Code::data);
    CHECK(ticket->committed().get().code() == flowrun::Code::data);
    CHECK(fired == 1);
    CHECK(engine.state() == flowrun::State::failed);
    CHECK(engine.outcome().text() == failed.text());
    CHECK(pull_from(engine).pull(kPatience).status().code() == flowrun::Code::data);
  }
  SECTION("the engine is destroyed before it was started") {
    auto ticket = [] {
      auto engine = loaded(kThrough);
      return *push_into(engine).push({11});
    }();
    CHECK(ticket.wait(kPatience).code() == flowrun::Code::cancelled);
    CHECK_FALSE(ticket.is_committed());
  }
}

TEST_CASE("draining commits all that was pushed, and nothing can be pushed after it") {
  flowrun::Settings settings;
  settings.stepped = GENERATE(false, true);
  const bool stepped = settings.stepped;
  auto engine = loaded(kThrough, settings);
  auto in = push_into(engine);
  auto out = pull_from(engine);
  if (!stepped) REQUIRE(engine.start());
  std::vector<flowrun::Ticket> tickets;
  for (int64_t i = 0; i < 100; ++i) tickets.push_back(*in.push({i + 11}));
  CHECK(engine.drain(kPatience));
  for (const flowrun::Ticket& ticket : tickets) CHECK(ticket.is_committed());
  CHECK(in.try_push({1}).status().code() == flowrun::Code::cancelled);
  CHECK(pull_all(out).size() == 100);
  CHECK(engine.state() == flowrun::State::ended);
}

TEST_CASE("many threads push at once and every row comes out once") {
  auto engine = loaded(kThrough);
  auto in = push_into(engine);
  auto out = pull_from(engine);
  REQUIRE(engine.start());
  std::vector<std::thread> threads;
  for (int64_t t = 0; t < 4; ++t) {
    threads.emplace_back([&in, t] {
      for (int64_t i = 0; i < 500; ++i) {
        if (!in.push({1000 + t * 500 + i})) return;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  in.finish();
  std::vector<Number> all = pull_all(out);
  std::sort(all.begin(), all.end());
  REQUIRE(all.size() == 2000);
  for (size_t i = 0; i < all.size(); ++i)
    CHECK(std::get<0>(all[i]) == 1000 + static_cast<int64_t>(i));
}
