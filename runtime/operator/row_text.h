#pragma once
// RowText: rows as text in one of the formats that sinks offer, by the options they share.
//
//   FLOWRUN_TRY(auto text, make_row_text(options, schema, zone));
//   FLOWRUN_TRY(auto writer, text->make_writer());
//   FLOWRUN_RETURN_IF_ERROR(writer->begin(out));
//   FLOWRUN_RETURN_IF_ERROR(writer->write(batch, out));
//   FLOWRUN_RETURN_IF_ERROR(writer->end(out));

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/columnar/record_batch.h"
#include "runtime/format/datetime.h"
#include "runtime/format/json_writer.h"
#include "runtime/operator/spec.h"

namespace flowrun {

// `format` (json, csv, text) and the options of each.
std::vector<OptionSpec> row_text_option_specs();

// Writes the rows of one file or connection, used by one thread at a time: begin, any number of
// writes, end. All append to `out`; what they appended before an error is of no use.
class RowWriter {
 public:
  virtual ~RowWriter() = default;
  // What stands before the first row: CSV's line of names, if it was asked for.
  virtual Status begin(std::string& out) {
    static_cast<void>(out);
    return {};
  }
  // Every row, with its line end. REQUIRES: the batch has the schema, all columns present.
  virtual Status write(const RecordBatch& batch, std::string& out) = 0;
  // What stands behind the last row.
  virtual Status end(std::string& out) {
    static_cast<void>(out);
    return {};
  }
};

// Immutable and thread-safe once made. Outlives its writers.
class RowText {
 public:
  virtual ~RowText() = default;
  [[nodiscard]] virtual Result<std::unique_ptr<RowWriter>> make_writer() const = 0;
  // False: what a write appends depends on its rows alone, so that one writer may write for several
  // files or connections.
  [[nodiscard]] virtual bool writers_remember() const { return false; }
  // Whether end may append something: then a file is not added to once it is durable.
  [[nodiscard]] virtual bool has_end() const { return false; }
  // Of files: "jsonl", "csv", "txt".
  [[nodiscard]] virtual std::string_view extension() const = 0;
};

// One of those built in, by the options of row_text_option_specs. Refuses columns that the format
// cannot hold.
Result<std::unique_ptr<RowText>> make_row_text(const Options& options, const SchemaPtr& schema,
                                               const TimeZone& zone);

// JSON, an object per line.
std::unique_ptr<RowText> make_json_text(const SchemaPtr& schema, JsonWriteOptions options);

}  // namespace flowrun
