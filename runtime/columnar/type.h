#pragma once
// Type, Field and Schema: what a column holds, in the words of Spark SQL.
//
//   Type t = Type::array(Type::struct_({{"a", Type::bigint()}}));
//   t.ddl()            // "ARRAY<STRUCT<a: BIGINT>>", as Spark's schema.toDDL
//   t.simple_string()  // "array<struct<a:bigint>>", as Spark's catalogString

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/status.h"

namespace flowrun {

// Physical layout of each: columnar/column.h.
enum class TypeId : uint8_t {
  null,  // Spark's void: the type of a bare NULL
  boolean,
  tinyint,
  smallint,
  integer,
  bigint,
  real,  // Spark's float
  double_,
  decimal,
  string,
  binary,
  date,                 // days since 1970-01-01
  timestamp,            // microseconds since 1970-01-01T00:00:00Z
  year_month_interval,  // months
  day_time_interval,    // microseconds
  calendar_interval,    // months, days, microseconds: Spark's make_interval, interval literals of
                        // mixed units
  array,
  map,
  struct_,
};

struct Field;

// The unit of an interval's first or last field. Year-month intervals use year, month; day-time the
// rest.
enum class IntervalUnit : uint8_t { year, month, day, hour, minute, second };

// An immutable value, cheap to copy. Two types are equal if their ids, parameters and children are;
// nullability and metadata of fields do not count, names of struct fields do.
class Type {
 public:
  Type() = default;             // null
  Type(TypeId id) : id_(id) {}  // NOLINT: implicit for the types without parameters

  static Type null() { return TypeId::null; }
  static Type boolean() { return TypeId::boolean; }
  static Type tinyint() { return TypeId::tinyint; }
  static Type smallint() { return TypeId::smallint; }
  static Type integer() { return TypeId::integer; }
  static Type bigint() { return TypeId::bigint; }
  static Type real() { return TypeId::real; }
  static Type double_() { return TypeId::double_; }
  static Type string() { return TypeId::string; }
  static Type binary() { return TypeId::binary; }
  static Type date() { return TypeId::date; }
  static Type timestamp() { return TypeId::timestamp; }
  // REQUIRES: 1 <= precision <= 38, 0 <= scale <= precision.
  static Type decimal(int precision, int scale);
  static Type year_month_interval(IntervalUnit first, IntervalUnit last);
  static Type day_time_interval(IntervalUnit first, IntervalUnit last);
  static Type array(Type element);
  static Type map(Type key, Type value);
  static Type struct_(std::vector<Field> fields);

  [[nodiscard]] TypeId id() const { return id_; }
  [[nodiscard]] int precision() const { return first_; }  // decimal only
  [[nodiscard]] int scale() const { return second_; }     // decimal only
  [[nodiscard]] IntervalUnit first_unit() const { return static_cast<IntervalUnit>(first_); }
  [[nodiscard]] IntervalUnit last_unit() const { return static_cast<IntervalUnit>(second_); }
  // array: one field `element`; map: `key` and `value`; struct: its fields; otherwise none.
  [[nodiscard]] std::span<const Field> fields() const;
  [[nodiscard]] const Type& element() const;  // REQUIRES: array
  [[nodiscard]] const Type& key() const;      // REQUIRES: map
  [[nodiscard]] const Type& value() const;    // REQUIRES: map

  [[nodiscard]] bool is_integral() const { return id_ >= TypeId::tinyint && id_ <= TypeId::bigint; }
  [[nodiscard]] bool is_floating() const { return id_ == TypeId::real || id_ == TypeId::double_; }
  [[nodiscard]] bool is_numeric() const { return id_ >= TypeId::tinyint && id_ <= TypeId::decimal; }
  [[nodiscard]] bool is_nested() const { return id_ >= TypeId::array; }
  [[nodiscard]] bool is_string_like() const {
    return id_ == TypeId::string || id_ == TypeId::binary;
  }

  [[nodiscard]] std::string ddl() const;            // BIGINT, STRUCT<a: INT>
  [[nodiscard]] std::string simple_string() const;  // bigint, struct<a:int>

  friend bool operator==(const Type& a, const Type& b);

 private:
  TypeId id_ = TypeId::null;
  uint8_t first_ = 0;
  uint8_t second_ = 0;
  std::shared_ptr<const std::vector<Field>> children_;
};

struct Field {
  std::string name;
  Type type;
  bool nullable = true;
  // The node or table through which the column entered a join; empty elsewhere.
  std::string qualifier = {};
  // Set on the event-time column behind a watermark node, and on windows of it: the delay in
  // microseconds.
  std::optional<int64_t> watermark_delay = {};

  // Name and type only.
  friend bool operator==(const Field& a, const Field& b) {
    return a.name == b.name && a.type == b.type;
  }
};

class Schema;
using SchemaPtr = std::shared_ptr<const Schema>;

// An ordered list of fields; names may repeat (after a join). Immutable.
class Schema {
 public:
  explicit Schema(std::vector<Field> fields) : fields_(std::move(fields)) {}
  static SchemaPtr make(std::vector<Field> fields) {
    return std::make_shared<const Schema>(std::move(fields));
  }

  [[nodiscard]] std::span<const Field> fields() const { return fields_; }
  [[nodiscard]] const Field& field(size_t i) const { return fields_[i]; }
  [[nodiscard]] size_t num_fields() const { return fields_.size(); }
  // Every index whose name is `name` without regard to case (Unicode case by ASCII only), in order.
  [[nodiscard]] std::vector<size_t> find_all(std::string_view name) const;
  // The one index of that name; an error if there is none (with did-you-mean) or several
  // ("ambiguous").
  [[nodiscard]] Result<size_t> find(std::string_view name) const;
  [[nodiscard]] std::vector<std::string> names() const;

  [[nodiscard]] std::string ddl() const;  // "gt STRING,count BIGINT", as in conformance schema.ddl
  [[nodiscard]] std::string tree_string()
      const;  // printSchema's text, "root\n |-- gt: string (nullable = true)\n"

  friend bool operator==(const Schema& a, const Schema& b) { return a.fields_ == b.fields_; }

 private:
  std::vector<Field> fields_;
};

// Equal without regard to ASCII case: how column and function names compare.
bool names_equal(std::string_view a, std::string_view b);
std::string lower_name(std::string_view name);
// The name as it must be written in DDL: in back-quotes when it is no plain identifier.
std::string quote_name(std::string_view name);

// "bigint", "DECIMAL(10,2)", "struct<a: int, b: array<string>>" in any case; Spark's type grammar.
// Errors carry the offset in `text`.
Result<Type> parse_type(std::string_view text);
// "a BIGINT, b STRING NOT NULL COMMENT 'x'" or "a: bigint, b: string"; also a `struct<...>` around
// it.
Result<SchemaPtr> parse_schema(std::string_view text);

}  // namespace flowrun
