#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <thread>

#include "tests/unit/embed/host.h"

using namespace host;

namespace {

// Stands still until told otherwise.
struct StillClock : flowrun::Clock {
  int64_t now() override { return time.load(); }
  int64_t monotonic() override { return time.load(); }
  std::atomic<int64_t> time{1'000'000};
};

bool readable(int descriptor) {
  pollfd watched{descriptor, POLLIN, 0};
  return poll(&watched, 1, 0) == 1;
}

}  // namespace

TEST_CASE("what is pushed comes out by pull, and its ticket says when it is committed") {
  auto engine = loaded(kThrough);
  auto in = push_into(engine);
  auto out = pull_from(engine);
  REQUIRE(engine.start());
  auto ticket = in.push(std::vector<Number>{{5}, {11}, {12}});
  REQUIRE(ticket);
  auto rows = out.pull(kPatience);
  REQUIRE(rows);
  CHECK(*rows == std::vector<Number>{{11}, {12}});
  CHECK(ticket->wait(kPatience));
  CHECK(ticket->committed().get());
  in.finish();
  CHECK(engine.wait(kPatience));
  CHECK(out.pull(kPatience).status().code() == flowrun::Code::ended);
  CHECK(engine.state() == flowrun::State::ended);
}

TEST_CASE("a stepped engine does on its caller's thread the same every time") {
  const auto walk = [] {
    flowrun::Settings settings;
    settings.stepped = true;
    auto engine = loaded(kThrough, std::move(settings));
    auto in = push_into(engine);
    auto out = engine.pull("out");
    REQUIRE(out);
    std::vector<std::pair<int64_t, int64_t>> seen;  // epoch, rows
    for (size_t round = 1; round <= 5; ++round) {
      CHECK_FALSE(engine.step()->made_epoch);
      for (size_t i = 0; i < round; ++i) REQUIRE(in.push(numbers(round)));
      CHECK(readable(engine.wake_fd()));
      CHECK(engine.step()->made_epoch);
      CHECK_FALSE(readable(engine.wake_fd()));
      while (true) {
        auto pulled = out->pull(flowrun::kNow);
        if (!pulled) break;
        seen.emplace_back(pulled->epoch, pulled->batch.num_rows());
      }
    }
    in.finish();
    while (!engine.step(kPatience)->ended) continue;
    CHECK(engine.state() == flowrun::State::ended);
    return seen;
  };
  const auto first = walk();
  CHECK(first ==
        std::vector<std::pair<int64_t, int64_t>>{{0, 1}, {1, 4}, {2, 9}, {3, 16}, {4, 25}});
  CHECK(walk() == first);
}

TEST_CASE("the host's clock decides when an epoch ends") {
  StillClock clock;
  flowrun::Settings settings;
  settings.stepped = true;
  settings.clock = &clock;
  auto engine = loaded("trigger: 10 seconds\n" + kThrough, std::move(settings));
  auto in = push_into(engine);
  CHECK_FALSE(engine.step()->made_epoch);
  auto ticket = in.push({20});
  clock.time += 9'000'000;
  CHECK_FALSE(engine.step()->made_epoch);
  CHECK_FALSE(ticket->is_committed());
  clock.time += 1'000'000;
  CHECK(engine.step()->made_epoch);
  CHECK(ticket->is_committed());
  CHECK(engine.progress()->timestamp >= 1'000'000);
}

TEST_CASE("a window that closes between a paced sink's turns is given at the next one") {
  StillClock clock;
  flowrun::Settings settings;
  settings.stepped = true;
  settings.clock = &clock;
  auto engine = loaded(
      "nodes:\n"
      "  in: { source: push, schema: \"x BIGINT\" }\n"
      "  times: { from: in, with_columns: { t: timestamp_seconds(x) } }\n"
      "  known: { from: times, watermark: t, delay: 1 second }\n"
      "  counts: { from: known, window: 10 seconds, on: t, agg: { count: count(*) } }\n"
      "  found: { from: counts, select: [count] }\n"
      "  out: { from: found, sink: pull, mode: append, every: 10 seconds }\n",
      std::move(settings));
  auto in = push_into(engine);
  auto out = pull_from(engine);
  REQUIRE(in.push({1}));
  while (engine.step()->made_epoch) continue;
  clock.time += 11'000'000;
  REQUIRE(in.push({30}));
  while (engine.step()->made_epoch) continue;  // its turn comes before the watermark has moved
  CHECK_FALSE(out.pull(flowrun::kNow));
  clock.time += 10'000'000;
  CHECK(engine.step()->made_epoch);
  auto rows = out.pull(flowrun::kNow);
  REQUIRE(rows);
  CHECK(*rows == std::vector<Number>{{1}});
}

TEST_CASE("a stepped engine has no threads, not even to end") {
  flowrun::Settings settings;
  settings.stepped = true;
  auto engine = loaded(kThrough, std::move(settings));
  auto in = push_into(engine);
  const auto num_threads = [] {
    const std::filesystem::directory_iterator tasks("/proc/self/task");
    return std::distance(begin(tasks), end(tasks));
  };
  const auto before = num_threads();
  REQUIRE(in.push({20}));
  CHECK(engine.step()->made_epoch);
  engine.stop();
  while (!engine.step()->ended) continue;
  CHECK(num_threads() == before);
}

TEST_CASE("a stepped engine waits for a push from another thread, and for a stop") {
  flowrun::Settings settings;
  settings.stepped = true;
  auto engine = loaded(kThrough, std::move(settings));
  auto in = push_into(engine);
  std::thread pushing([&] { static_cast<void>(in.push({20})); });
  CHECK(engine.step(kPatience)->made_epoch);
  pushing.join();
  std::thread stopping([&] { engine.stop(); });
  CHECK(engine.step(kPatience)->ended);
  stopping.join();
}

TEST_CASE("an engine can be stopped and destroyed in every state") {
  SECTION("loaded") { loaded(kThrough); }
  SECTION("stopped before it starts") {
    auto engine = loaded(kThrough);
    engine.stop();
    CHECK(engine.start());
    CHECK(engine.wait(kPatience));
  }
  SECTION("running") {
    auto engine = loaded(kThrough);
    REQUIRE(engine.start());
    CHECK(engine.wait(1ms).code() == flowrun::Code::timeout);
  }
  SECTION("stopped twice, from several threads") {
    auto engine = loaded(kThrough);
    REQUIRE(engine.start());
    std::thread other([&] { engine.stop(); });
    engine.stop();
    other.join();
    CHECK(engine.wait(kPatience));
    engine.stop();
  }
  SECTION("stepped midway") {
    flowrun::Settings settings;
    settings.stepped = true;
    auto engine = loaded(kThrough, std::move(settings));
    auto ticket = push_into(engine).push({20});
    CHECK(engine.step()->made_epoch);
    CHECK(ticket->is_committed());
  }
  SECTION("on another thread than it was made on") {
    auto engine = std::make_unique<flowrun::Engine>(loaded(kThrough));
    REQUIRE(engine->start());
    std::thread([&] { engine.reset(); }).join();
  }
}

TEST_CASE("calls that do not fit the state say what would") {
  auto engine = loaded(kThrough);
  CHECK(engine.wait(flowrun::kNow).text().find("call start") != std::string::npos);
  CHECK(engine.step().status().text().find("stepping") != std::string::npos);
  REQUIRE(engine.start());
  CHECK(engine.start().text().find("started before") != std::string::npos);
  CHECK(engine.push("inn").status().text().find("did you mean `in`?") != std::string::npos);
  CHECK(engine.pull("in").status().code() == flowrun::Code::invalid);
  CHECK(engine.table("none").status().text().find("sink: memory") != std::string::npos);
  CHECK(engine.push_rows<std::tuple<std::string>>("in").status().code() == flowrun::Code::invalid);
  CHECK(engine.push_rows<std::tuple<int64_t, int64_t>>("in").status().code() ==
        flowrun::Code::invalid);
}

TEST_CASE("an engine that is destroyed in its own callback ends the process with a message") {
  const pid_t child = fork();
  if (child == 0) {
    std::freopen("/dev/null", "w", stderr);
    std::signal(SIGABRT, SIG_DFL);
    std::unique_ptr<flowrun::Engine> engine;
    flowrun::Settings settings;
    settings.on_progress = [&](const flowrun::Progress&) { engine.reset(); };
    engine = std::make_unique<flowrun::Engine>(loaded(kThrough, std::move(settings)));
    auto in = push_into(*engine);
    static_cast<void>(in.push({20}));
    static_cast<void>(engine->start());
    while (true) pause();
  }
  int status = 0;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(WIFSIGNALED(status));
  CHECK(WTERMSIG(status) == SIGABRT);
}

TEST_CASE("several engines in one process know nothing of each other") {
  std::vector<std::thread> hosts;
  std::atomic<int> right = 0;
  for (int64_t h = 0; h < 4; ++h) {
    hosts.emplace_back([h, &right] {
      auto engine = flowrun::Engine::from_text(kThrough);
      auto in = engine->push_rows<Number>("in");
      auto out = engine->pull_rows<Number>("out");
      if (!engine->start()) return;
      for (int64_t i = 0; i < 50; ++i) {
        if (!in->push({100 * (h + 1) + i})) return;
      }
      in->finish();
      const std::vector<Number> all = pull_all(*out);
      const bool own = all.size() == 50 && std::get<0>(all.front()) == 100 * (h + 1);
      if (own && engine->wait(kPatience)) ++right;
    });
  }
  for (std::thread& thread : hosts) thread.join();
  CHECK(right == 4);
}
