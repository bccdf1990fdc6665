#pragma once
// HttpServer: HTTP/1.1 on a TCP port, a Unix socket, or both.
//
//   FLOWRUN_TRY(auto server, HttpServer::start(options, [](const ApiRequest& request) { ... }));
//   server->publish("event: epoch\ndata: {}\n\n");   // to every stream of events
//
// One thread does all reading and writing; handlers run on a few others. Every connection has a
// time limit for each step, a bound on what it may send, and streams a bound on what waits for
// them: a reader that is too slow misses events, and is cut off when it takes nothing at all.

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "runtime/exec/progress.h"
#include "runtime/serve/http_guard.h"
#include "runtime/serve/http_message.h"
#include "runtime/serve/tls.h"

namespace flowrun {

struct HttpServerOptions {
  std::optional<HttpGuard::Options> tcp;
  std::shared_ptr<TlsCertificates> tls;  // of the TCP port; null: plain HTTP
  std::string socket_path;  // empty: none. Its folder exists; what stands there is replaced.
  size_t max_connections = 256;
  size_t max_header_bytes = 16 << 10;
  size_t max_body_bytes = 1 << 20;
  size_t handler_threads = 3;
  int64_t step_seconds = 30;                         // to send a request, to take an answer
  int64_t idle_seconds = 75;                         // between requests
  std::function<void(const LogEvent&)> on_log = {};  // from the server's thread
};

// Thread-safe.
class HttpServer {
 public:
  // Called from several threads at once; may block.
  using Handler = std::function<ApiResponse(const ApiRequest&)>;

  // Errors: `io`, the address or path cannot be listened on.
  static Result<std::unique_ptr<HttpServer>> start(HttpServerOptions options, Handler handler);
  virtual ~HttpServer() = default;

  // The port listened on; 0 without one.
  [[nodiscard]] virtual uint16_t port() const = 0;
  // Sends an event, as it stands on the wire, to every stream.
  virtual void publish(std::string event) = 0;
  [[nodiscard]] virtual size_t connections() const = 0;
  [[nodiscard]] virtual size_t streams() const = 0;
  // Closes everything, what streams have still to get first (a short while). The destructor does
  // too.
  virtual void stop() = 0;
};

}  // namespace flowrun
