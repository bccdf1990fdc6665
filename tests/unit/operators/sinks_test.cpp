// Console, memory, file and socket sinks.
#include <sys/resource.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "runtime/operator/tcp.h"
#include "tests/unit/operators/bench.h"

using namespace flowrun;
using namespace flowrun::test;

namespace {

namespace fs = std::filesystem;

RecordBatch counts(const std::vector<std::optional<std::string>>& keys,
                   const std::vector<std::optional<int64_t>>& numbers) {
  return batch({{"k", strings(keys)}, {"count", bigints(numbers)}});
}

std::unique_ptr<Sink> bound(Result<std::unique_ptr<Sink>> made, const RecordBatch& like,
                            OutputMode mode, bool aggregation = false,
                            const std::vector<std::string>& keys = {}) {
  REQUIRE(made);
  REQUIRE((*made)->bind({like.schema(), mode, aggregation, keys}));
  REQUIRE((*made)->open({}));
  return std::move(*made);
}

Token run_epoch(Sink& sink, EpochId epoch, const std::vector<RecordBatch>& batches) {
  for (const RecordBatch& rows : batches) REQUIRE(sink.write(epoch, rows));
  auto token = sink.prepare(epoch);
  REQUIRE(token);
  REQUIRE(sink.commit(epoch, *token));
  return *token;
}

std::string table_text(Bench& bench, const std::string& name) {
  const auto snapshot = bench.tables[name].snapshot();
  std::string text;
  for (const RecordBatch& rows : snapshot->batches)
    text += (text.empty() ? "" : "; ") + text_of(rows);
  return text;
}

// A folder of its own that goes with the test.
class Folder {
 public:
  Folder() {
    std::string pattern = (fs::temp_directory_path() / "flowrun_sink_XXXXXX").string();
    REQUIRE(mkdtemp(pattern.data()));
    path = pattern;
  }
  ~Folder() {
    std::error_code ignored;
    fs::permissions(path, fs::perms::owner_all, ignored);
    fs::remove_all(path, ignored);
  }
  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> found;
    for (const auto& entry : fs::directory_iterator(path))
      found.push_back(entry.path().filename().string());
    std::ranges::sort(found);
    return found;
  }
  [[nodiscard]] std::string text(const std::string& name) const {
    std::ostringstream out;
    out << std::ifstream(path / name).rdbuf();
    return out.str();
  }
  fs::path path;
};

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("the console numbers the frames it prints and skips epochs without rows") {
  Bench bench;
  bench.context.console_is_shared = true;
  const RecordBatch rows = counts({"a", std::nullopt}, {1, 2});
  const auto sink = bound(bench.sink("console", {{"rows", "1"}}), rows, OutputMode::append);
  run_epoch(*sink, 0, {rows});
  run_epoch(*sink, 1, {});
  const Token token = run_epoch(*sink, 2, {rows.slice(1, 1)});
  const std::string rule(43, '-');
  CHECK(bench.printed ==
        "node\n" + rule + "\nBatch: 0\n" + rule +
            "\n"
            "+---+-----+\n|  k|count|\n+---+-----+\n|  a|    1|\n+---+-----+\n"
            "only showing top 1 row\n"
            "node\n" +
            rule + "\nBatch: 1\n" + rule +
            "\n"
            "+----+-----+\n|   k|count|\n+----+-----+\n|NULL|    2|\n+----+-----+\n\n");
  // After a restart what was committed is not printed again, and numbers go on.
  bench.printed.clear();
  bench.context.console_is_shared = false;
  const auto again = bound(bench.sink("console", {}), rows, OutputMode::append);
  REQUIRE(again->open(token));
  REQUIRE(again->commit(2, token));
  CHECK(bench.printed.empty());
  run_epoch(*again, 3, {rows});
  CHECK_THAT(bench.printed, Catch::Contains("Batch: 2\n"));
}

TEST_CASE("the console in mode complete prints the whole result each time") {
  Bench bench;
  const RecordBatch rows = counts({"a"}, {1});
  SECTION("of an aggregation: what the epoch brings") {
    const auto sink = bound(bench.sink("console", {}), rows, OutputMode::complete, true);
    run_epoch(*sink, 0, {rows});
    bench.printed.clear();
    run_epoch(*sink, 1, {counts({"b"}, {2})});
    CHECK_THAT(bench.printed, Catch::Contains("|  b|    2|") && !Catch::Contains("|  a|"));
  }
  SECTION("of rows: all that came") {
    const auto sink = bound(bench.sink("console", {}), rows, OutputMode::complete);
    run_epoch(*sink, 0, {rows});
    bench.printed.clear();
    run_epoch(*sink, 1, {counts({"b"}, {2})});
    CHECK_THAT(bench.printed, Catch::Contains("|  a|    1|\n|  b|    2|"));
  }
}

TEST_CASE("the console prints JSON lines if told to") {
  Bench bench;
  const RecordBatch rows = counts({"a", std::nullopt}, {1, 2});
  const auto sink = bound(bench.sink("console", {{"format", "json"}}), rows, OutputMode::append);
  run_epoch(*sink, 0, {rows});
  CHECK(bench.printed == "{\"k\":\"a\",\"count\":1}\n{\"k\":null,\"count\":2}\n");
}

TEST_CASE("a memory table is added to, or replaced, or updated by key") {
  Bench bench;
  const RecordBatch first = counts({"a", "b", std::nullopt}, {1, 2, 3});
  const RecordBatch second = counts({std::nullopt, "a"}, {4, 5});
  SECTION("append") {
    const auto sink = bound(bench.sink("memory", {{"table", "t"}}), first, OutputMode::append);
    CHECK(sink->warnings().size() == 1);
    run_epoch(*sink, 0, {first});
    run_epoch(*sink, 1, {second});
    CHECK(table_text(bench, "t") == "a, 1; b, 2; null, 3; null, 4; a, 5");
    CHECK(sink->memory_bytes() > 0);
  }
  SECTION("complete") {
    const auto sink =
        bound(bench.sink("memory", {{"table", "t"}}), first, OutputMode::complete, true);
    CHECK(sink->warnings().empty());
    run_epoch(*sink, 0, {first});
    run_epoch(*sink, 1, {second.slice(0, 1), second.slice(1, 1)});
    CHECK(table_text(bench, "t") == "null, 4; a, 5");
  }
  SECTION("update by key") {
    const std::vector<std::string> keys = {"k"};
    const auto sink = bound(bench.sink("memory", {{"table", "t"}, {"upsert", "true"}}), first,
                            OutputMode::update, true, keys);
    run_epoch(*sink, 0, {first});
    run_epoch(*sink, 1, {second});
    CHECK(table_text(bench, "t") == "b, 2; null, 4; a, 5");
    run_epoch(*sink, 2, {counts({"c", "b"}, {6, 7})});
    CHECK(table_text(bench, "t") == "null, 4; a, 5; c, 6; b, 7");
  }
  SECTION("what was not committed is not there") {
    const auto sink = bound(bench.sink("memory", {{"table", "t"}}), first, OutputMode::append);
    run_epoch(*sink, 0, {first});
    REQUIRE(sink->write(1, second));
    CHECK(bench.tables["t"].snapshot()->epoch == 0);
    REQUIRE(sink->abort(1));
    CHECK(table_text(bench, "t") == "a, 1; b, 2; null, 3");
  }
}

TEST_CASE("a memory table keeps as many rows, or as long, as it is told") {
  Bench bench;
  ManualClock clock(0);
  bench.context.clock = &clock;
  const auto number = [](int64_t n) { return batch({{"n", bigints({n, n + 1, n + 2})}}); };
  SECTION("rows") {
    const auto sink = bound(bench.sink("memory", {{"table", "t"}, {"keep_rows", "4"}}), number(0),
                            OutputMode::append);
    for (int64_t epoch = 0; epoch < 50; ++epoch) run_epoch(*sink, epoch, {number(3 * epoch)});
    CHECK(table_text(bench, "t") == "146; 147; 148; 149");
    CHECK(bench.tables["t"].snapshot()->dropped_rows == 146);
  }
  SECTION("time") {
    const auto sink = bound(bench.sink("memory", {{"table", "t"}, {"keep", "1 minute"}}), number(0),
                            OutputMode::append);
    for (int64_t epoch = 0; epoch < 10; ++epoch) {
      run_epoch(*sink, epoch, {number(3 * epoch)});
      clock.advance(30'000'000);
    }
    run_epoch(*sink, 10, {});
    CHECK(table_text(bench, "t") == "24; 25; 26; 27; 28; 29");
  }
}

TEST_CASE("a memory table of many small epochs stays a few batches that hold their own text") {
  Bench bench;
  const RecordBatch row = counts({"a text that is longer than twelve bytes"}, {1});
  const auto sink = bound(bench.sink("memory", {{"table", "t"}}), row, OutputMode::append);
  for (int64_t epoch = 0; epoch < 1000; ++epoch) run_epoch(*sink, epoch, {row});
  const auto snapshot = bench.tables["t"].snapshot();
  CHECK(snapshot->batches.size() < 20);
  int64_t rows = 0;
  for (const RecordBatch& held : snapshot->batches) rows += held.num_rows();
  CHECK(rows == 1000);
  CHECK(sink->memory_bytes() < 1 << 20);
}

TEST_CASE("upsert without keys is refused") {
  Bench bench;
  const RecordBatch rows = counts({"a"}, {1});
  auto made = bench.sink("memory", {{"table", "t"}, {"upsert", "true"}});
  REQUIRE(made);
  CHECK_FALSE((*made)->bind({rows.schema(), OutputMode::update, true, {}}));
}

TEST_CASE("a file is visible only when its epoch is committed") {
  Bench bench;
  const Folder folder;
  const RecordBatch rows = counts({"a", std::nullopt}, {1, 2});
  const auto sink =
      bound(bench.sink("file", {{"path", folder.path.string()}}), rows, OutputMode::append);
  REQUIRE(sink->write(0, rows));
  const auto token = sink->prepare(0);
  REQUIRE(token);
  for (const std::string& name : folder.names()) CHECK(name.front() == '.');
  REQUIRE(sink->commit(0, *token));
  REQUIRE(sink->commit(0, *token));
  run_epoch(*sink, 1, {});
  run_epoch(*sink, 2, {rows.slice(0, 1), rows.slice(1, 1)});
  CHECK(folder.names() == Names{"00000000.jsonl", "00000001.jsonl"});
  CHECK(folder.text("00000000.jsonl") == "{\"k\":\"a\",\"count\":1}\n{\"count\":2}\n");
  CHECK(folder.text("00000001.jsonl") == folder.text("00000000.jsonl"));
}

TEST_CASE("a file sink goes on behind what is there, and clears what was left half done") {
  Bench bench;
  const Folder folder;
  const RecordBatch rows = counts({"a"}, {1});
  const Values values = {{"path", folder.path.string()}, {"format", "csv"}, {"header", "true"}};
  Token token;
  {
    const auto sink = bound(bench.sink("file", values), rows, OutputMode::append);
    run_epoch(*sink, 0, {rows});
    REQUIRE(sink->write(1, rows));
    token = *sink->prepare(1);  // and then the machine stopped
  }
  SECTION("the prepared file is committed again") {
    auto made = bench.sink("file", values);
    REQUIRE((*made)->bind({rows.schema(), OutputMode::append, false, {}}));
    REQUIRE((*made)->open(token));
    REQUIRE((*made)->commit(1, token));
    run_epoch(**made, 2, {rows});
    CHECK(folder.names() == Names{"00000000.csv", "00000001.csv", "00000002.csv"});
  }
  SECTION("without a token it is removed") {
    const auto sink = bound(bench.sink("file", values), rows, OutputMode::append);
    CHECK(folder.names() == Names{"00000000.csv"});
    run_epoch(*sink, 0, {rows});
    CHECK(folder.names() == Names{"00000000.csv", "00000001.csv"});
    CHECK(folder.text("00000001.csv") == "k,count\na,1\n");
  }
}

TEST_CASE("an aborted epoch leaves no file") {
  Bench bench;
  const Folder folder;
  const RecordBatch rows = counts({"a"}, {1});
  const auto sink =
      bound(bench.sink("file", {{"path", folder.path.string()}}), rows, OutputMode::append);
  REQUIRE(sink->write(0, rows));
  REQUIRE(sink->abort(0));
  REQUIRE(sink->write(0, rows));
  REQUIRE(sink->prepare(0));
  REQUIRE(sink->abort(0));
  CHECK(folder.names().empty());
}

TEST_CASE("two file sinks cannot share a folder") {
  Bench bench;
  const Folder folder;
  const RecordBatch rows = counts({"a"}, {1});
  const Values values = {{"path", folder.path.string()}};
  const auto first = bound(bench.sink("file", values), rows, OutputMode::append);
  auto second = bench.sink("file", values);
  REQUIRE((*second)->bind({rows.schema(), OutputMode::append, false, {}}));
  const Status opened = (*second)->open({});
  REQUIRE_FALSE(opened);
  CHECK_THAT(opened.error().message, Catch::Contains("own folder"));
}

TEST_CASE("what stands in a file's way is one error that names it") {
  Bench bench;
  const Folder folder;
  const RecordBatch rows = counts({"a"}, {1});
  SECTION("a file where the folder should be") {
    const fs::path path = folder.path / "taken";
    std::ofstream(path) << "x";
    auto made = bench.sink("file", {{"path", path.string()}});
    REQUIRE((*made)->bind({rows.schema(), OutputMode::append, false, {}}));
    const Status opened = (*made)->open({});
    REQUIRE_FALSE(opened);
    CHECK(opened.error().code == ErrorCode::io);
    CHECK_THAT(opened.error().message, Catch::Contains(path.string()));
  }
  SECTION("a disk that is full") {
    const auto sink =
        bound(bench.sink("file", {{"path", folder.path.string()}}), rows, OutputMode::append);
    run_epoch(*sink, 0, {rows});
    const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
    rlimit before{};
    getrlimit(RLIMIT_FSIZE, &before);
    const rlimit none{0, before.rlim_max};
    setrlimit(RLIMIT_FSIZE, &none);
    REQUIRE(sink->write(1, rows));
    const auto token = sink->prepare(1);
    setrlimit(RLIMIT_FSIZE, &before);
    std::signal(SIGXFSZ, old_handler);
    REQUIRE_FALSE(token);
    CHECK_THAT(token.error().message,
               Catch::Contains("cannot write " + (folder.path / "00000001.jsonl").string()));
    REQUIRE(sink->abort(1));
    CHECK(folder.names() == Names{"00000000.jsonl"});
  }
}

TEST_CASE("format text takes one string column") {
  Bench bench;
  const Folder folder;
  auto made = bench.sink("file", {{"path", folder.path.string()}, {"format", "text"}});
  REQUIRE(made);
  const Status refused =
      (*made)->bind({counts({"a"}, {1}).schema(), OutputMode::append, false, {}});
  REQUIRE_FALSE(refused);
  CHECK_THAT(refused.error().message, Catch::Contains("one string column"));
  const RecordBatch lines = batch({{"value", strings({"x", "y"})}});
  const auto sink = bound(bench.sink("file", {{"path", folder.path.string()}, {"format", "text"}}),
                          lines, OutputMode::append);
  run_epoch(*sink, 0, {lines});
  CHECK(folder.text("00000000.txt") == "x\ny\n");
}

namespace {

// Reads until `size` bytes came or the peer closed.
std::string receive(const Descriptor& socket, size_t size) {
  Wakeup wakeup;
  std::string text;
  char bytes[4096];
  while (text.size() < size) {
    const auto ready = wait_for_socket(socket, true, wakeup, steady_now() + 20'000'000);
    REQUIRE(ready);
    REQUIRE(*ready);
    const ssize_t got = ::read(socket.get(), bytes, sizeof bytes);
    if (got <= 0) return text;
    text.append(bytes, static_cast<size_t>(got));
  }
  return text;
}

// A port that nobody listens on.
uint16_t free_port(Descriptor& listener) {
  for (uint16_t port = 20000 + static_cast<uint16_t>(getpid() % 20000);; ++port) {
    auto made = tcp_listen({"127.0.0.1", port});
    if (!made) continue;
    listener = std::move(*made);
    return port;
  }
}

}  // namespace

TEST_CASE("a socket sink sends rows to a server as they come, and again when it came back") {
  Bench bench;
  Descriptor listener;
  const uint16_t port = free_port(listener);
  const RecordBatch rows = counts({"a"}, {1});
  const auto sink =
      bound(bench.sink("socket", {{"port", Value(int64_t{port})}}), rows, OutputMode::append);
  std::string peer;
  auto server = tcp_accept(listener, peer);
  REQUIRE(server);
  REQUIRE(sink->write(0, rows));
  const std::string line = "{\"k\":\"a\",\"count\":1}\n";
  CHECK(receive(*server, line.size()) == line);
  server->reset();
  Descriptor second;
  std::thread acceptor([&] {
    Wakeup wakeup;
    const auto waited = wait_for_socket(listener, true, wakeup, steady_now() + 20'000'000);
    if (waited && *waited) second = std::move(*tcp_accept(listener, peer));
  });
  // The first write after the peer left may still be taken by the kernel.
  for (EpochId epoch = 1; epoch < 3; ++epoch) {
    REQUIRE(sink->write(epoch, rows));
    std::this_thread::yield();
  }
  while (!sink->write(3, rows)) std::this_thread::yield();
  acceptor.join();
  CHECK_THAT(receive(second, line.size()), Catch::StartsWith(line));
}

TEST_CASE("a server that is not there is unavailable at the start") {
  Bench bench;
  Descriptor listener;
  const uint16_t port = free_port(listener);
  listener.reset();
  const RecordBatch rows = counts({"a"}, {1});
  auto made = bench.sink("socket", {{"port", Value(int64_t{port})}});
  REQUIRE((*made)->bind({rows.schema(), OutputMode::append, false, {}}));
  const Status opened = (*made)->open({});
  REQUIRE_FALSE(opened);
  CHECK(opened.error().code == ErrorCode::unavailable);
}

TEST_CASE("every reader of a listening socket sink gets the rows from when it connected") {
  Bench bench;
  Descriptor listener;
  const uint16_t port = free_port(listener);
  listener.reset();
  const RecordBatch rows = batch({{"value", strings({"x"})}});
  const auto sink =
      bound(bench.sink("socket", {{"listen", Value(int64_t{port})}, {"format", "text"}}), rows,
            OutputMode::append);
  run_epoch(*sink, 0, {rows});  // nobody listens
  Wakeup wakeup;
  auto first = tcp_connect({"127.0.0.1", port}, wakeup);
  REQUIRE(first);
  run_epoch(*sink, 1, {rows});
  auto second = tcp_connect({"127.0.0.1", port}, wakeup);
  REQUIRE(second);
  run_epoch(*sink, 2, {rows});
  second->reset();
  run_epoch(*sink, 3, {rows});
  sink->close();
  CHECK(receive(*first, 100) == "x\nx\nx\n");
}

TEST_CASE("a reader that does not keep up is let go, or waited for until cancelled") {
  Bench bench;
  Descriptor listener;
  const uint16_t port = free_port(listener);
  listener.reset();
  const RecordBatch rows = batch({{"value", strings({std::string(16 << 20, 'x')})}});
  Wakeup wakeup;
  const auto open_sink = [&](const char* on_slow) {
    return bound(bench.sink("socket", {{"listen", Value(int64_t{port})},
                                       {"format", "text"},
                                       {"on_slow", on_slow},
                                       {"patience", "50 milliseconds"}}),
                 rows, OutputMode::append);
  };
  SECTION("drop") {
    const auto sink = open_sink("drop");
    auto slow = tcp_connect({"127.0.0.1", port}, wakeup);
    REQUIRE(slow);
    run_epoch(*sink, 0, {rows});
    run_epoch(*sink, 1, {rows});
    CHECK(receive(*slow, 64 << 20).size() < 16 << 20);
  }
  SECTION("wait") {
    const auto sink = open_sink("wait");
    auto slow = tcp_connect({"127.0.0.1", port}, wakeup);
    REQUIRE(slow);
    std::thread canceller([&] {
      receive(*slow, 1);
      sink->cancel();
    });
    const Status written = sink->write(0, rows);
    canceller.join();
    REQUIRE_FALSE(written);
    CHECK(written.error().code == ErrorCode::cancelled);
  }
}
