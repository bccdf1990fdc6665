#pragma once
// EngineTables: the tables of a running engine as SQL sees them.

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "runtime/exec/engine.h"
#include "runtime/sql/sql.h"

namespace flowrun {

// Thread-safe. The engine outlives it.
class EngineTables {
 public:
  explicit EngineTables(const Engine& engine) : engine_(engine) {}

  // Live tables as of one epoch. A static table whose file cannot be read is left out.
  [[nodiscard]] std::vector<SqlTable> tables();

 private:
  // A static table is read once, and again when its file has changed.
  Result<std::vector<RecordBatch>> load(StaticTable& table);

  const Engine& engine_;
  std::mutex mutex_;
  std::map<const StaticTable*, RecordBatch> loaded_;
};

}  // namespace flowrun
