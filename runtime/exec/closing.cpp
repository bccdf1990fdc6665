// What happens at an epoch's end: watermarks move, stateful operators merge, evict and emit, sinks
// commit.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "runtime/exec/edge_traffic.h"
#include "runtime/exec/run.h"

namespace flowrun {

namespace {

constexpr int64_t kSecond = 1'000'000;

}  // namespace

// Sources feed the next epoch from here on. The old one is absorbed when its chunks are done.
std::shared_ptr<EpochState> Run::swap_epoch() {
  std::shared_ptr<EpochState> epoch;
  {
    const std::lock_guard lock(mutex_);
    epoch = std::move(reading_);
    reading_ = new_epoch(epoch->id + 1);
    closes_last_ = settings_.epochs && epochs_done_ + 1 >= *settings_.epochs;
    for (SourceState& state : source_states_) {
      epoch->source_offsets.push_back(state.offset);
      state.part_ended = state.ended || settings_.restart_state || settings_.next_time;
      state.delivered = false;
    }
  }
  sources_wake_.notify_all();
  std::unique_lock lock(mutex_);
  coordinator_wakes_.wait(lock,
                          [&] { return epoch->outstanding.load(std::memory_order_acquire) == 0; });
  return epoch;
}

Status Run::end_epoch(Cut cut) {
  std::array<int64_t, 5> times{};
  times[0] = monotonic();
  if (cut == Cut::end) {
    // No chunk may come after the last epoch.
    {
      const std::lock_guard lock(mutex_);
      leaving_ = true;
    }
    sources_wake_.notify_all();
    cancel_sources();
    if (settings_.stepped) leave_sources();
    std::unique_lock lock(mutex_);
    for (size_t s = 0; s < sources_.size(); ++s) {
      stop_watch_.wait_for(sources_[s]->node_name());
      coordinator_wakes_.wait(lock, [&] { return source_states_[s].ended || all_ended(); });
    }
    stop_watch_.done();
    if (failure_ && failed_epoch_ <= reading_->id) return ok_status();
  }
  const bool closes_windows = cut == Cut::end && !stop_ && !settings_.run_for &&
                              (settings_.trigger.kind == Trigger::Kind::asap ||
                               settings_.trigger.kind == Trigger::Kind::period);
  const std::shared_ptr<EpochState> epoch = swap_epoch();
  if (failed(epoch->id)) return ok_status();
  times[1] = monotonic();
  for (const size_t s : graph_.statefuls) {
    const size_t index = graph_.nodes[s].stateful_index;
    epoch->stateful[index].watermark = watermarks_.current(index);
    epoch->stateful[index].late_watermark = watermarks_.previous(index);
    epoch->stateful[index].context = epoch->plain.context;
  }
  const bool finished_time = closes_windows && watermarks_.finish();
  if (finished_time) {
    for (const size_t s : graph_.statefuls) {
      if (graph_.nodes[s].stateful_plan.evict)
        epoch->stateful[graph_.nodes[s].stateful_index].watermark = kEndOfTime;
    }
  }
  for (size_t s = 0; s < sinks_.size(); ++s) {
    if (changes(s, *epoch)) sinks_[s]->mark_changed();
  }
  const bool empty_end =
      cut == Cut::end && !epoch->has_data() && !finished_time && !watermark_moved_;
  std::vector<bool> due = due_sinks(cut, times[1]);
  if (empty_end) {
    for (size_t s = 0; s < due.size(); ++s) due[s] = due[s] && sinks_[s]->has_pending();
  }
  std::vector<std::vector<RecordBatch>> rows(sinks_.size());
  FLOWRUN_RETURN_IF_ERROR(close_stateful(epoch, due, rows));
  times[2] = monotonic();
  watermark_moved_ = !finished_time && watermarks_.advance(epoch->observed, holding_watermarks());
  FLOWRUN_RETURN_IF_ERROR(finish_sinks(*epoch, due, times[1], rows));
  take_small_chunks();
  times[3] = monotonic();
  if (!gave_up_) {
    last_committed_ = epoch->id;
    if (settings_.after_commit) settings_.after_commit();
    tell_committed(*epoch);
  }
  FLOWRUN_RETURN_IF_ERROR(check_memory());
  if (settings_.restart_state) FLOWRUN_RETURN_IF_ERROR(restart_state());
  // Sources may have waited for the locals that were just emptied.
  sources_wake_.notify_all();
  if (epoch->has_data() || cut == Cut::no_data || finished_time) ++epochs_done_;
  times[4] = monotonic();
  report_progress(*epoch, times);
  return ok_status();
}

// Whether the epoch gives the sink's result something new: rows, or groups that a watermark that
// moved has closed. It stays owed until the sink's turn.
bool Run::changes(size_t sink, const EpochState& epoch) const {
  const GraphNode& node = sinks_[sink]->node();
  if (epoch.has_data()) return node.stateful_input;
  return watermark_moved_ && node.mode != OutputMode::complete &&
         std::ranges::any_of(graph_.statefuls, [&](size_t stateful) {
           return graph_.nodes[stateful].ends_by_watermark() &&
                  graph_.nodes[stateful].sinks.contains(sink);
         });
}

// An epoch without rows serves only those that are owed something.
std::vector<bool> Run::due_sinks(Cut cut, int64_t now) {
  const bool last = cut == Cut::end || (settings_.epochs && epochs_done_ + 1 >= *settings_.epochs);
  std::vector<bool> due(sinks_.size());
  for (size_t s = 0; s < sinks_.size(); ++s) {
    const SinkRunner& sink = *sinks_[s];
    const bool turn = sink.node().pace == 0 || last || !sink.served_once() ||
                      now >= sink.last_served_time() + sink.node().pace ||
                      sink.held_bytes() > settings_.in_flight / 2;
    due[s] = turn && (cut != Cut::no_data || sink.has_pending());
  }
  return due;
}

Status Run::close_stateful(const std::shared_ptr<EpochState>& epoch, const std::vector<bool>& due,
                           std::vector<std::vector<RecordBatch>>& rows) {
  for (const size_t node : graph_.statefuls)
    FLOWRUN_RETURN_IF_ERROR(close_node(node, *epoch, due, rows));
  return ok_status();
}

Status Run::close_node(size_t index, EpochState& epoch, const std::vector<bool>& due,
                       std::vector<std::vector<RecordBatch>>& rows) {
  GraphNode& node = graph_.nodes[index];
  Stateful& stateful = *node.stateful;
  const Epoch& seen = epoch.stateful[node.stateful_index];
  const auto parity = static_cast<size_t>(epoch.id & 1);
  std::vector<Local*> locals;
  for (const auto& local : shared_.locals[node.stateful_index][parity]) {
    if (local) locals.push_back(local.get());
  }
  // Sinks with the same question share one answer.
  std::map<std::pair<OutputMode, EpochId>, SinkSet> asks;
  EpochId oldest = epoch.id;
  for (size_t s = 0; s < sinks_.size(); ++s) {
    if (!node.sinks.contains(s) || !node.asked[s]) continue;
    // What another stateful operator is to absorb cannot wait for the sink's turn: it would come
    // late. A whole result can.
    const bool complete = *node.asked[s] == OutputMode::complete;
    const bool every_epoch = node.through_stateful[s] && !complete;
    if (due[s] || every_epoch) {
      const EpochId since = complete ? -1 : every_epoch ? epoch.id - 1 : sinks_[s]->last_served();
      asks.try_emplace({*node.asked[s], since}, SinkSet(sinks_.size())).first->second.add(s);
    } else {
      oldest = std::min(oldest, sinks_[s]->last_served());
    }
  }
  const size_t partitions = stateful.num_partitions();
  std::vector<std::vector<SinkRows>> out(partitions);
  std::mutex error_mutex;
  std::optional<Error> error;
  int64_t first_sequence = 0;
  {
    const std::lock_guard lock(mutex_);
    first_sequence = next_sequence_;
  }
  const auto close_partition = [&](size_t partition, size_t worker) -> Status {
    FLOWRUN_RETURN_IF_ERROR(stateful.merge(partition, locals, seen));
    FLOWRUN_RETURN_IF_ERROR(stateful.evict(partition, seen));
    for (const auto& [ask, sinks] : asks) {
      FLOWRUN_RETURN_IF_ERROR(workers_[worker]->run_emit(
          index, partition, Ask{ask.first, ask.second}, sinks, epoch,
          first_sequence + static_cast<int64_t>(partition), out[partition]));
    }
    stateful.forget(partition, oldest);
    return ok_status();
  };
  share_loop(partitions, [&](size_t partition, size_t worker) {
    Status done = close_partition(partition, worker);
    if (done) return;
    const std::lock_guard lock(error_mutex);
    if (!error) error = std::move(done.error());
  });
  if (error) return std::move(*error);
  for (Local* local : locals) {
    const int64_t before = local->memory_bytes();
    stateful.clear(*local);
    shared_.local_bytes.add(node.stateful_index, local->memory_bytes() - before);
  }
  for (std::vector<SinkRows>& partition : out) {
    for (SinkRows& row : partition) rows[row.sink].push_back(std::move(row.batch));
  }
  return ok_status();
}

// While one sink is waited for, another may have failed on a thread of its own.
void Run::note_failed_sinks(size_t but, EpochId epoch) {
  for (size_t s = 0; s < sinks_.size(); ++s) {
    if (s == but) continue;
    if (auto failure = sinks_[s]->failure()) fail(std::move(*failure), epoch);
  }
}

// `now` is the one that decided who is due: sinks of one pace stay together.
Status Run::finish_sinks(const EpochState& epoch, const std::vector<bool>& due, int64_t now,
                         std::vector<std::vector<RecordBatch>>& rows) {
  size_t waited_for = 0;
  const auto give_up = [&] {
    note_failed_sinks(waited_for, epoch.id);
    const std::lock_guard lock(mutex_);
    return end_told_ && monotonic() - *end_told_ > kSinkPatience;
  };
  const auto run_failed = [this] {
    const std::lock_guard lock(mutex_);
    return failure_.has_value();
  };
  for (size_t s = 0; s < sinks_.size(); ++s) {
    waited_for = s;
    SinkRunner::Turn turn{epoch.id, due[s], std::move(rows[s]), now};
    Status finished = sinks_[s]->finish(std::move(turn), give_up);
    if (!finished && (finished.error().code == ErrorCode::cancelled ||
                      (sinks_[s]->cancelled() && run_failed()))) {
      gave_up_ = true;
      log(LogEvent::Level::warning, sinks_[s]->node().name,
          fmt::format("did not take its rows in time; its epoch {} is not committed", epoch.id));
    } else if (!finished) {
      return finished;
    }
  }
  return ok_status();
}

void Run::share_loop(size_t count, const std::function<void(size_t, size_t)>& body) {
  const auto loop = std::make_shared<SharedLoop>();
  loop->count = count;
  loop->body = body;
  for (size_t i = 1; i < std::min(count, settings_.workers + 1); ++i) {
    Work work;
    work.kind = Work::Kind::loop;
    work.loop = loop;
    queue_.push(std::move(work));
  }
  help(*loop, settings_.workers);
  std::unique_lock lock(mutex_);
  coordinator_wakes_.wait(lock,
                          [&] { return loop->done.load(std::memory_order_acquire) == count; });
}

void Run::help(SharedLoop& loop, size_t worker) {
  while (true) {
    const size_t index = loop.next.fetch_add(1, std::memory_order_relaxed);
    if (index >= loop.count) return;
    loop.body(index, worker);
    if (loop.done.fetch_add(1, std::memory_order_acq_rel) + 1 == loop.count) {
      {
        const std::lock_guard lock(mutex_);
      }
      wake_coordinator();
    }
  }
}

// Said once when it begins and once when it ends.
void Run::note_falling_behind(const EpochState& epoch, int64_t total) {
  const bool slow =
      settings_.trigger.kind == Trigger::Kind::period && total > settings_.trigger.period;
  // A file waits for its turn as a matter of course; a peer does not.
  const bool live = std::ranges::any_of(graph_.sources, [this](size_t source) {
    const Source& reads = *graph_.nodes[source].source;
    return !reads.marks_epochs() && !reads.finite();
  });
  const bool waits = budget_waits_.exchange(false) && live;
  const bool behind = epoch.has_data() && (slow || waits);
  if (behind == behind_) return;
  behind_ = behind;
  if (!behind) return log(LogEvent::Level::info, "", "caught up again");
  log(LogEvent::Level::warning, "",
      slow ? fmt::format("falling behind: epoch {} took {:.1f} s, longer than its trigger",
                         epoch.id, static_cast<double>(total) / kSecond)
           : fmt::format("falling behind: the sources wait, {} MiB are in flight — more threads or "
                         "a larger `in_flight:` may help",
                         settings_.in_flight >> 20));
}

void Run::report_progress(const EpochState& epoch, const std::array<int64_t, 5>& times) {
  const int64_t began = epoch.has_data() ? epoch.first_chunk : times[0];
  const int64_t total = times[4] - began;
  note_falling_behind(epoch, times[4] - times[0]);
  if (!settings_.on_progress) return;
  const auto per_second = [](int64_t rows, int64_t microseconds) {
    return microseconds > 0
               ? static_cast<double>(rows) * kSecond / static_cast<double>(microseconds)
               : 0.0;
  };
  Progress progress;
  progress.name = settings_.name;
  progress.epoch = epoch.id;
  progress.timestamp = epoch.plain.context.now;
  progress.input_rows = epoch.rows;
  progress.input_rows_per_second = per_second(epoch.rows, total);
  progress.processed_rows_per_second =
      per_second(epoch.rows, std::max<int64_t>(times[4] - began, 1));
  progress.read_duration = times[0] - began;
  progress.absorb_duration = times[1] - times[0];
  progress.close_duration = times[2] - times[1];
  progress.commit_duration = times[3] - times[2];
  progress.total_duration = total;
  if (const auto watermark = watermarks_.shown()) {
    progress.has_watermark = true;
    progress.watermark = *watermark;
  }
  progress.late_rows = counters_.total(Metric::late);
  progress.rejected_rows = counters_.total(Metric::rejected);
  progress.memory_bytes = in_flight_.load() + shared_.local_bytes.total();
  {
    const std::lock_guard lock(mutex_);
    if (reading_->has_data()) progress.lag = monotonic() - reading_->first_chunk;
    for (const size_t s : graph_.sources) {
      const GraphNode& node = graph_.nodes[s];
      const int64_t rows = epoch.source_rows[node.source_index];
      progress.sources.push_back({node.name, source_states_[node.source_index].offset, rows,
                                  epoch.source_bytes[node.source_index], per_second(rows, total),
                                  per_second(rows, total),
                                  !source_states_[node.source_index].absent_since});
    }
  }
  for (const size_t s : graph_.statefuls) {
    const GraphNode& node = graph_.nodes[s];
    progress.states.push_back({node.name, node.stateful->state_rows(), node.stateful->state_bytes(),
                               counters_.get(s, Metric::late)});
    progress.state_rows += progress.states.back().rows;
    progress.state_bytes += progress.states.back().bytes;
  }
  progress.memory_bytes += progress.state_bytes;
  for (const auto& sink : sinks_) {
    progress.sinks.push_back({sink->node().name, sink->rows_of_last_turn()});
    progress.memory_bytes += sink->memory_bytes();
  }
  progress.nodes = progress_of_nodes();
  for (size_t edge = 0; edge < graph_.traffic->num_edges(); ++edge)
    progress.edge_rows.push_back(graph_.traffic->rows(edge));
  settings_.on_progress(progress);
}

std::vector<NodeProgress> Run::progress_of_nodes() const {
  std::vector<NodeProgress> nodes;
  for (size_t i = 0; i < graph_.nodes.size(); ++i) {
    const GraphNode& node = graph_.nodes[i];
    NodeProgress progress{node.id, counters_.get(i, Metric::late),
                          counters_.get(i, Metric::rejected)};
    int64_t watermark = kNoTime;
    if (node.watermark_index) watermark = watermarks_.value(*node.watermark_index);
    if (node.stateful && node.stateful_plan.evict)
      watermark = watermarks_.current(node.stateful_index);
    progress.has_watermark = watermark != kNoTime && watermark != kEndOfTime;
    if (progress.has_watermark) progress.watermark = watermark;
    nodes.push_back(std::move(progress));
  }
  return nodes;
}

}  // namespace flowrun
