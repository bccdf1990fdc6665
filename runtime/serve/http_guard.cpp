#include "runtime/serve/http_guard.h"

#include <algorithm>
#include <charconv>

#include "runtime/columnar/type.h"
#include "runtime/format/json_writer.h"

namespace flowrun {

namespace {

// Takes as long whatever the first byte is that differs.
bool same_secret(std::string_view a, std::string_view b) {
  unsigned difference = a.size() == b.size() ? 0 : 1;
  for (size_t i = 0; i < a.size(); ++i)
    difference |= static_cast<unsigned char>(a[i]) ^
                  static_cast<unsigned char>(b.empty() ? 0 : b[i % b.size()]);
  return difference == 0;
}

bool is_public(std::string_view path) {
  return path == "/" || path == "/healthz" || path == "/readyz" || path.starts_with("/dashboard/");
}

std::string in_brackets(const std::string& host) {
  return host.find(':') == std::string::npos ? host : "[" + host + "]";
}

}  // namespace

Result<ListenAddress> parse_listen_address(std::string_view text) {
  const Error wrong = Error::invalid("`" + std::string(text) +
                                     "` is no address — write one such as 127.0.0.1:8080");
  const size_t colon = text.rfind(':');
  ListenAddress address;
  std::string_view host = colon == std::string_view::npos ? "" : text.substr(0, colon);
  const std::string_view port = colon == std::string_view::npos ? text : text.substr(colon + 1);
  if (host.starts_with('[') && host.ends_with(']')) {
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    return wrong;
  }
  const auto [end, failure] = std::from_chars(port.data(), port.data() + port.size(), address.port);
  if (failure != std::errc() || end != port.data() + port.size()) return wrong;
  address.host = host.empty() ? "127.0.0.1" : host;
  address.loopback = address.host == "localhost" || address.host == "::1" ||
                     (address.host.starts_with("127.") &&
                      address.host.find_first_not_of("0123456789.") == std::string::npos);
  return address;
}

bool HttpGuard::knows_host(std::string_view host) const {
  const std::string port = ":" + std::to_string(options_.address.port);
  std::vector<std::string> names = options_.hosts;
  names.push_back(in_brackets(options_.address.host));
  if (options_.address.loopback) names.insert(names.end(), {"localhost", "127.0.0.1", "[::1]"});
  return std::ranges::any_of(names, [&](const std::string& name) {
    // A name given with a port stands for itself: a proxy may listen elsewhere.
    return names_equal(host, name) ? options_.address.port == (options_.tls ? 443 : 80) ||
                                         std::ranges::count(options_.hosts, name) > 0
                                   : names_equal(host, name + port);
  });
}

std::string HttpGuard::allowed_origin(const ApiRequest& request) const {
  const std::string origin(request.header("origin"));
  return std::ranges::count(options_.origins, origin) > 0 ? origin : "";
}

std::optional<ApiResponse> HttpGuard::refuse(const ApiRequest& request) const {
  if (!knows_host(request.header("host")))
    return error_response(403, "this server is not called `" + std::string(request.header("host")) +
                                   "` — list the name in `serve: { hosts: [...] }`");
  const std::string_view origin = request.header("origin");
  const bool own =
      origin == (options_.tls ? "https://" : "http://") + std::string(request.header("host"));
  if (!origin.empty() && !own && allowed_origin(request).empty())
    return error_response(
        403, "pages of other origins may not ask — list the origin in `serve: { origins: [...] }`");
  const bool anybody = options_.token.empty() && !options_.client_certificates;
  if (anybody || request.certified || is_public(request.path) || request.method == "OPTIONS")
    return std::nullopt;
  if (options_.token.empty())
    return error_response(401, "a client certificate is needed — show one of the `client_ca`");
  constexpr std::string_view kScheme = "Bearer ";
  const std::string_view given = request.header("authorization");
  if (given.size() > kScheme.size() && names_equal(given.substr(0, kScheme.size()), kScheme) &&
      same_secret(given.substr(kScheme.size()), options_.token))
    return std::nullopt;
  ApiResponse refused =
      error_response(401, "a token is needed — send it as `Authorization: Bearer TOKEN`");
  refused.headers.emplace_back("WWW-Authenticate", "Bearer");
  return refused;
}

ApiResponse error_response(int status, const std::string& message) {
  ApiResponse response;
  response.status = status;
  response.body = "{\"error\":{\"message\":";
  append_json_string(message, response.body);
  response.body += "}}\n";
  return response;
}

}  // namespace flowrun
