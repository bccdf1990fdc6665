#pragma once
// How a value of flowrun stands in SQLite, and back.
//
//   whole numbers, boolean            INTEGER
//   float, double, decimal            REAL (NaN is NULL there)
//   string, date, timestamp, interval TEXT, as they print
//   binary                            BLOB
//   array, map, struct                a BLOB of our own: a mark, the type, the bytes of ValueCodec,
//                                     a checksum. They sort and group as in Spark.
//
// A value that comes straight from a column also says its type as SQLite's subtype.

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "runtime/columnar/builder.h"
#include "runtime/format/time_zone.h"

struct sqlite3_context;
struct sqlite3_value;

namespace flowrun {

// A value as SQLite holds it.
struct SqlCell {
  enum class Kind : uint8_t { null, integer, real, text, blob } kind = Kind::null;
  int64_t integer = 0;
  double real = 0;
  std::string bytes;
};

SqlCell read_cell(sqlite3_value* value);

// The types that one statement meets. Not thread-safe.
class SqlTypes {
 public:
  explicit SqlTypes(const TimeZone& zone);

  [[nodiscard]] const TimeZone& zone() const { return zone_; }
  size_t id(const Type& type);
  [[nodiscard]] const Type& type(size_t id) const { return types_[id]; }
  [[nodiscard]] size_t size() const { return types_.size(); }

  // The word by which a column of that type is declared; its affinity is that of what it holds.
  [[nodiscard]] std::string declaration(size_t id) const;
  // The type of a column so declared.
  [[nodiscard]] std::optional<Type> declared(const char* word) const;

  // The result of a function or the column of a row. `id` is that of column.type(). Text is not
  // copied: it lives as long as the statement.
  void give(sqlite3_context* context, const Column& column, int64_t row, size_t id, bool lasting);

  // One row of the type that the value shows by itself or by its subtype.
  [[nodiscard]] ColumnPtr column_of(sqlite3_value* value) const;
  // A result's column: of the declared type if every cell agrees with it, else of what they are.
  [[nodiscard]] ColumnPtr column_of(const std::vector<SqlCell>& cells,
                                    const std::optional<Type>& declared) const;
  // What a function collected: of the expected type if every cell stands for a value of it just as
  // it is, else of what they are. Null if they are of several kinds.
  [[nodiscard]] ColumnPtr collected(const std::vector<SqlCell>& cells,
                                    const std::optional<Type>& expected) const;

 private:
  [[nodiscard]] SqlCell cell_of(const Column& column, int64_t row) const;
  [[nodiscard]] std::optional<size_t> marked_type(std::string_view blob) const;
  [[nodiscard]] std::string_view marked_bytes(std::string_view blob) const;
  [[nodiscard]] uint64_t checksum(std::string_view bytes) const;
  [[nodiscard]] ColumnPtr nested(const std::vector<SqlCell>& cells, size_t id) const;
  [[nodiscard]] ColumnPtr declared_column(const std::vector<SqlCell>& cells,
                                          const Type& type) const;

  const TimeZone& zone_;
  std::vector<Type> types_;
  std::array<char, 8> mark_;
  uint64_t secret_;
  std::string scratch_;
};

// The cell of a column of booleans or whole numbers; true is 1.
int64_t whole_number(const Column& column, int64_t row);

// The texts of a column's cells where a format has no place for anything else.
ColumnPtr column_as_text(const ColumnPtr& column, const TimeZone& zone);

}  // namespace flowrun
