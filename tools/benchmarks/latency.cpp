// Measures how long records take through `flowrun run tools/benchmarks/latency.yaml`:
//   latency RATE SECONDS
// Listens on two ports, prints `ports IN OUT`, sends records stamped with their time on the first
// and reads what comes back on the second. Prints `records N p50 .. p90 .. p99 .. max ..`,
// microseconds.

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "tools/simulate/pacer.h"

namespace {

int64_t now() {
  using namespace std::chrono;
  return duration_cast<microseconds>(steady_clock::now().time_since_epoch()).count();
}

[[noreturn]] void fail(const char* what) {
  std::perror(what);
  std::exit(1);
}

struct Listener {
  int socket;
  uint16_t port;
};

Listener listen_on_free_port() {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  if (::bind(listener, generic, size) != 0 || ::listen(listener, 1) != 0 ||
      ::getsockname(listener, generic, &size) != 0)
    fail("listen");
  return {listener, ntohs(address.sin_port)};
}

int accept_one(int listener) {
  const int connected = ::accept(listener, nullptr, nullptr);
  if (connected < 0) fail("accept");
  const int one = 1;
  ::setsockopt(connected, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  return connected;
}

void send_records(int socket, double rate, int64_t seconds) {
  constexpr int64_t kMicrosPerSecond = 1'000'000, kMost = 100'000;
  constexpr std::chrono::microseconds kNap{50};
  flowrun::simulate::Pacer pacer(rate, now());
  const int64_t end = now() + seconds * kMicrosPerSecond;
  std::string batch;
  while (now() < end) {
    batch.clear();
    for (int64_t due = pacer.take(now(), kMost); due > 0; --due)
      batch += "{\"sent\":" + std::to_string(now()) + ",\"x\":0.5}\n";
    if (!batch.empty() && ::send(socket, batch.data(), batch.size(), MSG_NOSIGNAL) < 0)
      fail("send");
    std::this_thread::sleep_for(kNap);
  }
  ::shutdown(socket, SHUT_WR);
}

// The latencies of what comes in until the peer ends, microseconds.
std::vector<int64_t> receive(int socket) {
  constexpr std::string_view kKey = "\"sent\":";
  std::vector<int64_t> latencies;
  std::string pending;
  std::vector<char> buffer(1 << 16);
  for (;;) {
    const ssize_t size = ::recv(socket, buffer.data(), buffer.size(), 0);
    if (size <= 0) break;
    const int64_t received = now();
    pending.append(buffer.data(), static_cast<size_t>(size));
    size_t start = 0;
    for (size_t end = pending.find('\n'); end != std::string::npos;
         end = pending.find('\n', start)) {
      const size_t digits = pending.find(kKey, start);
      int64_t sent = 0;
      std::from_chars(pending.data() + digits + kKey.size(), pending.data() + end, sent);
      latencies.push_back(received - sent);
      start = end + 1;
    }
    pending.erase(0, start);
  }
  return latencies;
}

}  // namespace

int main(int count, char** arguments) {
  if (count != 3) {
    std::fputs("latency RATE SECONDS\n", stderr);
    return 2;
  }
  const Listener in = listen_on_free_port(), out = listen_on_free_port();
  std::printf("ports %d %d\n", in.port, out.port);
  std::fflush(stdout);
  std::vector<int64_t> latencies;
  std::thread receiver([&] { latencies = receive(accept_one(out.socket)); });
  send_records(accept_one(in.socket), std::strtod(arguments[1], nullptr),
               std::strtoll(arguments[2], nullptr, 10));
  receiver.join();
  std::sort(latencies.begin(), latencies.end());
  if (latencies.empty()) {
    std::fputs("latency: nothing came back\n", stderr);
    return 1;
  }
  const auto at = [&](size_t percent) {
    return latencies[std::min(latencies.size() - 1, latencies.size() * percent / 100)];
  };
  std::printf("records %zu p50 %ld p90 %ld p99 %ld max %ld\n", latencies.size(), at(50), at(90),
              at(99), latencies.back());
  return 0;
}
