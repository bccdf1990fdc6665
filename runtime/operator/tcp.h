#pragma once
// TCP for sources and sinks that own their thread: blocking calls that a Wakeup ends from any other
// thread.
//
//   Wakeup wakeup;
//   FLOWRUN_TRY(Descriptor peer, tcp_connect({"127.0.0.1", 9999}, wakeup));
//
// Errors: `unavailable` when the peer is absent, refuses or went away (worth another try), `io`
// when this machine refuses (port in use), `cancelled` after Wakeup::signal.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "runtime/base/status.h"
#include "runtime/operator/options.h"

namespace flowrun {

// A file descriptor that closes itself.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Descriptor() { reset(); }
  void reset();
  [[nodiscard]] int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

// Once signalled it stays so, and every wait on it ends. Thread-safe.
class Wakeup {
 public:
  Wakeup();
  void signal();
  [[nodiscard]] int fd() const { return event_.get(); }
  [[nodiscard]] bool signalled() const;

 private:
  Descriptor event_;
};

struct TcpAddress {
  std::string host;
  uint16_t port = 0;
  [[nodiscard]] std::string text() const;  // "127.0.0.1:9999", "[::1]:9999"
};

// "9999", ":9999", "127.0.0.1:9999", "[::1]:9999"; without a host it is 127.0.0.1.
Result<TcpAddress> parse_tcp_address(std::string_view text);

// Where the options `host` and `port`, or `listen`, say that the peer is. Exactly one of the forms
// must be written.
struct TcpPlace {
  TcpAddress address;
  bool listens = false;
};
Result<TcpPlace> read_tcp_place(const Options& options);

// A connected, non-blocking socket.
Result<Descriptor> tcp_connect(const TcpAddress& address, const Wakeup& wakeup);
// A listening, non-blocking socket.
Result<Descriptor> tcp_listen(const TcpAddress& address);
// Whether it could be had; takes no connection, not even for a moment.
Status tcp_may_listen(const TcpAddress& address);
// The same of either end: whether it may listen there, or somebody answers.
Status tcp_may_open(const TcpAddress& address, bool listens, const Wakeup& wakeup);
// The next connection that waits, non-blocking; none if nobody waits. `peer` becomes its address.
std::optional<Descriptor> tcp_accept(const Descriptor& listener, std::string& peer);

// Waits until the socket can be written (or `readable`: read), at most until `deadline` in
// microseconds of the steady clock; false when that passed.
Result<bool> wait_for_socket(const Descriptor& socket, bool readable, const Wakeup& wakeup,
                             std::optional<int64_t> deadline = std::nullopt);
// Waits for the signal; false when the deadline passed before it.
Result<bool> wait_for_wakeup(const Wakeup& wakeup, int64_t deadline);
// Writes all of it, waiting for the peer, at most until the deadline. Never raises SIGPIPE.
Status tcp_send(const Descriptor& socket, std::string_view bytes, const Wakeup& wakeup,
                std::optional<int64_t> deadline = std::nullopt);

// Microseconds of the steady clock, the scale of Deadline.
int64_t steady_now();
// What is left until `deadline`, as poll takes it: milliseconds rounded up, never negative.
int poll_timeout(int64_t deadline);

}  // namespace flowrun
