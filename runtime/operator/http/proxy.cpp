#include "runtime/operator/http/proxy.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>

namespace flowrun {

namespace {

std::string variable(const char* lower, const char* upper) {
  const char* value = std::getenv(lower);  // NOLINT(concurrency-mt-unsafe)
  if (!value) value = std::getenv(upper);  // NOLINT(concurrency-mt-unsafe)
  return value ? value : "";
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(), [](unsigned char c) { return std::tolower(c); });
  return out;
}

bool is_this_machine(std::string_view host) {
  return host == "localhost" || host.ends_with(".localhost") || host.starts_with("127.") ||
         host == "::1";
}

std::string_view trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

bool covers(std::string_view entry, const std::string& host, uint16_t port) {
  if (entry == "*") return true;
  if (const size_t colon = entry.rfind(':');
      colon != std::string_view::npos && entry.find(':') == colon) {
    if (entry.substr(colon + 1) != std::to_string(port)) return false;
    entry = entry.substr(0, colon);
  }
  if (entry.starts_with("*.")) entry.remove_prefix(1);
  if (entry.starts_with('.')) entry.remove_prefix(1);
  if (entry.empty()) return false;
  const std::string name = lower(entry);
  return host == name || host.ends_with("." + name);
}

}  // namespace

ProxySettings ProxySettings::from_environment() {
  return {variable("http_proxy", "HTTP_PROXY"), variable("https_proxy", "HTTPS_PROXY"),
          variable("no_proxy", "NO_PROXY")};
}

Result<std::optional<Url>> ProxySettings::proxy_for(const Url& url) const {
  const std::string& setting = url.secure ? https : http;
  const std::string host = lower(url.host);
  if (setting.empty() || is_this_machine(host)) return std::optional<Url>();
  for (size_t at = 0; at <= none.size();) {
    const size_t comma = std::min(none.find(',', at), none.size());
    if (covers(trimmed(std::string_view(none).substr(at, comma - at)), host, url.port))
      return std::optional<Url>();
    at = comma + 1;
  }
  const bool has_scheme = setting.find("://") != std::string::npos;
  auto proxy = parse_url(has_scheme ? setting : "http://" + setting);
  if (!proxy || proxy->secure) {
    return Error::invalid(
        fmt::format("{}_PROXY is no URL of a proxy — write one such as http://proxy.example:3128",
                    url.secure ? "HTTPS" : "HTTP"));
  }
  return std::optional<Url>(std::move(*proxy));
}

}  // namespace flowrun
