#pragma once
// GrowingColumn: rows appended many at a time, and readable as a Column at any moment.
//
//   GrowingColumn names(Type::string());
//   names.append(*batch.column(0), rows);       // copies these rows; long texts too
//   const ColumnPtr all = take(*names.view(), wanted);
//
// What an operator keeps of the rows that pass: nothing in it holds on to the batches they came
// from. A ColumnBuilder makes a column once and for all; this one goes on growing beneath its
// views.

#include <span>
#include <vector>

#include "runtime/columnar/column.h"

namespace flowrun {

// Not thread-safe. Capacity doubles, so that a row is moved a constant number of times.
class GrowingColumn {
 public:
  explicit GrowingColumn(Type type);

  [[nodiscard]] const Type& type() const { return type_; }
  [[nodiscard]] int64_t size() const { return size_; }
  // Copies of the named rows, in that order; -1 gives a null. REQUIRES: source.type() == type().
  void append(const Column& source, std::span<const int32_t> rows);
  void append_nulls(int64_t rows);
  // The rows so far, in the buffers that rows go on being appended to: what take() picks from it
  // is good for ever, the view itself for this thread only.
  [[nodiscard]] ColumnPtr view() const;
  [[nodiscard]] int64_t memory_bytes() const;

 private:
  void append_validity(const Column& source, std::span<const int32_t> rows);
  void append_values(const Column& source, std::span<const int32_t> rows);
  void append_texts(const Column& source, std::span<const int32_t> rows);
  void append_lists(const Column& source, std::span<const int32_t> rows);
  [[nodiscard]] StringView store(std::string_view text);

  Type type_;
  int64_t size_ = 0;
  int64_t null_count_ = 0;
  BufferPtr validity_;  // none as long as nothing is null
  BufferPtr values_;
  std::vector<BufferPtr> texts_;  // blocks of long texts; the last one is open
  size_t text_used_ = 0;          // of the last block
  std::vector<GrowingColumn> children_;
};

}  // namespace flowrun
