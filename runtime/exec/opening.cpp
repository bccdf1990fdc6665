// How a run begins: sinks are opened before anything is read, and while the peer of one is absent
// the run waits for it, as a source waits for its own.
#include "runtime/exec/run.h"

namespace flowrun {

Result<bool> Run::begin() {
  if (!reading_) {
    FLOWRUN_RETURN_IF_ERROR(open_transforms());
    make_sinks();
    started_ = monotonic();
    reading_ = new_epoch(0);
  }
  while (opened_sinks_ < sinks_.size()) {
    FLOWRUN_TRY(const bool opened, open_next_sink());
    if (!opened && (settings_.stepped || !await_sink())) return false;
  }
  next_tick_ = monotonic();
  for (SourceState& state : source_states_) {
    state.last_rows = next_tick_;
    state.part_ended = settings_.next_time != nullptr;
  }
  start_threads();
  return true;
}

Engine::Step Run::before_begin() const {
  const std::lock_guard lock(mutex_);
  return {.made_epoch = false, .ended = gives_up_waiting(), .next_wake = next_sink_try_};
}

Status Run::open_transforms() {
  for (GraphNode& node : graph_.nodes) {
    if (!node.transform) continue;
    Status opened = node.transform->open();
    if (!opened) return std::move(opened.error()).within(node.name);
  }
  return ok_status();
}

void Run::make_sinks() {
  for (const size_t s : graph_.sinks) {
    GraphNode& node = graph_.nodes[s];
    std::unique_ptr<Capture> capture;
    if (!settings_.capture.empty()) {
      const bool accumulates = node.mode == OutputMode::complete && !node.aggregated;
      capture = std::make_unique<Capture>(settings_.capture + "/" + node.name, accumulates);
    }
    sinks_.push_back(std::make_unique<SinkRunner>(node, std::move(capture),
                                                  settings_.stepped ? nullptr : pool_));
    sink_watch_.add(*sinks_.back());
  }
}

// False: its peer is absent, or the run was stopped while it was looked for.
Result<bool> Run::open_next_sink() {
  SinkRunner& sink = *sinks_[opened_sinks_];
  if (settings_.stepped && monotonic() < next_sink_try_) return false;
  bool stopped = false;
  {
    const std::lock_guard lock(mutex_);
    opening_ = &sink;
    stopped = stop_;
  }
  if (stopped) sink.cancel();
  Status opened = sink.open();
  {
    const std::lock_guard lock(mutex_);
    opening_ = nullptr;
    stopped = stop_;
    note_absent(sinks_absent_since_[opened_sinks_],
                !opened && opened.error().code == ErrorCode::unavailable);
  }
  if (opened) {
    ++opened_sinks_;
    sink_pauses_.reset();
    return true;
  }
  Error error = std::move(opened.error());
  const bool absent = error.code == ErrorCode::unavailable;
  if (stopped && (absent || error.code == ErrorCode::cancelled)) return false;
  if (!absent) return std::move(error).within(sink.node().name);
  const int64_t pause = sink_pauses_.next();
  next_sink_try_ = monotonic() + pause;
  log(LogEvent::Level::warning, sink.node().name, next_try_text(error, pause, ""));
  return false;
}

// REQUIRES: mutex_ held.
bool Run::gives_up_waiting() const {
  return stop_ || (settings_.run_for && monotonic() >= started_ + *settings_.run_for);
}

// Until the next try. False: the run ends before it has begun.
bool Run::await_sink() {
  std::unique_lock lock(mutex_);
  while (!gives_up_waiting()) {
    const int64_t now = monotonic();
    if (now >= next_sink_try_) return true;
    int64_t wake = next_sink_try_;
    if (settings_.run_for) wake = std::min(wake, started_ + *settings_.run_for);
    coordinator_wakes_.wait_for(lock, std::chrono::microseconds(wake - now));
  }
  return false;
}

}  // namespace flowrun
