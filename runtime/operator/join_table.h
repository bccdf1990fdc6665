#pragma once
// JoinTable: the rows of one side of a join, found by their keys.
//
//   const JoinTable table(keys, null_safe);
//   RowPairs pairs;
//   table.probe(other_keys, 0, kMany, pairs);   // (row of other_keys, row of the table), in both
//   orders
//
// Keys are compared as rows_equal does: NaN meets NaN, 0.0 meets -0.0. A null meets nothing, but
// where the comparison is null-safe it meets null.

#include <cstdint>
#include <span>
#include <vector>

#include "runtime/columnar/column.h"

namespace flowrun {

// Rows that belong together: left[i] with right[i]; -1 stands for no row.
struct RowPairs {
  std::vector<int32_t> left;
  std::vector<int32_t> right;
  void clear() {
    left.clear();
    right.clear();
  }
  void add(int32_t left_row, int32_t right_row) {
    left.push_back(left_row);
    right.push_back(right_row);
  }
  [[nodiscard]] int64_t size() const { return static_cast<int64_t>(left.size()); }
};

// Immutable: any number of workers may probe at once.
class JoinTable {
 public:
  // REQUIRES: at least one key; as many null_safe as keys.
  JoinTable(std::vector<ColumnPtr> keys, std::vector<bool> null_safe);

  // Appends the matches of the rows from `first` on, until all are done or there are `enough`
  // pairs; gives back the first row that was not looked at. REQUIRES: key types equal to the
  // table's.
  int64_t probe(std::span<const ColumnPtr> keys, int64_t first, int64_t enough,
                RowPairs& pairs) const;

 private:
  [[nodiscard]] bool meets_nothing(std::span<const ColumnPtr> keys, int64_t row) const;
  [[nodiscard]] bool equal(std::span<const ColumnPtr> keys, int64_t row, int64_t table_row) const;

  std::vector<ColumnPtr> keys_;
  std::vector<bool> null_safe_;
  std::vector<uint64_t> hashes_;  // of the table's rows
  std::vector<int32_t> heads_;    // first row of each bucket, -1: none; a power of two
  std::vector<int32_t> next_;     // the next row of the same bucket
};

}  // namespace flowrun
