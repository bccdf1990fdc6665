#pragma once
// A hash of rows, column after column, that agrees with rows_equal.
//
//   std::vector<uint64_t> hashes(rows, kHashSeed);
//   for (const ColumnPtr& key : keys) hash_rows(*key, hashes);
//
// Rows that rows_equal calls equal have equal hashes: nulls are equal, NaN is equal to NaN, -0.0 to
// 0.0. All 64 bits are mixed, so the low ones may choose a partition and the high ones a slot.
// Values are the same in every run of one build, but are no format: nothing durable may depend on
// them.

#include <cstdint>
#include <span>
#include <string_view>

#include "runtime/columnar/column.h"

namespace flowrun {

inline constexpr uint64_t kHashSeed = 0x9e3779b97f4a7c15;

// Mixes the hash of each row into hashes[row]. REQUIRES: hashes.size() == column.size(), all set
// before.
void hash_rows(const Column& column, std::span<uint64_t> hashes);

// Hash of one text, mixed into `hash`: as hash_rows does for a string column's row.
uint64_t hash_text(uint64_t hash, std::string_view text);

}  // namespace flowrun
