// Rows made of texts, for formats. Part of flowrun/plugin.hpp: include that.
#ifndef FLOWRUN_PLUGIN_TEXT_ROWS_HPP
#define FLOWRUN_PLUGIN_TEXT_ROWS_HPP

#include <charconv>
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
    const std::string& format = field.format;
    if (format == types::boolean()) return Builder<bool>();
    if (format == types::tinyint()) return Builder<int8_t>();
    if (format == types::smallint()) return Builder<int16_t>();
    if (format == types::integer()) return Builder<int32_t>();
    if (format == types::bigint()) return Builder<int64_t>();
    if (format == types::real()) return Builder<float>();
    if (format == types::double_()) return Builder<double>();
    if (format == types::string() || format == types::binary()) return Builder<std::string_view>();
    throw Error::option("schema", "column `" + field.name + "` is of Arrow's type " + format +
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

}  // namespace plugin
}  // namespace flowrun

#pragma GCC visibility pop

#endif  // FLOWRUN_PLUGIN_TEXT_ROWS_HPP
