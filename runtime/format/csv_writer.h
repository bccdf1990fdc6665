#pragma once
// Rows as CSV text, as Spark's CSV writer does by default.
//
//   FLOWRUN_TRY(const CsvRowWriter writer, CsvRowWriter::make(schema, {.header = true}));
//   writer.append_header(out);          // id,name\n
//   writer.append_lines(batch, out);    // 1,"a ""b"", c"\n  (with escape '"')
//
// A field is quoted when it holds the separator, a quote or a line end; white space around unquoted
// and quoted fields is trimmed unless the options say otherwise; null is written as `null_value`,
// an empty string as `empty_value`.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "runtime/columnar/record_batch.h"
#include "runtime/format/datetime.h"

namespace flowrun {

struct CsvWriteOptions {
  bool header = false;
  std::string sep = ",";
  char quote = '"';    // '\0': fields are never quoted
  char escape = '\\';  // put before a quote inside of quotes, and before itself
  bool quote_all = false;
  std::string null_value = {};
  std::string empty_value = "\"\"";
  bool ignore_leading_white_space = true;
  bool ignore_trailing_white_space = true;
  const TimeZone* zone = &TimeZone::utc();
  std::shared_ptr<const DateTimePattern> date_format = {};       // null: ISO
  std::shared_ptr<const DateTimePattern> timestamp_format = {};  // null: 2026-03-01T12:34:56.789Z
};

// Immutable and thread-safe.
class CsvRowWriter {
 public:
  // Refuses columns that CSV cannot hold (binary, arrays, maps, structs), naming them.
  static Result<CsvRowWriter> make(const SchemaPtr& schema, CsvWriteOptions options);

  // The line of names, whether or not options.header is set.
  void append_header(std::string& out) const;
  // Every row, each with a line end. REQUIRES: the batch has the schema, all columns present.
  void append_lines(const RecordBatch& batch, std::string& out) const;

 private:
  CsvRowWriter(SchemaPtr schema, CsvWriteOptions options)
      : schema_(std::move(schema)), options_(std::move(options)) {}

  SchemaPtr schema_;
  CsvWriteOptions options_;
};

}  // namespace flowrun
