#include "runtime/plugin/key_partition.h"

#include "runtime/columnar/hash.h"

namespace flowrun {

std::vector<std::vector<int32_t>> rows_by_partition(const RecordBatch& batch,
                                                    std::span<const size_t> columns,
                                                    size_t partitions) {
  std::vector<uint64_t> hashes(static_cast<size_t>(batch.num_rows()), kHashSeed);
  for (const size_t column : columns) hash_rows(*batch.column(column), hashes);
  std::vector<std::vector<int32_t>> rows(partitions);
  for (std::vector<int32_t>& own : rows) own.reserve(hashes.size() / partitions + 1);
  for (size_t i = 0; i < hashes.size(); ++i)
    rows[hashes[i] % partitions].push_back(static_cast<int32_t>(i));
  return rows;
}

}  // namespace flowrun
