#pragma once
// ApiRequest and ApiResponse: what a handler sees of HTTP.

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/base/status.h"

namespace flowrun {

struct ApiRequest {
  std::string method;
  std::string path;                            // decoded, without the query
  std::map<std::string, std::string> query;    // decoded
  std::map<std::string, std::string> headers;  // by lower-case name
  std::string body;
  bool certified = false;  // the client showed a certificate of `client_ca`
  // True once the client has gone or the server ends: long work looks at it now and then.
  std::shared_ptr<std::atomic<bool>> cancelled;

  [[nodiscard]] std::string_view header(const std::string& name) const {
    const auto found = headers.find(name);
    return found == headers.end() ? std::string_view() : std::string_view(found->second);
  }
};

struct ApiResponse {
  int status = 200;
  std::string content_type = "application/json";
  std::string body = {};
  std::vector<std::pair<std::string, std::string>> headers = {};
  // The connection becomes a stream of events; the body is its beginning.
  bool events = false;
  int64_t most_events = 0;  // the stream ends after so many, its beginning one; 0: it does not
};

// "a%20b+c" -> "a b c" (a plus is a space in queries only). Errors: a `%` without two hex digits.
Result<std::string> percent_decoded(std::string_view text, bool in_query);
std::string percent_encoded(std::string_view text);
// Splits "/v1/tables/x?limit=5" into the request's path and query.
Status split_target(std::string_view target, ApiRequest& request);

}  // namespace flowrun
