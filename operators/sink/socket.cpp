// sink: socket. Rows as lines over TCP, to one server or to every reader that connects.

#include <fmt/format.h>

#include <algorithm>
#include <list>
#include <memory>
#include <utility>

#include "runtime/operator/option_specs.h"
#include "runtime/operator/registry.h"
#include "runtime/operator/row_text.h"
#include "runtime/operator/tcp.h"

namespace flowrun {

namespace {

constexpr int64_t kFirstPause =
    50'000;  // between tries to connect again, in microseconds; doubled each time
constexpr int64_t kLongestPause = 1'000'000;

struct Peer {
  Descriptor socket;
  std::string name;
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
  SocketSink(SocketSinkOptions settings, Options options, const TimeZone& zone)
      : settings_(std::move(settings)), options_(std::move(options)), zone_(zone) {}

  Status bind(const SinkInput& input) override {
    FLOWRUN_TRY(text_, make_row_text(options_, input.schema, zone_));
    return {};
  }
  [[nodiscard]] bool accepts(OutputMode, bool) const override { return true; }
  Status open(std::optional<Token>) override;
  Status write(EpochId epoch, const RecordBatch& batch) override;
  Result<Token> prepare(EpochId) override { return Token{}; }
  Status commit(EpochId, const Token&) override { return {}; }
  Status abort(EpochId) override { return {}; }
  void close() override {
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
  Status send_to_server();
  Status send_to_readers();
  Status greet(Peer& peer);

  SocketSinkOptions settings_;
  Options options_;
  const TimeZone& zone_;
  std::unique_ptr<RowText> text_;
  Wakeup wakeup_;
  Descriptor listener_;
  std::list<Peer> peers_;  // the server alone, or all readers
  std::string lines_;
};

Status SocketSink::open(std::optional<Token>) {
  if (!settings_.listens) return connect();
  FLOWRUN_TRY(listener_, tcp_listen(settings_.address));
  return {};
}

Status SocketSink::connect() {
  FLOWRUN_TRY(Descriptor socket, tcp_connect(settings_.address, wakeup_));
  peers_.push_back({std::move(socket), settings_.address.text()});
  return greet(peers_.back());
}

Status SocketSink::greet(Peer& peer) {
  std::string header;
  text_->append_header(header);
  return tcp_send(peer.socket, header, wakeup_);
}

Status SocketSink::write(EpochId, const RecordBatch& batch) {
  lines_.clear();
  text_->append_lines(batch, lines_);
  if (!settings_.listens) return send_to_server();
  FLOWRUN_RETURN_IF_ERROR(accept_readers());
  return send_to_readers();
}

Status SocketSink::accept_readers() {
  Peer peer;
  while (auto socket = tcp_accept(listener_, peer.name)) {
    peer.socket = std::move(*socket);
    Status greeted = greet(peer);
    if (!greeted && greeted.error().code == ErrorCode::cancelled) return greeted;
    if (greeted) peers_.push_back(std::move(peer));
    peer = {};
  }
  return {};
}

// A reader that went away is no error. One that is slow is waited for, or let go.
Status SocketSink::send_to_readers() {
  for (auto peer = peers_.begin(); peer != peers_.end();) {
    const auto deadline =
        settings_.drops_slow ? std::optional(steady_now() + settings_.patience) : std::nullopt;
    Status sent = tcp_send(peer->socket, lines_, wakeup_, deadline);
    if (!sent && sent.error().code == ErrorCode::cancelled) return sent;
    peer = sent ? std::next(peer) : peers_.erase(peer);
  }
  return {};
}

// When the server went away these lines are sent again, whole, once it is back.
Status SocketSink::send_to_server() {
  const int64_t give_up_at = steady_now() + settings_.retry;
  int64_t next_pause = kFirstPause;
  while (true) {
    Status sent = peers_.empty() ? connect() : Status();
    if (sent) sent = tcp_send(peers_.front().socket, lines_, wakeup_);
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
  FLOWRUN_TRY(const TimeZone* zone, find_time_zone(context.expressions->timezone));
  return std::make_unique<SocketSink>(std::move(settings), options, *zone);
}

}  // namespace

void register_socket_sink(Registry& registry) { registry.add_sink(spec(), make); }

}  // namespace flowrun
