#include "tools/simulate/server.h"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio.hpp>
#include <chrono>
#include <deque>
#include <list>
#include <memory>
#include <vector>

#include "runtime/base/clock.h"
#include "tools/simulate/pacer.h"

namespace flowrun::simulate {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using Batch = std::shared_ptr<std::string>;

constexpr size_t kQueueLimit = 4 << 20;    // bytes a client may lag behind
constexpr int64_t kShortestTick = 500;     // microseconds between two batches
constexpr int64_t kLargestBatch = 20'000;  // records
constexpr double kShownRate = 20;          // records a second that are shown one by one
constexpr int64_t kNanosPerMicro = 1000;

struct Client {
  explicit Client(tcp::socket connected) : socket(std::move(connected)) {}
  tcp::socket socket;
  std::string peer;
  std::deque<Batch> queue;
  size_t queued_bytes = 0;
  size_t writing = 0;  // batches at the queue's head that are being written
  char ignored[64] = {};
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
        signals_(context_) {}

  Status run();

 private:
  Status listen();
  void accept();
  void welcome(tcp::socket socket);
  void watch(const ClientPtr& client);
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
  std::list<ClientPtr> clients_;
  std::vector<Batch> batches_;  // for reuse: one that no client holds is free
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
  say(fmt::format("listening on {}:{}, {} records/s", options_.host, port, options_.rate));
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
  clients_.push_back(client);
  watch(client);
  if (!ticking_) {
    pacer_ = std::make_unique<Pacer>(options_.rate, system_clock().monotonic());
    tick();
  }
}

// Reads what the client says, to learn that it is gone. One that only closed its writing half still
// reads.
void Server::watch(const ClientPtr& client) {
  client->socket.async_read_some(asio::buffer(client->ignored),
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
    const int64_t left = options_.count ? *options_.count - sent_ : kLargestBatch;
    if (const int64_t due = pacer_->take(now, std::min(left, kLargestBatch)); due > 0) send(due);
    if (options_.count && sent_ >= *options_.count) return end();
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
  const Batch batch = fresh_batch();
  stream_.append(*batch, records, system_clock().now() * kNanosPerMicro);
  sent_ += records;
  if (options_.show) {
    const bool all = options_.rate <= kShownRate;
    if (all)
      fmt::print("{}", *batch);
    else if (shown_ == 0)
      fmt::print("{}\n", std::string_view(*batch).substr(0, batch->find('\n')));
    shown_ += records;
    std::fflush(stdout);
  }
  const auto clients = clients_;  // dropping one changes the list
  for (const ClientPtr& client : clients) {
    client->queue.push_back(batch);
    client->queued_bytes += batch->size();
    if (options_.slow == Slow::drop && client->queued_bytes > kQueueLimit) {
      say(fmt::format("{} reads too slowly and is dropped", client->peer));
      leave(client);
    } else if (client->writing == 0) {
      write(client);
    }
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
    else if (!acceptor_.is_open())
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
    if (client->queue.empty()) leave(client);
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
