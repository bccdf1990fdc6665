#include "runtime/operator/tcp.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <climits>
#include <cstring>
#include <memory>
#include <system_error>

#include "runtime/base/check.h"

namespace flowrun {

namespace {

constexpr int64_t kConnectPatience =
    10'000'000;  // microseconds until a silent host counts as absent
constexpr int kWaitingConnections = 128;

std::string reason_of(int error) { return std::generic_category().message(error); }

using AddressList = std::unique_ptr<addrinfo, decltype(&freeaddrinfo)>;

Result<AddressList> resolve(const TcpAddress& address, bool listening) {
  addrinfo wish{};
  wish.ai_family = AF_UNSPEC;
  wish.ai_socktype = SOCK_STREAM;
  wish.ai_flags = AI_NUMERICSERV | (listening ? AI_PASSIVE : 0);
  addrinfo* found = nullptr;
  const std::string port = std::to_string(address.port);
  if (const int error = getaddrinfo(address.host.c_str(), port.c_str(), &wish, &found);
      error != 0) {
    return Error::unavailable(
        fmt::format("cannot find the host `{}`: {}", address.host, gai_strerror(error)));
  }
  return AddressList(found, &freeaddrinfo);
}

Descriptor open_socket(const addrinfo& address) {
  return Descriptor(socket(address.ai_family, address.ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC,
                           address.ai_protocol));
}

void set_option(const Descriptor& socket, int level, int option) {
  const int on = 1;
  static_cast<void>(setsockopt(socket.get(), level, option, &on, sizeof on));
}

// Small pieces go out at once, and a peer whose machine vanished is noticed in the end.
void set_stream_options(const Descriptor& socket) {
  set_option(socket, IPPROTO_TCP, TCP_NODELAY);
  set_option(socket, SOL_SOCKET, SO_KEEPALIVE);
}

Error connect_error(const TcpAddress& address, int error) {
  if (error == ECONNREFUSED) {
    return Error::unavailable(fmt::format("{} refuses the connection", address.text()));
  }
  if (error == ETIMEDOUT) {
    return Error::unavailable(fmt::format("{} does not answer", address.text()));
  }
  return Error::unavailable(
      fmt::format("cannot connect to {}: {}", address.text(), reason_of(error)));
}

// 0, or why this address did not take the connection.
Result<int> connect_one(const Descriptor& socket, const addrinfo& address, const Wakeup& wakeup) {
  if (connect(socket.get(), address.ai_addr, address.ai_addrlen) == 0) return 0;
  if (errno != EINPROGRESS) return errno;
  FLOWRUN_TRY(const bool answered,
              wait_for_socket(socket, false, wakeup, steady_now() + kConnectPatience));
  if (!answered) return ETIMEDOUT;
  int error = 0;
  socklen_t size = sizeof error;
  getsockopt(socket.get(), SOL_SOCKET, SO_ERROR, &error, &size);
  return error;
}

std::string address_text(const sockaddr_storage& address, socklen_t size) {
  std::array<char, NI_MAXHOST> host{};
  std::array<char, NI_MAXSERV> port{};
  if (getnameinfo(reinterpret_cast<const sockaddr*>(&address), size, host.data(), host.size(),
                  port.data(), port.size(), NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
    return "an unknown peer";
  }
  const bool six = std::strchr(host.data(), ':') != nullptr;
  return six ? fmt::format("[{}]:{}", host.data(), port.data())
             : fmt::format("{}:{}", host.data(), port.data());
}

}  // namespace

void Descriptor::reset() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

Wakeup::Wakeup() : event_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  FLOWRUN_CHECK(event_, "the process has a file descriptor left for an event");
}

void Wakeup::signal() {
  const uint64_t one = 1;
  static_cast<void>(!::write(event_.get(), &one, sizeof one));
}

bool Wakeup::signalled() const {
  pollfd wait{event_.get(), POLLIN, 0};
  return poll(&wait, 1, 0) == 1;
}

std::string TcpAddress::text() const {
  return host.find(':') == std::string::npos ? fmt::format("{}:{}", host, port)
                                             : fmt::format("[{}]:{}", host, port);
}

Result<TcpAddress> parse_tcp_address(std::string_view text) {
  const auto refuse = [&] {
    return Error::invalid(fmt::format(
        "`{}` is no address — write a port, or a host and a port: 9999, 0.0.0.0:9999", text));
  };
  const size_t colon = text.rfind(':');
  std::string_view host = colon == std::string_view::npos ? "" : text.substr(0, colon);
  const std::string_view port = colon == std::string_view::npos ? text : text.substr(colon + 1);
  if (host.size() >= 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    return refuse();
  }
  uint16_t number = 0;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
  if (error != std::errc() || end != port.data() + port.size() || number == 0) return refuse();
  return TcpAddress{host.empty() ? "127.0.0.1" : std::string(host), number};
}

Result<TcpPlace> read_tcp_place(const Options& options) {
  const OptionValue* listen = options.find("listen");
  const OptionValue* port = options.find("port");
  if (listen && port) {
    return Error::invalid(
               "`listen` and `port` exclude each other — write `host` and `port` to connect to a "
               "server, or `listen` to be one")
        .at(listen->position);
  }
  if (!listen && !port) {
    return Error::invalid(
        "a port is missing — write `port: 9999` to connect to a server, or `listen: 9999` to be "
        "one");
  }
  if (port) {
    return TcpPlace{{options.text_or("host", "127.0.0.1"), static_cast<uint16_t>(port->integer)},
                    false};
  }
  auto address = parse_tcp_address(listen->text);
  if (!address) return listen->place(std::move(address.error()));
  return TcpPlace{std::move(*address), true};
}

Result<Descriptor> tcp_connect(const TcpAddress& address, const Wakeup& wakeup) {
  FLOWRUN_TRY(const AddressList addresses, resolve(address, false));
  int last_error = ECONNREFUSED;
  for (const addrinfo* at = addresses.get(); at; at = at->ai_next) {
    Descriptor socket = open_socket(*at);
    if (!socket) return Error::from_errno("cannot open a socket", errno);
    FLOWRUN_TRY(last_error, connect_one(socket, *at, wakeup));
    if (last_error == 0) {
      set_stream_options(socket);
      return socket;
    }
  }
  return connect_error(address, last_error);
}

namespace {

Error cannot_listen(const TcpAddress& address) {
  return Error::from_errno(fmt::format("cannot listen on {}", address.text()), errno);
}

// A socket that has the address and does not listen yet. Fails where somebody else listens.
Result<Descriptor> tcp_bind(const TcpAddress& address) {
  auto addresses = resolve(address, true);
  if (!addresses) return Error::io(addresses.error().message);
  const addrinfo& first = **addresses;
  Descriptor socket = open_socket(first);
  if (!socket) return Error::from_errno("cannot open a socket", errno);
  set_option(socket, SOL_SOCKET, SO_REUSEADDR);
  if (bind(socket.get(), first.ai_addr, first.ai_addrlen) != 0) return cannot_listen(address);
  return socket;
}

}  // namespace

Result<Descriptor> tcp_listen(const TcpAddress& address) {
  FLOWRUN_TRY(Descriptor socket, tcp_bind(address));
  if (listen(socket.get(), kWaitingConnections) != 0) return cannot_listen(address);
  return socket;
}

Status tcp_may_listen(const TcpAddress& address) {
  FLOWRUN_TRY(const Descriptor socket, tcp_bind(address));
  return {};
}

Status tcp_may_open(const TcpAddress& address, bool listens, const Wakeup& wakeup) {
  if (listens) return tcp_may_listen(address);
  FLOWRUN_TRY(const Descriptor socket, tcp_connect(address, wakeup));
  return {};
}

std::optional<Descriptor> tcp_accept(const Descriptor& listener, std::string& peer) {
  sockaddr_storage from{};
  socklen_t size = sizeof from;
  Descriptor socket(accept4(listener.get(), reinterpret_cast<sockaddr*>(&from), &size,
                            SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (!socket) return std::nullopt;
  set_stream_options(socket);
  peer = address_text(from, size);
  return socket;
}

Result<bool> wait_for_socket(const Descriptor& socket, bool readable, const Wakeup& wakeup,
                             std::optional<int64_t> deadline) {
  while (true) {
    std::array<pollfd, 2> waits{
        {{wakeup.fd(), POLLIN, 0},
         {socket.get(), static_cast<short>(readable ? POLLIN : POLLOUT), 0}}};
    const int ready = poll(waits.data(), waits.size(), deadline ? poll_timeout(*deadline) : -1);
    if (ready < 0 && errno != EINTR) return Error::from_errno("cannot wait for a socket", errno);
    if (ready <= 0 && deadline && steady_now() >= *deadline) return false;
    if (ready <= 0) continue;
    if (waits[0].revents != 0) return Error::cancelled();
    return true;
  }
}

Result<bool> wait_for_wakeup(const Wakeup& wakeup, int64_t deadline) {
  pollfd wait{wakeup.fd(), POLLIN, 0};
  while (steady_now() < deadline) {
    if (poll(&wait, 1, poll_timeout(deadline)) == 1) return Error::cancelled();
  }
  return false;
}

Status tcp_send(const Descriptor& socket, std::string_view bytes, const Wakeup& wakeup,
                std::optional<int64_t> deadline) {
  while (!bytes.empty()) {
    const ssize_t sent = send(socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent >= 0) {
      bytes.remove_prefix(static_cast<size_t>(sent));
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      FLOWRUN_TRY(const bool ready, wait_for_socket(socket, false, wakeup, deadline));
      if (!ready) return Error::unavailable("the reader is too slow");
    } else if (errno != EINTR) {
      return Error::unavailable(reason_of(errno));
    }
  }
  return {};
}

int64_t steady_now() {
  using namespace std::chrono;
  return duration_cast<microseconds>(steady_clock::now().time_since_epoch()).count();
}

int poll_timeout(int64_t deadline) {
  const int64_t left = std::max<int64_t>(0, deadline - steady_now());
  return static_cast<int>(std::min<int64_t>((left + 999) / 1000, INT_MAX));
}

}  // namespace flowrun
