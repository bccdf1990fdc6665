#include "runtime/state/snapshot.h"

namespace flowrun {

Status MemorySnapshot::write(std::string_view section, const RecordBatch& rows) {
  sections_[std::string(section)].push_back(rows);
  return {};
}

Status MemorySnapshot::write_number(std::string_view name, int64_t number) {
  numbers_[std::string(name)] = number;
  return {};
}

Result<std::vector<RecordBatch>> MemorySnapshot::read(std::string_view section) {
  const auto found = sections_.find(section);
  return found == sections_.end() ? std::vector<RecordBatch>() : found->second;
}

Result<std::optional<int64_t>> MemorySnapshot::read_number(std::string_view name) {
  const auto found = numbers_.find(name);
  return found == numbers_.end() ? std::optional<int64_t>() : std::optional<int64_t>(found->second);
}

}  // namespace flowrun
