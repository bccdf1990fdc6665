#include "runtime/serve/http_server.h"

#include <fmt/format.h>
#include <pthread.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <deque>
#include <set>
#include <thread>

#include "runtime/columnar/type.h"
#include "runtime/serve/wire.h"

namespace flowrun {

namespace {

namespace net = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using Protocol = Wire::Protocol;
using Socket = Wire::Socket;
using boost::system::error_code;

constexpr size_t kMostEventsWaiting = 16;  // per stream; older ones are left out
constexpr size_t kMostHandlersWaiting = 64;
// As `top -H` and measurements of what serving costs show them.
constexpr const char* kThreadName = "serve";
constexpr std::chrono::seconds kHeartbeat{15};
constexpr std::chrono::milliseconds kFarewell{300};

class Session;

class BeastServer final : public HttpServer {
 public:
  BeastServer(HttpServerOptions options, Handler handler)
      : options_(std::move(options)),
        handler_(std::move(handler)),
        pool_(options_.handler_threads),
        tcp_(io_),
        local_(io_),
        heartbeat_(io_) {
    if (options_.tcp) guard_.emplace(*options_.tcp);
  }
  ~BeastServer() override { stop(); }

  Status open();
  [[nodiscard]] uint16_t port() const override { return port_; }
  void publish(std::string event) override;
  [[nodiscard]] size_t connections() const override { return connections_; }
  [[nodiscard]] size_t streams() const override { return streams_; }
  void stop() override;

 private:
  friend class Session;
  Status open_tcp();
  Status open_local();
  template <class Acceptor>
  void accept(Acceptor& acceptor, bool local);
  void beat();
  [[nodiscard]] TlsContext tls_context();

  HttpServerOptions options_;
  Handler handler_;
  std::optional<HttpGuard> guard_;
  net::io_context io_{1};
  net::executor_work_guard<net::io_context::executor_type> work_{io_.get_executor()};
  net::thread_pool pool_;
  net::ip::tcp::acceptor tcp_;
  net::local::stream_protocol::acceptor local_;
  net::steady_timer heartbeat_;
  std::set<Session*> sessions_;  // of the io thread alone
  std::atomic<size_t> connections_{0};
  std::atomic<size_t> streams_{0};
  std::atomic<size_t> handlers_waiting_{0};
  std::atomic<bool> stopping_{false};
  uint16_t port_ = 0;
  std::string bound_path_;
  std::thread thread_;
};

// One connection. All but the handler runs on the io thread; whoever has a step outstanding keeps
// it alive.
class Session final : public std::enable_shared_from_this<Session> {
 public:
  Session(BeastServer& server, Protocol::socket socket, bool local)
      : server_(server),
        tls_(local ? nullptr : server.tls_context()),
        wire_(std::move(socket), tls_.get()),
        stream_(wire_.socket()),
        local_(local) {
    server_.sessions_.insert(this);
    ++server_.connections_;
  }
  ~Session() {
    gone();
    server_.sessions_.erase(this);
    --server_.connections_;
    if (streaming_) --server_.streams_;
  }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  void start() {
    stream_.expires_after(std::chrono::seconds(server_.options_.step_seconds));
    wire_.shake_hands([self = shared_from_this()](error_code failure) {
      if (failure) return self->close();
      self->certified_ = self->wire_.certified();
      self->read();
    });
  }

  void read() {
    parser_.emplace();
    parser_->header_limit(static_cast<std::uint32_t>(server_.options_.max_header_bytes));
    parser_->body_limit(server_.options_.max_body_bytes);
    const int64_t patience = answered_ && buffer_.size() == 0 ? server_.options_.idle_seconds
                                                              : server_.options_.step_seconds;
    stream_.expires_after(std::chrono::seconds(patience));
    http::async_read(
        wire_, buffer_, *parser_,
        [self = shared_from_this()](error_code failure, size_t) { self->on_read(failure); });
  }

  // An event for a connection that has become a stream.
  void send_event(const std::shared_ptr<const std::string>& event) {
    if (!streaming_ || events_left_ == 0) return;
    // A beat of the heart is none.
    if (events_left_ > 0 && !event->starts_with(':')) --events_left_;
    queue_event(event);
  }

  void queue_event(const std::shared_ptr<const std::string>& event) {
    if (events_.size() >= kMostEventsWaiting) events_.erase(events_.begin() + (writing_ ? 1 : 0));
    events_.push_back(event);
    if (!writing_) write_event();
  }

  void close() {
    gone();
    wire_.close(shared_from_this());
  }

 private:
  void gone() {
    if (cancelled_) cancelled_->store(true);
  }

  void on_read(error_code failure) {
    if (failure) return on_bad_read(failure);
    const auto& message = parser_->get();
    auto request = std::make_shared<ApiRequest>();
    request->method = message.method_string();
    for (const auto& field : message)
      request->headers[lower_name({field.name_string().data(), field.name_string().size()})] =
          field.value();
    request->body = std::move(parser_->get().body());
    request->certified = certified_;
    keep_alive_ = message.keep_alive();
    head_ = message.method() == http::verb::head;
    if (head_) request->method = "GET";
    version_ = message.version();
    const std::string target(message.target());
    if (Status split = split_target(target, *request); !split)
      return respond(error_response(400, split.error().message));
    if (!local_ && server_.guard_) {
      allowed_origin_ = server_.guard_->allowed_origin(*request);
      if (auto refused = server_.guard_->refuse(*request)) return respond(std::move(*refused));
    }
    if (request->method == "OPTIONS") return respond(preflight());
    handle(std::move(request));
  }

  void on_bad_read(error_code failure) {
    // What is too large or no HTTP is told; who went away or was too slow is not.
    keep_alive_ = false;
    if (failure == http::error::body_limit)
      return respond(error_response(413, "the request is too large"));
    if (failure == http::error::header_limit)
      return respond(error_response(431, "the headers are too large"));
    const bool nonsense =
        failure.category() == http::make_error_code(http::error::bad_method).category() &&
        failure != http::error::end_of_stream && failure != http::error::partial_message;
    if (nonsense) return respond(error_response(400, "this is not HTTP/1.1"));
    close();
  }

  [[nodiscard]] ApiResponse preflight() const {
    ApiResponse response;
    response.status = 204;
    response.headers = {{"Allow", "GET, HEAD, POST, OPTIONS"}};
    if (!allowed_origin_.empty()) {
      response.headers.emplace_back("Access-Control-Allow-Methods", "GET, POST");
      response.headers.emplace_back("Access-Control-Allow-Headers", "Authorization, Content-Type");
    }
    return response;
  }

  void handle(std::shared_ptr<ApiRequest> request) {
    if (server_.handlers_waiting_ >= kMostHandlersWaiting)
      return respond(error_response(503, "too many requests wait — try again later"));
    ++server_.handlers_waiting_;
    cancelled_ = std::make_shared<std::atomic<bool>>(false);
    request->cancelled = cancelled_;
    stream_.expires_never();
    net::post(server_.pool_, [self = shared_from_this(), request = std::move(request)]() mutable {
      pthread_setname_np(pthread_self(), kThreadName);
      ApiResponse response = self->server_.stopping_ ? error_response(503, "the pipeline is ending")
                                                     : self->server_.handler_(*request);
      --self->server_.handlers_waiting_;
      // The session dies on the io thread: nothing of it may be left here.
      net::io_context& io = self->server_.io_;
      net::post(io, [self = std::move(self), response = std::move(response)]() mutable {
        self->respond(std::move(response));
      });
    });
  }

  void respond(ApiResponse response) {
    auto message = std::make_shared<http::response<http::string_body>>();
    message->version(version_);
    message->result(static_cast<unsigned>(response.status));
    message->set(http::field::content_type, response.content_type);
    message->set(http::field::cache_control, "no-store");
    message->set("X-Content-Type-Options", "nosniff");
    message->set("Cross-Origin-Resource-Policy", "same-origin");
    message->set("Referrer-Policy", "no-referrer");
    for (const auto& [name, value] : response.headers) message->set(name, value);
    if (!allowed_origin_.empty()) {
      message->set(http::field::access_control_allow_origin, allowed_origin_);
      message->set("Cross-Origin-Resource-Policy", "cross-origin");
      message->set(http::field::vary, "Origin");
    }
    if (response.events && !head_) return begin_stream(*message, std::move(response));
    message->keep_alive(keep_alive_);
    const size_t length = response.body.size();
    if (!head_) message->body() = std::move(response.body);
    message->prepare_payload();
    if (head_) message->content_length(length);
    stream_.expires_after(std::chrono::seconds(server_.options_.step_seconds));
    const auto written = [self = shared_from_this(), message](error_code failure, size_t) {
      self->answered_ = true;
      if (failure || !self->keep_alive_ || self->server_.stopping_) return self->close();
      self->read();
    };
    if (head_) {
      auto serializer = std::make_shared<http::response_serializer<http::string_body>>(*message);
      http::async_write_header(
          wire_, *serializer,
          [written, serializer](error_code failure, size_t bytes) { written(failure, bytes); });
    } else {
      http::async_write(wire_, *message, written);
    }
  }

  // The head has no length: the stream ends when the connection does.
  void begin_stream(const http::response<http::string_body>& message, ApiResponse response) {
    if (server_.streams_ * 2 > server_.options_.max_connections) {
      return respond(error_response(503, "too many streams of events — try again later"));
    }
    std::string head = "HTTP/1.1 200 OK\r\nConnection: close\r\n";
    for (const auto& field : message)
      head += std::string(field.name_string()) + ": " + std::string(field.value()) + "\r\n";
    streaming_ = true;
    ++server_.streams_;
    if (response.most_events > 0) events_left_ = response.most_events - 1;
    // What is read from now on has no deadline, what is written has.
    stream_.expires_never();
    watch();
    queue_event(std::make_shared<const std::string>(head + "\r\n" + response.body));
  }

  void write_event() {
    if (!stream_.socket().is_open()) return;
    if (events_.empty() && events_left_ == 0) return close();
    if (events_.empty()) return;
    writing_ = true;
    stream_.expires_after(std::chrono::seconds(server_.options_.step_seconds));
    net::async_write(
        wire_, net::buffer(*events_.front()),
        [self = shared_from_this(), event = events_.front()](error_code failure, size_t) {
          self->writing_ = false;
          if (failure) return self->close();
          self->events_.pop_front();
          self->stream_.expires_never();
          self->write_event();
        });
  }

  // A client that goes away is noticed by reading, though it has nothing to say.
  void watch() {
    auto byte = std::make_shared<std::array<char, 256>>();
    wire_.async_read_some(net::buffer(*byte),
                          [self = shared_from_this(), byte](error_code failure, size_t) {
                            if (failure) return self->close();
                            self->watch();
                          });
  }

  BeastServer& server_;
  TlsContext tls_;  // as it was when this connection began
  Wire wire_;
  Socket& stream_;
  bool local_;
  bool certified_ = false;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
  std::shared_ptr<std::atomic<bool>> cancelled_;
  std::string allowed_origin_;
  unsigned version_ = 11;
  bool keep_alive_ = false;
  bool head_ = false;
  bool answered_ = false;
  bool streaming_ = false;
  bool writing_ = false;
  int64_t events_left_ = -1;  // until the stream ends; -1: it does not
  std::deque<std::shared_ptr<const std::string>> events_;
};

Status BeastServer::open() {
  if (options_.tcp) FLOWRUN_RETURN_IF_ERROR(open_tcp());
  if (!options_.socket_path.empty()) FLOWRUN_RETURN_IF_ERROR(open_local());
  beat();
  thread_ = std::thread([this] {
    pthread_setname_np(pthread_self(), kThreadName);
    io_.run();
  });
  return ok_status();
}

Status BeastServer::open_tcp() {
  const ListenAddress& address = options_.tcp->address;
  const auto failed = [&](const error_code& failure) {
    return Error::io(
        fmt::format("serve: cannot listen on {}:{}: {} — choose another port, or 0 for a free one",
                    address.host, address.port, failure.message()));
  };
  error_code failure;
  net::ip::tcp::resolver resolver(io_);
  const auto found = resolver.resolve(address.host, std::to_string(address.port),
                                      net::ip::tcp::resolver::passive, failure);
  if (failure) return failed(failure);
  const net::ip::tcp::endpoint endpoint = *found.begin();
  tcp_.open(endpoint.protocol(), failure);
  if (failure) return failed(failure);
  tcp_.set_option(net::socket_base::reuse_address(true), failure);
  tcp_.bind(endpoint, failure);
  if (failure) return failed(failure);
  tcp_.listen(net::socket_base::max_listen_connections, failure);
  if (failure) return failed(failure);
  port_ = tcp_.local_endpoint(failure).port();
  HttpGuard::Options guard = *options_.tcp;
  guard.address.port = port_;
  guard_.emplace(std::move(guard));
  accept(tcp_, false);
  return ok_status();
}

Status BeastServer::open_local() {
  const std::string& path = options_.socket_path;
  const auto failed = [&](const error_code& failure) {
    return Error::io(fmt::format("serve: cannot listen on {}: {}", path, failure.message()));
  };
  if (path.size() >= sizeof(sockaddr_un::sun_path))
    return Error::io(fmt::format(
        "serve: the socket's path is too long: {} — set `serve: {{ socket: PATH }}`", path));
  struct stat found {};
  if (lstat(path.c_str(), &found) == 0) {
    if (!S_ISSOCK(found.st_mode))
      return Error::io(
          fmt::format("serve: {} is there and no socket — remove it or name another path", path));
    unlink(path.c_str());
  }
  error_code failure;
  local_.open(net::local::stream_protocol(), failure);
  if (failure) return failed(failure);
  // Nobody but this user may connect, from the first moment on.
  fchmod(local_.native_handle(), S_IRUSR | S_IWUSR);
  local_.bind(net::local::stream_protocol::endpoint(path), failure);
  if (failure) return failed(failure);
  bound_path_ = path;
  local_.listen(net::socket_base::max_listen_connections, failure);
  if (failure) return failed(failure);
  accept(local_, true);
  return ok_status();
}

template <class Acceptor>
void BeastServer::accept(Acceptor& acceptor, bool local) {
  auto socket = std::make_shared<Protocol::socket>(io_);
  acceptor.async_accept(*socket, [this, &acceptor, socket, local](error_code failure) {
    if (!acceptor.is_open()) return;
    if (failure) {
      // Out of descriptors, most likely: breathe before the next try.
      auto pause = std::make_shared<net::steady_timer>(io_, std::chrono::milliseconds(100));
      pause->async_wait([this, &acceptor, pause, local](error_code stopped) {
        if (!stopped) accept(acceptor, local);
      });
      return;
    }
    if (connections_ < options_.max_connections)
      std::make_shared<Session>(*this, std::move(*socket), local)->start();
    accept(acceptor, local);
  });
}

// For one connection. The files are small and looked at seldom: the io thread reads them itself.
TlsContext BeastServer::tls_context() {
  return options_.tls ? options_.tls->current(options_.on_log) : nullptr;
}

void BeastServer::beat() {
  heartbeat_.expires_after(kHeartbeat);
  heartbeat_.async_wait([this](error_code failure) {
    // A beat that was due when the timer was cancelled comes without a failure.
    if (failure || stopping_) return;
    publish(": still here\n\n");
    beat();
  });
}

void BeastServer::publish(std::string event) {
  if (streams_ == 0) return;
  net::post(io_, [this, event = std::make_shared<const std::string>(std::move(event))] {
    for (Session* session : std::set<Session*>(sessions_)) session->send_event(event);
  });
}

void BeastServer::stop() {
  if (stopping_.exchange(true)) return;
  if (!thread_.joinable()) return;
  net::post(io_, [this] {
    error_code ignored;
    tcp_.close(ignored);
    local_.close(ignored);
    heartbeat_.cancel();
    if (!bound_path_.empty()) unlink(bound_path_.c_str());
    // What was published before is on its way; whoever takes longer is cut off.
    auto farewell = std::make_shared<net::steady_timer>(
        io_, sessions_.empty() ? std::chrono::milliseconds(0) : kFarewell);
    farewell->async_wait([this, farewell](error_code) {
      for (Session* session : std::set<Session*>(sessions_)) session->close();
    });
  });
  pool_.join();
  // Handlers have answered, if only to closed connections; now the thread may run out of work.
  work_.reset();
  thread_.join();
}

}  // namespace

Result<std::unique_ptr<HttpServer>> HttpServer::start(HttpServerOptions options, Handler handler) {
  auto server = std::make_unique<BeastServer>(std::move(options), std::move(handler));
  FLOWRUN_RETURN_IF_ERROR(server->open());
  return std::unique_ptr<HttpServer>(std::move(server));
}

}  // namespace flowrun
