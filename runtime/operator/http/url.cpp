#include "runtime/operator/http/url.h"

#include <fmt/format.h>

// Boost.URL compiled in here, so that no library of it is needed.
#include <boost/url.hpp>
#include <boost/url/src.hpp>

namespace flowrun {

namespace {

namespace urls = boost::urls;

constexpr uint16_t kPlainPort = 80, kSecurePort = 443;

Error not_a_url(std::string_view text) {
  return Error::invalid(
      fmt::format("`{}` is no URL of a server — write one such as https://example.org/path", text));
}

std::string bracketed(const std::string& host) {
  return host.find(':') == std::string::npos ? host : "[" + host + "]";
}

// What stands before the last @ is not shown.
std::string without_user_info(std::string_view text) {
  const size_t scheme = text.find("://");
  const size_t at = text.rfind('@');
  if (at == std::string_view::npos) return std::string(text);
  const std::string_view before =
      scheme == std::string_view::npos ? "" : text.substr(0, scheme + 3);
  return std::string(before) + std::string(text.substr(at + 1));
}

Result<Url> read(const urls::url_view& parsed, std::string_view text) {
  Url url;
  if (parsed.scheme_id() == urls::scheme::https) {
    url.secure = true;
  } else if (parsed.scheme_id() != urls::scheme::http) {
    return not_a_url(without_user_info(text));
  }
  if (!parsed.has_authority() || parsed.encoded_host().empty()) {
    return not_a_url(without_user_info(text));
  }
  url.host = parsed.host_address();
  url.port = url.secure ? kSecurePort : kPlainPort;
  if (parsed.has_port() && !parsed.port().empty()) {
    url.port = parsed.port_number();
    if (url.port == 0) return not_a_url(without_user_info(text));
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
  if (!parsed) return not_a_url(without_user_info(text));
  return read(*parsed, text);
}

Result<Url> resolve_url(const Url& base, std::string_view reference) {
  const std::string base_text = base.text();
  const auto from = urls::parse_uri(base_text);
  const auto to = urls::parse_uri_reference(reference);
  urls::url resolved;
  if (!from || !to || !urls::resolve(*from, *to, resolved)) return not_a_url(reference);
  return read(resolved, reference);
}

}  // namespace flowrun
