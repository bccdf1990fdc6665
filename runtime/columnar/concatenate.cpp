// One column after the other. Fixed-width values, views and bits are copied in bulk; long text is
// shared.
#include <limits>
#include <unordered_map>

#include "runtime/columnar/column.h"

namespace flowrun {

namespace {

using Columns = std::span<const ColumnPtr>;

BufferPtr join_validity(Columns columns, int64_t size) {
  BufferPtr buffer = Buffer::allocate(bitmap_bytes(size));
  int64_t at = 0;
  for (const ColumnPtr& column : columns) {
    if (const uint8_t* bits = column->validity_bits()) {
      copy_bits(bits, column->parts().offset, column->size(), buffer->mutable_data(), at);
    } else {
      set_bits(buffer->mutable_data(), at, column->size());
    }
    at += column->size();
  }
  return buffer;
}

BufferPtr join_booleans(Columns columns, int64_t size) {
  BufferPtr buffer = Buffer::allocate(bitmap_bytes(size));
  int64_t at = 0;
  for (const ColumnPtr& column : columns) {
    if (column->size() == 0) continue;
    copy_bits(column->parts().values->data(), column->parts().offset, column->size(),
              buffer->mutable_data(), at);
    at += column->size();
  }
  return buffer;
}

BufferPtr join_values(Columns columns, int64_t size, size_t width) {
  BufferPtr buffer = Buffer::allocate(static_cast<size_t>(size) * width);
  uint8_t* out = buffer->mutable_data();
  for (const ColumnPtr& column : columns) {
    const size_t bytes = static_cast<size_t>(column->size()) * width;
    if (bytes == 0) continue;
    std::memcpy(
        out, column->parts().values->data() + static_cast<size_t>(column->parts().offset) * width,
        bytes);
    out += bytes;
  }
  return buffer;
}

// The data buffers of all columns, each once; tells under which number each column's own now stand.
class BufferList {
 public:
  // The new numbers of `buffers`; empty if they keep their own.
  std::vector<uint32_t> add(const std::vector<BufferPtr>& buffers) {
    std::vector<uint32_t> numbers;
    bool same = true;
    for (const BufferPtr& buffer : buffers) {
      const auto [entry, inserted] =
          numbers_.try_emplace(buffer.get(), static_cast<uint32_t>(buffers_.size()));
      if (inserted) buffers_.push_back(buffer);
      same = same && entry->second == numbers.size();
      numbers.push_back(entry->second);
    }
    return same ? std::vector<uint32_t>() : numbers;
  }
  std::vector<BufferPtr> take() { return std::move(buffers_); }

 private:
  std::vector<BufferPtr> buffers_;
  std::unordered_map<const Buffer*, uint32_t> numbers_;
};

void join_strings(Columns columns, Column::Parts& parts) {
  parts.values = join_values(columns, parts.size, sizeof(StringView));
  auto* views = reinterpret_cast<StringView*>(parts.values->mutable_data());
  BufferList buffers;
  for (const ColumnPtr& column : columns) {
    const std::vector<uint32_t> numbers = buffers.add(column->parts().data_buffers);
    if (!numbers.empty()) {
      for (int64_t i = 0; i < column->size(); ++i) {
        if (!views[i].is_inline()) views[i].outside.buffer = numbers[views[i].outside.buffer];
      }
    }
    views += column->size();
  }
  parts.data_buffers = buffers.take();
}

void join_children(Columns columns, size_t num_children, Column::Parts& parts) {
  for (size_t c = 0; c < num_children; ++c) {
    std::vector<ColumnPtr> children;
    for (const ColumnPtr& column : columns) {
      const Column& child = *column->child(c);
      if (column->type().id() == TypeId::struct_) {
        children.push_back(column->child(c));
      } else {
        const int32_t begin = column->list_begin(0);
        const int32_t end = column->list_begin(column->size());
        children.push_back(child.slice(begin, end - begin));
      }
    }
    parts.children.push_back(concatenate(children));
  }
}

void join_offsets(Columns columns, Column::Parts& parts) {
  parts.values = Buffer::allocate((static_cast<size_t>(parts.size) + 1) * sizeof(int32_t));
  auto* out = reinterpret_cast<int32_t*>(parts.values->mutable_data());
  int64_t elements = 0;
  *out++ = 0;
  for (const ColumnPtr& column : columns) {
    const int64_t shift = elements - column->list_begin(0);
    elements = shift + column->list_begin(column->size());
    FLOWRUN_CHECK(elements <= std::numeric_limits<int32_t>::max(),
                  "a column holds less than 2^31 elements");
    for (int64_t i = 0; i < column->size(); ++i) {
      *out++ = static_cast<int32_t>(column->list_end(i) + shift);
    }
  }
}

}  // namespace

ColumnPtr concatenate(std::span<const ColumnPtr> columns) {
  FLOWRUN_CHECK(!columns.empty(), "concatenate takes at least one column");
  if (columns.size() == 1) return columns[0];
  const Type& type = columns[0]->type();
  Column::Parts parts{.type = type, .null_count = 0};
  for (const ColumnPtr& column : columns) {
    parts.size += column->size();
    parts.null_count += column->null_count();
  }
  if (type.id() == TypeId::null) return null_column(type, parts.size);
  if (parts.null_count > 0) parts.validity = join_validity(columns, parts.size);
  switch (type.id()) {
    case TypeId::boolean:
      parts.values = join_booleans(columns, parts.size);
      break;
    case TypeId::string:
    case TypeId::binary:
      join_strings(columns, parts);
      break;
    case TypeId::array:
    case TypeId::map:
      join_offsets(columns, parts);
      [[fallthrough]];
    case TypeId::struct_:
      join_children(columns, type.fields().size(), parts);
      break;
    default:
      parts.values = join_values(columns, parts.size, value_width(type.id()));
  }
  return Column::make(std::move(parts));
}

}  // namespace flowrun
