#include "runtime/operator/http/url.h"

#include <fmt/format.h>

// Boost.URL compiled in here, so that no library of it is needed.
#include <boost/url.hpp>
#include <boost/url/src.hpp>
#include <charconv>

namespace flowrun {

namespace {

namespace urls = boost::urls;

constexpr uint16_t kPlainPort = 80, kSecurePort = 443;

// The text is not repeated: it may hold a password, or be a secret as a whole.
Error not_a_url() {
  return Error::invalid("this is no URL of a server — write one such as https://example.org/path");
}

std::string bracketed(const std::string& host) {
  return host.find(':') == std::string::npos ? host : "[" + host + "]";
}

Result<Url> read(const urls::url_view& parsed) {
  Url url;
  if (parsed.scheme_id() == urls::scheme::https) {
    url.secure = true;
  } else if (parsed.scheme_id() != urls::scheme::http) {
    return not_a_url();
  }
  if (!parsed.has_authority() || parsed.encoded_host().empty()) {
    return not_a_url();
  }
  url.host = parsed.host_address();
  url.port = url.secure ? kSecurePort : kPlainPort;
  if (const std::string port(parsed.port()); !port.empty()) {
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), url.port);
    if (error != std::errc() || url.port == 0) return not_a_url();
  }
  url.target = parsed.encoded_path().empty() ? "/" : std::string(parsed.encoded_path());
  if (parsed.has_query()) url.target += "?" + std::string(parsed.encoded_query());
  url.user_info = parsed.userinfo();
  return url;
}

}  // namespace

std::string Url::authority() const {
  const bool usual = port == (secure ? kSecurePort : kPlainPort);
  return usual ? bracketed(host) : fmt::format("{}:{}", bracketed(host), port);
}

std::string Url::origin() const {
  return fmt::format("{}://{}:{}", secure ? "https" : "http", bracketed(host), port);
}

std::string Url::text() const {
  return fmt::format("{}://{}{}", secure ? "https" : "http", authority(), target);
}

Result<Url> parse_url(std::string_view text) {
  const auto parsed = urls::parse_uri(text);
  if (!parsed) return not_a_url();
  return read(*parsed);
}

Result<Url> resolve_url(const Url& base, std::string_view reference) {
  const std::string base_text = base.text();
  const auto from = urls::parse_uri(base_text);
  const auto to = urls::parse_uri_reference(reference);
  urls::url resolved;
  if (!from || !to || !urls::resolve(*from, *to, resolved)) return not_a_url();
  return read(resolved);
}

}  // namespace flowrun
