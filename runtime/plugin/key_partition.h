#pragma once
// KeyPartition: the columns by which the state of a plugin is parted, and which rows belong where.

#include <cstdint>
#include <span>
#include <vector>

#include "runtime/columnar/record_batch.h"

namespace flowrun {

// The key of a stateful operator; without columns all rows belong together.
struct PluginKey {
  std::vector<size_t> columns;  // of the input
  std::vector<Type> types;

  [[nodiscard]] bool empty() const { return columns.empty(); }
};

// The rows of each partition, in order, by the values in those columns. Equal keys come to the same
// partition whatever batch they stand in.
std::vector<std::vector<int32_t>> rows_by_partition(const RecordBatch& batch,
                                                    std::span<const size_t> columns,
                                                    size_t partitions);

}  // namespace flowrun
