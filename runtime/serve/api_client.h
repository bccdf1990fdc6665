#pragma once
// ApiClient: asks a run over its Unix socket, one request at a time.
//
//   FLOWRUN_TRY(auto client, ApiClient::connect(path));
//   FLOWRUN_TRY(ApiResponse answer, client->get("/v1/status"));

#include <cstdint>
#include <memory>
#include <string>

#include "runtime/serve/http_message.h"

namespace flowrun {

// Not thread-safe.
class ApiClient {
 public:
  // Errors: `unavailable` if nobody listens there.
  static Result<std::unique_ptr<ApiClient>> connect(const std::string& socket_path,
                                                    int64_t patience_seconds = 60);
  virtual ~ApiClient() = default;

  // `target` is encoded already. Errors: `unavailable` if the run has gone.
  virtual Result<ApiResponse> get(const std::string& target) = 0;
  virtual Result<ApiResponse> post(const std::string& target, const std::string& body,
                                   const std::string& content_type) = 0;
};

}  // namespace flowrun
