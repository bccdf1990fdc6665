#include "runtime/operator/join_table.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "runtime/columnar/hash.h"

namespace flowrun {

namespace {

std::vector<uint64_t> hash_keys(std::span<const ColumnPtr> keys) {
  std::vector<uint64_t> hashes(static_cast<size_t>(keys[0]->size()), kHashSeed);
  for (const ColumnPtr& key : keys) hash_rows(*key, hashes);
  return hashes;
}

}  // namespace

JoinTable::JoinTable(std::vector<ColumnPtr> keys, std::vector<bool> null_safe)
    : keys_(std::move(keys)), null_safe_(std::move(null_safe)), hashes_(hash_keys(keys_)) {
  const size_t num_rows = hashes_.size();
  heads_.assign(std::bit_ceil(std::max<size_t>(2 * num_rows, 16)), -1);
  next_.assign(num_rows, -1);
  // From the back, so that each bucket lists its rows in their order.
  for (size_t row = num_rows; row-- > 0;) {
    if (meets_nothing(keys_, static_cast<int64_t>(row))) continue;
    int32_t& head = heads_[hashes_[row] & (heads_.size() - 1)];
    next_[row] = std::exchange(head, static_cast<int32_t>(row));
  }
}

bool JoinTable::meets_nothing(std::span<const ColumnPtr> keys, int64_t row) const {
  for (size_t k = 0; k < keys.size(); ++k) {
    if (!null_safe_[k] && keys[k]->is_null(row)) return true;
  }
  return false;
}

bool JoinTable::equal(std::span<const ColumnPtr> keys, int64_t row, int64_t table_row) const {
  for (size_t k = 0; k < keys.size(); ++k) {
    if (!rows_equal(*keys[k], row, *keys_[k], table_row)) return false;
  }
  return true;
}

int64_t JoinTable::probe(std::span<const ColumnPtr> keys, int64_t first, int64_t enough,
                         RowPairs& pairs) const {
  const std::vector<uint64_t> hashes = hash_keys(keys);
  const auto num_rows = static_cast<int64_t>(hashes.size());
  int64_t row = first;
  for (; row < num_rows && pairs.size() < enough; ++row) {
    if (meets_nothing(keys, row)) continue;
    const uint64_t hash = hashes[static_cast<size_t>(row)];
    for (int32_t at = heads_[hash & (heads_.size() - 1)]; at >= 0;
         at = next_[static_cast<size_t>(at)]) {
      if (hashes_[static_cast<size_t>(at)] == hash && equal(keys, row, at))
        pairs.add(static_cast<int32_t>(row), at);
    }
  }
  return row;
}

}  // namespace flowrun
