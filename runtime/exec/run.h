#pragma once
// Run: one execution of a graph. Owns the threads; the thread that calls execute() is the
// coordinator.
//
// The coordinator waits for the trigger, cuts the epoch (from then on sources feed the next one),
// waits until its chunks are absorbed, moves the watermarks, closes it (merge, evict, emit) and
// commits the sinks. Workers go on absorbing the next epoch meanwhile, into the other set of
// locals.

#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <random>
#include <thread>
#include <vector>

#include "runtime/base/brief_spin.h"
#include "runtime/exec/chunk_queue.h"
#include "runtime/exec/engine.h"
#include "runtime/exec/epoch_state.h"
#include "runtime/exec/graph.h"
#include "runtime/exec/graph_view.h"
#include "runtime/exec/sink_runner.h"
#include "runtime/exec/sink_watch.h"
#include "runtime/exec/source_runner.h"
#include "runtime/exec/stop_watch.h"
#include "runtime/exec/watermarks.h"
#include "runtime/exec/worker.h"

namespace flowrun {

struct RunSettings {
  std::string name;
  Trigger trigger;
  size_t workers = 1;
  int64_t memory = 0;
  int64_t in_flight = 0;
  bool watermark_policy_max = false;
  std::string timezone = "UTC";
  std::optional<int64_t> epochs;
  std::optional<int64_t> run_for;
  std::string capture;
  std::optional<uint64_t> chunking;
  bool restart_state = false;
  bool stepped = false;
  const Clock* clock = nullptr;
  std::function<bool(const Moment&)> next_time;
  std::function<void(const LogEvent&)> on_log;
  std::function<void(const Progress&)> on_progress;
  std::function<void(const std::string& node, const std::string& offset)> on_committed;
  std::function<void()> after_commit;  // every sink has committed its part of an epoch
  std::function<void(const std::string& node)> on_stuck;
};

class Run final : public SourceHost {
 public:
  Run(Graph& graph, RunSettings settings, std::shared_ptr<BufferPool> pool);
  ~Run() override;

  // To the end of the data, stop(), or the first failure. Call once.
  Status execute();
  // The same in pieces, with settings.stepped: begin until it gives true or before_begin says that
  // the run has ended, step until it says `ended`, finish once.
  Result<bool> begin();
  [[nodiscard]] Engine::Step before_begin() const;
  Engine::Step step();
  Status finish();
  void stop();
  [[nodiscard]] std::vector<SourceView> sources() const;
  [[nodiscard]] std::vector<SinkView> sinks() const;

  bool await_turn(size_t source) override;
  bool may_read(size_t source) override;
  std::optional<Offset> take_committed(size_t source) override;
  std::optional<Offset> await_committed(size_t source) override;
  bool pause(int64_t microseconds) override;
  void submit(size_t source, Chunk chunk) override;
  void set_available(size_t source, bool available) override;
  void source_ended(size_t source, Status how) override;
  void log(LogEvent::Level level, const std::string& node, std::string message) override;
  [[nodiscard]] int64_t monotonic() const override { return settings_.clock->monotonic(); }
  [[nodiscard]] std::shared_ptr<BufferPool> pool() const override { return pool_; }

 private:
  void note_absent(std::optional<int64_t>& since, bool absent) const;
  void cancel_sources();
  void tell_stuck(const std::string& node);
  struct SourceState {
    bool part_ended = false;  // of the epoch being read
    bool delivered = false;   // a chunk of the epoch being read came from it
    bool ended = false;
    std::optional<int64_t> absent_since;  // its peer, on the clock; none: it answers
    bool marks_epochs = false;
    std::string offset;
    std::optional<std::string> committed;  // not yet told to it
    int64_t last_rows = 0;                 // when, monotonic
  };

  // Why an epoch was cut.
  enum class Cut : uint8_t {
    data,     // it has rows or a source's mark
    no_data,  // the watermark moved, or a paced sink is due
    end,      // all input is read, or stop was asked: the last one
    failed,
  };

  // step.cpp: without threads
  bool read_and_absorb();
  bool run_queued();
  void leave_sources();

  // opening.cpp: before anything is read
  Status open_transforms();
  void make_sinks();
  Result<bool> open_next_sink();
  [[nodiscard]] bool gives_up_waiting() const;
  bool await_sink();

  // run.cpp: life and threads
  [[nodiscard]] bool enough_epochs() const;
  [[nodiscard]] bool has_turn(size_t source) const;
  void start_threads();
  void stop_threads();
  void worker_main(size_t index);
  void run_chunk(Worker& worker, Work work);
  void fail(Error error, EpochId epoch);
  void tell_sinks_to_end();
  [[nodiscard]] bool failed(EpochId epoch);
  std::shared_ptr<EpochState> new_epoch(EpochId id);
  void enqueue(size_t source, Chunk chunk, const FlightPtr& flight);
  void hand_out(Work work);
  void wake_coordinator();
  void take_small_chunks();
  std::vector<RecordBatch> cut_randomly(const RecordBatch& rows);

  // idle.cpp: sources that hold no watermark back
  [[nodiscard]] bool holds(const GraphNode& source, int64_t now) const;
  [[nodiscard]] std::vector<bool> holding_at(int64_t now) const;
  [[nodiscard]] std::vector<bool> holding_watermarks();
  void note_idle(int64_t now);
  [[nodiscard]] int64_t next_idle(int64_t now) const;

  // virtual_time.cpp: in place of the trigger
  Cut await_time();
  std::optional<Cut> cut_in_time();
  [[nodiscard]] std::optional<int64_t> next_due(int64_t now) const;

  // trigger.cpp: when an epoch ends
  Cut await_cut();
  void run_handed(std::unique_lock<std::mutex>& lock);
  std::optional<Cut> due_cut(int64_t now);
  void end(Cut cut);
  std::optional<Cut> cut_now(int64_t now);
  std::optional<Cut> cut_asap(int64_t now);
  std::optional<Cut> cut_period(int64_t now);
  [[nodiscard]] bool epoch_is_long(int64_t now) const;
  [[nodiscard]] int64_t next_wake(int64_t now) const;
  [[nodiscard]] bool all_ended() const;
  [[nodiscard]] bool all_parts_ended() const;
  [[nodiscard]] bool mid_part() const;
  [[nodiscard]] bool paced_sink_due(int64_t now) const;

  // memory.cpp: the budget
  [[nodiscard]] bool over_half_budget() const;
  [[nodiscard]] bool awaits_cut() const;
  [[nodiscard]] bool room_in_flight() const;
  [[nodiscard]] int64_t epoch_budget() const;
  [[nodiscard]] int64_t held_by_sinks() const;
  Status check_memory();
  Status check_memory_within_epoch();

  // committing.cpp: what sources are told
  void tell_committed(const EpochState& epoch);

  // restart.cpp
  Status restart_state();

  // closing.cpp: what happens at its end
  Status end_epoch(Cut cut);
  std::shared_ptr<EpochState> swap_epoch();
  Status close_stateful(const std::shared_ptr<EpochState>& epoch, const std::vector<bool>& due,
                        std::vector<std::vector<RecordBatch>>& rows);
  Status close_node(size_t node, EpochState& epoch, const std::vector<bool>& due,
                    std::vector<std::vector<RecordBatch>>& rows);
  [[nodiscard]] bool changes(size_t sink, const EpochState& epoch) const;
  [[nodiscard]] std::vector<bool> due_sinks(Cut cut, int64_t now);
  void note_failed_sinks(size_t but, EpochId epoch);
  Status finish_sinks(const EpochState& epoch, const std::vector<bool>& due, int64_t now,
                      std::vector<std::vector<RecordBatch>>& rows);
  void share_loop(size_t count, const std::function<void(size_t, size_t)>& body);
  void help(SharedLoop& loop, size_t worker);
  void report_progress(const EpochState& epoch, const std::array<int64_t, 5>& times);
  [[nodiscard]] std::vector<NodeProgress> progress_of_nodes() const;
  void note_falling_behind(const EpochState& epoch, int64_t total);

  Graph& graph_;
  RunSettings settings_;
  StopWatch stop_watch_;  // of sources that are told to end
  std::shared_ptr<BufferPool> pool_;
  NodeCounters counters_;
  WorkerShared shared_;
  std::vector<std::unique_ptr<SinkRunner>> sinks_;
  SinkWatch sink_watch_;  // behind the sinks: it ends before them
  std::vector<std::unique_ptr<SourceRunner>> sources_;
  std::vector<std::unique_ptr<Worker>> workers_;  // the last one is the coordinator's
  std::vector<std::thread> threads_;
  ChunkQueue queue_;
  Watermarks watermarks_;

  mutable std::mutex mutex_;
  std::condition_variable coordinator_wakes_;
  std::condition_variable sources_wake_;
  std::shared_ptr<EpochState> reading_;  // the epoch that sources feed
  std::vector<SourceState> source_states_;
  std::vector<std::optional<int64_t>> sinks_absent_since_;  // as in SourceState
  int64_t next_sequence_ = 0;
  std::atomic<int64_t> in_flight_{0};
  std::atomic<int> waiting_sources_{0};
  std::atomic<int64_t> kept_bytes_{0};     // by state and sinks, when the last epoch ended
  std::atomic<int64_t> kept_by_sinks_{0};  // the part of it that sinks kept
  SinkRunner* opening_ = nullptr;
  bool stop_ = false;                // asked for
  std::optional<int64_t> end_told_;  // when sinks were told that the run ends, monotonic
  bool closes_last_ = false;         // of the epochs that were asked for
  bool leaving_ = false;             // sources must leave
  bool over_ = false;                // nothing more will be committed
  std::optional<Error> failure_;
  EpochId failed_epoch_ = 0;  // of failure_; epochs before it are still committed
  std::mt19937_64 random_;

  // The coordinator's alone.
  size_t opened_sinks_ = 0;
  Pauses sink_pauses_;
  int64_t next_sink_try_ = 0;
  bool watermark_moved_ = false;  // an epoch without data is owed
  int64_t next_tick_ = 0;
  int64_t started_ = 0;
  int64_t epochs_done_ = 0;
  EpochId last_committed_ = -1;
  bool gave_up_ = false;  // the end did not wait for a sink: from there on nothing is committed
  // Where the sources stood at the end of each epoch that some sink has yet to be given.
  std::deque<std::pair<EpochId, std::vector<std::string>>> uncommitted_;
  bool behind_ = false;
  std::atomic<bool> budget_waits_{false};
  BriefSpin spin_;

  // A small chunk that nobody else works beside is the coordinator's: it is about to end the epoch
  // anyway, and to wake a worker takes longer than the chunk.
  bool takes_small_chunks_ =
      false;  // it has no epoch to end, or is done with it but for the report
  std::optional<Work> handed_;
  std::atomic<int64_t> events_{0};  // that the coordinator was to see
};

}  // namespace flowrun
