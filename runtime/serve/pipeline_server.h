#pragma once
// PipelineServer: a running engine over HTTP. What `flowrun run` starts, and an embedder may.
//
//   FLOWRUN_TRY(ServeSettings settings, serve_settings(engine.plan()));
//   FLOWRUN_TRY(auto server, PipelineServer::start(engine, functions, settings));
//   ... engine options: on_progress and on_log tell the server ...
//   server->set_phase(LiveState::Phase::running);
//   const Status done = engine.run();
//   server->finish(done);

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "runtime/serve/api.h"
#include "runtime/serve/http_server.h"

namespace flowrun {

struct ServeSettings {
  HttpServerOptions http;
  SqlOptions sql;
  std::string version = {};
  // What the server itself has to say, from a thread of its own; the server's log has it already.
  std::function<void(const LogEvent&)> on_log = {};
};

// `serve:` of the file. Without it no port is opened. Errors have their position in the file:
// an address that others can reach needs a token.
Result<ServeSettings> serve_settings(const Plan& plan);

// The socket for a run of that file: in $XDG_RUNTIME_DIR/flowrun, else ~/.local/state/flowrun, made
// if need be and closed to others. The name says which file it is and which process.
Result<std::string> default_socket_path(const std::string& pipeline_file);
// Sockets of runs, of one file or (empty) of all, newest first. Some may be left over from
// processes that were killed.
std::vector<std::string> sockets_of_runs(const std::string& pipeline_file);

// Thread-safe. The engine and the functions outlive it.
class PipelineServer {
 public:
  static Result<std::unique_ptr<PipelineServer>> start(Engine& engine,
                                                       const FunctionRegistry& functions,
                                                       const ServeSettings& settings);
  ~PipelineServer();
  PipelineServer(const PipelineServer&) = delete;
  PipelineServer& operator=(const PipelineServer&) = delete;

  void on_progress(const Progress& progress);
  void on_log(const LogEvent& event);
  void set_running() { state_.set_phase(LiveState::Phase::running); }
  // Tells those who listen how it ended, then closes.
  void finish(const Status& done);

  [[nodiscard]] uint16_t port() const { return http_ ? http_->port() : 0; }
  [[nodiscard]] Api& api() { return api_; }

 private:
  PipelineServer(Engine& engine, const FunctionRegistry& functions, const ServeSettings& settings);
  void tell_streams();
  void tell_once(bool with_log);
  void stop_telling();

  Engine& engine_;
  LiveState state_;
  Api api_;
  std::unique_ptr<HttpServer> http_;
  std::atomic<const HttpServer*> listening_{nullptr};  // http_, for handlers, once it is there
  std::mutex mutex_;
  std::condition_variable news_;
  bool ending_ = false;
  std::thread teller_;
};

}  // namespace flowrun
