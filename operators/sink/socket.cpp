// sink: socket. Rows as lines over TCP, to one server or to every reader that connects.

#include <fmt/format.h>

#include <algorithm>
#include <list>
#include <memory>
#include <utility>

#include "runtime/operator/option_specs.h"
#include "runtime/operator/record_formats.h"
#include "runtime/operator/tcp.h"

namespace flowrun {

namespace {

constexpr int64_t kFirstPause =
    50'000;  // between tries to connect again, in microseconds; doubled each time
constexpr int64_t kLongestPause = 1'000'000;

struct Peer {
  Descriptor socket;
  std::string name;
  std::unique_ptr<RowWriter> writer;
};

struct SocketSinkOptions {
  TcpAddress address;
  bool listens = false;
  bool drops_slow = false;
  int64_t patience = 0;  // microseconds
  int64_t retry = 0;     // microseconds
};

class SocketSink final : public Sink {
 public:
  SocketSink(SocketSinkOptions settings, MakeRowText make_text)
      : settings_(std::move(settings)), make_text_(std::move(make_text)) {}

  Status bind(const SinkInput& input) override {
    FLOWRUN_TRY(text_, make_text_(input.schema));
    return {};
  }
  [[nodiscard]] bool accepts(OutputMode, bool) const override { return true; }
  Status open(std::optional<Token>) override;
  Status write(EpochId epoch, const RecordBatch& batch) override;
  Result<Token> prepare(EpochId) override { return Token{}; }
  Status commit(EpochId, const Token&) override { return {}; }
  Status abort(EpochId) override {
    for (Peer& peer : peers_) peer.writer.reset();  // no end behind what is not whole
    return {};
  }
  void close() override {
    for (Peer& peer : peers_) take_leave(peer);
    peers_.clear();
    listener_.reset();
  }
  Status probe() override { return tcp_may_open(settings_.address, settings_.listens, wakeup_); }
  void cancel() override { wakeup_.signal(); }
  [[nodiscard]] bool blocking() const override { return true; }
  [[nodiscard]] std::string describe() const override {
    return fmt::format("socket {}{}", settings_.listens ? "listening on " : "",
                       settings_.address.text());
  }

 private:
  Status connect();
  Status accept_readers();
  Status send_to_server(const RecordBatch& batch);
  Status send_to_readers(const RecordBatch& batch);
  Status greet(Peer& peer);
  void take_leave(Peer& peer);
  Status write_text(Peer& peer, const RecordBatch& batch);

  SocketSinkOptions settings_;
  MakeRowText make_text_;
  std::unique_ptr<RowText> text_;
  Wakeup wakeup_;
  Descriptor listener_;
  std::list<Peer> peers_;  // the server alone, or all readers
  std::string text_of_batch_;
};

Status SocketSink::open(std::optional<Token>) {
  if (!settings_.listens) return connect();
  FLOWRUN_TRY(listener_, tcp_listen(settings_.address));
  return {};
}

Status SocketSink::connect() {
  FLOWRUN_TRY(Descriptor socket, tcp_connect(settings_.address, wakeup_));
  peers_.push_back({std::move(socket), settings_.address.text(), nullptr});
  return greet(peers_.back());
}

Status SocketSink::greet(Peer& peer) {
  FLOWRUN_TRY(peer.writer, text_->make_writer());
  std::string header;
  FLOWRUN_RETURN_IF_ERROR(peer.writer->begin(header));
  return tcp_send(peer.socket, header, wakeup_);
}

// Nobody is left to be told of one that cannot be reached any more.
void SocketSink::take_leave(Peer& peer) {
  std::string footer;
  if (!text_->has_end() || !peer.writer || !peer.writer->end(footer)) return;
  static_cast<void>(tcp_send(peer.socket, footer, wakeup_, steady_now() + settings_.patience));
}

// What is written for one peer is written for all, where the format allows it.
Status SocketSink::write_text(Peer& peer, const RecordBatch& batch) {
  if (!text_of_batch_.empty() && !text_->writers_remember()) return {};
  text_of_batch_.clear();
  return peer.writer->write(batch, text_of_batch_);
}

Status SocketSink::write(EpochId, const RecordBatch& batch) {
  text_of_batch_.clear();
  if (!settings_.listens) return send_to_server(batch);
  FLOWRUN_RETURN_IF_ERROR(accept_readers());
  return send_to_readers(batch);
}

Status SocketSink::accept_readers() {
  Peer peer;
  while (auto socket = tcp_accept(listener_, peer.name)) {
    peer.socket = std::move(*socket);
    Status greeted = greet(peer);
    if (!greeted && greeted.error().code != ErrorCode::unavailable) return greeted;
    if (greeted) peers_.push_back(std::move(peer));
    peer = {};
  }
  return {};
}

// A reader that went away is no error. One that is slow is waited for, or let go.
Status SocketSink::send_to_readers(const RecordBatch& batch) {
  for (auto peer = peers_.begin(); peer != peers_.end();) {
    const auto deadline =
        settings_.drops_slow ? std::optional(steady_now() + settings_.patience) : std::nullopt;
    FLOWRUN_RETURN_IF_ERROR(write_text(*peer, batch));
    Status sent = tcp_send(peer->socket, text_of_batch_, wakeup_, deadline);
    if (!sent && sent.error().code == ErrorCode::cancelled) return sent;
    peer = sent ? std::next(peer) : peers_.erase(peer);
  }
  return {};
}

// When the server went away these rows are sent again, whole, once it is back.
Status SocketSink::send_to_server(const RecordBatch& batch) {
  const int64_t give_up_at = steady_now() + settings_.retry;
  int64_t next_pause = kFirstPause;
  while (true) {
    Status sent = peers_.empty() ? connect() : Status();
    if (sent) sent = write_text(peers_.front(), batch);
    if (sent) sent = tcp_send(peers_.front().socket, text_of_batch_, wakeup_);
    if (sent || sent.error().code != ErrorCode::unavailable) return sent;
    peers_.clear();
    if (steady_now() + next_pause > give_up_at) {
      return std::move(sent.error())
          .within(fmt::format("cannot write to {}", settings_.address.text()));
    }
    FLOWRUN_RETURN_IF_ERROR(wait_for_wakeup(wakeup_, steady_now() + next_pause));
    next_pause = std::min(2 * next_pause, kLongestPause);
  }
}

OperatorSpec spec() {
  using namespace option;
  OperatorSpec spec;
  spec.name = "socket";
  spec.summary =
      "Sends rows as lines over TCP: to a server, or to every reader that connects here.";
  spec.doc =
      "With `host` and `port` it is the client of one server, which must be there at the start; "
      "when it goes away "
      "later, it is tried again for as long as `retry` says. With `listen` it is the server of any "
      "number of "
      "readers: each gets the rows from when it connected on, and rows that nobody listens to are "
      "gone.\n\n"
      "Rows are sent as they come, not at the end of the epoch. Guarantee: at most once for "
      "readers; a server may "
      "see lines twice after it went away.";
  spec.options = together({
      {text("host", "The server's name or address.").with_default("127.0.0.1"),
       integer("port", "The server's port.").between(1, 65535),
       text("listen",
            "In place of host and port: where readers connect to, a port or host:port. Without a "
            "host only this "
            "machine can connect; 0.0.0.0:PORT opens it to the network."),
       word("on_slow", {"wait", "drop"},
            "listen: what becomes of a reader that does not keep up: all wait for it, or "
            "its connection is closed.")
           .with_default("wait"),
       duration("patience",
                "listen: with `on_slow: drop`, how long a reader may take for one batch.")
           .with_default("1 second"),
       duration("retry", "How long a server that went away is tried again.")
           .with_default("30 seconds")},
      row_text_option_specs(),
  });
  spec.examples = {
      {"Stairs to whoever wants them",
       "lines: { source: socket, port: 9999 }\n"
       "stairs: { from: lines, filter: \"value like '%stairs%'\" }\n"
       "feed: { from: stairs, sink: socket, listen: \"9998\", format: text, on_slow: drop }\n"}};
  return spec;
}

Result<std::unique_ptr<Sink>> make(const Options& options, const MakeContext& context) {
  SocketSinkOptions settings;
  FLOWRUN_TRY(TcpPlace place, read_tcp_place(options));
  settings.address = std::move(place.address);
  settings.listens = place.listens;
  settings.drops_slow = options.text_or("on_slow", "wait") == "drop";
  settings.patience = options.integer_or("patience", 1'000'000);
  settings.retry = options.integer_or("retry", 30'000'000);
  FLOWRUN_TRY(MakeRowText make_text, row_text_option(options, context));
  return std::make_unique<SocketSink>(std::move(settings), std::move(make_text));
}

}  // namespace

void register_socket_sink(Registry& registry) { registry.add_sink(spec(), make); }

}  // namespace flowrun
