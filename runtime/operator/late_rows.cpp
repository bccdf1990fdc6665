#include "runtime/operator/late_rows.h"

#include "runtime/operator/event_time.h"

namespace flowrun {

std::optional<WatermarkColumn> WatermarkColumn::find(const Schema& schema) {
  for (size_t i = 0; i < schema.num_fields(); ++i) {
    const Field& field = schema.field(i);
    if (field.watermark_delay) return WatermarkColumn{i, *field.watermark_delay};
  }
  return std::nullopt;
}

ColumnPtr WatermarkColumn::times(const RecordBatch& batch) const {
  const ColumnPtr& column = batch.column(index);
  return is_window_type(column->type()) ? column->child(1) : column;
}

Status drop_late_rows(const WatermarkColumn& column, size_t port, const Epoch& epoch,
                      RecordBatch& batch, Emitter& out) {
  return drop_late_rows(*column.times(batch), port, epoch, batch, out);
}

Status drop_late_rows(const Column& times, size_t port, const Epoch& epoch, RecordBatch& batch,
                      Emitter& out) {
  const std::span<const int64_t> values = times.values<int64_t>();
  std::vector<int32_t> kept;
  std::vector<int32_t> late;
  for (int64_t i = 0; i < times.size(); ++i) {
    const bool is_late =
        times.is_valid(i) && values[static_cast<size_t>(i)] <= epoch.late_watermark;
    (is_late ? late : kept).push_back(static_cast<int32_t>(i));
  }
  if (late.empty()) return {};
  out.count(Metric::late, static_cast<int64_t>(late.size()));
  if (out.wanted(port)) FLOWRUN_RETURN_IF_ERROR(out.emit(port, batch.take(late)));
  batch = batch.take(kept);
  return {};
}

}  // namespace flowrun
