#include "runtime/operator/pattern_rows.h"

#include <algorithm>

#include "runtime/columnar/builder.h"

namespace flowrun {

namespace {

// Rows of several pieces: taken piece by piece, then put in the order asked for.
struct Picked {
  std::vector<std::vector<int32_t>> rows;  // by piece
  std::vector<int32_t> order;              // of the pieces' rows one after the other; -1: null
};

}  // namespace

int64_t PatternRows::add(const RecordBatch& rows) {
  const int64_t first = size_;
  pieces_.push_back({first, rows});
  bytes_ += rows.memory_bytes();
  size_ += rows.num_rows();
  while (pieces_.size() > 1 &&
         2 * pieces_.back().rows.num_rows() > pieces_[pieces_.size() - 2].rows.num_rows())
    join_last_two();
  return first;
}

void PatternRows::join_last_two() {
  Piece& earlier = pieces_[pieces_.size() - 2];
  const std::vector<RecordBatch> parts{earlier.rows, pieces_.back().rows};
  bytes_ -= parts[0].memory_bytes() + parts[1].memory_bytes();
  earlier.rows = concatenate(std::span<const RecordBatch>(parts));
  bytes_ += earlier.rows.memory_bytes();
  pieces_.pop_back();
}

size_t PatternRows::piece_of(int64_t row) const {
  const auto behind = std::ranges::upper_bound(pieces_, row, {}, &Piece::first);
  return static_cast<size_t>(behind - pieces_.begin()) - 1;
}

RecordBatch PatternRows::gather(std::span<const int64_t> rows,
                                std::span<const size_t> columns) const {
  Picked picked{.rows = std::vector<std::vector<int32_t>>(pieces_.size()), .order = {}};
  std::vector<size_t> piece_of_row(rows.size());
  for (size_t i = 0; i < rows.size(); ++i) {
    if (rows[i] == kNone) continue;
    piece_of_row[i] = piece_of(rows[i]);
    const Piece& piece = pieces_[piece_of_row[i]];
    picked.rows[piece_of_row[i]].push_back(static_cast<int32_t>(rows[i] - piece.first));
  }
  std::vector<int32_t> next{0};
  for (const auto& of_piece : picked.rows)
    next.push_back(next.back() + static_cast<int32_t>(of_piece.size()));
  for (size_t i = 0; i < rows.size(); ++i)
    picked.order.push_back(rows[i] == kNone ? -1 : next[piece_of_row[i]]++);
  const auto num_rows = static_cast<int64_t>(rows.size());
  std::vector<ColumnPtr> gathered(schema_->num_fields());
  for (const size_t column : columns) {
    std::vector<ColumnPtr> parts;
    for (size_t p = 0; p < pieces_.size(); ++p) {
      if (!picked.rows[p].empty())
        parts.push_back(take(*pieces_[p].rows.column(column), picked.rows[p]));
    }
    gathered[column] = parts.empty()
                           ? null_column(schema_->field(column).type, num_rows)
                           : take(*concatenate(std::span<const ColumnPtr>(parts)), picked.order);
  }
  return {schema_, num_rows, std::move(gathered)};
}

void PatternRows::keep(std::span<const int64_t> rows) {
  std::vector<size_t> present;
  for (size_t c = 0; !pieces_.empty() && c < schema_->num_fields(); ++c) {
    if (pieces_[0].rows.column(c)) present.push_back(c);
  }
  RecordBatch kept = gather(rows, present);
  std::vector<ColumnPtr> columns;
  for (const ColumnPtr& column : kept.columns())
    columns.push_back(column ? with_own_text(column) : nullptr);
  pieces_.clear();
  size_ = bytes_ = 0;
  if (!rows.empty()) add({schema_, static_cast<int64_t>(rows.size()), std::move(columns)});
}

ColumnPtr with_own_text(const ColumnPtr& column) {
  const TypeId type = column->type().id();
  if (type != TypeId::string && type != TypeId::binary && !column->type().is_nested())
    return column;
  const std::unique_ptr<ColumnBuilder> builder = make_builder(column->type());
  for (int64_t row = 0; row < column->size(); ++row) builder->append_row(*column, row);
  return builder->finish();
}

}  // namespace flowrun
