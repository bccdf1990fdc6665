#include "runtime/operator/http/http_options.h"

#include <fmt/format.h>

#include <algorithm>

#include "runtime/operator/option_specs.h"

namespace flowrun {

namespace {

bool is_token(std::string_view name) {
  constexpr std::string_view kMarks = "!#$%&'*+-.^_`|~";
  return !name.empty() && std::ranges::all_of(name, [&](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           kMarks.find(c) != std::string_view::npos;
  });
}

}  // namespace

std::vector<OptionSpec> http_client_option_specs() {
  using namespace option;
  return {
      secret(map_of(text("headers",
                         "Fields of the request, such as `Authorization: Bearer "
                         "${file:token}`. Not sent to where a redirect leads if that "
                         "is another server."))),
      path("ca",
           "https: a PEM file with the certificates to trust, in place of those of the system."),
      duration("timeout",
               "How long the server may take to accept a connection and to begin its "
               "answer.")
          .with_default("30 seconds")
          .at_least(1000),
  };
}

Result<HttpSettings> read_http_settings(const Options& options) {
  HttpSettings settings;
  FLOWRUN_TRY(const Url url, read_url(options));
  const OptionValue* ca = options.find("ca");
  if (ca && !url.secure) {
    return Error::invalid("`ca` is for https — write `url: https://...`, or leave `ca` out")
        .at(ca->position);
  }
  auto tls = TlsContext::make(ca ? ca->text : "");
  if (!tls) return ca ? std::move(tls.error()).at(ca->position) : std::move(tls.error());
  settings.tls = std::move(*tls);
  settings.proxies = ProxySettings::from_environment();
  FLOWRUN_TRY(const auto unused, settings.proxies.proxy_for(url));
  static_cast<void>(unused);
  settings.timeout = options.integer_or("timeout", settings.timeout);
  return settings;
}

Result<Url> read_url(const Options& options) {
  const OptionValue& value = options.at("url");
  auto url = parse_url(value.text);
  if (!url) return std::move(url.error()).at(value.position);
  return std::move(*url);
}

Result<std::vector<HttpField>> read_headers(const Options& options) {
  std::vector<HttpField> fields;
  const OptionValue* headers = options.find("headers");
  if (!headers) return fields;
  for (size_t i = 0; i < headers->keys.size(); ++i) {
    const auto& [name, position] = headers->keys[i];
    const OptionValue& value = headers->items[i];
    if (!is_token(name)) {
      return Error::invalid(
                 fmt::format("`{}` is no name of a header — write letters and hyphens", name))
          .at(position);
    }
    if (value.text.find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos) {
      return Error::invalid(
                 fmt::format("the value of header {} has a line break, which none can hold", name))
          .at(value.position);
    }
    fields.push_back({name, value.text});
  }
  return fields;
}

}  // namespace flowrun
