// The socket source against real TCP peers, well-behaved and hostile.
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <string>
#include <thread>
#include <vector>

#include "runtime/operator/tcp.h"
#include "tests/unit/operators/bench.h"

using namespace flowrun;
using namespace flowrun::test;

namespace {

constexpr int64_t kPatience = 20'000'000;  // microseconds until a test is taken to hang

// A server on a free port that does to its client what a test wants.
class Server {
 public:
  Server() : listener_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(bind(listener_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    socklen_t size = sizeof address;
    getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port = ntohs(address.sin_port);
  }
  ~Server() {
    hang_up();
    ::close(listener_);
  }
  void listen() const { REQUIRE(::listen(listener_, 8) == 0); }
  void accept() { peer_ = ::accept(listener_, nullptr, nullptr); }
  void send(std::string_view text) const {
    while (!text.empty()) {
      const ssize_t sent = ::send(peer_, text.data(), text.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;
      text.remove_prefix(static_cast<size_t>(sent));
    }
  }
  void hang_up() {
    if (peer_ >= 0) ::close(peer_);
    peer_ = -1;
  }
  // Closes so that the client sees a reset.
  void reset() {
    const linger at_once{1, 0};
    setsockopt(peer_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    hang_up();
  }
  int port = 0;

 private:
  int listener_;
  int peer_ = -1;
};

struct Read {
  std::vector<std::string> lines;
  std::vector<Rejection> rejected;
  std::vector<int64_t> first_lines;
};

Deadline soon() { return {steady_now() + kPatience}; }

// One chunk with anything in it.
Result<Chunk> next(Source& source, Read& read) {
  FLOWRUN_TRY(Chunk chunk, source.read(soon()));
  for (int64_t i = 0; i < chunk.rows.num_rows(); ++i)
    read.lines.emplace_back(chunk.rows.column(0)->string(i));
  if (chunk.rows.num_rows() > 0) read.first_lines.push_back(chunk.rows.origin()->first_line);
  for (const Rejection& rejection : chunk.rejected) read.rejected.push_back(rejection);
  return chunk;
}

// Everything until the connection is lost or the stream ends.
ErrorCode read_to_end(Source& source, Read& read) {
  while (true) {
    auto chunk = next(source, read);
    if (!chunk) return chunk.error().code;
    if (chunk->mark == Chunk::Mark::stream_ends) return ErrorCode::invalid;
    REQUIRE(chunk->mark == Chunk::Mark::more);
  }
}

std::unique_ptr<Source> client_of(Bench& bench, const Server& server,
                                  const std::string& max_record = "16 MiB") {
  auto made =
      bench.source("socket", {{"port", Value(int64_t{server.port})}, {"max_record", max_record}});
  REQUIRE(made);
  REQUIRE(made->source->bind());
  return std::move(made->source);
}

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("lines of a trickle are given as they come, and a half one when the server closes") {
  Bench bench;
  Server server;
  server.listen();
  const auto source = client_of(bench, server);
  REQUIRE(source->open({}));
  server.accept();
  Read read;
  server.send("one\r\n");
  REQUIRE(next(*source, read));
  CHECK(read.lines == Texts{"one"});
  server.send("two\n\nhal");
  REQUIRE(next(*source, read));
  server.send("f");
  server.hang_up();
  CHECK(read_to_end(*source, read) == ErrorCode::unavailable);
  CHECK(read.lines == Texts{"one", "two", "", "half"});
  CHECK(read.first_lines == std::vector<int64_t>{1, 2, 4});
  CHECK(read.rejected.empty());
}

TEST_CASE("a server that comes back is connected to again") {
  Bench bench;
  Server server;
  const auto source = client_of(bench, server);
  const Status absent = source->open({});
  REQUIRE_FALSE(absent);
  CHECK(absent.error().code == ErrorCode::unavailable);
  CHECK_THAT(absent.error().message, Catch::Contains("refuses the connection"));
  server.listen();
  Read read;
  for (const char* line : {"a\n", "b\n"}) {
    REQUIRE(source->open({}));
    server.accept();
    server.send(line);
    server.hang_up();
    CHECK(read_to_end(*source, read) == ErrorCode::unavailable);
  }
  CHECK(read.lines == Texts{"a", "b"});
}

TEST_CASE("with stop_at_end the stream ends when the server closes, or has nothing to say") {
  Bench bench;
  Server server;
  server.listen();
  const auto source = client_of(bench, server);
  source->stop_at_end();
  REQUIRE(source->open({}));
  server.accept();
  server.send("a\nb\n");
  Read read;
  SECTION("closes") { server.hang_up(); }
  SECTION("stays silent") {}
  CHECK(read_to_end(*source, read) == ErrorCode::invalid);
  CHECK(read.lines == Texts{"a", "b"});
}

TEST_CASE("a connection that is reset in the middle of a record rejects it") {
  Bench bench;
  Server server;
  server.listen();
  const auto source = client_of(bench, server);
  REQUIRE(source->open({}));
  server.accept();
  server.send("whole\n");
  Read read;
  REQUIRE(next(*source, read));
  server.send("half");
  const auto idle = source->read({steady_now() + 50'000});
  REQUIRE(idle);
  CHECK(idle->mark == Chunk::Mark::idle);
  server.reset();
  CHECK(read_to_end(*source, read) == ErrorCode::unavailable);
  CHECK(read.lines == Texts{"whole"});
  REQUIRE(read.rejected.size() == 1);
  CHECK(read.rejected[0].raw == "half");
  CHECK(read.rejected[0].offset == "line 2");
}

TEST_CASE("a line of 20 MiB is rejected and the stream goes on, invalid UTF-8 and all") {
  Bench bench;
  Server server;
  server.listen();
  const auto source = client_of(bench, server);
  REQUIRE(source->open({}));
  server.accept();
  std::thread sender([&] {
    server.send("before\n");
    const std::string piece(1 << 20, 'x');
    for (int i = 0; i < 20; ++i) server.send(piece);
    server.send("\nafter \xff\xfe\n");
    server.hang_up();
  });
  Read read;
  CHECK(read_to_end(*source, read) == ErrorCode::unavailable);
  sender.join();
  CHECK(read.lines == Texts{"before", "after \xff\xfe"});
  REQUIRE(read.rejected.size() == 1);
  CHECK(read.rejected[0].offset == "line 2");
  CHECK(read.rejected[0].raw.size() == Rejection::kKeptBytes);
  CHECK_THAT(read.rejected[0].reason, Catch::Contains("max_record"));
}

TEST_CASE("much data arrives whole and in order") {
  Bench bench;
  Server server;
  server.listen();
  const auto source = client_of(bench, server);
  REQUIRE(source->open({}));
  server.accept();
  constexpr int kLines = 200'000;
  std::thread sender([&] {
    std::string text;
    for (int i = 0; i < kLines; ++i)
      text += "a line of some length, number " + std::to_string(i) + "\n";
    server.send(text);
    server.hang_up();
  });
  Read read;
  CHECK(read_to_end(*source, read) == ErrorCode::unavailable);
  sender.join();
  REQUIRE(read.lines.size() == kLines);
  CHECK(read.lines.back() == "a line of some length, number 199999");
}

TEST_CASE("cancel ends a read that waits") {
  Bench bench;
  Server server;
  server.listen();
  const auto source = client_of(bench, server);
  REQUIRE(source->open({}));
  std::thread canceller([&] { source->cancel(); });
  const auto chunk = source->read(soon());
  canceller.join();
  REQUIRE_FALSE(chunk);
  CHECK(chunk.error().code == ErrorCode::cancelled);
}

TEST_CASE("many writers are listened to, and those who leave are no error") {
  Bench bench;
  const int port = Server().port;
  auto made = bench.source("socket", {{"listen", Value(int64_t{port})}});
  REQUIRE(made);
  Source& source = *made->source;
  REQUIRE(source.bind());
  source.stop_at_end();
  REQUIRE(source.open({}));
  Wakeup wakeup;
  const TcpAddress address{"127.0.0.1", static_cast<uint16_t>(port)};
  {
    auto first = tcp_connect(address, wakeup);
    auto second = tcp_connect(address, wakeup);
    REQUIRE(first);
    REQUIRE(second);
    REQUIRE(tcp_send(*first, "first\nhalf of ", wakeup));
    REQUIRE(tcp_send(*second, "second\n", wakeup));
    REQUIRE(tcp_send(*first, "first\n", wakeup));
  }
  Read read;
  CHECK(read_to_end(source, read) == ErrorCode::invalid);
  std::ranges::sort(read.lines);
  CHECK(read.lines == Texts{"first", "half of first", "second"});
}

TEST_CASE("a port in use is an error of this machine that names it") {
  Bench bench;
  Server server;
  server.listen();
  auto made = bench.source("socket", {{"listen", Value(int64_t{server.port})}});
  REQUIRE(made);
  const Status opened = made->source->open({});
  REQUIRE_FALSE(opened);
  CHECK(opened.error().code == ErrorCode::io);
  CHECK_THAT(opened.error().message, Catch::Contains(std::to_string(server.port)));
}

TEST_CASE("host and listen exclude each other, and one must be there") {
  Bench bench;
  CHECK_FALSE(bench.source("socket", {{"port", "9999"}, {"listen", "9998"}}));
  CHECK_FALSE(bench.source("socket", {{"host", "localhost"}}));
  CHECK_FALSE(bench.source("socket", {{"listen", "nonsense"}}));
}
