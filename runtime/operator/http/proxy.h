#pragma once
// ProxySettings: through which proxy a request goes, as the environment says.
//
// HTTP_PROXY and HTTPS_PROXY name the proxy of each scheme, NO_PROXY hosts that are reached without
// one; in lower case they come first. This machine itself is never reached through a proxy.

#include <optional>
#include <string>

#include "runtime/operator/http/url.h"

namespace flowrun {

struct ProxySettings {
  std::string http;   // a URL, or host:port
  std::string https;  // the same
  // Parted by commas: a name (which covers those below it, with or without a dot before it), an
  // address, either with :port, or * for all.
  std::string none;

  static ProxySettings from_environment();
  // None: the request goes to its host. `invalid` if the setting is no URL of a plain proxy.
  [[nodiscard]] Result<std::optional<Url>> proxy_for(const Url& url) const;
};

}  // namespace flowrun
