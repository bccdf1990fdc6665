// flowrun show: the rows of one node, in Spark's frame.

#include <fmt/format.h>

#include <atomic>
#include <csignal>

#include "runtime/format/show.h"
#include "tools/flowrun/collect.h"
#include "tools/flowrun/commands.h"
#include "tools/flowrun/heartbeat.h"
#include "tools/flowrun/log.h"
#include "tools/flowrun/plugin_path.h"
#include "tools/flowrun/signals.h"
#include "tools/flowrun/terminal.h"

namespace flowrun {
namespace {

constexpr std::chrono::milliseconds kBeat{250};
constexpr int kExitSecondSignal = 128;

class Show {
 public:
  explicit Show(const ShowCommand& command)
      : command_(command),
        terminal_(Terminal::standard()),
        log_(terminal_, system_clock(), {LogFormat::text, false}) {}
  int execute();

 private:
  struct Attempt {
    explicit Attempt(CollectOptions options) : collection(std::move(options)) {}
    Collection collection;
    Pipeline pipeline{plugin_path()};  // its engine points into the collection
  };

  std::unique_ptr<Attempt> load(OutputMode mode, bool& loaded);
  std::unique_ptr<Attempt> load();
  int print(const Collection& collection);

  const ShowCommand& command_;
  Terminal terminal_;
  Log log_;
  bool aggregated_ = false;
  std::atomic<Engine*> running_ = nullptr;
  std::atomic<bool> stopped_ = false;
};

std::unique_ptr<Show::Attempt> Show::load(OutputMode mode, bool& loaded) {
  auto attempt = std::make_unique<Attempt>(CollectOptions{
      .node = command_.node, .rows = command_.rows, .mode = mode, .run_for = command_.run_for});
  EngineOptions options = attempt->collection.engine_options();
  options.console = &terminal_;
  options.on_log = [this](const LogEvent& event) { log_.event(event); };
  PipelineChanges changes = attempt->collection.changes();
  changes.plan = [this, add = std::move(changes.plan)](Plan& plan) -> Status {
    FLOWRUN_RETURN_IF_ERROR(add(plan));
    aggregated_ = behind_aggregation(plan, plan.nodes.back().inputs.front().node);
    return ok_status();
  };
  loaded = attempt->pipeline.load(command_.pipeline, std::move(options), changes);
  return attempt;
}

// A whole result tells most; what Spark refuses to give whole is shown as it comes.
std::unique_ptr<Show::Attempt> Show::load() {
  bool loaded = false;
  std::unique_ptr<Attempt> first = load(OutputMode::append, loaded);
  if (loaded && !aggregated_) return first;
  if (!aggregated_) {
    terminal_.line(first->pipeline.diagnostics_text(terminal_.colours()));
    return nullptr;
  }
  bool other_loaded = false;
  for (const OutputMode mode : {OutputMode::complete, OutputMode::update}) {
    std::unique_ptr<Attempt> attempt = load(mode, other_loaded);
    if (other_loaded) return attempt;
  }
  if (loaded) return first;
  terminal_.line(first->pipeline.diagnostics_text(terminal_.colours()));
  return nullptr;
}

int Show::execute() {
  std::signal(SIGPIPE, SIG_IGN);
  const std::unique_ptr<Attempt> attempt = load();
  if (!attempt) return kExitRefused;
  const SignalWatcher signals(
      [this](int) {
        stopped_ = true;
        if (Engine* engine = running_) engine->stop();
      },
      [](int signal) { std::_Exit(kExitSecondSignal + signal); });
  running_ = &attempt->pipeline.engine();
  if (stopped_) attempt->pipeline.engine().stop();
  const Status done = [&] {
    const Heartbeat heartbeat(kBeat, [this] { log_.tick(); });
    return attempt->collection.run(attempt->pipeline.engine());
  }();
  running_ = nullptr;
  log_.flush();
  const int printed = print(attempt->collection);
  if (done) return printed;
  terminal_.line(done.error().message);
  return kExitFailed;
}

int Show::print(const Collection& collection) {
  const auto zone = find_time_zone(collection.timezone());
  const std::string frame = show_frame(
      collection.rows(),
      {.rows = command_.rows, .truncate = command_.truncate, .vertical = command_.vertical},
      zone ? **zone : TimeZone::utc());
  const Status written = terminal_.write(frame);
  if (written) return kExitDone;
  terminal_.line(written.error().message);
  return kExitFailed;
}

}  // namespace

int execute(const ShowCommand& command) { return Show(command).execute(); }

}  // namespace flowrun
