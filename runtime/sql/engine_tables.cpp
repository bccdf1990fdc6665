#include "runtime/sql/engine_tables.h"

namespace flowrun {

std::vector<SqlTable> EngineTables::tables() {
  std::vector<SqlTable> tables;
  for (const TableView& view : engine_.tables()) {
    SqlTable table;
    table.name = view.name;
    if (view.live) {
      table.schema = view.rows->schema;
      table.batches = view.rows->batches;
    } else {
      const auto schema = view.file->schema();
      if (schema) table.schema = *schema;
      table.kind = "static";
      table.load = [this, file = view.file] { return load(*file); };
    }
    if (table.schema) tables.push_back(std::move(table));
  }
  return tables;
}

Result<std::vector<RecordBatch>> EngineTables::load(StaticTable& table) {
  const std::lock_guard lock(mutex_);
  const auto found = loaded_.find(&table);
  if (found != loaded_.end()) {
    FLOWRUN_TRY(const bool changed, table.changed());
    if (!changed) return std::vector<RecordBatch>{found->second};
  }
  FLOWRUN_TRY(RecordBatch rows, table.load());
  loaded_[&table] = rows;
  return std::vector<RecordBatch>{std::move(rows)};
}

}  // namespace flowrun
