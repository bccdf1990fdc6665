#include "runtime/operator/row_selection.h"

#include <algorithm>

namespace flowrun {

RecordBatch with_wanted_columns(const RecordBatch& batch, const ColumnSet& wanted) {
  if (std::ranges::all_of(wanted, [](bool is_wanted) { return is_wanted; })) return batch;
  std::vector<ColumnPtr> columns = batch.columns();
  for (size_t i = 0; i < columns.size(); ++i) {
    if (!wanted[i]) columns[i] = nullptr;
  }
  return {batch.schema(), batch.num_rows(), std::move(columns), batch.origin()};
}

Status emit_kept(const RecordBatch& batch, const ColumnSet& wanted, SelectionScratch& scratch,
                 Emitter& out) {
  scratch.rows.clear();
  append_rows(scratch.kept, scratch.rows);
  if (scratch.rows.empty()) return {};
  if (std::ssize(scratch.rows) == batch.num_rows()) return out.emit(0, batch);
  return out.emit(0, with_wanted_columns(batch, wanted).take(scratch.rows));
}

}  // namespace flowrun
