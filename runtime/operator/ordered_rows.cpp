#include "runtime/operator/ordered_rows.h"

#include <algorithm>

namespace flowrun {

void OrderedRows::sort() { std::ranges::stable_sort(pieces_, {}, &Piece::place); }

void OrderedRows::cut(int64_t rows) {
  sort();
  std::vector<Piece> kept;
  num_rows_ = bytes_ = 0;
  for (Piece& piece : pieces_) {
    if (num_rows_ == rows) break;
    if (piece.rows.num_rows() > rows - num_rows_)
      piece.rows = piece.rows.slice(0, rows - num_rows_);
    num_rows_ += piece.rows.num_rows();
    bytes_ += piece.rows.memory_bytes();
    kept.push_back(std::move(piece));
  }
  pieces_ = std::move(kept);
}

std::vector<RecordBatch> OrderedRows::in_order(std::span<Local* const> locals) {
  std::vector<Piece> all;
  for (const Local* local : locals) {
    const auto& pieces = static_cast<const OrderedRows*>(local)->pieces_;
    all.insert(all.end(), pieces.begin(), pieces.end());
  }
  std::ranges::stable_sort(all, {}, &Piece::place);
  std::vector<RecordBatch> batches;
  for (Piece& piece : all) batches.push_back(std::move(piece.rows));
  return batches;
}

}  // namespace flowrun
