#include "runtime/columnar/column.h"

#include <bit>

namespace flowrun {

namespace {

const BufferPtr& zeroes(size_t bytes) {
  constexpr size_t kShared = 1 << 16;
  static const BufferPtr shared = [] {
    // Outside any pool: it lives as long as the process.
    static const std::vector<uint8_t> memory(kShared + kBufferPadding, 0);
    return Buffer::foreign(memory.data(), kShared, [] {});
  }();
  FLOWRUN_DCHECK(bytes <= kShared, "asked only for what fits");
  static_cast<void>(bytes);
  return shared;
}

BufferPtr zeroed_buffer(size_t bytes) {
  if (bytes <= (1 << 16)) return zeroes(bytes);
  BufferPtr buffer = Buffer::allocate(bytes);
  std::memset(buffer->mutable_data(), 0, bytes);
  return buffer;
}

}  // namespace

int64_t count_set_bits(const uint8_t* bits, int64_t offset, int64_t length) {
  int64_t count = 0;
  int64_t i = offset;
  const int64_t end = offset + length;
  for (; i < end && (i & 7) != 0; ++i) count += get_bit(bits, i);
  for (; i + 64 <= end; i += 64) {
    uint64_t word;
    std::memcpy(&word, bits + (i >> 3), sizeof word);
    count += std::popcount(word);
  }
  for (; i < end; ++i) count += get_bit(bits, i);
  return count;
}

void copy_bits(const uint8_t* from, int64_t from_offset, int64_t length, uint8_t* to,
               int64_t to_offset) {
  for (; length > 0 && to_offset % 8 != 0; --length)
    put_bit(to, to_offset++, get_bit(from, from_offset++));
  if (length == 0) return;
  uint8_t* out = to + to_offset / 8;
  const uint8_t* in = from + from_offset / 8;
  const auto shift = static_cast<unsigned>(from_offset % 8);
  if (shift == 0) {
    std::memcpy(out, in, bitmap_bytes(length));
    return;
  }
  const int64_t last = from_offset + length - 1;  // no byte behind that bit's is read
  for (; length > 0; length -= 8, ++in, ++out) {
    const unsigned high = in - from < last / 8 ? in[1] : 0u;
    *out = static_cast<uint8_t>(in[0] >> shift | high << (8 - shift));
  }
}

void set_bits(uint8_t* bits, int64_t offset, int64_t length) {
  for (; length > 0 && offset % 8 != 0; --length) set_bit(bits, offset++);
  if (length > 0) std::memset(bits + offset / 8, 0xff, bitmap_bytes(length));
}

Column::Column(Parts parts) : parts_(std::move(parts)) {
  validity_ = parts_.validity ? parts_.validity->data() : nullptr;
  values_ = parts_.values ? parts_.values->data() : nullptr;
  if (parts_.type.id() == TypeId::null) {
    parts_.null_count = parts_.size;
  } else if (!validity_) {
    parts_.null_count = 0;
  } else if (parts_.null_count < 0) {
    parts_.null_count = parts_.size - count_set_bits(validity_, parts_.offset, parts_.size);
  }
}

ColumnPtr Column::slice(int64_t start, int64_t length) const {
  FLOWRUN_CHECK(start >= 0 && length >= 0 && start + length <= parts_.size,
                "a slice lies inside its column");
  Parts parts = parts_;
  parts.offset += start;
  parts.size = length;
  parts.null_count = parts_.null_count == 0 ? 0 : -1;
  if (parts_.type.id() == TypeId::struct_) {
    for (ColumnPtr& child : parts.children) child = child->slice(start, length);
  }
  return make(std::move(parts));
}

int64_t Column::memory_bytes() const {
  int64_t bytes = 0;
  const auto add = [&](const BufferPtr& buffer) {
    if (buffer) bytes += static_cast<int64_t>(buffer->capacity());
  };
  add(parts_.validity);
  add(parts_.values);
  for (const BufferPtr& buffer : parts_.data_buffers) add(buffer);
  for (const ColumnPtr& child : parts_.children) bytes += child->memory_bytes();
  return bytes;
}

size_t value_width(TypeId id) {
  switch (id) {
    case TypeId::null:
    case TypeId::boolean:
    case TypeId::array:
    case TypeId::map:
    case TypeId::struct_:
      return 0;
    case TypeId::string:
    case TypeId::binary:
      return sizeof(StringView);
    default:
      return visit_fixed(id, [](auto tag) { return sizeof(typename decltype(tag)::type); });
  }
}

ColumnPtr null_column(const Type& type, int64_t size) {
  Column::Parts parts{.type = type, .size = size, .null_count = size};
  if (type.id() == TypeId::null) return Column::make(std::move(parts));
  parts.validity = zeroed_buffer(bitmap_bytes(size));
  const auto rows = static_cast<size_t>(size);
  if (type.id() == TypeId::boolean) parts.values = parts.validity;
  if (type.id() == TypeId::array || type.id() == TypeId::map) {
    parts.values = zeroed_buffer((rows + 1) * sizeof(int32_t));
    for (const Field& field : type.fields()) parts.children.push_back(null_column(field.type, 0));
  } else if (type.id() == TypeId::struct_) {
    for (const Field& field : type.fields())
      parts.children.push_back(null_column(field.type, size));
  } else if (const size_t width = value_width(type.id()); width > 0) {
    parts.values = zeroed_buffer(rows * width);
  }
  return Column::make(std::move(parts));
}

}  // namespace flowrun
