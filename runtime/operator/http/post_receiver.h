#pragma once
// PostReceiver: takes what clients POST, on a thread of its own, until somebody collects it.
//
//   PostReceiver receiver({.address = {"127.0.0.1", 8081}, .path = "/"});
//   FLOWRUN_RETURN_IF_ERROR(receiver.open());
//   std::optional<PostReceiver::Posted> posted = receiver.take(wakeup, deadline);
//
// A request is answered with 202 once its whole body stands in the buffer, or not taken at all:
//   429 with Retry-After  the buffer is full: nobody collects as fast as is posted
//   413                   the body is longer than `most_body`
//   401, 403              the token is missing or wrong; the request comes from a web page (it has
//   an
//                         Origin) and there is no token
//   404, 405, 415, 400    another path or method, an encoding other than gzip, no HTTP
// Connections are kept. One that says nothing for a minute is closed; no more than kMostClients are
// accepted at a time. Bodies that are still being received count as part of the buffer.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "runtime/base/status.h"
#include "runtime/operator/tcp.h"

namespace flowrun {

struct PostReceiverOptions {
  TcpAddress address;
  std::string path = "/";
  std::string token;                 // empty: none is asked for
  int64_t most_body = 8 << 20;       // bytes of one request, unpacked
  int64_t most_buffered = 32 << 20;  // bytes that wait to be collected
};

class PostReceiver {
 public:
  static constexpr int64_t kMostClients = 256;

  struct Posted {
    std::string peer;
    std::string body;
  };

  explicit PostReceiver(PostReceiverOptions options);
  ~PostReceiver();  // ends the thread and closes every connection
  PostReceiver(const PostReceiver&) = delete;
  PostReceiver& operator=(const PostReceiver&) = delete;

  // Listens and starts the thread. `io` when this machine refuses.
  Status open();
  // The body that came first of those that wait; none if the deadline passed. `cancelled` after
  // Wakeup::signal. One caller at a time.
  Result<std::optional<Posted>> take(const Wakeup& wakeup, int64_t deadline);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace flowrun
