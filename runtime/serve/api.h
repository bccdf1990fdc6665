#pragma once
// Api: what each address answers. Knows no sockets.

#include <functional>
#include <string>
#include <vector>

#include "runtime/exec/engine.h"
#include "runtime/format/time_zone.h"
#include "runtime/serve/engine_tables.h"
#include "runtime/serve/http_message.h"
#include "runtime/serve/live_state.h"
#include "runtime/serve/sql.h"

namespace flowrun {

// Thread-safe. What it is given outlives it.
class Api {
 public:
  struct Options {
    SqlOptions sql;
    std::string version;
    std::function<size_t()> connections = {};  // for /metrics
    std::function<size_t()> streams = {};
  };
  Api(Engine& engine, const FunctionRegistry& functions, const LiveState& state, Options options);

  [[nodiscard]] HttpResponse answer(const HttpRequest& request);

  // {"epoch": ...}: the last epoch, with rates by edge and the state of tables and sources.
  [[nodiscard]] std::string epoch_json();
  [[nodiscard]] std::string log_json() const;

 private:
  using Handler = Result<HttpResponse> (Api::*)(const HttpRequest&);
  struct Route {
    const char* method;
    const char* path;  // ends in `*` where a name stands, "/tap" may follow it
    Handler handler;
  };
  static const std::vector<Route>& routes();

  Result<HttpResponse> status(const HttpRequest& request);
  Result<HttpResponse> tables(const HttpRequest& request);
  Result<HttpResponse> table(const HttpRequest& request);
  Result<HttpResponse> sql(const HttpRequest& request);
  Result<HttpResponse> words(const HttpRequest& request);
  Result<HttpResponse> graph(const HttpRequest& request);
  Result<HttpResponse> tap(const HttpRequest& request);
  Result<HttpResponse> events(const HttpRequest& request);
  Result<HttpResponse> log(const HttpRequest& request);
  Result<HttpResponse> metrics(const HttpRequest& request);
  Result<HttpResponse> healthz(const HttpRequest& request);
  Result<HttpResponse> readyz(const HttpRequest& request);
  Result<HttpResponse> stop(const HttpRequest& request);
  Result<HttpResponse> page(const HttpRequest& request);
  [[nodiscard]] std::string tables_json();

  Engine& engine_;
  const LiveState& state_;
  Options options_;
  Sql sql_;
  EngineTables tables_;
  const TimeZone& zone_;
};

}  // namespace flowrun
