// source: socket. Lines of text over TCP, as a client of one server or as a server of many writers.

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <deque>
#include <memory>
#include <utility>
#include <vector>

#include "runtime/operator/line_stream.h"
#include "runtime/operator/option_specs.h"
#include "runtime/operator/registry.h"
#include "runtime/operator/tcp.h"

namespace flowrun {

namespace {

constexpr int64_t kMostWriters = 1024;
constexpr int64_t kSilence =
    1'000'000;  // with once: a peer silent for so long has said what it had to say
constexpr int64_t kAcceptPause = 100'000;  // when the machine has no descriptor left for a writer
constexpr int64_t kMebibyte = 1 << 20;

enum class End : uint8_t { open, closed, broken };

struct Connection {
  Connection(Descriptor socket_in, std::string peer_in, int64_t max_record)
      : socket(std::move(socket_in)), peer(std::move(peer_in)), lines(max_record) {}

  Descriptor socket;
  std::string peer;
  LineStream lines;
  End end = End::open;
  int64_t bytes = 0;     // read since the last chunk
  bool unsplit = false;  // complete lines may wait in `lines`
};

class SocketSource final : public Source {
 public:
  SocketSource(TcpAddress address, bool listens, int64_t max_record)
      : address_(std::move(address)),
        listens_(listens),
        max_record_(max_record),
        schema_(Schema::make({{"value", Type::string()}})) {}

  Result<SchemaPtr> bind() override { return schema_; }
  Status open(std::optional<Offset> offset) override;
  Result<Chunk> read(Deadline deadline) override;
  void cancel() override { wakeup_.signal(); }
  void close() override {
    connections_.clear();
    listener_.reset();
  }
  Status probe() override { return tcp_may_open(address_, listens_, wakeup_); }
  void stop_at_end() override { stops_at_end_ = true; }

  [[nodiscard]] std::string describe() const override {
    return fmt::format("socket {}{}", listens_ ? "listening on " : "", address_.text());
  }
  [[nodiscard]] std::string hint() const override;

 private:
  Result<bool> wait(int64_t deadline);
  void accept_writers();
  static void receive(Connection& connection);
  std::optional<Chunk> next_chunk();
  std::optional<Chunk> chunk_of(Connection& connection);
  Chunk make_chunk(Connection& connection, LineStream::Lines lines);
  [[nodiscard]] Offset offset() const { return {std::to_string(lines_read_)}; }
  [[nodiscard]] Chunk empty_chunk(Chunk::Mark mark) const;
  [[nodiscard]] Result<Chunk> without_rows() const;

  TcpAddress address_;
  bool listens_;
  int64_t max_record_;
  SchemaPtr schema_;
  bool stops_at_end_ = false;
  Wakeup wakeup_;
  Descriptor listener_;
  std::deque<std::unique_ptr<Connection>> connections_;  // the one to be served next comes first
  std::vector<pollfd> waits_;
  int64_t lines_read_ = 0;
  int64_t heard_at_ = 0;  // when something came last; 0 before that
  int64_t accept_again_at_ = 0;
  bool had_connection_ = false;
};

Status SocketSource::open(std::optional<Offset> offset) {
  if (wakeup_.signalled()) return Error::cancelled();
  // What was read is gone for good: only the count goes on.
  if (offset) lines_read_ = std::max<int64_t>(lines_read_, std::atoll(offset->text.c_str()));
  if (listens_) {
    if (listener_) return {};
    FLOWRUN_TRY(listener_, tcp_listen(address_));
    return {};
  }
  connections_.clear();
  FLOWRUN_TRY(Descriptor socket, tcp_connect(address_, wakeup_));
  connections_.push_back(
      std::make_unique<Connection>(std::move(socket), address_.text(), max_record_));
  had_connection_ = true;
  return {};
}

Result<Chunk> SocketSource::read(Deadline deadline) {
  while (true) {
    if (std::optional<Chunk> chunk = next_chunk()) return std::move(*chunk);
    if (connections_.empty() && (!listens_ || (stops_at_end_ && had_connection_)))
      return without_rows();
    int64_t until = deadline.monotonic;
    if (stops_at_end_ && heard_at_ > 0) until = std::min(until, heard_at_ + kSilence);
    FLOWRUN_TRY(const bool ready, wait(until));
    if (ready) continue;
    if (stops_at_end_ && heard_at_ > 0 && steady_now() >= heard_at_ + kSilence) {
      return empty_chunk(Chunk::Mark::stream_ends);
    }
    return empty_chunk(Chunk::Mark::idle);
  }
}

Result<Chunk> SocketSource::without_rows() const {
  if (stops_at_end_) return empty_chunk(Chunk::Mark::stream_ends);
  return Error::unavailable(fmt::format("{} closed the connection", address_.text()));
}

Chunk SocketSource::empty_chunk(Chunk::Mark mark) const {
  Chunk chunk;
  chunk.offset = offset();
  chunk.mark = mark;
  return chunk;
}

// Waits for bytes or writers and takes in what came; false when the deadline passed first.
Result<bool> SocketSource::wait(int64_t deadline) {
  waits_.clear();
  waits_.push_back({wakeup_.fd(), POLLIN, 0});
  for (const auto& connection : connections_)
    waits_.push_back({connection->socket.get(), POLLIN, 0});
  const bool accepts =
      listener_ && std::ssize(connections_) < kMostWriters && steady_now() >= accept_again_at_;
  if (accepts) waits_.push_back({listener_.get(), POLLIN, 0});
  if (listener_ && !accepts && accept_again_at_ > 0)
    deadline = std::min(deadline, accept_again_at_);

  const int ready = poll(waits_.data(), waits_.size(), poll_timeout(deadline));
  if (ready < 0 && errno != EINTR) return Error::from_errno("cannot wait for the socket", errno);
  if (ready <= 0) return false;
  if (waits_[0].revents != 0) return Error::cancelled();
  for (size_t i = 0; i < connections_.size(); ++i) {
    if (waits_[i + 1].revents != 0) receive(*connections_[i]);
  }
  heard_at_ = steady_now();
  if (accepts && waits_.back().revents != 0) accept_writers();
  return true;
}

void SocketSource::accept_writers() {
  std::string peer;
  std::optional<Descriptor> socket = tcp_accept(listener_, peer);
  if (!socket) accept_again_at_ = steady_now() + kAcceptPause;
  while (socket && std::ssize(connections_) < kMostWriters) {
    connections_.push_back(std::make_unique<Connection>(std::move(*socket), peer, max_record_));
    had_connection_ = true;
    socket = tcp_accept(listener_, peer);
  }
}

// Reads until a block is full or nothing more is there: little under a trickle, much under load.
void SocketSource::receive(Connection& connection) {
  while (!connection.lines.full()) {
    const std::span<char> space = connection.lines.space();
    const ssize_t got = recv(connection.socket.get(), space.data(), space.size(), 0);
    if (got > 0) {
      connection.lines.filled(static_cast<size_t>(got));
      connection.bytes += got;
      connection.unsplit = true;
      continue;
    }
    if (got < 0 && errno == EINTR) continue;
    if (got == 0) connection.end = End::closed;
    if (got < 0 && errno != EAGAIN && errno != EWOULDBLOCK) connection.end = End::broken;
    return;
  }
}

// The connections take turns, so that a fast writer starves no other.
std::optional<Chunk> SocketSource::next_chunk() {
  for (size_t turns = connections_.size(); turns > 0; --turns) {
    std::unique_ptr<Connection> connection = std::move(connections_.front());
    connections_.pop_front();
    std::optional<Chunk> chunk = chunk_of(*connection);
    const bool gone = connection->end != End::open && !connection->unsplit;
    if (!gone) connections_.push_back(std::move(connection));
    if (chunk) return chunk;
  }
  return std::nullopt;
}

std::optional<Chunk> SocketSource::chunk_of(Connection& connection) {
  if (connection.unsplit) {
    LineStream::Lines lines = connection.lines.take();
    if (lines.values || !lines.too_long.empty()) return make_chunk(connection, std::move(lines));
    connection.unsplit = false;
  }
  if (connection.end == End::closed) {
    LineStream::Lines rest = connection.lines.take_rest();
    if (rest.values) return make_chunk(connection, std::move(rest));
  }
  if (connection.end == End::broken) {
    const int64_t line = connection.lines.next_line();
    if (std::string rest = connection.lines.drop_rest(); !rest.empty()) {
      Chunk chunk = empty_chunk(Chunk::Mark::more);
      chunk.rejected.push_back({connection.peer, fmt::format("line {}", line),
                                "the connection broke in the middle of a record", std::move(rest)});
      return chunk;
    }
  }
  return std::nullopt;
}

Chunk SocketSource::make_chunk(Connection& connection, LineStream::Lines lines) {
  Chunk chunk;
  if (lines.values) {
    const int64_t rows = lines.values->size();
    lines_read_ += rows;
    chunk.rows =
        RecordBatch(schema_, rows, {std::move(lines.values)},
                    std::make_shared<const Origin>(Origin{connection.peer, lines.first_line}));
  }
  for (LineStream::TooLong& record : lines.too_long) {
    chunk.rejected.push_back(
        {connection.peer, fmt::format("line {}", record.line),
         fmt::format("a record is longer than max_record ({} bytes)", max_record_),
         std::move(record.head)});
  }
  chunk.offset = offset();
  chunk.bytes = std::exchange(connection.bytes, 0);
  return chunk;
}

std::string SocketSource::hint() const {
  if (listens_) return {};
  struct Simulator {
    uint16_t port;
    const char* name;
  };
  for (const Simulator& simulator :
       {Simulator{9999, "watches"}, {10000, "heart"}, {10001, "quotes"}}) {
    if (simulator.port == address_.port && address_.host == "127.0.0.1") {
      return fmt::format("is `flowrun simulate {} --port {}` running?", simulator.name,
                         simulator.port);
    }
  }
  return fmt::format("is a server listening on port {} of {}?", address_.port, address_.host);
}

OperatorSpec spec() {
  using namespace option;
  OperatorSpec spec;
  spec.name = "socket";
  spec.summary =
      "Lines of text over TCP: from a server, or from any number of writers that connect here.";
  spec.doc =
      "Gives one column, `value: string`, a row per line. With `host` and `port` it is the client "
      "of one server "
      "and connects again, after growing pauses, whenever the server is not there or went away. "
      "With `listen` it "
      "is the server, and every line of every writer is a row.\n\n"
      "Lines end with `\\n` or `\\r\\n`. What stands behind the last line ending when the peer "
      "closes is a record "
      "of its own; when the connection breaks instead, it is rejected. A line longer than "
      "`max_record` is "
      "rejected and skipped. Bytes that are not UTF-8 are passed on as they are.\n\n"
      "With trigger `once` or `available_now` it ends when the server closes the connection (all "
      "writers "
      "have gone), or after a second without data.\n\n"
      "Guarantee: at most once. A socket forgets; what was read but not committed is lost with the "
      "process.";
  spec.options = {
      text("host", "The server's name or address.").with_default("127.0.0.1"),
      integer("port", "The server's port.").between(1, 65535),
      text("listen",
           "In place of host and port: where writers connect to, a port or host:port. Without a "
           "host "
           "only this machine can connect; 0.0.0.0:PORT opens it to the network."),
      bytes("max_record", "A longer line is rejected and skipped.")
          .with_default("16 MiB")
          .between(1, 1024 * kMebibyte),
  };
  spec.ports = {"errors"};
  spec.examples = {
      {"Lines of a server",
       "lines: { source: socket, host: 127.0.0.1, port: 9999 }\n"
       "out: { from: lines, sink: console }\n"},
      {"A server that anybody on this machine may write to",
       "lines: { source: socket, listen: \"9999\" }\n"
       "out: { from: lines, sink: console }\n"},
  };
  return spec;
}

Result<MadeSource> make(const Options& options, const MakeContext&) {
  FLOWRUN_TRY(TcpPlace place, read_tcp_place(options));
  MadeSource made;
  made.source = std::make_unique<SocketSource>(std::move(place.address), place.listens,
                                               options.integer_or("max_record", 16 * kMebibyte));
  return made;
}

}  // namespace

void register_socket_source(Registry& registry) { registry.add_source(spec(), make); }

}  // namespace flowrun
