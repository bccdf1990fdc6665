// Rows picked by index: take and repeat.
#include <algorithm>
#include <limits>

#include "runtime/columnar/column.h"

namespace flowrun {

namespace {

bool has_missing(std::span<const int32_t> indices) {
  return std::ranges::any_of(indices, [](int32_t i) { return i < 0; });
}

// Bits offset + indices[i]; a missing one is 0. Written a byte at a time.
BufferPtr take_bits(const uint8_t* bits, int64_t offset, std::span<const int32_t> indices) {
  const auto size = static_cast<int64_t>(indices.size());
  BufferPtr buffer = Buffer::allocate(bitmap_bytes(size));
  uint8_t* out = buffer->mutable_data();
  for (size_t i = 0; i < indices.size(); i += 8) {
    const size_t count = std::min<size_t>(8, indices.size() - i);
    unsigned byte = 0;
    for (size_t b = 0; b < count; ++b) {
      const int32_t index = indices[i + b];
      byte |= static_cast<unsigned>(index >= 0 && get_bit(bits, offset + index)) << b;
    }
    out[i / 8] = static_cast<uint8_t>(byte);
  }
  return buffer;
}

// Sets validity and null count of rows picked from `column`.
void take_validity(const Column& column, std::span<const int32_t> indices, bool missing,
                   Column::Parts& parts) {
  parts.null_count = 0;
  if (column.null_count() > 0) {
    parts.validity = take_bits(column.validity_bits(), column.parts().offset, indices);
  } else if (missing) {
    parts.validity = Buffer::allocate(bitmap_bytes(parts.size));
    uint8_t* bits = parts.validity->mutable_data();
    for (size_t i = 0; i < indices.size(); ++i) {
      put_bit(bits, static_cast<int64_t>(i), indices[i] >= 0);
    }
  } else {
    return;
  }
  parts.null_count = -1;  // counted when the column is made
}

template <class T>
BufferPtr take_values(const Column& column, std::span<const int32_t> indices, bool missing) {
  BufferPtr buffer = Buffer::allocate(indices.size() * sizeof(T));
  T* out = reinterpret_cast<T*>(buffer->mutable_data());
  const T* in = column.values<T>().data();
  if (missing) {
    for (size_t i = 0; i < indices.size(); ++i) out[i] = indices[i] < 0 ? T{} : in[indices[i]];
  } else {
    for (size_t i = 0; i < indices.size(); ++i) out[i] = in[indices[i]];
  }
  return buffer;
}

void take_lists(const Column& column, std::span<const int32_t> indices, Column::Parts& parts) {
  parts.values = Buffer::allocate((indices.size() + 1) * sizeof(int32_t));
  auto* offsets = reinterpret_cast<int32_t*>(parts.values->mutable_data());
  int64_t total = 0;
  offsets[0] = 0;
  for (size_t i = 0; i < indices.size(); ++i) {
    const int32_t row = indices[i];
    if (row >= 0 && column.is_valid(row)) total += column.list_end(row) - column.list_begin(row);
    FLOWRUN_CHECK(total <= std::numeric_limits<int32_t>::max(),
                  "a column holds less than 2^31 elements");
    offsets[i + 1] = static_cast<int32_t>(total);
  }
  std::vector<int32_t> elements(static_cast<size_t>(total));
  for (size_t i = 0; i < indices.size(); ++i) {
    if (offsets[i] == offsets[i + 1]) continue;
    int32_t element = column.list_begin(indices[i]);
    for (int32_t e = offsets[i]; e < offsets[i + 1]; ++e)
      elements[static_cast<size_t>(e)] = element++;
  }
  for (const ColumnPtr& child : column.children()) parts.children.push_back(take(*child, elements));
}

}  // namespace

ColumnPtr take(const Column& column, std::span<const int32_t> indices) {
  const auto size = static_cast<int64_t>(indices.size());
  if (column.type().id() == TypeId::null) return null_column(column.type(), size);
  Column::Parts parts{.type = column.type(), .size = size};
  const bool missing = has_missing(indices);
  take_validity(column, indices, missing, parts);
  switch (column.type().id()) {
    case TypeId::boolean:
      parts.values = take_bits(column.parts().values->data(), column.parts().offset, indices);
      break;
    case TypeId::string:
    case TypeId::binary:
      parts.values = take_values<StringView>(column, indices, missing);
      parts.data_buffers = column.parts().data_buffers;
      break;
    case TypeId::array:
    case TypeId::map:
      take_lists(column, indices, parts);
      break;
    case TypeId::struct_:
      for (const ColumnPtr& child : column.children())
        parts.children.push_back(take(*child, indices));
      break;
    default:
      parts.values = visit_fixed(column.type().id(), [&](auto tag) {
        return take_values<typename decltype(tag)::type>(column, indices, missing);
      });
  }
  return Column::make(std::move(parts));
}

ColumnPtr repeat(const Column& column, int64_t row, int64_t size) {
  const std::vector<int32_t> indices(static_cast<size_t>(size), static_cast<int32_t>(row));
  return take(column, indices);
}

}  // namespace flowrun
