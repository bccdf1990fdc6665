#pragma once
// SessionPartition: the open sessions of one partition, by key.

#include <vector>

#include "runtime/operator/aggregate_list.h"
#include "runtime/operator/pending_rows.h"
#include "runtime/operator/stateful.h"
#include "runtime/state/group_table.h"
#include "runtime/state/snapshot.h"

namespace flowrun {

// Fixed once bound.
struct SessionShape {
  std::vector<ExpressionPtr> keys;
  AggregateList aggregates;
  SchemaPtr output;  // session_window, keys, aggregates

  [[nodiscard]] std::vector<Type> key_types() const;
};

// One worker's rows of one epoch. A row opens a session of its own, [time, time + gap): rows of one
// key with the same two bounds are aggregated here, the rest when the epoch closes.
struct LocalSessions {
  explicit LocalSessions(const SessionShape& shape);

  GroupTable table;  // session's begin, its end, keys
  AggregateStates states;
};

// Sessions of a key never touch: each begins after the one before has ended.
class SessionPartition {
 public:
  // The shape must outlive it.
  SessionPartition(const SessionShape& shape, size_t number, size_t count);

  Status merge(std::span<const LocalSessions* const> locals);
  // Closes the sessions whose end is not after the watermark.
  Status evict(const Epoch& epoch);
  Status emit(const Ask& ask, const Epoch& epoch, Emitter& out) const;
  void forget(EpochId served) { closed_.forget(served); }

  Status save(SnapshotWriter& writer) const;
  Status load(const RecordBatch& rows);

  [[nodiscard]] int64_t rows() const { return static_cast<int64_t>(sessions_.size()); }
  [[nodiscard]] int64_t memory_bytes() const;

 private:
  struct Session {
    uint32_t key;  // group of keys_
    int64_t begin;
    int64_t end;
    uint32_t slot;  // group of states_
  };
  // What is to be merged: an open session, or a local's group.
  struct Piece {
    Session session;
    const LocalSessions* local;  // null: open already
  };

  [[nodiscard]] std::vector<Piece> gather(std::span<const LocalSessions* const> locals);
  Status join(std::span<const Piece> pieces);
  void compact();
  [[nodiscard]] Result<RecordBatch> output(std::span<const Session> sessions,
                                           const EvaluationContext& context) const;

  const SessionShape& shape_;
  size_t number_;
  size_t count_;
  GroupTable keys_;
  AggregateStates states_;
  uint32_t num_slots_ = 0;         // of states_, those of no session among them
  std::vector<Session> sessions_;  // by key, then begin
  PendingRows closed_;
};

}  // namespace flowrun
