#include "runtime/operator/http/post_receiver.h"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <cerrno>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "runtime/operator/http/inflate.h"

namespace flowrun {

namespace {

namespace http = boost::beast::http;
using Parser = http::request_parser<http::string_body>;

constexpr int64_t kPatience = 60'000'000;  // microseconds of silence until a client is let go
constexpr int64_t kLinger = 2'000'000;     // until a client must have read its refusal
constexpr uint32_t kMostHead = 16 << 10;
constexpr size_t kReceive = 64 << 10;
constexpr size_t kMostUnsent = 64 << 10;  // answers; who does not read them is not read from either
constexpr const char* kRetryAfter = "Retry-After: 1\r\n";

struct Client {
  Client(Descriptor socket_in, std::string peer_in)
      : socket(std::move(socket_in)), peer(std::move(peer_in)) {}
  Descriptor socket;
  std::string peer;
  std::string received;  // not parsed yet
  std::string to_send;
  std::optional<Parser> parser;
  int64_t reserved = 0;  // bytes of the buffer that its request takes
  int64_t heard_at = 0;
  bool told_to_continue = false;
  bool leaving = false;  // is closed when everything is sent, and read by the client or so
  int64_t linger_until = 0;
  bool gone = false;
};

std::string answer_text(std::string_view status, std::string_view more, std::string_view body,
                        bool keeps) {
  return fmt::format(
      "HTTP/1.1 {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n{}{}\r\n{}", status,
      body.size(), more, keeps ? "" : "Connection: close\r\n", body);
}

bool same_secret(std::string_view given, std::string_view wanted) {
  return given.size() == wanted.size() &&
         CRYPTO_memcmp(given.data(), wanted.data(), wanted.size()) == 0;
}

// The whole of a gzip body; none if it is broken, or longer than `most`.
std::optional<std::string> unpacked(std::string_view packed, size_t most) {
  Inflate inflate;
  std::string out(std::min<size_t>(most + 1, 64 << 10), '\0');
  size_t size = 0;
  while (true) {
    auto made = inflate.read(packed, std::span(out).subspan(size));
    if (!made) return std::nullopt;
    size += *made;
    if (size > most) return std::nullopt;
    if (packed.empty() && (inflate.at_end() || size < out.size())) break;
    if (size == out.size()) out.resize(std::min(2 * out.size(), most + 1));
  }
  if (!inflate.at_end()) return std::nullopt;
  out.resize(size);
  return out;
}

}  // namespace

struct PostReceiver::Parts {
  explicit Parts(PostReceiverOptions options_in) : options(std::move(options_in)) {}

  void serve();
  void wait();
  void accept();
  void receive(Client& client);
  void parse(Client& client);
  bool judge_head(Client& client);
  bool reserve(Client& client);
  void finish(Client& client);
  void refuse(Client& client, std::string_view status, std::string_view why,
              std::string_view more = {});
  void send(Client& client) const;
  static void linger(Client& client);
  void begin_request(Client& client) const;
  void release(Client& client);

  PostReceiverOptions options;
  Wakeup stop;
  Descriptor listener;
  std::thread thread;
  // Of the thread alone.
  std::vector<std::unique_ptr<Client>> clients;
  std::vector<pollfd> waits;
  // Shared.
  std::mutex mutex;
  std::deque<Posted> posted;
  int64_t buffered = 0;  // bytes in `posted` and of requests that are being received
  Descriptor arrived{eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)};
};

PostReceiver::PostReceiver(PostReceiverOptions options)
    : parts_(std::make_unique<Parts>(std::move(options))) {}

PostReceiver::~PostReceiver() {
  parts_->stop.signal();
  if (parts_->thread.joinable()) parts_->thread.join();
}

Status PostReceiver::open() {
  if (!parts_->arrived) return Error::from_errno("cannot make an event", errno);
  FLOWRUN_TRY(parts_->listener, tcp_listen(parts_->options.address));
  parts_->thread = std::thread([parts = parts_.get()] { parts->serve(); });
  return {};
}

Result<std::optional<PostReceiver::Posted>> PostReceiver::take(const Wakeup& wakeup,
                                                               int64_t deadline) {
  while (true) {
    {
      const std::lock_guard lock(parts_->mutex);
      if (!parts_->posted.empty()) {
        Posted first = std::move(parts_->posted.front());
        parts_->posted.pop_front();
        parts_->buffered -= static_cast<int64_t>(first.body.size());
        return std::optional(std::move(first));
      }
      uint64_t count = 0;
      static_cast<void>(!::read(parts_->arrived.get(), &count, sizeof count));
    }
    FLOWRUN_TRY(const bool ready, wait_for_socket(parts_->arrived, true, wakeup, deadline));
    if (!ready) return std::optional<Posted>();
  }
}

void PostReceiver::Parts::serve() {
  while (!stop.signalled()) {
    wait();
    for (const auto& client : clients) {
      if (!client->leaving && !client->gone) parse(*client);
      if (!client->gone) send(*client);
      if (client->leaving && client->to_send.empty()) linger(*client);
      if (steady_now() - client->heard_at > kPatience) client->gone = true;
      if (client->gone) release(*client);
    }
    std::erase_if(clients, [](const auto& client) { return client->gone; });
  }
}

void PostReceiver::Parts::wait() {
  constexpr int64_t kLookAround = 1'000'000;
  waits.clear();
  waits.push_back({stop.fd(), POLLIN, 0});
  for (const auto& client : clients) {
    const int reads = client->to_send.size() < kMostUnsent ? POLLIN : 0;
    const auto events = static_cast<short>(reads | (client->to_send.empty() ? 0 : POLLOUT));
    waits.push_back({client->socket.get(), events, 0});
  }
  const bool accepts = std::ssize(clients) < kMostClients;
  if (accepts) waits.push_back({listener.get(), POLLIN, 0});
  if (poll(waits.data(), waits.size(), poll_timeout(steady_now() + kLookAround)) <= 0) return;
  for (size_t i = 0; i < clients.size(); ++i) {
    if ((waits[i + 1].revents & ~POLLOUT) != 0) receive(*clients[i]);
  }
  if (accepts && waits.back().revents != 0) accept();
}

void PostReceiver::Parts::accept() {
  std::string peer;
  while (std::ssize(clients) < kMostClients) {
    auto socket = tcp_accept(listener, peer);
    if (!socket) return;
    clients.push_back(std::make_unique<Client>(std::move(*socket), peer));
    clients.back()->heard_at = steady_now();
    begin_request(*clients.back());
  }
}

void PostReceiver::Parts::begin_request(Client& client) const {
  client.parser.emplace();
  client.parser->header_limit(kMostHead);
  client.parser->body_limit(static_cast<uint64_t>(options.most_body));
  client.told_to_continue = false;
}

void PostReceiver::Parts::receive(Client& client) {
  const size_t before = client.received.size();
  client.received.resize(before + kReceive);
  const ssize_t got = recv(client.socket.get(), client.received.data() + before, kReceive, 0);
  client.received.resize(before + static_cast<size_t>(std::max<ssize_t>(got, 0)));
  if (got > 0) client.heard_at = steady_now();
  const bool nothing_yet = got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR);
  if (got <= 0 && !nothing_yet) client.gone = true;
  if (client.leaving) client.received.clear();  // what follows a refused head is read and dropped
}

void PostReceiver::Parts::parse(Client& client) {
  while (!client.received.empty() && !client.leaving && client.to_send.size() < kMostUnsent) {
    boost::system::error_code error;
    const bool had_head = client.parser->is_header_done();
    const size_t used = client.parser->put(boost::asio::buffer(client.received), error);
    client.received.erase(0, used);
    if (error == http::error::body_limit) {
      return refuse(client, "413 Content Too Large",
                    fmt::format("a body holds {} bytes at most", options.most_body));
    }
    if (error && error != http::error::need_more)
      return refuse(client, "400 Bad Request", error.message());
    if (!had_head && client.parser->is_header_done() && !judge_head(client)) return;
    if (client.parser->is_header_done() && !reserve(client)) return;
    if (client.parser->is_done()) {
      finish(client);
    } else if (used == 0) {
      return;
    }
  }
}

bool PostReceiver::Parts::judge_head(Client& client) {
  const auto& request = client.parser->get();
  const auto field = [&](const char* name) {
    const auto value = request[name];
    return std::string_view(value.data(), value.size());
  };
  const std::string_view target(request.target().data(), request.target().size());
  const auto no = [&](std::string_view status, std::string_view why, std::string_view more = {}) {
    refuse(client, status, why, more);
    return false;
  };
  if (options.token.empty() && !field("Origin").empty())
    return no("403 Forbidden", "a web page may post here only with a token");
  if (!options.token.empty() && !same_secret(field("Authorization"), "Bearer " + options.token))
    return no("401 Unauthorized", "the token is missing or wrong", "WWW-Authenticate: Bearer\r\n");
  if (target.substr(0, target.find('?')) != options.path)
    return no("404 Not Found", "post to " + options.path);
  if (request.method() != http::verb::post)
    return no("405 Method Not Allowed", "only POST is taken", "Allow: POST\r\n");
  const std::string_view encoding = field("Content-Encoding");
  if (!encoding.empty() && encoding != "identity" && encoding != "gzip")
    return no("415 Unsupported Media Type", "the body may be plain or gzip",
              "Accept-Encoding: gzip\r\n");
  if (const auto length = client.parser->content_length();
      length && *length > static_cast<uint64_t>(options.most_body)) {
    return no("413 Content Too Large",
              fmt::format("a body holds {} bytes at most", options.most_body));
  }
  if (field("Expect") == "100-continue" && !client.told_to_continue) {
    client.told_to_continue = true;
    client.to_send += "HTTP/1.1 100 Continue\r\n\r\n";
  }
  return true;
}

// Takes room for what the request is known to need by now; refuses it when there is none.
bool PostReceiver::Parts::reserve(Client& client) {
  const auto here = static_cast<int64_t>(client.parser->get().body().size());
  const auto announced = static_cast<int64_t>(client.parser->content_length().value_or(0));
  const int64_t wanted = std::max({here, announced, int64_t{1}});
  if (wanted <= client.reserved) return true;
  {
    const std::lock_guard lock(mutex);
    // An empty buffer takes a body of any permitted length.
    const int64_t others = buffered - client.reserved;
    if (others == 0 || others + wanted <= options.most_buffered) {
      buffered = others + wanted;
      client.reserved = wanted;
      return true;
    }
  }
  refuse(client, "429 Too Many Requests", "the pipeline is behind: post again later", kRetryAfter);
  return false;
}

void PostReceiver::Parts::finish(Client& client) {
  auto& request = client.parser->get();
  const bool keeps = request.keep_alive();
  std::string body = std::move(request.body());
  if (request[http::field::content_encoding] == "gzip") {
    auto plain = unpacked(body, static_cast<size_t>(options.most_body));
    if (!plain) {
      return refuse(client, "400 Bad Request",
                    fmt::format("the body is no gzip of {} bytes at most", options.most_body));
    }
    body = std::move(*plain);
  }
  const auto size = static_cast<int64_t>(body.size());
  {
    const std::lock_guard lock(mutex);
    buffered += size - std::exchange(client.reserved, 0);
    posted.push_back({client.peer, std::move(body)});
    const uint64_t one = 1;
    static_cast<void>(!::write(arrived.get(), &one, sizeof one));
  }
  client.to_send += answer_text("202 Accepted", {}, fmt::format("{{\"bytes\":{}}}\n", size), keeps);
  client.leaving = !keeps;
  begin_request(client);
}

void PostReceiver::Parts::refuse(Client& client, std::string_view status, std::string_view why,
                                 std::string_view more) {
  release(client);
  client.to_send += answer_text(status, more, fmt::format("{{\"error\":\"{}\"}}\n", why), false);
  client.leaving = true;
  client.received.clear();
}

void PostReceiver::Parts::release(Client& client) {
  if (client.reserved == 0) return;
  const std::lock_guard lock(mutex);
  buffered -= std::exchange(client.reserved, 0);
}

// Closing at once what the client still writes to would take the answer from it.
void PostReceiver::Parts::linger(Client& client) {
  if (client.linger_until == 0) {
    client.linger_until = steady_now() + kLinger;
    shutdown(client.socket.get(), SHUT_WR);
  } else if (steady_now() >= client.linger_until) {
    client.gone = true;
  }
}

void PostReceiver::Parts::send(Client& client) const {
  while (!client.to_send.empty()) {
    const ssize_t sent =
        ::send(client.socket.get(), client.to_send.data(), client.to_send.size(), MSG_NOSIGNAL);
    if (sent > 0) {
      client.to_send.erase(0, static_cast<size_t>(sent));
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      return;
    } else if (errno != EINTR) {
      client.gone = true;
      return;
    }
  }
}

}  // namespace flowrun
