#pragma once
// HttpClient: one HTTP/1.1 request at a time, over a connection that is kept while it can be.
//
//   HttpClient client(settings, wakeup);
//   FLOWRUN_TRY(HttpHead head, client.start(url, {.fields = {{"Accept", "text/event-stream"}}}));
//   while (!client.ended()) {
//     FLOWRUN_TRY(size_t got, client.read(space));           // decoded: chunks joined, gzip undone
//     if (got == 0) FLOWRUN_TRY(bool ready, client.wait(deadline));
//   }
//
// Goes through the proxy that the settings name, follows redirects (private fields only within one
// origin, never from https to http), and sends a request anew when the kept connection turns out to
// be closed. Errors: `unavailable` when the peer is absent, slow, went away or does not speak HTTP
// (worth another try), `io` when it is not to be trusted or redirects without end, `data` when what
// it compressed is broken, `cancelled` after Wakeup::signal.

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/status.h"
#include "runtime/operator/http/net_stream.h"
#include "runtime/operator/http/proxy.h"
#include "runtime/operator/http/url.h"

namespace flowrun {

struct HttpField {
  std::string name;
  std::string value;
};

struct HttpRequest {
  std::string method = "GET";
  std::vector<HttpField> fields = {};          // beside Host, User-Agent, Accept-Encoding
  std::vector<HttpField> private_fields = {};  // the same, but not sent to another origin
  std::string_view body = {};                  // Content-Length is added where there is one
};

struct HttpHead {
  int status = 0;
  std::string reason;
  std::vector<HttpField> fields;
  Url url;  // where redirects led

  // The first field of that name, which does not mind case; empty if there is none.
  [[nodiscard]] std::string_view field(std::string_view name) const;
  [[nodiscard]] bool ok() const { return status >= 200 && status < 300; }
  // "answers 503 Service Unavailable"
  [[nodiscard]] std::string answer() const;
  // True when the same request may succeed later: 408, 425, 429 and what is wrong at the server.
  [[nodiscard]] bool worth_another_try() const;
  // Retry-After in microseconds, 0 if it is not there or no number of seconds; an hour at most.
  [[nodiscard]] int64_t retry_after() const;
};

struct HttpSettings {
  std::shared_ptr<const TlsContext> tls;
  ProxySettings proxies;
  int64_t timeout = 30'000'000;  // microseconds until connected, and until the head is there
};

// Not thread-safe. The wakeup must outlive it.
class HttpClient {
 public:
  HttpClient(HttpSettings settings, const Wakeup& wakeup);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // Sends the request and waits for the head of the answer. What was not read of the answer before
  // is dropped, with its connection.
  Result<HttpHead> start(const Url& url, const HttpRequest& request);
  // Bytes of the body that are there now: 0 when nothing is, or it has ended(). Never waits.
  Result<size_t> read(std::span<char> space);
  [[nodiscard]] bool ended() const;
  // Waits until something may be read; false when the deadline passed.
  Result<bool> wait(int64_t deadline);
  // What is left of the body; `data` if that is more than `most` bytes.
  Result<std::string> read_all(size_t most);
  // Bytes received since the last call, as they came over the wire.
  int64_t take_bytes_received();
  void disconnect();

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace flowrun
