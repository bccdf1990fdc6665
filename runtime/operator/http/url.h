#pragma once
// Url: where an HTTP request goes.
//
//   FLOWRUN_TRY(Url url, parse_url("https://stream.wikimedia.org/v2/stream/recentchange"));
//   url.host;      // "stream.wikimedia.org"
//   url.target;    // "/v2/stream/recentchange"

#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/base/status.h"

namespace flowrun {

struct Url {
  bool secure = false;  // https
  std::string host;     // a name or an address, an IPv6 one without brackets
  uint16_t port = 80;
  std::string target = "/";  // path and query, encoded; what a request line names
  std::string user_info;     // "name:password", decoded; empty: none

  // "host", or "host:port" where the port is not the scheme's own: the header Host.
  [[nodiscard]] std::string authority() const;
  // "https://host:443": equal for two URLs that one connection serves.
  [[nodiscard]] std::string origin() const;
  // As it may be shown: without the user's name and password.
  [[nodiscard]] std::string text() const;
};

// Of scheme http or https, with a host. `invalid` otherwise.
Result<Url> parse_url(std::string_view text);
// A redirect's Location, which may be relative to the URL that gave it.
Result<Url> resolve_url(const Url& base, std::string_view reference);

}  // namespace flowrun
