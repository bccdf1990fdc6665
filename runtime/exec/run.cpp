#include "runtime/exec/run.h"

#include <fmt/format.h>

#include <algorithm>

namespace flowrun {

namespace {

constexpr std::chrono::seconds kStuckPatience(10);  // for an operator that was told to end
constexpr int64_t kSmallChunk = 16 << 10;           // bytes

}  // namespace

Run::Run(Graph& graph, RunSettings settings, std::shared_ptr<BufferPool> pool)
    : graph_(graph),
      settings_(std::move(settings)),
      // A stepped run has no thread, this one neither.
      stop_watch_(
          kStuckPatience, settings_.stepped
                              ? StopWatch::Tell()
                              : [this](const std::string& node) { tell_stuck(node); }),
      pool_(std::move(pool)),
      counters_(graph.nodes.size()),
      shared_(graph.statefuls.size()),
      sink_watch_(
          kStuckPatience, settings_.stepped
                              ? StopWatch::Tell()
                              : [this](const std::string& node) { tell_stuck(node); }),
      watermarks_(graph, settings_.watermark_policy_max),
      source_states_(graph.sources.size()),
      sinks_absent_since_(graph.sinks.size()),
      random_(settings_.chunking.value_or(0)) {
  shared_.graph = &graph_;
  shared_.counters = &counters_;
  for (auto& parities : shared_.locals) {
    for (auto& locals : parities) locals.resize(settings_.workers + 1);
  }
  shared_.warn = [this](const GraphNode& node, std::string_view reason) {
    log(LogEvent::Level::warning, node.name, std::string(reason));
  };
  for (const size_t s : graph_.sources) {
    source_states_[graph_.nodes[s].source_index].marks_epochs =
        graph_.nodes[s].source->marks_epochs();
  }
}

Run::~Run() { stop_threads(); }

Status Run::execute() {
  const PoolScope scope(pool_);
  FLOWRUN_TRY(const bool begun, begin());
  Cut cut = begun ? Cut::data : Cut::end;
  while (cut != Cut::end && cut != Cut::failed && !enough_epochs()) {
    cut = settings_.next_time ? await_time() : await_cut();
    end(cut);
  }
  return finish();
}

void Run::end(Cut cut) {
  if (cut == Cut::failed) return;
  if (Status ended = end_epoch(cut); !ended) fail(std::move(ended.error()), last_committed_ + 1);
}

Status Run::finish() {
  if (failed(reading_->id) && !enough_epochs()) tell_sinks_to_end();
  stop_threads();
  if (enough_epochs() && failed_epoch_ > last_committed_) failure_.reset();
  for (const auto& sink : sinks_) {
    // What was read beyond the last epoch is no epoch's: it is not committed.
    if (failure_ || enough_epochs()) static_cast<void>(sink->abort(reading_->id));
    sink->close();
  }
  sink_watch_.finish();
  if (!settings_.capture.empty() && !failure_) {
    std::string late;
    for (size_t i = 0; i < graph_.nodes.size(); ++i) {
      if (graph_.nodes[i].stateful && graph_.nodes[i].stateful_plan.evict) {
        late += fmt::format("{} {}\n", graph_.nodes[i].name, counters_.get(i, Metric::late));
      }
    }
    FLOWRUN_RETURN_IF_ERROR(write_late_counts(settings_.capture, late));
  }
  if (!failure_) return ok_status();
  failure_->message += last_committed_ < 0
                           ? "; no epoch is committed"
                           : fmt::format("; epochs up to {} are committed", last_committed_);
  return std::move(*failure_);
}

bool Run::enough_epochs() const { return settings_.epochs && epochs_done_ >= *settings_.epochs; }

void Run::start_threads() {
  for (size_t i = 0; i <= settings_.workers; ++i)
    workers_.push_back(std::make_unique<Worker>(shared_, i));
  for (size_t i = 0; i < settings_.workers; ++i) {
    threads_.emplace_back([this, i] { worker_main(i); });
  }
  const bool finite = settings_.trigger.kind == Trigger::Kind::once ||
                      settings_.trigger.kind == Trigger::Kind::available_now;
  for (const size_t s : graph_.sources) {
    if (finite) graph_.nodes[s].source->stop_at_end();
    sources_.push_back(std::make_unique<SourceRunner>(graph_.nodes[s], *this, settings_.stepped));
  }
  if (settings_.stepped) return;
  for (const auto& source : sources_) source->start();
}

void Run::stop_threads() {
  {
    const std::lock_guard lock(mutex_);
    leaving_ = true;
    over_ = true;
  }
  sources_wake_.notify_all();
  cancel_sources();
  for (const auto& source : sources_) {
    stop_watch_.wait_for(source->node_name());
    source->finish();
  }
  stop_watch_.done();
  for (size_t i = 0; i < threads_.size(); ++i) queue_.push(Work{});
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

void Run::cancel_sources() {
  for (const auto& source : sources_) {
    stop_watch_.wait_for(source->node_name());
    source->cancel();
  }
  stop_watch_.done();
}

void Run::tell_stuck(const std::string& node) {
  // Whoever is told may end the process: why the run ends is said before.
  std::string failure;
  {
    const std::lock_guard lock(mutex_);
    if (failure_) failure = failure_->message;
  }
  if (!failure.empty()) log(LogEvent::Level::error, "", std::move(failure));
  std::string what;
  for (const GraphNode& known : graph_.nodes) {
    if (known.name != node) continue;
    if (known.source) what = known.source->describe();
    if (known.sink) what = known.sink->describe();
  }
  log(LogEvent::Level::error, node,
      fmt::format("{} has not come back, {} s after it was told to end", what,
                  kStuckPatience.count()));
  if (settings_.on_stuck) settings_.on_stuck(node);
}

void Run::stop() {
  SinkRunner* opening = nullptr;
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
    opening = opening_;
  }
  tell_sinks_to_end();
  if (opening) opening->cancel();
  wake_coordinator();
}

// From here on no sink is waited for without end.
void Run::tell_sinks_to_end() {
  {
    const std::lock_guard lock(mutex_);
    if (!end_told_) end_told_ = monotonic();
  }
  sink_watch_.told_to_end();
}

std::vector<SourceView> Run::sources() const {
  const std::lock_guard lock(mutex_);
  std::vector<SourceView> views;
  for (const size_t s : graph_.sources) {
    const SourceState& state = source_states_[graph_.nodes[s].source_index];
    views.push_back(
        {graph_.nodes[s].name, !state.absent_since, state.ended, state.absent_since.value_or(0)});
  }
  return views;
}

std::vector<SinkView> Run::sinks() const {
  const std::lock_guard lock(mutex_);
  std::vector<SinkView> views;
  for (size_t s = 0; s < graph_.sinks.size(); ++s) {
    const std::optional<int64_t>& since = sinks_absent_since_[s];
    views.push_back({graph_.nodes[graph_.sinks[s]].name, !since, since.value_or(0)});
  }
  return views;
}

void Run::worker_main(size_t index) {
  const PoolScope scope(pool_);
  Worker& worker = *workers_[index];
  while (true) {
    Work work = queue_.pop();
    switch (work.kind) {
      case Work::Kind::chunk:
        run_chunk(worker, std::move(work));
        break;
      case Work::Kind::loop:
        help(*work.loop, index);
        break;
      case Work::Kind::leave:
        return;
    }
  }
}

void Run::run_chunk(Worker& worker, Work work) {
  std::vector<SinkRows> rows;
  Status done = failed(work.epoch->id) ? ok_status() : worker.run_chunk(work, rows);
  work.rows = RecordBatch();
  std::vector<std::vector<RecordBatch>> by_sink(sinks_.size());
  for (SinkRows& row : rows) by_sink[row.sink].push_back(std::move(row.batch));
  for (size_t s = 0; s < sinks_.size(); ++s) {
    Status delivered =
        sinks_[s]->deliver(work.epoch->id, work.sequence, std::move(by_sink[s]), work.flight);
    if (!delivered && done) done = std::move(delivered);
  }
  if (done) done = check_memory_within_epoch();
  if (!done) fail(std::move(done.error()), work.epoch->id);
  work.flight.reset();
  if (over_half_budget()) {
    const std::lock_guard lock(mutex_);
    wake_coordinator();
  }
  if (work.epoch->outstanding.fetch_sub(1, std::memory_order_acq_rel) == 1) {
    // Under the mutex, so that the coordinator cannot miss it between its look and its wait.
    const std::lock_guard lock(mutex_);
    wake_coordinator();
  }
}

// The first epoch that fails is the one to tell of: those before it are committed all the same.
// What fails once sinks were cancelled may do so for that reason, and is not told.
void Run::fail(Error error, EpochId epoch) {
  const bool cancelled = std::ranges::any_of(sinks_, [](const auto& s) { return s->cancelled(); });
  bool counts = false;
  {
    const std::lock_guard lock(mutex_);
    const bool first = !failure_ || epoch < failed_epoch_;
    if (!failure_ || (first && !cancelled)) failure_ = std::move(error);
    if (first) failed_epoch_ = epoch;
    // What lies beyond the epochs that were asked for may fail.
    counts = !closes_last_ || epoch < reading_->id;
  }
  if (counts) tell_sinks_to_end();
  wake_coordinator();
}

bool Run::failed(EpochId epoch) {
  const std::lock_guard lock(mutex_);
  return failure_ && failed_epoch_ <= epoch;
}

std::shared_ptr<EpochState> Run::new_epoch(EpochId id) {
  auto epoch = std::make_shared<EpochState>(id, graph_.watermarks.size());
  epoch->plain.id = id;
  epoch->plain.context.now = settings_.clock->now();
  epoch->plain.context.timezone = settings_.timezone;
  epoch->plain.context.epoch = id;
  epoch->source_rows.assign(graph_.sources.size(), 0);
  epoch->source_bytes.assign(graph_.sources.size(), 0);
  for (const size_t s : graph_.statefuls) {
    Epoch& seen = epoch->stateful.emplace_back(epoch->plain);
    // While the epoch is absorbed only what decides lateness is known; the rest is set when it
    // closes.
    seen.late_watermark = watermarks_.current(graph_.nodes[s].stateful_index);
    seen.watermark = seen.late_watermark;
  }
  return epoch;
}

// REQUIRES: mutex_ held.
bool Run::has_turn(size_t source) const {
  return !source_states_[source].part_ended && !awaits_cut() && room_in_flight();
}

bool Run::may_read(size_t source) {
  const std::lock_guard lock(mutex_);
  return !leaving_ && has_turn(source);
}

bool Run::await_turn(size_t source) {
  std::unique_lock lock(mutex_);
  const auto wakes = [&] {
    return leaving_ || source_states_[source].committed || has_turn(source);
  };
  if (wakes()) return !leaving_;
  if (!source_states_[source].part_ended) budget_waits_ = true;
  ++waiting_sources_;
  sources_wake_.wait(lock, wakes);
  --waiting_sources_;
  return !leaving_;
}

bool Run::pause(int64_t microseconds) {
  std::unique_lock lock(mutex_);
  return !sources_wake_.wait_for(lock, std::chrono::microseconds(microseconds),
                                 [&] { return leaving_; });
}

void Run::submit(size_t source, Chunk chunk) {
  const int64_t rows = chunk.rows.num_rows();
  const bool carries = rows > 0 || !chunk.rejected.empty();
  int64_t bytes = 1 + chunk.rows.memory_bytes();
  for (const Rejection& rejection : chunk.rejected) bytes += std::ssize(rejection.raw);
  FlightPtr flight;
  if (carries) {
    in_flight_.fetch_add(bytes);
    flight = std::make_shared<const Flight>(bytes, [this](int64_t landed) {
      in_flight_.fetch_sub(landed);
      if (waiting_sources_.load() == 0) return;
      { const std::lock_guard lock(mutex_); }
      sources_wake_.notify_all();
    });
  }
  const Chunk::Mark mark = chunk.mark;
  bool wake = false;
  {
    const std::lock_guard lock(mutex_);
    SourceState& state = source_states_[source];
    if (!chunk.offset.text.empty()) state.offset = std::move(chunk.offset.text);
    if (carries) {
      if (!reading_->has_data()) reading_->first_chunk = monotonic();
      if (reading_->chunks == 0) reading_->plain.context.now = settings_.clock->now();
      state.delivered = true;
      state.last_rows = monotonic();
      ++reading_->chunks;
      reading_->rows += rows;
      reading_->bytes += chunk.bytes;
      reading_->source_rows[source] += rows;
      reading_->source_bytes[source] += chunk.bytes;
      enqueue(source, std::move(chunk), flight);
      wake = handed_ || over_half_budget();
    }
    const bool ends_part = settings_.next_time || settings_.trigger.kind != Trigger::Kind::once;
    if (mark == Chunk::Mark::epoch_ends && ends_part) {
      state.part_ended = true;
      reading_->marked = !settings_.next_time;  // a step without rows is no epoch
      wake = true;
    }
  }
  if (wake) wake_coordinator();
}

// REQUIRES: mutex_ held, so that sequences and epochs ascend together.
void Run::enqueue(size_t source, Chunk chunk, const FlightPtr& flight) {
  std::vector<RecordBatch> pieces;
  if (settings_.chunking && chunk.rows.num_rows() > 0) {
    pieces = cut_randomly(chunk.rows);
  } else {
    pieces.push_back(std::move(chunk.rows));
  }
  for (RecordBatch& piece : pieces) {
    reading_->outstanding.fetch_add(1, std::memory_order_relaxed);
    Work work;
    work.kind = Work::Kind::chunk;
    work.rows = std::move(piece);
    work.rejected = std::exchange(chunk.rejected, {});
    work.source = source;
    work.sequence = next_sequence_++;
    work.epoch = reading_;
    work.flight = flight;
    hand_out(std::move(work));
  }
}

// REQUIRES: mutex_ held, and the work counted in its epoch.
void Run::hand_out(Work work) {
  const bool alone = work.epoch->outstanding.load(std::memory_order_relaxed) == 1;
  if (!takes_small_chunks_ || handed_ || !alone || work.flight->bytes() > kSmallChunk)
    return queue_.push(std::move(work));
  handed_ = std::move(work);
}

// REQUIRES: what it is to see was changed under mutex_.
void Run::wake_coordinator() {
  events_.fetch_add(1, std::memory_order_release);
  coordinator_wakes_.notify_all();
}

std::vector<RecordBatch> Run::cut_randomly(const RecordBatch& rows) {
  std::vector<RecordBatch> pieces;
  int64_t at = 0;
  while (at < rows.num_rows()) {
    const int64_t length = std::uniform_int_distribution<int64_t>(1, rows.num_rows() - at)(random_);
    pieces.push_back(rows.slice(at, length));
    at += length;
  }
  return pieces;
}

void Run::set_available(size_t source, bool available) {
  const std::lock_guard lock(mutex_);
  note_absent(source_states_[source].absent_since, !available);
}

// Keeps when it was first so. REQUIRES: mutex_ held.
void Run::note_absent(std::optional<int64_t>& since, bool absent) const {
  if (!absent) {
    since.reset();
  } else if (!since) {
    since = settings_.clock->now();
  }
}

void Run::source_ended(size_t source, Status how) {
  EpochId epoch = 0;
  {
    const std::lock_guard lock(mutex_);
    source_states_[source].ended = true;
    source_states_[source].part_ended = true;
    epoch = reading_->id;
  }
  if (!how) return fail(std::move(how.error()), epoch);
  wake_coordinator();
}

void Run::log(LogEvent::Level level, const std::string& node, std::string message) {
  if (settings_.on_log) settings_.on_log({level, node, std::move(message)});
}

}  // namespace flowrun
