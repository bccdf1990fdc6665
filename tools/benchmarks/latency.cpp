// Measures how long records take through `flowrun run tools/benchmarks/latency.yaml`:
//   latency RATE SECONDS      RATE 0: as fast as they are taken
// Listens on two ports, prints `ports IN OUT`, sends records stamped with their time on the first
// and reads what comes back on the second. Prints `records N p50 .. p90 .. p99 .. max .. rate ..`,
// microseconds and records a second; exits with 1 unless every record came back.

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

constexpr int64_t kMicrosPerSecond = 1'000'000;

// How many were sent.
size_t send_records(int socket, double rate, int64_t seconds) {
  constexpr int64_t kMost = 100'000, kAtOnce = 1000;
  constexpr std::chrono::microseconds kNap{50};
  const bool unpaced = rate == 0;
  flowrun::simulate::Pacer pacer(unpaced ? 1 : rate, now());
  const int64_t end = now() + seconds * kMicrosPerSecond;
  size_t sent = 0;
  std::string batch;
  while (now() < end) {
    batch.clear();
    const int64_t due = unpaced ? kAtOnce : pacer.take(now(), kMost);
    std::string stamp = std::to_string(now());
    for (int64_t i = 0; i < due; ++i) {
      if (!unpaced) stamp = std::to_string(now());
      batch.append("{\"sent\":").append(stamp).append(",\"x\":0.5}\n");
    }
    sent += static_cast<size_t>(due);
    for (std::string_view rest = batch; !rest.empty();) {
      const ssize_t size = ::send(socket, rest.data(), rest.size(), MSG_NOSIGNAL);
      if (size < 0) fail("send");
      rest.remove_prefix(static_cast<size_t>(size));
    }
    if (!unpaced) std::this_thread::sleep_for(kNap);
  }
  ::shutdown(socket, SHUT_WR);
  return sent;
}

struct Received {
  std::vector<int64_t> latencies;  // microseconds
  int64_t last = 0;                // when
};

// What comes in until the peer ends.
Received receive(int socket) {
  constexpr std::string_view kKey = "\"sent\":";
  Received all;
  std::string pending;
  std::vector<char> buffer(1 << 16);
  for (;;) {
    const ssize_t size = ::recv(socket, buffer.data(), buffer.size(), 0);
    if (size <= 0) break;
    all.last = now();
    pending.append(buffer.data(), static_cast<size_t>(size));
    size_t start = 0;
    for (size_t end = pending.find('\n'); end != std::string::npos;
         end = pending.find('\n', start)) {
      const size_t digits = pending.find(kKey, start);
      int64_t sent = 0;
      std::from_chars(pending.data() + digits + kKey.size(), pending.data() + end, sent);
      all.latencies.push_back(all.last - sent);
      start = end + 1;
    }
    pending.erase(0, start);
  }
  return all;
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
  Received received;
  std::thread receiver([&] { received = receive(accept_one(out.socket)); });
  const int sender = accept_one(in.socket);
  const int64_t began = now();
  const size_t sent = send_records(sender, std::strtod(arguments[1], nullptr),
                                   std::strtoll(arguments[2], nullptr, 10));
  receiver.join();
  std::vector<int64_t>& latencies = received.latencies;
  const int64_t took = received.last - began;
  std::sort(latencies.begin(), latencies.end());
  if (latencies.empty() || latencies.size() != sent) {
    std::fprintf(stderr, "latency: %zu of %zu records came back\n", latencies.size(), sent);
    return 1;
  }
  const auto at = [&](size_t percent) {
    return latencies[std::min(latencies.size() - 1, latencies.size() * percent / 100)];
  };
  const auto rate = static_cast<int64_t>(latencies.size()) * kMicrosPerSecond / took;
  std::printf("records %zu p50 %ld p90 %ld p99 %ld max %ld rate %ld\n", latencies.size(), at(50),
              at(90), at(99), latencies.back(), rate);
  return 0;
}
