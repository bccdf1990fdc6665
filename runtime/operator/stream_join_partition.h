#pragma once
// StreamJoinPartition: the rows of one partition of a stream join's state, and the matches of an
// epoch's rows.
//
// Rows of both sides hang in chains below the same table of keys, newest first. A row keeps its
// number until compact() numbers the living ones anew, once an epoch's rows were put out; dead rows
// stay in their chains till then.

#include <array>
#include <limits>
#include <optional>
#include <vector>

#include "runtime/columnar/growing_column.h"
#include "runtime/expr/state_bound.h"
#include "runtime/operator/join_binding.h"
#include "runtime/operator/pending_rows.h"
#include "runtime/operator/row_sequence.h"
#include "runtime/operator/stateful.h"
#include "runtime/state/group_table.h"
#include "runtime/state/snapshot.h"

namespace flowrun {

// What all partitions of one join have in common. Immutable once the join is planned.
struct StreamJoinShape {
  struct Side {
    SchemaPtr schema;
    ColumnSet kept;       // columns that the state holds
    bool outer = false;   // rows that matched nothing come out, with nulls for the other side
    bool once = false;    // rows come out with their first match, alone (left_semi)
    bool evicts = false;  // the watermark ends its rows: by the key below, or the bound
    std::optional<StateBound> bound;
  };
  JoinBinding join;
  std::array<Side, 2> sides;
  std::vector<Type> key_types;
  std::vector<bool> null_safe;
  // The key by whose time both sides are evicted, if one carries a watermark.
  std::optional<size_t> time_key;
  // How far apart the times of rows that match may be.
  std::optional<TimeRange> range;
  ColumnSet wanted;  // of the output
};

// One worker's rows of one epoch.
class StreamJoinLocal final : public Local {
 public:
  // Rows of one batch, split by partition.
  struct Piece {
    size_t side = 0;
    int64_t place = 0;  // in the order of the input
    RecordBatch rows;
    std::vector<ColumnPtr> keys;
    ColumnPtr times;                           // of eviction; null: never evicted
    ColumnPtr range_times;                     // what the range compares, if there is one
    std::vector<std::vector<int32_t>> keyed;   // by partition: rows that may match
    std::vector<std::vector<int32_t>> single;  // rows that match nothing, kept till their bound
    std::vector<std::vector<int32_t>> alone;   // rows that match nothing and come out at once
  };
  [[nodiscard]] int64_t memory_bytes() const override { return bytes; }

  std::vector<Piece> pieces;
  int64_t bytes = 0;
  RowSequence sequence;
};

class StreamJoinPartition {
 public:
  // `number` of `count`: which keys are its own. The shape must outlive it.
  StreamJoinPartition(const StreamJoinShape& shape, size_t number, size_t count);

  Status merge(std::span<Local* const> locals, const Epoch& epoch);
  Status evict(const Epoch& epoch);
  Status emit(const Ask& ask, Emitter& out) const;
  void forget(EpochId served);

  // Sections "left" and "right": the kept columns, the keys, `time`, `range_time` where there is a
  // range, `keyed`, `matched`.
  Status save(SnapshotWriter& writer) const;
  // Takes the rows whose keys are its own.
  Status load(size_t side, const RecordBatch& rows);

  [[nodiscard]] int64_t rows() const { return sides_[0].living + sides_[1].living; }
  [[nodiscard]] int64_t memory_bytes() const;

 private:
  static constexpr uint8_t kMatched = 1;
  static constexpr uint8_t kDead = 2;
  static constexpr int64_t kNoRangeTime = std::numeric_limits<int64_t>::min();

  // The rows of a side, in columns and parallel arrays.
  struct Rows {
    std::vector<GrowingColumn> columns;  // of the kept ones
    std::vector<uint32_t> groups;        // kNoGroup: matches nothing
    std::vector<int32_t> next;           // the row before it of the same key, -1: none
    std::vector<int64_t> times;          // when the watermark ends it; kEndOfTime: never
    std::vector<int64_t> block_times;    // the least of each block of times
    std::vector<int64_t> range_times;    // what the range compares; kNoRangeTime: it holds for none
    std::vector<int64_t> latest;         // the greatest range time of a row and those before it
    std::vector<uint8_t> flags;
    std::vector<int32_t> heads;  // by group: its last row
    int32_t linked = 0;          // rows from here on hang in no chain yet
    int32_t first_living = 0;    // all before are dead
    int64_t living = 0;
    [[nodiscard]] int32_t size() const { return static_cast<int32_t>(groups.size()); }
  };

  void append(const StreamJoinLocal::Piece& piece, std::span<const int32_t> selected, bool keyed);
  void link(size_t side);
  [[nodiscard]] RecordBatch view(size_t side) const;
  // Candidates of the rows of `side` from `first` on: linked rows of the other side.
  Status probe(size_t side, int32_t first, RowPairs& pairs, const Epoch& epoch);
  Status settle(RowPairs& pairs, const Epoch& epoch);
  // Rows of `side` that are not in the state, with nulls for the other.
  Status put_out_alone(size_t side, const RecordBatch& batch, std::span<const int32_t> rows,
                       const Epoch& epoch);
  // The rows of matches_, some at a time.
  template <class Take>
  Status make_rows(Take take_rows) const;
  // The range times that may match that of a row. REQUIRES: there is a range.
  struct Span {
    int64_t first;
    int64_t last;
  };
  [[nodiscard]] Span span_of(size_t side, int32_t row) const;
  void kill(Rows& rows, int32_t row);
  [[nodiscard]] std::vector<int32_t> expired(Rows& rows, int64_t bound) const;
  void release_numbers();
  void compact(size_t side);
  void drop_unused_keys();

  const StreamJoinShape& shape_;
  size_t number_;
  size_t count_;
  GroupTable keys_;
  std::array<Rows, 2> sides_;
  // What comes out of the newest epoch, as numbers of rows: they are put together when they are
  // asked for, and never all at once.
  RowPairs matches_;
  EpochId matched_in_ = -1;
  EvaluationContext context_;  // of that epoch
  PendingRows pending_;        // of it and of earlier ones, put together
};

// Which partition each row belongs to.
std::vector<size_t> partitions_of_keys(std::span<const ColumnPtr> keys, int64_t rows, size_t count);

}  // namespace flowrun
