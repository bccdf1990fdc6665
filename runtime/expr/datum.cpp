#include "runtime/expr/datum.h"

#include <algorithm>

#include "runtime/columnar/builder.h"

namespace flowrun {

NullMask combine_nulls(std::span<const Datum> arguments, int64_t rows) {
  NullMask mask;
  size_t masks = 0;
  for (const Datum& argument : arguments) {
    if (argument.constant || argument.column->null_count() == 0) continue;
    if (masks++ == 0) {
      if (argument.column->type().id() == TypeId::null) {
        mask.bits = Buffer::allocate(bitmap_bytes(rows));
        std::memset(mask.bits->mutable_data(), 0, bitmap_bytes(rows));
      } else {
        mask.bits = copy_validity(*argument.column);
      }
      mask.null_count = argument.column->null_count();
      continue;
    }
    if (argument.column->type().id() == TypeId::null) {
      std::memset(mask.bits->mutable_data(), 0, bitmap_bytes(rows));
      continue;
    }
    const BufferPtr other = copy_validity(*argument.column);
    uint8_t* bits = mask.bits->mutable_data();
    for (size_t i = 0; i < bitmap_bytes(rows); ++i) {
      bits[i] = static_cast<uint8_t>(bits[i] & other->data()[i]);
    }
  }
  if (masks > 1) mask.null_count = rows - count_set_bits(mask.bits->data(), 0, rows);
  return mask;
}

int64_t rows_to_compute(std::span<const Datum> arguments, int64_t rows) {
  return std::ranges::all_of(arguments, [](const Datum& d) { return d.constant; }) ? 1 : rows;
}

}  // namespace flowrun
