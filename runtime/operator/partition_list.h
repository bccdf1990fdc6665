#pragma once
// What a stateful operator does with all partitions of its state: the same for each of them.
//
// A Partition has rows(), memory_bytes(), save(SnapshotWriter&) and load(const RecordBatch&), which
// takes the rows whose keys are its own.

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "runtime/columnar/record_batch.h"
#include "runtime/state/snapshot.h"

namespace flowrun {

template <class Partition>
using PartitionList = std::vector<std::unique_ptr<Partition>>;

template <class Partition>
[[nodiscard]] int64_t total_rows(const PartitionList<Partition>& partitions) {
  int64_t rows = 0;
  for (const auto& partition : partitions) rows += partition->rows();
  return rows;
}

template <class Partition>
[[nodiscard]] int64_t total_bytes(const PartitionList<Partition>& partitions) {
  int64_t bytes = 0;
  for (const auto& partition : partitions) bytes += partition->memory_bytes();
  return bytes;
}

template <class Partition>
Status save_all(const PartitionList<Partition>& partitions, SnapshotWriter& writer) {
  for (const auto& partition : partitions) FLOWRUN_RETURN_IF_ERROR(partition->save(writer));
  return {};
}

// Gives every partition the rows of a section; nothing if it was not written.
template <class Partition>
Status load_all(const PartitionList<Partition>& partitions, SnapshotReader& reader,
                std::string_view section) {
  FLOWRUN_TRY(const std::vector<RecordBatch> saved, reader.read(section));
  if (saved.empty()) return {};
  const RecordBatch rows = concatenate(std::span<const RecordBatch>(saved));
  for (const auto& partition : partitions) FLOWRUN_RETURN_IF_ERROR(partition->load(rows));
  return {};
}

}  // namespace flowrun
