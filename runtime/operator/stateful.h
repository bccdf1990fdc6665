#pragma once
// Stateful: an operator that remembers across batches and epochs: aggregates, windows, joins,
// dedup.

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "runtime/operator/epoch.h"
#include "runtime/operator/transform.h"

namespace flowrun {

class SnapshotWriter;  // state/snapshot.h
class SnapshotReader;

// One worker's rows of one epoch, not yet in the state. Made by make_local, handed back empty by
// merge.
class Local {
 public:
  virtual ~Local() = default;
  // Bytes it holds now; the engine closes the epoch when all locals reach half the budget.
  [[nodiscard]] virtual int64_t memory_bytes() const = 0;
};

struct Input {
  size_t port;  // which of the operator's inputs
  // Of the chunk; grows over the whole run. What comes in several batches of one sequence comes in
  // their order, to one local: operators that mind the order keep RowSequence::next
  // (operator/row_sequence.h) and the row.
  int64_t sequence;
  const RecordBatch& batch;
};

// What one or several sinks want at the end of an epoch.
struct Ask {
  OutputMode mode = OutputMode::append;
  // update: groups touched in epochs after this one. append: what was evicted after it.
  EpochId since = -1;
};

// How the planner uses the operator below a watermark: once per distinct need.
struct StatefulPlan {
  std::vector<OutputMode> modes;  // distinct modes asked for
  bool evict = false;             // lateness and eviction apply (never with complete)
  // An aggregation stands before it: in complete mode each epoch brings the whole result anew.
  bool after_aggregation = true;
};

// Life: bind and plan once on the planning thread; then per epoch, in this order:
//   absorb      from every worker at once, each with its own Local; const; never locks
//   merge, evict, emit
//               once per partition, in this order (emit once per distinct Ask); partitions run
//               concurrently
// There are two sets of locals, so absorb(N+1) may run while merge..emit(N) do. An operator without
// keys has one partition. Keys go to partition `hash % partitions`.
class Stateful {
 public:
  virtual ~Stateful() = default;
  virtual Result<PortSchemas> bind(std::span<const InputSchema> inputs) = 0;
  // Refuses what the operator cannot do, with the reason and what would make it possible. The
  // message need not name the node: the engine does. `partitions` >= 1 is how many partitions the
  // engine will use at most.
  virtual Status plan(const StatefulPlan& plan, size_t partitions) = 0;
  // How many partitions it uses; 1 without keys. Called after plan.
  [[nodiscard]] virtual size_t num_partitions() const = 0;
  // Tells which columns of the main port are read downstream; the others may be left absent. Once,
  // after plan and before read_columns.
  virtual void narrow(const ColumnSet& wanted) { static_cast<void>(wanted); }
  [[nodiscard]] virtual ColumnSet read_columns(size_t input, size_t num_columns) const {
    static_cast<void>(input);
    return ColumnSet(num_columns, true);
  }

  [[nodiscard]] virtual std::unique_ptr<Local> make_local() const = 0;
  // Late rows are dropped, counted and, if wanted, emitted on the port `late`.
  virtual Status absorb(Local& local, const Input& input, const Epoch& epoch,
                        Emitter& out) const = 0;
  virtual Status merge(size_t partition, std::span<Local* const> locals, const Epoch& epoch) = 0;
  // Removes what the watermark has passed; what append asks still want is kept until they were
  // served.
  virtual Status evict(size_t partition, const Epoch& epoch) = 0;
  virtual Status emit(size_t partition, const Ask& ask, const Epoch& epoch, Emitter& out) = 0;
  // After the emits of an epoch: no ask will look back behind `served` (the oldest `since` still
  // open).
  virtual void forget(size_t partition, EpochId served) {
    static_cast<void>(partition), static_cast<void>(served);
  }
  // Empties a local for the next epoch, keeping its capacity. Called once all partitions are
  // merged.
  virtual void clear(Local& local) const = 0;

  virtual Status snapshot(SnapshotWriter& writer) = 0;
  virtual Status restore(SnapshotReader& reader) = 0;

  [[nodiscard]] virtual int64_t state_rows() const = 0;  // may be called between epochs only
  [[nodiscard]] virtual int64_t state_bytes() const = 0;
  [[nodiscard]] virtual std::string describe() const = 0;
  // "one row per gt, no bound but the number of keys"; `bounded` false makes check warn.
  struct Bound {
    std::string text;
    bool bounded = true;
  };
  [[nodiscard]] virtual Bound state_bound() const = 0;
  // Warnings for check beside that of the bound. Called after bind.
  [[nodiscard]] virtual std::vector<std::string> warnings() const { return {}; }

  // The watermark that stateful operators behind this one take for theirs when its own is
  // `watermark`: what it emits from now on is later. Grows with `watermark`. Called after plan.
  [[nodiscard]] virtual int64_t output_watermark(int64_t watermark) const { return watermark; }
  // False if no watermark ends any of its state: a moved one is then no reason for an epoch without
  // data. Called after plan.
  [[nodiscard]] virtual bool evicts() const { return true; }
  // What rows of an input must fulfil to be taken in at all, over the input's columns: others do
  // not move the watermark, as behind a filter (Transform::conjuncts). Called after bind.
  [[nodiscard]] virtual std::vector<ExpressionPtr> conjuncts(size_t input) const {
    static_cast<void>(input);
    return {};
  }

  // The grouping columns of its output, for sinks that keep one row per key. Called after bind.
  [[nodiscard]] virtual std::vector<std::string> key_columns() const { return {}; }
  // True for aggregates (what SEMANTICS' table of output modes calls aggregation).
  [[nodiscard]] virtual bool is_aggregation() const { return false; }
};

}  // namespace flowrun
