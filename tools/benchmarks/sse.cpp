// The server of `tools/bench sse`:
//   sse EVENTS BYTES
// Listens on a free port and prints it; sends so many server-sent events of so many bytes to the
// first client, each in an HTTP chunk of its own, as fast as they are taken, and answers the second
// with 204.

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

namespace {

[[noreturn]] void fail(const char* what) {
  std::perror(what);
  std::exit(1);
}

int listen_on_free_port() {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (::bind(listener, generic, size) != 0 || ::listen(listener, 1) != 0 ||
      ::getsockname(listener, generic, &size) != 0)
    fail("listen");
  std::printf("port %d\n", ntohs(address.sin_port));
  std::fflush(stdout);
  return listener;
}

// The next client, once its request was read.
int accept_one(int listener) {
  const int client = ::accept(listener, nullptr, nullptr);
  if (client < 0) fail("accept");
  std::string request;
  char piece[4096];
  while (request.find("\r\n\r\n") == std::string::npos) {
    const ssize_t got = ::recv(client, piece, sizeof piece, 0);
    if (got <= 0) fail("recv");
    request.append(piece, static_cast<size_t>(got));
  }
  return client;
}

void send_all(int client, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(client, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0) fail("send");
    bytes.remove_prefix(static_cast<size_t>(sent));
  }
}

std::string event_of(size_t bytes) {
  std::string event = "event: message\nid: 0123456789\ndata: {\"text\":\"";
  constexpr std::string_view kEnd = "\"}\n\n";
  event.append(std::max(bytes, event.size() + kEnd.size()) - event.size() - kEnd.size(), 'x');
  return event.append(kEnd);
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 3) return 2;
  const int64_t events = std::atoll(arguments[1]);
  const std::string event = event_of(static_cast<size_t>(std::atoll(arguments[2])));
  char length[32];
  std::snprintf(length, sizeof length, "%zx\r\n", event.size());
  const std::string one = length + event + "\r\n";
  constexpr int64_t kAtOnce = 256;
  std::string many;
  for (int64_t i = 0; i < kAtOnce; ++i) many += one;

  const int listener = listen_on_free_port();
  const int client = accept_one(listener);
  send_all(client,
           "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: "
           "chunked\r\n\r\n");
  for (int64_t left = events; left > 0; left -= kAtOnce) {
    const auto now = static_cast<size_t>(std::min(left, kAtOnce));
    send_all(client, std::string_view(many).substr(0, now * one.size()));
  }
  send_all(client, "0\r\n\r\n");
  ::close(client);
  const int second = accept_one(listener);
  send_all(second, "HTTP/1.1 204 No Content\r\n\r\n");
  ::close(second);
}
