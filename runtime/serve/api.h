#pragma once
// Api: what each address answers. Knows no sockets.

#include <functional>
#include <string>
#include <vector>

#include "runtime/exec/engine.h"
#include "runtime/format/time_zone.h"
#include "runtime/serve/http_message.h"
#include "runtime/serve/live_state.h"
#include "runtime/sql/engine_tables.h"
#include "runtime/sql/sql.h"

namespace flowrun {

// The header in which the answer to a tap names the columns that it lacks, percent-encoded, with
// commas between them: nobody downstream reads them, so they are not made.
constexpr const char* kColumnsNotRead = "Flowrun-Columns-Not-Read";

// Thread-safe. What it is given outlives it.
class Api {
 public:
  struct Options {
    SqlOptions sql;
    std::string version;
    std::function<size_t()> connections = {};  // for /metrics
    std::function<size_t()> streams = {};
    bool client_certificates = false;  // a client may show one in place of the token
  };
  Api(Engine& engine, const FunctionRegistry& functions, const LiveState& state, Options options);

  [[nodiscard]] ApiResponse answer(const ApiRequest& request);

  // {"epoch": ...}: the last epoch, with rates by edge and the state of tables and sources.
  [[nodiscard]] std::string epoch_json();
  [[nodiscard]] std::string log_json() const;

 private:
  using Handler = Result<ApiResponse> (Api::*)(const ApiRequest&);
  struct Route {
    const char* method;
    const char* path;  // ends in `*` where a name stands, "/tap" may follow it
    Handler handler;
  };
  static const std::vector<Route>& routes();

  Result<ApiResponse> status(const ApiRequest& request);
  Result<ApiResponse> tables(const ApiRequest& request);
  Result<ApiResponse> table(const ApiRequest& request);
  Result<ApiResponse> sql(const ApiRequest& request);
  Result<ApiResponse> words(const ApiRequest& request);
  Result<ApiResponse> graph(const ApiRequest& request);
  Result<ApiResponse> tap(const ApiRequest& request);
  Result<ApiResponse> events(const ApiRequest& request);
  Result<ApiResponse> log(const ApiRequest& request);
  Result<ApiResponse> metrics(const ApiRequest& request);
  Result<ApiResponse> healthz(const ApiRequest& request);
  Result<ApiResponse> readyz(const ApiRequest& request);
  Result<ApiResponse> stop(const ApiRequest& request);
  Result<ApiResponse> page(const ApiRequest& request);
  Result<ApiResponse> description(const ApiRequest& request);
  [[nodiscard]] std::string tables_json();

  Engine& engine_;
  const LiveState& state_;
  Options options_;
  Sql sql_;
  EngineTables tables_;
  const TimeZone& zone_;
};

}  // namespace flowrun
