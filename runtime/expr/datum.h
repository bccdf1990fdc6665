#pragma once
// Datum: what a function is given for an argument and what it gives back: a value per row, or one
// value that stands for every row (a literal is never expanded).
//
//   for (int64_t i = 0; i < rows; ++i)
//     if (!x.is_null(i)) total += x.column->values<int64_t>()[x.at(i)];

#include <cstdint>
#include <span>

#include "runtime/columnar/column.h"

namespace flowrun {

struct Datum {
  ColumnPtr column;
  bool constant = false;  // then `column` has one row

  [[nodiscard]] const Type& type() const { return column->type(); }
  // The row of `column` that holds row `row`'s value.
  [[nodiscard]] int64_t at(int64_t row) const { return constant ? 0 : row; }
  [[nodiscard]] bool is_null(int64_t row) const { return column->is_null(at(row)); }
  [[nodiscard]] bool is_constant_null() const { return constant && column->is_null(0); }
  // A column of `rows` rows.
  [[nodiscard]] ColumnPtr expand(int64_t rows) const {
    return constant ? repeat(*column, 0, rows) : column;
  }
  static Datum null(const Type& type) { return {null_column(type, 1), true}; }
};

// Which rows are null in the result of a function that is null wherever an argument is.
struct NullMask {
  BufferPtr bits;  // bit set = valid; absent when no row is null
  int64_t null_count = 0;

  [[nodiscard]] bool is_null(int64_t row) const { return bits && !get_bit(bits->data(), row); }
};

// The rows, of `rows`, in which any of `arguments` is null. REQUIRES: no argument is a constant
// null.
NullMask combine_nulls(std::span<const Datum> arguments, int64_t rows);

// Rows a kernel computes for these arguments: 1 if all are constant, else `rows`.
int64_t rows_to_compute(std::span<const Datum> arguments, int64_t rows);

}  // namespace flowrun
