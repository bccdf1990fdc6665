#pragma once
// Rows and values as JSON text, as Spark's to_json writes them.
//
//   const JsonRowWriter writer(schema, {.ignore_null_fields = false});
//   writer.append_lines(batch, out);   // {"id":1,"s":"one"}\n{"id":2,"s":null}\n
//
// Doubles in Java's notation; NaN and the infinities, dates, timestamps and intervals as strings;
// binary as base64; decimals as Java's BigDecimal writes them (1E-10); keys of maps as strings.
// Malformed UTF-8 becomes U+FFFD. Text is compact.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/columnar/record_batch.h"
#include "runtime/format/datetime.h"

namespace flowrun {

struct JsonWriteOptions {
  enum class Fraction : uint8_t {
    milliseconds,  // 2026-03-01T12:34:56.789Z: Spark's default for JSON
    microseconds,  // 2026-03-01T12:34:56.789012Z: loses nothing
  };
  bool ignore_null_fields =
      true;  // of structs; elements of arrays and values of maps are always written
  Fraction fraction = Fraction::milliseconds;
  const TimeZone* zone =
      &TimeZone::utc();  // timestamps are written as that zone's clock shows, with its offset
  // Spark's patterns in place of the ISO forms; null for those.
  std::shared_ptr<const DateTimePattern> date_format = {};
  std::shared_ptr<const DateTimePattern> timestamp_format = {};
};

// Bound to a schema once. Immutable and thread-safe.
class JsonRowWriter {
 public:
  JsonRowWriter(const SchemaPtr& schema, JsonWriteOptions options);

  // One row as an object, without a line end. REQUIRES: the batch has the schema, all columns
  // present.
  void append_row(const RecordBatch& batch, int64_t row, std::string& out) const;
  // Every row, each with a line end.
  void append_lines(const RecordBatch& batch, std::string& out) const;

 private:
  JsonWriteOptions options_;
  std::vector<std::string> keys_;  // "name": with quotes and colon
};

// Any value: {"a":1}, [1,null], "text", null.
void append_json(const Column& column, int64_t row, const JsonWriteOptions& options,
                 std::string& out);

// Text in quotes, escaped as Jackson does: what must be is, the rest stays as it is.
void append_json_string(std::string_view text, std::string& out);

void append_base64(std::string_view bytes, std::string& out);

}  // namespace flowrun
