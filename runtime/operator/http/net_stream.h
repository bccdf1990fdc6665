#pragma once
// NetStream: bytes to and from one peer, in the clear or through TLS.
//
//   FLOWRUN_TRY(Descriptor socket, tcp_connect({"example.org", 443}, wakeup));
//   NetStream stream(std::move(socket));
//   FLOWRUN_RETURN_IF_ERROR(stream.secure(*tls, "example.org", wakeup, deadline));
//
// Errors: `unavailable` when the peer went away or is too slow (worth another try), `io` when its
// certificate is not to be trusted, `cancelled` after Wakeup::signal.

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "runtime/base/status.h"
#include "runtime/operator/tcp.h"

namespace flowrun {

// Which certificates are trusted. Immutable; thread-safe.
class TlsContext {
 public:
  // Those of the system, or in their place those of a PEM file.
  static Result<std::shared_ptr<const TlsContext>> make(const std::string& ca_file);
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

 private:
  friend class NetStream;
  struct Parts;
  explicit TlsContext(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

// Not thread-safe.
class NetStream {
 public:
  // REQUIRES: the socket is connected and non-blocking.
  explicit NetStream(Descriptor socket);
  NetStream(NetStream&&) noexcept;
  NetStream& operator=(NetStream&&) noexcept;
  ~NetStream();

  // Begins TLS and checks that the certificate is trusted and names the host.
  Status secure(const TlsContext& tls, const std::string& host, const Wakeup& wakeup,
                int64_t deadline);

  // What is there now: 0 when nothing is, or the peer has closed(). Never waits.
  Result<size_t> receive(std::span<char> space);
  // The peer has said, in order, that nothing more will come.
  [[nodiscard]] bool closed() const { return closed_; }
  // Waits until something may be received; false when the deadline passed.
  Result<bool> wait(const Wakeup& wakeup, int64_t deadline);
  // All of it, waiting for the peer until the deadline.
  Status send(std::string_view bytes, const Wakeup& wakeup, int64_t deadline);

 private:
  struct Tls;
  // Waits for what TLS wants after it returned `result`; an error if it wants nothing.
  Status continue_tls(int result, const Wakeup& wakeup, int64_t deadline);
  Result<size_t> receive_secured(std::span<char> space);
  [[nodiscard]] Error tls_error() const;

  Descriptor socket_;
  std::unique_ptr<Tls> tls_;
  bool closed_ = false;
  bool wants_write_ = false;  // TLS cannot read on before it has written
};

}  // namespace flowrun
