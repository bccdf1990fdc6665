#pragma once
// How state is saved and comes back: named sections of record batches, and named numbers.
//
// The engine gives every operator a writer of its own, so names need be unique within one operator
// only. A snapshot is taken after an epoch's emits, when every sink was served: nothing that waits
// for an ask is in it. What is written by many partitions may be read by fewer or more: rows carry
// their keys.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/columnar/record_batch.h"

namespace flowrun {

// Not thread-safe.
class SnapshotWriter {
 public:
  virtual ~SnapshotWriter() = default;
  // Adds rows to a section; all batches of a section have one schema.
  virtual Status write(std::string_view section, const RecordBatch& rows) = 0;
  virtual Status write_number(std::string_view name, int64_t number) = 0;
};

// Not thread-safe.
class SnapshotReader {
 public:
  virtual ~SnapshotReader() = default;
  // The batches of a section in the order written; none if it was not written.
  virtual Result<std::vector<RecordBatch>> read(std::string_view section) = 0;
  virtual Result<std::optional<int64_t>> read_number(std::string_view name) = 0;
};

// A snapshot in memory, for tests and for handing state from one graph to another.
class MemorySnapshot final : public SnapshotWriter, public SnapshotReader {
 public:
  Status write(std::string_view section, const RecordBatch& rows) override;
  Status write_number(std::string_view name, int64_t number) override;
  Result<std::vector<RecordBatch>> read(std::string_view section) override;
  Result<std::optional<int64_t>> read_number(std::string_view name) override;

 private:
  std::map<std::string, std::vector<RecordBatch>, std::less<>> sections_;
  std::map<std::string, int64_t, std::less<>> numbers_;
};

}  // namespace flowrun
