#pragma once
// RecordBatch: columns of one length under a schema; the unit that travels between operators.

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "runtime/columnar/column.h"

namespace flowrun {

// Where the rows of a chunk came from; kept by operators that keep rows one to one, dropped by
// others.
struct Origin {
  std::string source;      // a file's path or a peer, as shown in `.errors`
  int64_t first_line = 0;  // number of the line that row 0 was read from, from 1
};

// A value: copying shares the columns. A column that nobody downstream reads may be absent
// (nullptr); whoever passes columns on must let absent ones through.
class RecordBatch {
 public:
  RecordBatch() = default;
  RecordBatch(SchemaPtr schema, int64_t num_rows, std::vector<ColumnPtr> columns,
              std::shared_ptr<const Origin> origin = {});

  [[nodiscard]] const SchemaPtr& schema() const { return schema_; }
  [[nodiscard]] int64_t num_rows() const { return num_rows_; }
  [[nodiscard]] size_t num_columns() const { return columns_.size(); }
  [[nodiscard]] const ColumnPtr& column(size_t i) const { return columns_[i]; }
  [[nodiscard]] const std::vector<ColumnPtr>& columns() const { return columns_; }
  [[nodiscard]] const std::shared_ptr<const Origin>& origin() const { return origin_; }

  [[nodiscard]] RecordBatch slice(int64_t start, int64_t length) const;
  // The rows at `indices`; the origin is dropped.
  [[nodiscard]] RecordBatch take(std::span<const int32_t> indices) const;
  // The same columns under another schema of as many fields (renames, new qualifiers).
  [[nodiscard]] RecordBatch with_schema(SchemaPtr schema) const;
  // Bytes kept alive, shared buffers counted once per column.
  [[nodiscard]] int64_t memory_bytes() const;

 private:
  SchemaPtr schema_;
  int64_t num_rows_ = 0;
  std::vector<ColumnPtr> columns_;
  std::shared_ptr<const Origin> origin_;
};

// REQUIRES: at least one batch, schemas of one shape.
RecordBatch concatenate(std::span<const RecordBatch> batches);

}  // namespace flowrun
