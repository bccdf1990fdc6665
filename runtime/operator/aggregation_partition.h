#pragma once
// AggregationPartition: the groups of one partition of an aggregation's state. Where windows
// overlap a group is a pane of one key; windows are put together from panes when they are given
// out.

#include <deque>
#include <limits>
#include <optional>
#include <vector>

#include "runtime/operator/aggregation_shape.h"
#include "runtime/operator/sliding_windows.h"
#include "runtime/operator/stateful.h"
#include "runtime/state/snapshot.h"

namespace flowrun {

// Invariants:
//   touched_, ends_ and every GroupStates are as long as table_.
//   touch_log_ is sorted by epoch; a group's last entry in it has the epoch touched_[group].
//   An evicted group is in evicted_ and nowhere else.
class AggregationPartition {
 public:
  // `number` of `count`: which keys are its own. The shape must outlive it.
  AggregationPartition(const AggregationShape& shape, const StatefulPlan& plan, size_t number,
                       size_t count);

  Status merge(const LocalGroups& local, const Epoch& epoch);
  Status evict(const Epoch& epoch);
  Status emit(const Ask& ask, const Epoch& epoch, Emitter& out) const;
  void forget(EpochId served);

  // Section "groups": the keys, then the columns of each call's states.
  Status save(SnapshotWriter& writer) const;
  // Takes the rows whose keys are its own.
  Status load(const RecordBatch& rows);

  [[nodiscard]] int64_t rows() const { return static_cast<int64_t>(table_.size() - num_ended_); }
  [[nodiscard]] int64_t memory_bytes() const;

 private:
  struct Touch {
    EpochId epoch;
    uint32_t group;
  };
  struct Evicted {
    EpochId epoch;
    std::vector<EpochId> touched;  // when each row's group was last touched
    RecordBatch rows;
  };
  // Keys of the state, and the local group that each row comes from.
  struct Expansion {
    std::vector<ColumnPtr> keys;
    std::vector<uint32_t> from;
  };

  [[nodiscard]] Expansion expand_set(const GroupTable& local, size_t set) const;
  [[nodiscard]] std::vector<uint64_t> owner_hashes(std::span<const ColumnPtr> keys, size_t rows);
  [[nodiscard]] std::vector<uint32_t> own_groups(const GroupTable& local);
  void keep_own(Expansion& expansion);
  Status merge_expansion(Expansion expansion, const LocalGroups& local, const Epoch& epoch);
  Status merge_states(std::span<const uint32_t> groups, const LocalGroups& local,
                      std::span<const uint32_t> from, const Epoch& epoch);
  void note_new_groups();
  [[nodiscard]] Result<RecordBatch> output(std::span<const uint32_t> groups,
                                           const EvaluationContext& context) const;
  [[nodiscard]] Result<RecordBatch> window_output(const WindowRows& windows,
                                                  std::span<const uint32_t> chosen,
                                                  const EvaluationContext& context) const;
  // The keys (without the window), then what the named groups of `states` come to.
  [[nodiscard]] Result<RecordBatch> rows_of(ColumnPtr window, std::vector<ColumnPtr> keys,
                                            const AggregateStates& states,
                                            std::span<const uint32_t> groups,
                                            const EvaluationContext& context) const;
  Status evict_windows(const Epoch& epoch);
  void forget_groups(std::span<const uint32_t> kept, std::span<const uint32_t> numbers);
  void find_first_end();
  Status emit_evicted(const Ask& ask, Emitter& out) const;
  Status emit_windows(const WindowQuestion& question, const Epoch& epoch, Emitter& out) const;
  Status emit_groups(std::span<const uint32_t> groups, const Epoch& epoch, Emitter& out) const;
  [[nodiscard]] bool asked_for(OutputMode mode) const;

  const AggregationShape& shape_;
  std::vector<OutputMode> modes_;
  bool evict_;
  size_t number_;
  size_t count_;

  GroupTable table_;
  AggregateStates states_;
  std::vector<EpochId> touched_;
  std::deque<Touch> touch_log_;  // kept while update is asked for
  std::vector<int64_t> ends_;    // when the watermark ends each group; kEndOfTime: never
  int64_t first_end_;            // when the watermark ends the first group, or the first window
  std::optional<SlidingWindows> sliding_;  // set where windows overlap: groups are panes then
  size_t num_ended_ = 0;                   // panes that wait to be swept out
  int64_t ended_until_ = std::numeric_limits<int64_t>::min();  // windows that end here are gone
  std::deque<Evicted> evicted_;
};

}  // namespace flowrun
