#pragma once
// Row bits: one bit per row in words of 64, for operators that keep some rows of a batch and drop
// others.

#include <cstdint>
#include <vector>

#include "runtime/columnar/column.h"

namespace flowrun {

// Bit i % 64 of word i / 64 is row i; bits behind the last row are zero.
using RowBits = std::vector<uint64_t>;

// The rows where a boolean column is true: neither false nor null.
void true_rows(const Column& column, RowBits& bits);
// The rows that hold a value: not null, and in a float or double column not NaN.
void present_rows(const Column& column, RowBits& bits);
// May present_rows clear any bit? False is certain, and costs one look.
bool may_miss(const Column& column);

// Appends the numbers of the rows whose bit is set.
void append_rows(const RowBits& bits, std::vector<int32_t>& rows);

}  // namespace flowrun
