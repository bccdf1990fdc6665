#pragma once
// Row selection: what transforms share that keep some rows of a batch, or pass on fewer columns.

#include "runtime/columnar/row_bits.h"
#include "runtime/operator/transform.h"

namespace flowrun {

// The batch with the columns that are not wanted made absent. An empty set wants all.
RecordBatch with_wanted_columns(const RecordBatch& batch, const ColumnSet& wanted);

// Scratch of operators that select rows: what one call leaves, the next one reuses.
struct SelectionScratch final : Scratch {
  RowBits kept;
  RowBits present;
  std::vector<int32_t> rows;
};

// Emits the rows whose bit is set in scratch.kept: the same batch when all are, nothing when none
// is.
Status emit_kept(const RecordBatch& batch, const ColumnSet& wanted, SelectionScratch& scratch,
                 Emitter& out);

// Reads column `index` too: for read_columns.
inline void add_columns(std::span<const size_t> columns, ColumnSet& set) {
  for (const size_t column : columns) set[column] = true;
}

}  // namespace flowrun
