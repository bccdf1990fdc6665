#pragma once
// PatternRows: the rows that a pattern still needs, by number, a column at a time.
//
// Rows are numbered in the order in which they are added. They lie in a few pieces, each at least
// twice as long as the next, so that adding costs a few copies of a row however small the batches
// are.

#include <span>
#include <vector>

#include "runtime/columnar/record_batch.h"

namespace flowrun {

// Not thread-safe.
class PatternRows {
 public:
  static constexpr int64_t kNone = -1;

  explicit PatternRows(SchemaPtr schema) : schema_(std::move(schema)) {}

  [[nodiscard]] const SchemaPtr& schema() const { return schema_; }
  [[nodiscard]] int64_t size() const { return size_; }
  // The number of the first of them. REQUIRES: the schema's columns; absent ones are so in all.
  int64_t add(const RecordBatch& rows);
  // The named rows, with nulls for kNone; only the columns named are there.
  [[nodiscard]] RecordBatch gather(std::span<const int64_t> rows,
                                   std::span<const size_t> columns) const;
  // Keeps the named rows, numbered 0, 1, ... in that order.
  void keep(std::span<const int64_t> rows);
  [[nodiscard]] int64_t memory_bytes() const { return bytes_; }

 private:
  struct Piece {
    int64_t first;  // number of its first row
    RecordBatch rows;
  };
  void join_last_two();
  [[nodiscard]] size_t piece_of(int64_t row) const;

  SchemaPtr schema_;
  std::vector<Piece> pieces_;
  int64_t size_ = 0;
  int64_t bytes_ = 0;
};

// The column with text of its own: none of it keeps alive the buffers that `column` was read from.
ColumnPtr with_own_text(const ColumnPtr& column);

}  // namespace flowrun
