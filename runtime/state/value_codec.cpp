#include "runtime/state/value_codec.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>

namespace flowrun {

namespace {

__extension__ typedef unsigned __int128 Unsigned128;

constexpr char kNull = 0;
constexpr char kPresent = 1;
constexpr char kEscape = '\xff';      // after a 00 byte of a text
constexpr char kTerminator = '\x01';  // after the 00 byte that ends a text

// The unsigned integer of a type's width.
template <class T>
using Bits = std::conditional_t<
    sizeof(T) == 1, uint8_t,
    std::conditional_t<
        sizeof(T) == 2, uint16_t,
        std::conditional_t<sizeof(T) == 4, uint32_t,
                           std::conditional_t<sizeof(T) == 8, uint64_t, Unsigned128>>>>;

template <class T>
constexpr Bits<T> sign_bit() {
  return static_cast<Bits<T>>(Bits<T>{1} << (sizeof(T) * 8 - 1));
}

template <class T>
void put(T value, std::string& out) {
  Bits<T> bits;
  if constexpr (std::is_floating_point_v<T>) {
    if (std::isnan(value)) value = std::numeric_limits<T>::quiet_NaN();
    std::memcpy(&bits, &value, sizeof(T));
    bits = bits & sign_bit<T>() ? ~bits : bits | sign_bit<T>();
  } else {
    bits = static_cast<Bits<T>>(static_cast<Bits<T>>(value) ^ sign_bit<T>());
  }
  for (size_t shift = sizeof(T); shift-- > 0;)
    out.push_back(static_cast<char>(static_cast<uint8_t>(bits >> (shift * 8))));
}

template <class T>
T get(std::string_view& bytes) {
  Bits<T> bits = 0;
  for (size_t i = 0; i < sizeof(T); ++i) {
    bits = static_cast<Bits<T>>(static_cast<Bits<T>>(sizeof(T) > 1 ? bits << 8 : 0) |
                                static_cast<uint8_t>(bytes[i]));
  }
  bytes.remove_prefix(sizeof(T));
  T value;
  if constexpr (std::is_floating_point_v<T>) {
    bits = bits & sign_bit<T>() ? bits ^ sign_bit<T>() : ~bits;
    std::memcpy(&value, &bits, sizeof(T));
  } else {
    value = static_cast<T>(static_cast<Bits<T>>(bits ^ sign_bit<T>()));
  }
  return value;
}

void put_text(std::string_view text, std::string& out) {
  for (const char c : text) {
    out.push_back(c);
    if (c == 0) out.push_back(kEscape);
  }
  out.push_back(0);
  out.push_back(kTerminator);
}

std::string get_text(std::string_view& bytes) {
  std::string text;
  size_t at = 0;
  for (; bytes[at] != 0 || bytes[at + 1] == kEscape; ++at) {
    text.push_back(bytes[at]);
    if (bytes[at] == 0) ++at;
  }
  bytes.remove_prefix(at + 2);
  return text;
}

template <class T>
void put_fixed(T value, bool as_key, std::string& out) {
  if constexpr (std::is_same_v<T, CalendarInterval>) {
    put(value.months, out);
    put(value.days, out);
    put(value.microseconds, out);
  } else {
    if constexpr (std::is_floating_point_v<T>) {
      if (as_key && value == 0) value = 0;
    }
    put(value, out);
  }
}

template <class T>
T get_fixed(std::string_view& bytes) {
  if constexpr (std::is_same_v<T, CalendarInterval>) {
    const auto months = get<int32_t>(bytes);
    const auto days = get<int32_t>(bytes);
    return {months, days, get<int64_t>(bytes)};
  } else {
    return get<T>(bytes);
  }
}

// Types whose values Spark holds in a machine word, where a null leaves a zero behind when it sorts
// a map that is a grouping key.
bool is_primitive(const Type& type) {
  return type.id() == TypeId::boolean ||
         (value_width(type.id()) > 0 && value_width(type.id()) <= sizeof(int64_t));
}

void put_zero(const Type& type, std::string& out) {
  out.push_back(kPresent);
  if (type.id() == TypeId::boolean) return out.push_back(0);
  visit_fixed(type.id(), [&](auto tag) { put_fixed(typename decltype(tag)::type{}, true, out); });
}

char take_byte(std::string_view& bytes) {
  const char byte = bytes[0];
  bytes.remove_prefix(1);
  return byte;
}

}  // namespace

void ValueCodec::append_entries(const Column& column, int64_t row, std::string& out) const {
  std::vector<std::string> entries;
  for (int64_t i = column.list_begin(row); i < column.list_end(row); ++i) {
    entries.emplace_back(1, kPresent);
    append_value(*column.child(0), i, entries.back());
    const bool zero =
        form_ == Form::key && is_primitive(column.type().value()) && column.child(1)->is_null(i);
    zero ? put_zero(column.type().value(), entries.back())
         : append_value(*column.child(1), i, entries.back());
  }
  if (form_ == Form::key) std::ranges::sort(entries);
  for (const std::string& entry : entries) out += entry;
  out.push_back(kNull);
}

void ValueCodec::append_value(const Column& column, int64_t row, std::string& out) const {
  if (column.is_null(row)) return out.push_back(kNull);
  out.push_back(kPresent);
  switch (column.type().id()) {
    case TypeId::null:
      return;
    case TypeId::boolean:
      return out.push_back(column.boolean(row) ? 1 : 0);
    case TypeId::string:
    case TypeId::binary:
      return put_text(column.string(row), out);
    case TypeId::array:
      for (int64_t i = column.list_begin(row); i < column.list_end(row); ++i) {
        out.push_back(kPresent);
        append_value(*column.child(0), i, out);
      }
      return out.push_back(kNull);
    case TypeId::map:
      return append_entries(column, row, out);
    case TypeId::struct_:
      for (const ColumnPtr& child : column.children()) append_value(*child, row, out);
      return;
    default:
      visit_fixed(column.type().id(), [&](auto tag) {
        using T = typename decltype(tag)::type;
        put_fixed(column.values<T>()[static_cast<size_t>(row)], form_ == Form::key, out);
      });
  }
}

void ValueCodec::read_value(std::string_view& bytes, ColumnBuilder& out) {
  if (take_byte(bytes) == kNull) return out.append_null();
  switch (out.type().id()) {
    case TypeId::null:
      return out.append_null();
    case TypeId::boolean:
      return static_cast<BooleanBuilder&>(out).append(take_byte(bytes) != 0);
    case TypeId::string:
    case TypeId::binary:
      return static_cast<StringBuilder&>(out).append(get_text(bytes));
    case TypeId::array: {
      auto& array = static_cast<ArrayBuilder&>(out);
      while (take_byte(bytes) == kPresent) read_value(bytes, array.element());
      return array.append();
    }
    case TypeId::map: {
      auto& map = static_cast<MapBuilder&>(out);
      while (take_byte(bytes) == kPresent) {
        read_value(bytes, map.key());
        read_value(bytes, map.value());
      }
      return map.append();
    }
    case TypeId::struct_: {
      auto& parts = static_cast<StructBuilder&>(out);
      for (size_t i = 0; i < parts.num_fields(); ++i) read_value(bytes, parts.field(i));
      return parts.append();
    }
    default:
      visit_fixed(out.type().id(), [&](auto tag) {
        using T = typename decltype(tag)::type;
        static_cast<FixedBuilder<T>&>(out).append(get_fixed<T>(bytes));
      });
  }
}

}  // namespace flowrun
