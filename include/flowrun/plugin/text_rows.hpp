// Rows made of texts and texts of rows, for formats. Part of flowrun/plugin.hpp: include that.
#ifndef FLOWRUN_PLUGIN_TEXT_ROWS_HPP
#define FLOWRUN_PLUGIN_TEXT_ROWS_HPP

#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "operators.hpp"

// Nothing of this is seen from outside: two plugins may have classes of one name.
#pragma GCC visibility push(hidden)

namespace flowrun {
namespace plugin {

namespace detail {

template <class T>
struct TypeTag {
  using Type = T;
};

// Calls `with` with the C++ type of a column that has a text; false if it has none.
template <class With>
bool visit_text_type(const std::string& format, With with) {
  if (format == types::boolean()) return with(TypeTag<bool>()), true;
  if (format == types::tinyint()) return with(TypeTag<int8_t>()), true;
  if (format == types::smallint()) return with(TypeTag<int16_t>()), true;
  if (format == types::integer()) return with(TypeTag<int32_t>()), true;
  if (format == types::bigint()) return with(TypeTag<int64_t>()), true;
  if (format == types::real()) return with(TypeTag<float>()), true;
  if (format == types::double_()) return with(TypeTag<double>()), true;
  if (format == types::string() || format == types::binary())
    return with(TypeTag<std::string_view>()), true;
  return false;
}

}  // namespace detail

// Builds the columns of a schema from texts, row by row. Columns are boolean (true, false), whole
// and floating numbers, string and binary.
//
//   TextRows rows(schema);
//   if (!rows.set(0, "17")) ...   // no value of that column's type: it stays null
//   rows.end_row();               // what was not set is null
//   Batch batch = rows.finish();
class TextRows {
 public:
  // Throws Error::option("schema", ...) for a column of another type.
  explicit TextRows(const Schema& schema) {
    for (size_t i = 0; i < schema.size(); ++i) {
      columns_.push_back(column_for(schema[i]));
      set_.push_back(false);
    }
  }

  // False, and null, if the text is no value of the column's type. REQUIRES: not set in this row.
  bool set(size_t column, std::string_view text) {
    const bool is_value =
        std::visit([&](auto& builder) { return put(builder, text); }, columns_[column]);
    if (is_value) set_[column] = true;
    return is_value;
  }
  bool is_set(size_t column) const { return set_[column]; }
  void end_row() {
    for (size_t i = 0; i < columns_.size(); ++i) {
      if (!set_[i]) std::visit([](auto& builder) { builder.append_null(); }, columns_[i]);
      set_[i] = false;
    }
  }
  // All rows; begins anew.
  Batch finish() {
    std::vector<Column> columns;
    for (auto& column : columns_)
      columns.push_back(std::visit([](auto& builder) { return builder.finish(); }, column));
    return Batch(std::move(columns));
  }

 private:
  using Any =
      std::variant<Builder<bool>, Builder<int8_t>, Builder<int16_t>, Builder<int32_t>,
                   Builder<int64_t>, Builder<float>, Builder<double>, Builder<std::string_view>>;

  static Any column_for(const Field& field) {
    std::optional<Any> column;
    detail::visit_text_type(
        field.format, [&](auto tag) { column.emplace(Builder<typename decltype(tag)::Type>()); });
    if (column) return std::move(*column);
    throw Error::option("schema", "column `" + field.name + "` is of Arrow's type " + field.format +
                                      " — read it as a string and cast it");
  }

  static bool put(Builder<std::string_view>& builder, std::string_view text) {
    builder.append(text);
    return true;
  }
  static bool put(Builder<bool>& builder, std::string_view text) {
    if (text != "true" && text != "false") return false;
    builder.append(text == "true");
    return true;
  }
  template <class Number>
  static bool put(Builder<Number>& builder, std::string_view text) {
    Number number{};
    const char* end = text.data() + text.size();
    const auto read = std::from_chars(text.data(), end, number);
    if (read.ec != std::errc() || read.ptr != end) return false;
    builder.append(number);
    return true;
  }

  std::vector<Any> columns_;
  std::vector<bool> set_;
};

// The values of a batch as texts that TextRows reads as the same values, for what a RowWriter
// writes. Columns of the same types.
//
//   BatchTexts texts(schema, batch);
//   if (!texts.is_null(0, row)) texts.append(0, row, out);
class BatchTexts {
 public:
  // Throws Error::invalid for a column of another type: for make_writer.
  static void check(const Schema& schema) {
    for (size_t i = 0; i < schema.size(); ++i) {
      if (detail::visit_text_type(schema[i].format, [](auto) {})) continue;
      throw Error::invalid("column `" + schema[i].name + "` is of Arrow's type " +
                           schema[i].format +
                           ", which this format does not write — cast it to a string");
    }
  }

  // REQUIRES: check took the schema; the batch has it and lives as long.
  BatchTexts(const Schema& schema, const Batch& batch) {
    for (size_t i = 0; i < schema.size(); ++i) {
      detail::visit_text_type(schema[i].format, [&](auto tag) {
        columns_.emplace_back(batch.values<typename decltype(tag)::Type>(i));
      });
    }
  }
  bool is_null(size_t column, int64_t row) const {
    return std::visit([row](const auto& values) { return values.is_null(row); }, columns_[column]);
  }
  // REQUIRES: not null.
  void append(size_t column, int64_t row, std::string& out) const {
    std::visit([&](const auto& values) { put(values[row], out); }, columns_[column]);
  }

 private:
  using Any =
      std::variant<Values<bool>, Values<int8_t>, Values<int16_t>, Values<int32_t>, Values<int64_t>,
                   Values<float>, Values<double>, Values<std::string_view>>;

  static void put(bool value, std::string& out) { out += value ? "true" : "false"; }
  static void put(std::string_view value, std::string& out) { out += value; }
  template <class Number>
  static void put(Number number, std::string& out) {
    char text[32];  // the longest, a double, has 24
    out.append(text, std::to_chars(text, text + sizeof text, number).ptr);
  }

  std::vector<Any> columns_;
};

}  // namespace plugin
}  // namespace flowrun

#pragma GCC visibility pop

#endif  // FLOWRUN_PLUGIN_TEXT_ROWS_HPP
