#include "runtime/columnar/record_batch.h"

#include <algorithm>

namespace flowrun {

RecordBatch::RecordBatch(SchemaPtr schema, int64_t num_rows, std::vector<ColumnPtr> columns,
                         std::shared_ptr<const Origin> origin)
    : schema_(std::move(schema)),
      num_rows_(num_rows),
      columns_(std::move(columns)),
      origin_(std::move(origin)) {
  FLOWRUN_CHECK(schema_ && schema_->num_fields() == columns_.size(),
                "a batch has a column per field");
  for (const ColumnPtr& column : columns_) {
    FLOWRUN_CHECK(!column || column->size() == num_rows_,
                  "the columns of a batch are as long as the batch");
  }
}

RecordBatch RecordBatch::slice(int64_t start, int64_t length) const {
  std::vector<ColumnPtr> columns;
  columns.reserve(columns_.size());
  for (const ColumnPtr& column : columns_)
    columns.push_back(column ? column->slice(start, length) : nullptr);
  std::shared_ptr<const Origin> origin = origin_;
  if (origin && start > 0)
    origin = std::make_shared<const Origin>(Origin{origin_->source, origin_->first_line + start});
  return {schema_, length, std::move(columns), std::move(origin)};
}

RecordBatch RecordBatch::take(std::span<const int32_t> indices) const {
  std::vector<ColumnPtr> columns;
  columns.reserve(columns_.size());
  for (const ColumnPtr& column : columns_)
    columns.push_back(column ? flowrun::take(*column, indices) : nullptr);
  return {schema_, static_cast<int64_t>(indices.size()), std::move(columns)};
}

RecordBatch RecordBatch::with_schema(SchemaPtr schema) const {
  return {std::move(schema), num_rows_, columns_, origin_};
}

int64_t RecordBatch::memory_bytes() const {
  int64_t bytes = 0;
  for (const ColumnPtr& column : columns_) bytes += column ? column->memory_bytes() : 0;
  return bytes;
}

RecordBatch concatenate(std::span<const RecordBatch> batches) {
  FLOWRUN_CHECK(!batches.empty(), "concatenate takes at least one batch");
  if (batches.size() == 1) return batches[0];
  int64_t rows = 0;
  for (const RecordBatch& batch : batches) rows += batch.num_rows();
  std::vector<ColumnPtr> columns;
  for (size_t i = 0; i < batches[0].num_columns(); ++i) {
    std::vector<ColumnPtr> parts;
    for (const RecordBatch& batch : batches) parts.push_back(batch.column(i));
    const bool absent = std::ranges::any_of(parts, [](const ColumnPtr& part) { return !part; });
    columns.push_back(absent ? nullptr : concatenate(std::span<const ColumnPtr>(parts)));
  }
  return {batches[0].schema(), rows, std::move(columns)};
}

}  // namespace flowrun
