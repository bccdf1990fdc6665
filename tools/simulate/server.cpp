#include "tools/simulate/server.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <chrono>
#include <deque>
#include <list>
#include <memory>
#include <vector>

#include "runtime/base/clock.h"
#include "tools/simulate/event_log.h"
#include "tools/simulate/pacer.h"

namespace flowrun::simulate {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;
using Batch = std::shared_ptr<std::string>;

constexpr size_t kQueueLimit = 4 << 20;    // bytes a client may lag behind
constexpr int64_t kShortestTick = 500;     // microseconds between two batches
constexpr int64_t kLargestBatch = 20'000;  // records
constexpr double kShownRate = 20;          // records a second that are shown one by one
constexpr int64_t kNanosPerMicro = 1000;
constexpr size_t kLongestRequest = 16 << 10;  // bytes of a request's head

// A piece of a body whose length is not known before.
std::string chunk_of(std::string_view text) {
  return text.empty() ? std::string() : fmt::format("{:x}\r\n{}\r\n", text.size(), text);
}

struct Client {
  explicit Client(tcp::socket connected) : socket(std::move(connected)) {}
  tcp::socket socket;
  std::string peer;
  std::deque<Batch> queue;
  size_t queued_bytes = 0;
  size_t writing = 0;  // batches at the queue's head that are being written
  bool leaves_when_written = false;
  std::string request;  // what came of its head
  char received[1024] = {};
};
using ClientPtr = std::shared_ptr<Client>;

class Server {
 public:
  Server(RecordStream& stream, const ServerOptions& options)
      : stream_(stream),
        options_(options),
        acceptor_(context_),
        timer_(context_),
        second_(context_),
        signals_(context_),
        log_(system_clock().now()) {}

  Status run();

 private:
  Status listen();
  void accept();
  void welcome(tcp::socket socket);
  void watch(const ClientPtr& client);
  void join(const ClientPtr& client);
  void read_request(const ClientPtr& client);
  void answer(const ClientPtr& client);
  void refuse(const ClientPtr& client, std::string_view status, std::string_view why);
  void queue(const ClientPtr& client, const Batch& batch);
  void show(int64_t records);
  void tick();
  void wait_until(int64_t when);
  void send(int64_t records);
  void write(const ClientPtr& client);
  void leave(const ClientPtr& client);
  void show_second();
  void end();
  Batch fresh_batch();
  [[nodiscard]] bool somebody_is_slow() const;
  void say(const std::string& text) const {
    if (!options_.quiet) fmt::print(stderr, "{}: {}\n", options_.name, text);
  }

  RecordStream& stream_;
  const ServerOptions& options_;
  asio::io_context context_{1};
  tcp::acceptor acceptor_;
  asio::steady_timer timer_;
  asio::steady_timer second_;
  asio::signal_set signals_;
  EventLog log_;
  std::string lines_;
  std::list<ClientPtr> clients_;  // that are sent every record
  std::vector<Batch> batches_;    // for reuse: one that no client holds is free
  std::unique_ptr<Pacer> pacer_;
  bool ticking_ = false;
  int64_t sent_ = 0;
  int64_t shown_ = 0;
};

Status Server::listen() {
  error_code error;
  const auto where = fmt::format("{}:{}", options_.host, options_.port);
  const auto address = asio::ip::make_address(options_.host, error);
  if (error) {
    return Error::invalid(
        fmt::format("`{}` is no address — write one such as 127.0.0.1 or 0.0.0.0", options_.host));
  }
  const tcp::endpoint endpoint(address, options_.port);
  if (!acceptor_.open(endpoint.protocol(), error))
    acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor_.bind(endpoint, error);
  if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
  if (error) return Error::io(fmt::format("cannot listen on {}: {}", where, error.message()));
  return ok_status();
}

Status Server::run() {
  FLOWRUN_RETURN_IF_ERROR(listen());
  const uint16_t port = acceptor_.local_endpoint().port();
  say(fmt::format("listening on {}:{}, {} records/s{}", options_.host, port, options_.rate,
                  options_.events_at.empty() ? "" : ", GET " + options_.events_at));
  if (options_.on_listening) options_.on_listening(port);
  signals_.add(SIGINT);
  signals_.add(SIGTERM);
  signals_.async_wait([this](const error_code& error, int) {
    if (!error) context_.stop();
  });
  accept();
  if (options_.show) show_second();
  context_.run();
  return ok_status();
}

void Server::accept() {
  acceptor_.async_accept([this](const error_code& error, tcp::socket socket) {
    if (error == asio::error::operation_aborted) return;
    if (!error) welcome(std::move(socket));
    accept();
  });
}

void Server::welcome(tcp::socket socket) {
  error_code error;
  auto client = std::make_shared<Client>(std::move(socket));
  const tcp::endpoint peer = client->socket.remote_endpoint(error);
  if (error) return;
  client->peer = fmt::format("{}:{}", peer.address().to_string(), peer.port());
  client->socket.set_option(tcp::no_delay(true), error);
  options_.events_at.empty() ? join(client) : read_request(client);
}

void Server::join(const ClientPtr& client) {
  clients_.push_back(client);
  watch(client);
  if (!ticking_) {
    pacer_ = std::make_unique<Pacer>(options_.rate, system_clock().monotonic());
    tick();
  }
}

void Server::read_request(const ClientPtr& client) {
  client->socket.async_read_some(
      asio::buffer(client->received), [this, client](const error_code& error, size_t bytes) {
        if (error) return leave(client);
        client->request.append(client->received, bytes);
        if (client->request.find("\r\n\r\n") != std::string::npos) return answer(client);
        if (client->request.size() > kLongestRequest)
          return refuse(client, "431 Request Header Fields Too Large", "the request is too long");
        read_request(client);
      });
}

void Server::answer(const ClientPtr& client) {
  http::request_parser<http::empty_body> parser;
  error_code error;
  parser.put(asio::buffer(client->request), error);
  if (error || !parser.is_header_done())
    return refuse(client, "400 Bad Request", "this is no HTTP");
  const auto& request = parser.get();
  const std::string_view target(request.target().data(), request.target().size());
  if (target.substr(0, target.find('?')) != options_.events_at)
    return refuse(client, "404 Not Found", "there is GET " + options_.events_at);
  if (request.method() != http::verb::get)
    return refuse(client, "405 Method Not Allowed", "there is GET " + options_.events_at);
  const auto id = request["Last-Event-ID"];
  std::string missed = ":ok\n\n";
  log_.append_after({id.data(), id.size()}, missed);
  queue(client, std::make_shared<std::string>(
                    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n"
                    "Cache-Control: no-cache\r\nTransfer-Encoding: chunked\r\n\r\n" +
                    chunk_of(missed)));
  join(client);
}

void Server::refuse(const ClientPtr& client, std::string_view status, std::string_view why) {
  client->leaves_when_written = true;
  queue(client, std::make_shared<std::string>(
                    fmt::format("HTTP/1.1 {}\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n"
                                "Connection: close\r\n\r\n{}\n",
                                status, why.size() + 1, why)));
}

// Reads what the client says, to learn that it is gone. One that only closed its writing half still
// reads.
void Server::watch(const ClientPtr& client) {
  client->socket.async_read_some(asio::buffer(client->received),
                                 [this, client](const error_code& error, size_t) {
                                   if (!error) return watch(client);
                                   if (error != asio::error::eof) leave(client);
                                 });
}

bool Server::somebody_is_slow() const {
  return std::ranges::any_of(
      clients_, [](const ClientPtr& client) { return client->queued_bytes > kQueueLimit; });
}

void Server::tick() {
  ticking_ = !clients_.empty();
  if (!ticking_) return;
  const int64_t now = system_clock().monotonic();
  if (options_.slow == Slow::drop || !somebody_is_slow()) {
    int64_t left = options_.count ? *options_.count - sent_ : kLargestBatch;
    if (options_.drop_every)
      left = std::min(left, *options_.drop_every - sent_ % *options_.drop_every);
    if (const int64_t due = pacer_->take(now, std::min(left, kLargestBatch)); due > 0) send(due);
    if (options_.count && sent_ >= *options_.count) return end();
    ticking_ = !clients_.empty();
    if (!ticking_) return;
  }
  wait_until(std::max(pacer_->next(), now + kShortestTick));
}

void Server::wait_until(int64_t when) {
  timer_.expires_after(std::chrono::microseconds(when - system_clock().monotonic()));
  timer_.async_wait([this](const error_code& error) {
    if (!error) tick();
  });
}

Batch Server::fresh_batch() {
  for (const Batch& batch : batches_) {
    if (batch.use_count() == 1) {
      batch->clear();
      return batch;
    }
  }
  return batches_.emplace_back(std::make_shared<std::string>());
}

void Server::send(int64_t records) {
  lines_.clear();
  stream_.append(lines_, records, system_clock().now() * kNanosPerMicro);
  sent_ += records;
  const bool cuts = options_.drop_every && sent_ % *options_.drop_every == 0;
  if (options_.show) show(records);
  const Batch batch = fresh_batch();
  if (options_.events_at.empty()) {
    *batch = lines_;
  } else {
    std::string events;
    log_.append(lines_, events);
    *batch = chunk_of(events);
    if (cuts) batch->erase(batch->size() - log_.newest_size() / 2);
  }
  const auto clients = clients_;  // dropping one changes the list
  for (const ClientPtr& client : clients) {
    if (cuts) client->leaves_when_written = true;
    queue(client, batch);
  }
  if (cuts) clients_.clear();
}

void Server::show(int64_t records) {
  if (options_.rate <= kShownRate)
    fmt::print("{}", lines_);
  else if (shown_ == 0)
    fmt::print("{}\n", std::string_view(lines_).substr(0, lines_.find('\n')));
  shown_ += records;
  std::fflush(stdout);
}

void Server::queue(const ClientPtr& client, const Batch& batch) {
  client->queue.push_back(batch);
  client->queued_bytes += batch->size();
  if (options_.slow == Slow::drop && client->queued_bytes > kQueueLimit) {
    say(fmt::format("{} reads too slowly and is dropped", client->peer));
    leave(client);
  } else if (client->writing == 0) {
    write(client);
  }
}

void Server::write(const ClientPtr& client) {
  constexpr size_t kBatchesPerWrite = 16;
  std::vector<asio::const_buffer> buffers;
  client->writing = std::min(client->queue.size(), kBatchesPerWrite);
  for (size_t i = 0; i < client->writing; ++i) buffers.push_back(asio::buffer(*client->queue[i]));
  asio::async_write(client->socket, buffers, [this, client](const error_code& error, size_t bytes) {
    if (error) return leave(client);
    client->queue.erase(client->queue.begin(),
                        client->queue.begin() + static_cast<ptrdiff_t>(client->writing));
    client->queued_bytes -= bytes;
    client->writing = 0;
    if (!client->queue.empty())
      write(client);
    else if (!acceptor_.is_open() || client->leaves_when_written)
      leave(client);
  });
}

void Server::leave(const ClientPtr& client) {
  error_code ignored;
  client->socket.shutdown(tcp::socket::shutdown_both, ignored);
  client->socket.close(ignored);
  clients_.remove(client);
  if (clients_.empty() && !acceptor_.is_open()) context_.stop();
}

// Each second a sample and the rate, for whoever looks on.
void Server::show_second() {
  second_.expires_after(std::chrono::seconds(1));
  second_.async_wait([this](const error_code& error) {
    if (error) return;
    if (options_.rate > kShownRate && shown_ > 0) {
      fmt::print("{} records/s, {} in all, {} clients\n", shown_, sent_, clients_.size());
      std::fflush(stdout);
    }
    shown_ = 0;
    show_second();
  });
}

// The last record was handed over: whoever still reads gets the rest.
void Server::end() {
  error_code ignored;
  acceptor_.close(ignored);
  say(fmt::format("sent {} records", sent_));
  const auto clients = clients_;
  for (const ClientPtr& client : clients) {
    if (!options_.events_at.empty())
      queue(client, std::make_shared<std::string>("0\r\n\r\n"));
    else if (client->queue.empty())
      leave(client);
  }
}

}  // namespace

Status serve(RecordStream& stream, const ServerOptions& options) {
  try {
    return Server(stream, options).run();
  } catch (const boost::system::system_error& error) {
    return Error::io(error.what());
  }
}

}  // namespace flowrun::simulate
