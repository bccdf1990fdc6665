#pragma once
// The options that everything has in common which speaks HTTP as a client: url, headers, ca,
// timeout.

#include <string>
#include <vector>

#include "runtime/operator/http/http_client.h"
#include "runtime/operator/registry.h"

namespace flowrun {

// `url` is not among them: what it is differs.
std::vector<OptionSpec> http_client_option_specs();

// What the options say, with the proxies of the environment.
Result<HttpSettings> read_http_settings(const Options& options);
// The option `url`.
Result<Url> read_url(const Options& options);
// The option `headers`; refuses names and values that a request cannot hold.
Result<std::vector<HttpField>> read_headers(const Options& options);

}  // namespace flowrun
