#pragma once
// Options: the checked options of one node, with the positions they were written at.
//
// config/ builds them from YAML by the operator's spec (a builder in a host program does the same),
// so an operator never sees an unknown key, a missing required option or a value of the wrong
// shape. What the spec cannot say (a name that does not exist) the operator reports itself,
// `.at(option.position)`.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/base/position.h"
#include "runtime/base/status.h"
#include "runtime/columnar/type.h"

namespace flowrun {

// The shape of an option. What a scalar means is decided by this, never by YAML: `no` is the word
// "no".
enum class OptionKind : uint8_t {
  text,        // any text
  word,        // one of OptionSpec::words
  integer,     // whole number; underscores allowed
  number,      // double
  boolean,     // true or false
  duration,    // Spark's interval text; held as microseconds. Months and years are refused unless
               // spec says
  bytes,       // 10 MiB, 64k; held as a count
  rows,        // truncate: a count or false; held as integer, -1 for false
  path,        // resolved against the pipeline file's folder
  expression,  // text of a Spark SQL expression
  column,      // a column's name
  data_type,   // bigint, array<string>
  schema,      // a mapping of name to type, or one DDL string; held as a Schema
  any_scalar,  // boolean, integer, number or text as YAML writes it, quotes making text (fillna)
  list,        // of OptionSpec::items; a single item is accepted as a list of one
  map,         // name -> OptionSpec::items, in the order written
  one_of,      // the first of OptionSpec::alternatives that fits
  group,       // a mapping with keys of its own: each of OptionSpec::items, and no other
};

// From this byte of a scalar's text on (up to the next mark) the text stands in the file at
// line:column.
struct TextMark {
  int32_t offset = 0;
  int32_t line = 0;
  int32_t column = 0;
};

struct OptionValue {
  OptionKind kind = OptionKind::text;  // of a one_of: the alternative that was taken
  Position position;
  bool quoted = false;               // the scalar stood in quotes
  bool interpolated = false;         // the text is not as written: ${env:X} and the like
  std::vector<TextMark> marks = {};  // of a scalar over several lines or with escapes; else empty
  std::string text;      // text, word, path, expression, column; the raw text of other scalars
  int64_t integer = 0;   // integer, duration (microseconds), bytes, rows
  double number = 0;     // number
  bool boolean = false;  // boolean
  Type type;             // data_type
  SchemaPtr schema;      // schema
  std::vector<OptionValue> items;                      // list; map, group: the values
  std::vector<std::pair<std::string, Position>> keys;  // map, group: as many as items

  // Gives an error found inside this scalar its place in the file: error.offset is added to the
  // column.
  [[nodiscard]] Error place(Error error) const;
};

class Options {
 public:
  Options() = default;
  explicit Options(std::map<std::string, OptionValue, std::less<>> values)
      : values_(std::move(values)) {}

  [[nodiscard]] bool has(std::string_view name) const { return values_.contains(name); }
  // The value, or null if it was not written and has no default.
  [[nodiscard]] const OptionValue* find(std::string_view name) const;
  // REQUIRES: present (required by the spec, or with a default).
  [[nodiscard]] const OptionValue& at(std::string_view name) const;
  // Shorthands for `at`. The _or forms take absent options.
  [[nodiscard]] const std::string& text(std::string_view name) const { return at(name).text; }
  [[nodiscard]] int64_t integer(std::string_view name) const { return at(name).integer; }
  [[nodiscard]] bool boolean(std::string_view name) const { return at(name).boolean; }
  [[nodiscard]] std::string text_or(std::string_view name, std::string_view fallback) const;
  [[nodiscard]] int64_t integer_or(std::string_view name, int64_t fallback) const;
  [[nodiscard]] bool boolean_or(std::string_view name, bool fallback) const;
  // A list of text-like scalars; empty if absent.
  [[nodiscard]] std::vector<std::string> texts(std::string_view name) const;
  // What stands in a group, defaults included; nothing if it is absent.
  [[nodiscard]] Options group(std::string_view name) const;

  void set(std::string name, OptionValue value) {
    values_.insert_or_assign(std::move(name), std::move(value));
  }
  [[nodiscard]] const std::map<std::string, OptionValue, std::less<>>& values() const {
    return values_;
  }

 private:
  std::map<std::string, OptionValue, std::less<>> values_;
};

}  // namespace flowrun
