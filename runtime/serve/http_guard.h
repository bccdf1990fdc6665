#pragma once
// HttpGuard: who may ask. Looked at before a handler sees a request that came over TCP; the Unix
// socket is guarded by the rights of its file.
//
// - Host must be a name of this server, so that a name that an attacker's DNS points here is
//   refused.
// - Origin, where there is one, must be this server's own or one that was allowed.
// - With a token or an authority for clients, every request but those for the page itself and for
//   health must bring the token, or come over a connection with a certificate of that authority.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "runtime/serve/http_message.h"

namespace flowrun {

struct ListenAddress {
  std::string host;  // as given, without the brackets of IPv6
  uint16_t port = 0;
  bool loopback = false;
};

// "127.0.0.1:8080", "localhost:0", "[::1]:8080", ":8080" (this machine only), "8080".
Result<ListenAddress> parse_listen_address(std::string_view text);

class HttpGuard {
 public:
  struct Options {
    ListenAddress address;
    std::string token;
    std::vector<std::string> hosts;
    std::vector<std::string> origins;
    bool tls = false;                  // it is https
    bool client_certificates = false;  // there is an authority for clients
  };
  explicit HttpGuard(Options options) : options_(std::move(options)) {}

  // The answer that refuses, or none. REQUIRES: the address has the port listened on.
  [[nodiscard]] std::optional<ApiResponse> refuse(const ApiRequest& request) const;
  // The origin that may read the answer, for Access-Control-Allow-Origin; empty: none.
  [[nodiscard]] std::string allowed_origin(const ApiRequest& request) const;

 private:
  [[nodiscard]] bool knows_host(std::string_view host) const;

  Options options_;
};

// {"error": {"message": ...}} with that status.
ApiResponse error_response(int status, const std::string& message);

}  // namespace flowrun
