#include "runtime/state/aggregates/pod_states.h"

namespace flowrun {

ColumnPtr save_bytes(const void* states, size_t width, std::span<const uint32_t> groups) {
  StringBuilder builder(TypeId::binary);
  builder.reserve(static_cast<int64_t>(groups.size()));
  const char* bytes = static_cast<const char*>(states);
  for (const uint32_t group : groups) builder.append({bytes + group * width, width});
  return builder.finish();
}

Status check_bytes(std::span<const ColumnPtr> columns, size_t width) {
  bool fits = columns.size() == 1 && columns[0]->type().id() == TypeId::binary &&
              columns[0]->null_count() == 0;
  for (int64_t i = 0; fits && i < columns[0]->size(); ++i)
    fits = columns[0]->string(i).size() == width;
  if (!fits)
    return Error::invalid(
        "the saved state of an aggregate has another layout — it was written by another version");
  return {};
}

}  // namespace flowrun
