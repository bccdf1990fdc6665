#pragma once
// OrderedRows: a local that keeps batches as they come, to be put in the order of the input
// afterwards.

#include <span>
#include <vector>

#include "runtime/operator/row_sequence.h"
#include "runtime/operator/stateful.h"

namespace flowrun {

class OrderedRows final : public Local {
 public:
  void add(int64_t sequence, RecordBatch rows) {
    bytes_ += rows.memory_bytes();
    num_rows_ += rows.num_rows();
    pieces_.push_back({sequence_.next(sequence), std::move(rows)});
  }
  [[nodiscard]] int64_t num_rows() const { return num_rows_; }
  // Keeps the first `rows` rows only.
  void cut(int64_t rows);
  void clear() {
    pieces_.clear();
    bytes_ = num_rows_ = 0;
  }
  [[nodiscard]] int64_t memory_bytes() const override { return bytes_; }

  // The batches of all locals in the order of the input.
  static std::vector<RecordBatch> in_order(std::span<Local* const> locals);

 private:
  struct Piece {
    int64_t place;
    RecordBatch rows;
  };
  void sort();

  std::vector<Piece> pieces_;
  int64_t bytes_ = 0;
  int64_t num_rows_ = 0;
  RowSequence sequence_;
};

}  // namespace flowrun
