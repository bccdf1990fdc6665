#pragma once
// The snapshot of a stateful operator on its way out of a plugin and back.
//
// Where the state is parted by a key, all partitions write to the same sections, whose rows begin
// with the key: so each partition of the next run, however many there are, is given its own rows.

#include <map>
#include <string>
#include <vector>

#include "runtime/plugin/key_partition.h"
#include "runtime/plugin/transfer.h"
#include "runtime/state/snapshot.h"

namespace flowrun {

// For one call of `snapshot`.
class WriterBridge {
 public:
  WriterBridge(const Component& component, const PluginKey& key, SnapshotWriter& writer);
  WriterBridge(const WriterBridge&) = delete;
  WriterBridge& operator=(const WriterBridge&) = delete;
  [[nodiscard]] const flowrun_snapshot_writer* get() const { return &raw_; }
  // What the call comes to: an error of a write is that of the call, whatever the plugin made of
  // it.
  Status outcome(Status of_call) { return failure_ ? std::move(of_call) : std::move(failure_); }

 private:
  Status write(const char* section, const ArrowSchema* schema, ArrowArray* rows);
  Status write_number(const char* name, int64_t number);
  flowrun_code keep(Status status, flowrun_error* error);

  const Component& component_;
  const PluginKey& key_;
  SnapshotWriter& writer_;
  Status failure_;
  flowrun_snapshot_writer raw_;
};

// For one call of `restore`: what partition `partition` of `partitions` remembers.
class ReaderBridge {
 public:
  ReaderBridge(const Component& component, const PluginKey& key, size_t partition,
               size_t partitions, SnapshotReader& reader);
  ReaderBridge(const ReaderBridge&) = delete;
  ReaderBridge& operator=(const ReaderBridge&) = delete;
  [[nodiscard]] const flowrun_snapshot_reader* get() const { return &raw_; }

 private:
  Status read(const std::string& section, uint64_t index, ArrowSchema* schema, ArrowArray* rows);
  Result<std::vector<RecordBatch>> own_rows(const std::string& section);

  const Component& component_;
  const PluginKey& key_;
  size_t partition_;
  size_t partitions_;
  SnapshotReader& reader_;
  std::map<std::string, std::vector<RecordBatch>> sections_;  // those read so far
  flowrun_snapshot_reader raw_;
};

}  // namespace flowrun
