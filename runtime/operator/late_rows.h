#pragma once
// LateRows: drops what comes after the watermark has passed its time, where no window decides.

#include <optional>

#include "runtime/operator/epoch.h"

namespace flowrun {

// The column of a schema that a watermark stands on.
struct WatermarkColumn {
  size_t index;
  int64_t delay;

  // The first one; none where no watermark stands before.
  static std::optional<WatermarkColumn> find(const Schema& schema);
  // The time of each row: the column's, a window's end where it is a window; null where it has
  // none.
  [[nodiscard]] ColumnPtr times(const RecordBatch& batch) const;
};

// Takes the rows out of `batch` whose time is not after epoch.late_watermark; counts them and, if
// wanted, puts them out on `port`.
Status drop_late_rows(const WatermarkColumn& column, size_t port, const Epoch& epoch,
                      RecordBatch& batch, Emitter& out);
// The same by the time of each row; what has none is not late.
Status drop_late_rows(const Column& times, size_t port, const Epoch& epoch, RecordBatch& batch,
                      Emitter& out);

}  // namespace flowrun
