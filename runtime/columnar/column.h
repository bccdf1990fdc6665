#pragma once
// Column: an immutable run of values of one type, in Arrow's layout.
//
//   for (int64_t i = 0; i < column.size(); ++i)
//     if (!column.is_null(i)) total += column.values<int64_t>()[i];
//
// Layout by type (physical type of `values`, all little-endian):
//   boolean                               bitmap, least significant bit first
//   tinyint smallint integer bigint       int8_t int16_t int32_t int64_t
//   real double_                          float double
//   decimal                               Decimal128 (two's complement, unscaled), 16 bytes
//   date, year_month_interval             int32_t
//   timestamp, day_time_interval          int64_t
//   calendar_interval                     CalendarInterval, 16 bytes
//   string, binary                        StringView, 16 bytes; long ones point into data_buffers()
//   array                                 int32_t offsets, size()+1 of them; child(0) the elements
//   map                                   int32_t offsets, size()+1 of them; child(0) keys,
//   child(1) values struct_                               no values; children as long as the column
//   null                                  nothing; every row is null
// Validity: bitmap, bit set = valid; absent when null_count() == 0. Values under nulls are
// undefined but readable (a StringView under a null is always safe to follow).

#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "runtime/base/check.h"
#include "runtime/columnar/buffer.h"
#include "runtime/columnar/type.h"

namespace flowrun {

__extension__ typedef __int128 Decimal128;

struct CalendarInterval {
  int32_t months;
  int32_t days;
  int64_t microseconds;
  friend bool operator==(const CalendarInterval&, const CalendarInterval&) = default;
};

// Arrow's utf8_view: up to twelve bytes inline; longer text as four bytes of prefix and a place in
// a buffer. Bytes behind an inline text are zero.
struct StringView {
  static constexpr uint32_t kInline = 12;

  uint32_t size = 0;
  union {
    char inlined[kInline] = {};
    struct {
      char prefix[4];
      uint32_t buffer;  // index into the column's data buffers
      uint32_t offset;
    } outside;
  };

  [[nodiscard]] bool is_inline() const { return size <= kInline; }
  // REQUIRES: text.size() <= kInline.
  static StringView inline_of(std::string_view text) {
    StringView view;
    view.size = static_cast<uint32_t>(text.size());
    if (!text.empty()) std::memcpy(view.inlined, text.data(), text.size());
    return view;
  }
  // A view of text that stands at `offset` of data buffer `buffer`; inline if it is short.
  static StringView of(std::string_view text, uint32_t buffer, uint32_t offset) {
    if (text.size() <= kInline) return inline_of(text);
    StringView view;
    view.size = static_cast<uint32_t>(text.size());
    std::memcpy(view.outside.prefix, text.data(), 4);
    view.outside.buffer = buffer;
    view.outside.offset = offset;
    return view;
  }
};
static_assert(sizeof(StringView) == 16);

inline bool get_bit(const uint8_t* bits, int64_t i) { return (bits[i >> 3] >> (i & 7)) & 1; }
inline void set_bit(uint8_t* bits, int64_t i) {
  bits[i >> 3] = static_cast<uint8_t>(bits[i >> 3] | (1u << (i & 7)));
}
inline void clear_bit(uint8_t* bits, int64_t i) {
  bits[i >> 3] = static_cast<uint8_t>(bits[i >> 3] & ~(1u << (i & 7)));
}
inline void put_bit(uint8_t* bits, int64_t i, bool value) {
  value ? set_bit(bits, i) : clear_bit(bits, i);
}
inline size_t bitmap_bytes(int64_t bits) { return static_cast<size_t>((bits + 7) / 8); }
// Set bits in [offset, offset + length).
int64_t count_set_bits(const uint8_t* bits, int64_t offset, int64_t length);
// Bits [from_offset, from_offset + length) of `from` to `to_offset` of `to`; bits of `to` before
// stay, bits behind in its last byte are lost.
void copy_bits(const uint8_t* from, int64_t from_offset, int64_t length, uint8_t* to,
               int64_t to_offset);
// Sets [offset, offset + length); bits before stay, bits behind in the last byte are lost.
void set_bits(uint8_t* bits, int64_t offset, int64_t length);

class Column;
using ColumnPtr = std::shared_ptr<const Column>;

// Thread-safe: immutable once made. Slices share buffers.
class Column {
 public:
  // The parts of a column; unused ones stay empty. `offset` counts in rows and applies to validity
  // and values (and offsets of array and map), not to children.
  struct Parts {
    Type type;
    int64_t size = 0;
    int64_t offset = 0;
    int64_t null_count = -1;  // -1: counted here
    BufferPtr validity = {};
    BufferPtr values = {};
    std::vector<BufferPtr> data_buffers = {};
    std::vector<ColumnPtr> children = {};
  };
  explicit Column(Parts parts);
  static ColumnPtr make(Parts parts) { return std::make_shared<const Column>(std::move(parts)); }

  [[nodiscard]] const Type& type() const { return parts_.type; }
  [[nodiscard]] int64_t size() const { return parts_.size; }
  [[nodiscard]] int64_t null_count() const { return parts_.null_count; }
  [[nodiscard]] bool is_null(int64_t i) const {
    if (parts_.null_count == 0) return false;
    return !validity_ || !get_bit(validity_, parts_.offset + i);
  }
  [[nodiscard]] bool is_valid(int64_t i) const { return !is_null(i); }

  // size() values (for array and map: use offset_at). REQUIRES: T is the physical type of type().
  template <class T>
  [[nodiscard]] std::span<const T> values() const {
    return {reinterpret_cast<const T*>(values_) + parts_.offset, static_cast<size_t>(parts_.size)};
  }
  [[nodiscard]] bool boolean(int64_t i) const { return get_bit(values_, parts_.offset + i); }
  // The text of row i; lives as long as the column. REQUIRES: string or binary.
  [[nodiscard]] std::string_view string(int64_t i) const {
    const auto& view = reinterpret_cast<const StringView*>(values_)[parts_.offset + i];
    if (view.is_inline()) return {view.inlined, view.size};
    const Buffer& buffer = *parts_.data_buffers[view.outside.buffer];
    return {reinterpret_cast<const char*>(buffer.data()) + view.outside.offset, view.size};
  }
  // Row i of an array or map is children [list_begin(i), list_end(i)).
  [[nodiscard]] int32_t list_begin(int64_t i) const {
    return reinterpret_cast<const int32_t*>(values_)[parts_.offset + i];
  }
  [[nodiscard]] int32_t list_end(int64_t i) const { return list_begin(i + 1); }
  [[nodiscard]] const ColumnPtr& child(size_t i) const { return parts_.children[i]; }
  [[nodiscard]] std::span<const ColumnPtr> children() const { return parts_.children; }

  [[nodiscard]] const Parts& parts() const { return parts_; }
  // Bitmap whose bit parts().offset + i tells row i; null when nothing is null (or all is, type
  // null).
  [[nodiscard]] const uint8_t* validity_bits() const {
    return parts_.null_count == 0 ? nullptr : validity_;
  }

  // Rows [start, start + length), sharing the buffers. REQUIRES: the range lies inside.
  [[nodiscard]] ColumnPtr slice(int64_t start, int64_t length) const;
  // Bytes of the buffers this column keeps alive, shared ones included.
  [[nodiscard]] int64_t memory_bytes() const;

 private:
  Parts parts_;
  const uint8_t* validity_ = nullptr;
  const uint8_t* values_ = nullptr;
};

// Bytes per value of fixed-width types; 0 for the others (boolean, string views count as 16).
size_t value_width(TypeId id);

template <class T>
struct TypeTag {
  using type = T;
};

// Calls visitor(TypeTag<T>{}) with the physical type of a fixed-width type other than boolean.
// REQUIRES: the type is one of those.
template <class Visitor>
decltype(auto) visit_fixed(TypeId id, Visitor&& visitor) {
  switch (id) {
    case TypeId::tinyint:
      return visitor(TypeTag<int8_t>{});
    case TypeId::smallint:
      return visitor(TypeTag<int16_t>{});
    case TypeId::integer:
    case TypeId::date:
    case TypeId::year_month_interval:
      return visitor(TypeTag<int32_t>{});
    case TypeId::bigint:
    case TypeId::timestamp:
    case TypeId::day_time_interval:
      return visitor(TypeTag<int64_t>{});
    case TypeId::real:
      return visitor(TypeTag<float>{});
    case TypeId::double_:
      return visitor(TypeTag<double>{});
    case TypeId::decimal:
      return visitor(TypeTag<Decimal128>{});
    case TypeId::calendar_interval:
      return visitor(TypeTag<CalendarInterval>{});
    default:
      check_failed(__FILE__, __LINE__, "fixed-width type",
                   "visit_fixed takes fixed-width types only");
  }
}

// A column of nulls. Cheap: validity is one shared zeroed buffer where it fits.
ColumnPtr null_column(const Type& type, int64_t size);

// Rows of `column` at `indices`, in that order; -1 gives a null. Long strings share the source's
// buffers.
ColumnPtr take(const Column& column, std::span<const int32_t> indices);
// One column after the other. REQUIRES: at least one, all of one type.
ColumnPtr concatenate(std::span<const ColumnPtr> columns);
// Row `row` repeated `size` times.
ColumnPtr repeat(const Column& column, int64_t row, int64_t size);
// Are the two rows the same value? Nulls are equal to nulls, NaN to NaN, -0.0 to 0.0 (Spark's
// grouping).
bool rows_equal(const Column& a, int64_t i, const Column& b, int64_t j);
// Spark's order of two values: nulls first, false < true, NaN greatest, bytes of text unsigned;
// nested by parts. Negative, zero or positive. REQUIRES: equal types, not map.
int compare_rows(const Column& a, int64_t i, const Column& b, int64_t j);

}  // namespace flowrun
