// Typed rows: structs and tuples made Arrow batches and back, for those who want no Arrow.
//
//   struct Reading { std::string sensor; double value; };
//   template <>
//   constexpr auto flowrun::describe<Reading> =
//       flowrun::columns("sensor", &Reading::sensor, "value", &Reading::value);
//
// A member is a bool, an integer, a float or double, a std::string, or std::optional of one of
// them, which is how nulls come and go. A std::tuple needs no description: its members are the
// columns in order.
#ifndef FLOWRUN_EMBED_ROWS_H
#define FLOWRUN_EMBED_ROWS_H

#include <array>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <vector>

#include "batch.h"

namespace flowrun {
inline namespace api_v1 {

template <class Row>
inline constexpr auto describe = nullptr;

template <class Row, class Member>
struct Column {
  using type = Member;
  const char* name;
  Member Row::*member;
  const Member& of(const Row& row) const { return row.*member; }
  Member& of(Row& row) const { return row.*member; }
};

// Names and members in turn.
template <class Row, class Member, class... Rest>
constexpr auto columns(const char* name, Member Row::*member, Rest... rest) {
  if constexpr (sizeof...(rest) == 0) {
    return std::tuple(Column<Row, Member>{name, member});
  } else {
    return std::tuple_cat(std::tuple(Column<Row, Member>{name, member}), columns(rest...));
  }
}

namespace detail {

template <class Tuple, size_t I>
struct TupleColumn {
  using type = std::tuple_element_t<I, Tuple>;
  const char* name = nullptr;  // any
  const type& of(const Tuple& row) const { return std::get<I>(row); }
  type& of(Tuple& row) const { return std::get<I>(row); }
};

template <class Tuple, size_t... I>
constexpr auto tuple_columns(std::index_sequence<I...>) {
  return std::tuple(TupleColumn<Tuple, I>{}...);
}

template <class Row>
constexpr auto columns_of() {
  if constexpr (!std::is_same_v<std::remove_const_t<decltype(describe<Row>)>, std::nullptr_t>) {
    return describe<Row>;
  } else {
    return tuple_columns<Row>(std::make_index_sequence<std::tuple_size_v<Row>>());
  }
}

// The value within an optional, and whether it is there.
template <class T>
struct Nullable {
  using type = T;
  static constexpr bool value = false;
  static bool has(const T&) { return true; }
  static const T& get(const T& from) { return from; }
};
template <class T>
struct Nullable<std::optional<T>> {
  using type = T;
  static constexpr bool value = true;
  static bool has(const std::optional<T>& from) { return from.has_value(); }
  static const T& get(const std::optional<T>& from) { return *from; }
};

inline bool same(const char* a, const char* b) { return std::strcmp(a, b) == 0; }

inline bool bit(const void* bits, int64_t i) {
  return (static_cast<const uint8_t*>(bits)[i / 8] >> (i % 8) & 1) != 0;
}
inline void set_bit(std::vector<uint8_t>& bits, size_t i) {
  bits[i / 8] = static_cast<uint8_t>(bits[i / 8] | 1U << (i % 8));
}

// Arrow's 16 bytes of a string view.
struct View {
  int32_t size;
  char prefix[4];
  int32_t buffer;
  int32_t offset;
};
inline constexpr size_t kInline = 12;

// How a member's type is laid out: which of Arrow's formats it takes and gives.
template <class T>
struct Layout {
  static_assert(std::is_arithmetic_v<T>, "no column has this type");
  static bool takes(const char* format) {
    if constexpr (std::is_same_v<T, float>) return same(format, "f");
    if constexpr (std::is_same_v<T, double>) return same(format, "g");
    if constexpr (sizeof(T) == 1) return same(format, "c");
    if constexpr (sizeof(T) == 2) return same(format, "s");
    if constexpr (sizeof(T) == 4) return same(format, "i") || same(format, "tdD");
    return same(format, "l") || std::strncmp(format, "tsu:", 4) == 0;
  }
  static T read(const ArrowArray& column, int64_t row, const char*) {
    return static_cast<const T*>(column.buffers[1])[column.offset + row];
  }
};
template <>
struct Layout<bool> {
  static bool takes(const char* format) { return same(format, "b"); }
  static bool read(const ArrowArray& column, int64_t row, const char*) {
    return bit(column.buffers[1], column.offset + row);
  }
};
template <>
struct Layout<std::string> {
  static bool takes(const char* format) {
    return same(format, "vu") || same(format, "u") || same(format, "vz") || same(format, "z");
  }
  static std::string read(const ArrowArray& column, int64_t row, const char* format) {
    const int64_t at = column.offset + row;
    if (format[0] != 'v') {
      const auto* offsets = static_cast<const int32_t*>(column.buffers[1]) + at;
      return {static_cast<const char*>(column.buffers[2]) + offsets[0],
              static_cast<size_t>(offsets[1] - offsets[0])};
    }
    const auto* view = static_cast<const View*>(column.buffers[1]) + at;
    const auto size = static_cast<size_t>(view->size);
    if (size <= kInline) return {reinterpret_cast<const char*>(view) + sizeof(int32_t), size};
    return {static_cast<const char*>(column.buffers[2 + view->buffer]) + view->offset, size};
  }
};

// A column under construction, and the array that it becomes.
struct Building {
  int64_t length = 0;
  int64_t nulls = 0;
  std::vector<uint8_t> validity;
  std::vector<uint8_t> values;
  std::vector<char> text;
  int64_t text_size = 0;
  std::array<const void*, 4> buffers{};
  std::vector<std::unique_ptr<Building>> children;
  std::vector<ArrowArray> arrays;
  std::vector<ArrowArray*> pointers;
};

inline void release_building(ArrowArray* array) {
  auto* building = static_cast<Building*>(array->private_data);
  for (ArrowArray& child : building->arrays) {
    if (child.release) child.release(&child);
  }
  delete building;
  array->release = nullptr;
}

inline ArrowArray array_of(std::unique_ptr<Building> building, int64_t num_buffers) {
  ArrowArray array{};
  array.length = building->length;
  array.null_count = building->nulls;
  building->buffers[0] = building->nulls > 0 ? building->validity.data() : nullptr;
  array.n_buffers = num_buffers;
  array.buffers = building->buffers.data();
  array.n_children = static_cast<int64_t>(building->arrays.size());
  array.children = building->pointers.data();
  array.release = release_building;
  array.private_data = building.release();
  return array;
}

inline void append_text(Building& building, size_t row, const std::string& text) {
  View view{};
  view.size = static_cast<int32_t>(text.size());
  if (text.size() <= kInline) {
    std::memcpy(reinterpret_cast<char*>(&view) + sizeof(int32_t), text.data(), text.size());
  } else {
    std::memcpy(view.prefix, text.data(), sizeof(view.prefix));
    view.offset = static_cast<int32_t>(building.text.size());
    building.text.insert(building.text.end(), text.begin(), text.end());
  }
  std::memcpy(building.values.data() + row * sizeof(View), &view, sizeof(View));
}

template <class Row, class Described>
ArrowArray build_column(std::span<const Row> rows, const Described& column) {
  using Member = Nullable<typename Described::type>;
  using T = typename Member::type;
  auto building = std::make_unique<Building>();
  building->length = static_cast<int64_t>(rows.size());
  if constexpr (std::is_same_v<T, bool>) {
    building->values.resize(rows.size() / 8 + 1);
  } else if constexpr (std::is_same_v<T, std::string>) {
    building->values.resize((rows.size() + 1) * sizeof(View));
  } else {
    building->values.resize((rows.size() + 1) * sizeof(T));
  }
  if constexpr (Member::value) building->validity.resize(rows.size() / 8 + 1);
  for (size_t i = 0; i < rows.size(); ++i) {
    const auto& member = column.of(rows[i]);
    if (!Member::has(member)) {
      ++building->nulls;
      continue;
    }
    if constexpr (Member::value) set_bit(building->validity, i);
    const T& value = Member::get(member);
    if constexpr (std::is_same_v<T, bool>) {
      if (value) set_bit(building->values, i);
    } else if constexpr (std::is_same_v<T, std::string>) {
      append_text(*building, i, value);
    } else {
      std::memcpy(building->values.data() + i * sizeof(T), &value, sizeof(T));
    }
  }
  building->buffers[1] = building->values.data();
  if constexpr (!std::is_same_v<T, std::string>) return array_of(std::move(building), 2);
  building->text_size = static_cast<int64_t>(building->text.size());
  building->buffers[2] = building->text.data();
  building->buffers[3] = &building->text_size;
  if (building->text.empty()) building->buffers[2] = building->values.data();
  return array_of(std::move(building), 4);
}

template <class Row>
ArrowArray build_rows(std::span<const Row> rows) {
  auto building = std::make_unique<Building>();
  building->length = static_cast<int64_t>(rows.size());
  std::apply(
      [&](const auto&... column) { (building->arrays.push_back(build_column(rows, column)), ...); },
      columns_of<Row>());
  for (ArrowArray& array : building->arrays) building->pointers.push_back(&array);
  return array_of(std::move(building), 1);
}

// The column of a member in the schema, or -1 and why.
template <class Described>
int64_t place_of(const Described& column, size_t index, const Schema& schema, Status& wrong) {
  int64_t found = -1;
  for (int64_t i = 0; i < schema.num_columns(); ++i) {
    if (column.name ? same(column.name, schema.name(i)) : i == static_cast<int64_t>(index))
      found = i;
  }
  const std::string name = column.name ? column.name : "number " + std::to_string(index + 1);
  if (found < 0) {
    wrong = Status(Code::invalid, "there is no column " + name);
  } else if (!Layout<typename Nullable<typename Described::type>::type>::takes(
                 schema.format(found))) {
    wrong =
        Status(Code::invalid, "the column " + name + " has Arrow's format " + schema.format(found) +
                                  ", which the row's member cannot hold");
    found = -1;
  }
  return found;
}

// Where each member of Row stands in the schema.
template <class Row>
Result<std::vector<int64_t>> places_of(const Schema& schema) {
  std::vector<int64_t> places;
  Status wrong;
  std::apply(
      [&](const auto&... column) {
        size_t index = 0;
        (places.push_back(place_of(column, index++, schema, wrong)), ...);
      },
      columns_of<Row>());
  if (!wrong) return wrong;
  return places;
}

template <class Row, class Described>
bool read_column(const Batch& batch, int64_t place, const Described& column,
                 std::vector<Row>& rows) {
  using Member = Nullable<typename Described::type>;
  const ArrowArray& array = *batch.array().children[place];
  const char* format = batch.schema().format(place);
  for (size_t i = 0; i < rows.size(); ++i) {
    const auto row = static_cast<int64_t>(i);
    const bool null =
        array.n_buffers > 0 && array.buffers[0] && !bit(array.buffers[0], array.offset + row);
    if (null && !Member::value) return false;
    if (!null) column.of(rows[i]) = Layout<typename Member::type>::read(array, row, format);
  }
  return true;
}

}  // namespace detail

// The batch's rows; its schema may have more columns. A null for a member that is no std::optional
// is refused.
template <class Row>
Result<std::vector<Row>> rows_of(const Batch& batch) {
  auto places = detail::places_of<Row>(batch.schema());
  if (!places) return places.status();
  std::vector<Row> rows(static_cast<size_t>(batch.num_rows()));
  bool whole = true;
  std::apply(
      [&](const auto&... column) {
        size_t index = 0;
        ((whole = detail::read_column(batch, (*places)[index++], column, rows) && whole), ...);
      },
      detail::columns_of<Row>());
  if (!whole)
    return Status(Code::invalid, "a column has nulls — make the row's member a std::optional");
  return rows;
}

}  // namespace api_v1
}  // namespace flowrun

#endif
