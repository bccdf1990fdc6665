// Rows picked, joined, repeated and compared: the parts of column.h that look at values.
#include <algorithm>
#include <cmath>

#include "runtime/columnar/builder.h"
#include "runtime/columnar/column.h"

namespace flowrun {

namespace {

bool has_missing(std::span<const int32_t> indices) {
  return std::ranges::any_of(indices, [](int32_t i) { return i < 0; });
}

// Sets validity and null count of rows picked from `column`.
void take_validity(const Column& column, std::span<const int32_t> indices, Column::Parts& parts) {
  if (column.null_count() == 0 && !has_missing(indices)) {
    parts.null_count = 0;
    return;
  }
  parts.validity = Buffer::allocate(bitmap_bytes(parts.size));
  uint8_t* bits = parts.validity->mutable_data();
  std::memset(bits, 0, bitmap_bytes(parts.size));
  parts.null_count = 0;
  for (size_t i = 0; i < indices.size(); ++i) {
    if (indices[i] >= 0 && column.is_valid(indices[i])) {
      set_bit(bits, static_cast<int64_t>(i));
    } else {
      ++parts.null_count;
    }
  }
}

template <class T>
BufferPtr take_values(const Column& column, std::span<const int32_t> indices) {
  BufferPtr buffer = Buffer::allocate(indices.size() * sizeof(T));
  T* out = reinterpret_cast<T*>(buffer->mutable_data());
  const T* in = column.values<T>().data();
  if (has_missing(indices)) {
    for (size_t i = 0; i < indices.size(); ++i) out[i] = indices[i] < 0 ? T{} : in[indices[i]];
  } else {
    for (size_t i = 0; i < indices.size(); ++i) out[i] = in[indices[i]];
  }
  return buffer;
}

void take_lists(const Column& column, std::span<const int32_t> indices, Column::Parts& parts) {
  std::vector<int32_t> elements;
  parts.values = Buffer::allocate((indices.size() + 1) * sizeof(int32_t));
  auto* offsets = reinterpret_cast<int32_t*>(parts.values->mutable_data());
  offsets[0] = 0;
  for (size_t i = 0; i < indices.size(); ++i) {
    if (indices[i] >= 0 && column.is_valid(indices[i])) {
      for (int32_t e = column.list_begin(indices[i]); e < column.list_end(indices[i]); ++e) elements.push_back(e);
    }
    offsets[i + 1] = static_cast<int32_t>(elements.size());
  }
  for (const ColumnPtr& child : column.children()) parts.children.push_back(take(*child, elements));
}

template <class T>
int compare_values(T a, T b) {
  if constexpr (std::is_floating_point_v<T>) {
    if (std::isnan(a) || std::isnan(b)) return static_cast<int>(std::isnan(a)) - static_cast<int>(std::isnan(b));
  }
  return a < b ? -1 : (b < a ? 1 : 0);
}

int compare_lists(const Column& a, int64_t i, const Column& b, int64_t j, const ColumnPtr& left, const ColumnPtr& right) {
  int32_t x = a.list_begin(i);
  int32_t y = b.list_begin(j);
  for (; x < a.list_end(i) && y < b.list_end(j); ++x, ++y) {
    if (const int order = compare_rows(*left, x, *right, y); order != 0) return order;
  }
  return compare_values(a.list_end(i) - x, b.list_end(j) - y);
}

bool maps_equal(const Column& a, int64_t i, const Column& b, int64_t j) {
  return compare_lists(a, i, b, j, a.child(0), b.child(0)) == 0 && compare_lists(a, i, b, j, a.child(1), b.child(1)) == 0;
}

}  // namespace

ColumnPtr take(const Column& column, std::span<const int32_t> indices) {
  const auto size = static_cast<int64_t>(indices.size());
  if (column.type().id() == TypeId::null) return null_column(column.type(), size);
  Column::Parts parts{.type = column.type(), .size = size};
  take_validity(column, indices, parts);
  switch (column.type().id()) {
    case TypeId::boolean: {
      parts.values = Buffer::allocate(bitmap_bytes(size));
      uint8_t* bits = parts.values->mutable_data();
      std::memset(bits, 0, bitmap_bytes(size));
      for (size_t i = 0; i < indices.size(); ++i) {
        if (indices[i] >= 0 && column.boolean(indices[i])) set_bit(bits, static_cast<int64_t>(i));
      }
      break;
    }
    case TypeId::string:
    case TypeId::binary:
      parts.values = take_values<StringView>(column, indices);
      parts.data_buffers = column.parts().data_buffers;
      break;
    case TypeId::array:
    case TypeId::map: take_lists(column, indices, parts); break;
    case TypeId::struct_:
      for (const ColumnPtr& child : column.children()) parts.children.push_back(take(*child, indices));
      break;
    default:
      parts.values = visit_fixed(column.type().id(), [&](auto tag) {
        return take_values<typename decltype(tag)::type>(column, indices);
      });
  }
  return Column::make(std::move(parts));
}

ColumnPtr concatenate(std::span<const ColumnPtr> columns) {
  FLOWRUN_CHECK(!columns.empty(), "concatenate takes at least one column");
  if (columns.size() == 1) return columns[0];
  const std::unique_ptr<ColumnBuilder> builder = make_builder(columns[0]->type());
  int64_t rows = 0;
  for (const ColumnPtr& column : columns) rows += column->size();
  builder->reserve(rows);
  for (const ColumnPtr& column : columns) {
    for (int64_t i = 0; i < column->size(); ++i) builder->append_row(*column, i);
  }
  return builder->finish();
}

ColumnPtr repeat(const Column& column, int64_t row, int64_t size) {
  const std::vector<int32_t> indices(static_cast<size_t>(size), static_cast<int32_t>(row));
  return take(column, indices);
}

int compare_rows(const Column& a, int64_t i, const Column& b, int64_t j) {
  if (a.is_null(i) || b.is_null(j)) return static_cast<int>(a.is_valid(i)) - static_cast<int>(b.is_valid(j));
  switch (a.type().id()) {
    case TypeId::null: return 0;
    case TypeId::boolean: return static_cast<int>(a.boolean(i)) - static_cast<int>(b.boolean(j));
    case TypeId::string:
    case TypeId::binary: return a.string(i).compare(b.string(j));
    case TypeId::array: return compare_lists(a, i, b, j, a.child(0), b.child(0));
    case TypeId::map: check_failed(__FILE__, __LINE__, "not a map", "maps have no order");
    case TypeId::struct_:
      for (size_t f = 0; f < a.children().size(); ++f) {
        if (const int order = compare_rows(*a.child(f), i, *b.child(f), j); order != 0) return order;
      }
      return 0;
    case TypeId::calendar_interval: check_failed(__FILE__, __LINE__, "not an interval", "calendar intervals have no order");
    default:
      return visit_fixed(a.type().id(), [&](auto tag) {
        using T = typename decltype(tag)::type;
        if constexpr (std::is_same_v<T, CalendarInterval>) {
          return 0;
        } else {
          return compare_values(a.values<T>()[static_cast<size_t>(i)], b.values<T>()[static_cast<size_t>(j)]);
        }
      });
  }
}

bool rows_equal(const Column& a, int64_t i, const Column& b, int64_t j) {
  if (a.is_null(i) || b.is_null(j)) return a.is_null(i) && b.is_null(j);
  if (a.type().id() == TypeId::map) return maps_equal(a, i, b, j);
  if (a.type().id() == TypeId::calendar_interval) {
    return a.values<CalendarInterval>()[static_cast<size_t>(i)] == b.values<CalendarInterval>()[static_cast<size_t>(j)];
  }
  return compare_rows(a, i, b, j) == 0;
}

}  // namespace flowrun
