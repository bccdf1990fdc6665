// flowrun run: from a pipeline file to its end.

#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <mutex>

#include "runtime/embed/pipeline.h"
#include "runtime/serve/pipeline_server.h"
#include "tools/flowrun/commands.h"
#include "tools/flowrun/heartbeat.h"
#include "tools/flowrun/log.h"
#include "tools/flowrun/plugin_path.h"
#include "tools/flowrun/signals.h"
#include "tools/flowrun/status_line.h"
#include "tools/flowrun/terminal.h"
#include "tools/flowrun/text.h"

namespace flowrun {
namespace {

constexpr int kExitSecondSignal = 128;  // plus the signal's number, as shells do
constexpr std::chrono::milliseconds kBeat{250};

// --progress FILE: one record a line, whole lines only.
class ProgressFile {
 public:
  Status open(const std::string& path) {
    file_.reset(std::fopen(path.c_str(), "ae"));
    if (!file_) return Error::from_errno("cannot write " + path, errno);
    return ok_status();
  }
  void write(const Progress& progress) {
    if (!file_) return;
    const std::string line = progress_json(progress) + "\n";
    std::fwrite(line.data(), 1, line.size(), file_.get());
    std::fflush(file_.get());
  }

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  std::unique_ptr<std::FILE, Close> file_;
};

EngineOptions engine_options(const RunCommand& command) {
  EngineOptions options;
  options.threads = command.threads;
  options.memory = command.memory;
  options.epochs = command.epochs;
  options.run_for = command.run_for;
  options.capture = command.capture;
  options.chunking = command.chunking;
  options.restart_state = command.restart_state;
  options.allow_exec = command.allow_exec;
  return options;
}

class Run {
 public:
  explicit Run(const RunCommand& command)
      : command_(command),
        terminal_(Terminal::standard()),
        log_(terminal_, system_clock(),
             {command.json_log ? LogFormat::json : LogFormat::text, command.quiet}) {}

  int execute();

 private:
  void on_progress(const Progress& progress);
  void on_signal(int signal);
  void on_beat();
  [[noreturn]] void leave_behind(const std::string& node);
  int finish(const Status& done, int64_t started);
  bool load();
  bool serve();

  const RunCommand& command_;
  Terminal terminal_;
  Log log_;
  ProgressFile progress_file_;
  Pipeline pipeline_{plugin_path()};
  std::mutex mutex_;  // guards summary_
  RunSummary summary_;
  std::unique_ptr<PipelineServer> server_;
  std::atomic<PipelineServer*> serving_ = nullptr;  // server_, once it is there
  std::atomic<Engine*> running_ = nullptr;
  std::atomic<bool> asked_to_stop_ = false;
  bool stop_was_said_ = false;  // the heartbeat's own
};

bool Run::load() {
  EngineOptions options = engine_options(command_);
  options.console = &terminal_;
  options.on_log = [this](const LogEvent& event) {
    log_.event(event);
    if (PipelineServer* server = serving_) server->on_log(event);
  };
  options.on_progress = [this](const Progress& progress) { on_progress(progress); };
  options.on_stuck = [this](const std::string& node) { leave_behind(node); };
  PipelineArguments arguments = command_.pipeline;
  if (!command_.listen.empty()) arguments.set.push_back("serve.listen=" + command_.listen);
  const bool loaded = pipeline_.load(arguments, std::move(options));
  const auto warnings = static_cast<int64_t>(pipeline_.diagnostics().size());
  if (!loaded) {
    std::string text = pipeline_.diagnostics_text(terminal_.colours());
    if (text.ends_with('\n')) text.pop_back();
    terminal_.line(text);
  } else if (warnings > 0) {
    log_.info(fmt::format("{}: {}; see `flowrun check {}`", pipeline_.name(),
                          plural(warnings, "warning"), command_.pipeline.file));
  }
  return loaded;
}

// The port that was asked for, and the socket for `flowrun sql` and its kin. Without the socket a
// pipeline runs all the same.
bool Run::serve() {
  auto settings = serve_settings(pipeline_.engine().plan());
  if (!settings) {
    const Position& at = settings.error().position;
    terminal_.line(fmt::format("{}{}error: {}", at.known() && at.file ? *at.file : "",
                               at.known() ? fmt::format(":{}:{}: ", at.line, at.column) : "",
                               settings.error().message));
    return false;
  }
  settings->version = FLOWRUN_VERSION;
  settings->on_log = [this](const LogEvent& event) { log_.event(event); };
  if (settings->http.socket_path.empty()) {
    if (auto path = default_socket_path(command_.pipeline.file); path) {
      settings->http.socket_path = *path;
    } else {
      log_.event({LogEvent::Level::warning, {}, path.error().message});
    }
  }
  if (settings->http.socket_path.empty() && !settings->http.tcp) return true;
  auto server = PipelineServer::start(pipeline_.engine(), pipeline_.functions(), *settings);
  if (!server && !settings->http.tcp) {
    log_.event({LogEvent::Level::warning, {}, server.error().message});
    return true;
  }
  if (!server) {
    log_.event({LogEvent::Level::error, {}, server.error().message});
    return false;
  }
  server_ = std::move(*server);
  serving_ = server_.get();
  if (server_->port() != 0)
    log_.info(fmt::format("{}: {}://{}:{}", pipeline_.name(), settings->http.tls ? "https" : "http",
                          settings->http.tcp->address.host, server_->port()));
  return true;
}

int Run::execute() {
  // A reader of our output that goes away is an error of the sink, not the end of the process.
  std::signal(SIGPIPE, SIG_IGN);
  const SignalWatcher signals([this](int signal) { on_signal(signal); },
                              [this](int signal) {
                                terminal_.leave();
                                _exit(kExitSecondSignal + signal);
                              });
  if (!load()) return kExitRefused;
  if (!command_.progress.empty()) {
    if (const Status opened = progress_file_.open(command_.progress); !opened) {
      log_.event({LogEvent::Level::error, {}, opened.error().message});
      return kExitFailed;
    }
  }
  if (!serve()) return kExitRefused;
  log_.info(start_line(pipeline_.name(), pipeline_.engine()));
  const int64_t started = system_clock().monotonic();
  running_ = &pipeline_.engine();
  if (asked_to_stop_) pipeline_.engine().stop();
  const Status done = [this] {
    const Heartbeat heartbeat(kBeat, [this] { on_beat(); });
    if (server_) server_->set_running();
    return pipeline_.engine().run();
  }();
  if (server_) server_->finish(done);
  serving_ = nullptr;
  return finish(done, started);
}

void Run::on_progress(const Progress& progress) {
  progress_file_.write(progress);
  if (PipelineServer* server = serving_) server->on_progress(progress);
  if (terminal_.has_status() && !command_.quiet) terminal_.set_status(status_line(progress));
  const std::lock_guard lock(mutex_);
  summary_.add(progress);
}

// Writes nothing: whoever reads our output may be the reason for the signal.
void Run::on_signal(int) {
  asked_to_stop_ = true;
  if (Engine* engine = running_) engine->stop();
}

// Its thread cannot be ended but with the process; what is committed is.
void Run::leave_behind(const std::string& node) {
  log_.event({LogEvent::Level::error, node, "the run ends without it"});
  log_.flush();
  std::_Exit(kExitFailed);
}

void Run::on_beat() {
  log_.tick();
  if (asked_to_stop_ && !stop_was_said_) {
    stop_was_said_ = true;
    log_.info("ending after this epoch; Ctrl-C once more ends at once");
  }
}

int Run::finish(const Status& done, int64_t started) {
  terminal_.set_status({});
  log_.flush();
  {
    const std::lock_guard lock(mutex_);
    log_.info(summary_.text(pipeline_.name(), system_clock().monotonic() - started));
  }
  if (done || done.error().code == ErrorCode::cancelled) return kExitDone;
  log_.event({LogEvent::Level::error, {}, done.error().message});
  return kExitFailed;
}

}  // namespace

int execute(const RunCommand& command) { return Run(command).execute(); }

}  // namespace flowrun
