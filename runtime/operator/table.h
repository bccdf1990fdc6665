#pragma once
// Tables: static ones that joins read, and live ones that memory sinks fill and queries read.

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "runtime/operator/epoch.h"

namespace flowrun {

// A static table of the pipeline file. Thread-safe.
class StaticTable {
 public:
  virtual ~StaticTable() = default;
  [[nodiscard]] virtual const std::string& name() const = 0;
  // Known when the plan is made (declared or inferred); reads at most the file's head, or the whole
  // to infer.
  [[nodiscard]] virtual Result<SchemaPtr> schema() = 0;
  // Reads the whole file. Called once before the first epoch, and again on refresh.
  [[nodiscard]] virtual Result<RecordBatch> load() = 0;
  // How often changed() is to be asked, in microseconds; none: the table stays as it was loaded.
  [[nodiscard]] virtual std::optional<int64_t> refresh() const { return std::nullopt; }
  // True if the file changed since the last load.
  [[nodiscard]] virtual Result<bool> changed() = 0;
};

// What one memory sink holds, as of its last commit. Readers get a consistent list of batches.
struct LiveTableSnapshot {
  SchemaPtr schema;
  std::vector<RecordBatch> batches;
  EpochId epoch = -1;
  int64_t dropped_rows = 0;  // that left because of keep_rows or keep
};

// Thread-safe: one writer, any number of readers.
class LiveTable {
 public:
  void publish(LiveTableSnapshot snapshot) {
    const std::lock_guard lock(mutex_);
    snapshot_ = std::make_shared<const LiveTableSnapshot>(std::move(snapshot));
  }
  [[nodiscard]] std::shared_ptr<const LiveTableSnapshot> snapshot() const {
    const std::lock_guard lock(mutex_);
    return snapshot_;
  }

 private:
  mutable std::mutex mutex_;
  std::shared_ptr<const LiveTableSnapshot> snapshot_ = std::make_shared<const LiveTableSnapshot>();
};

}  // namespace flowrun
