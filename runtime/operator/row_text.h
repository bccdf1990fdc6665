#pragma once
// RowText: rows as lines of text in one of the formats that sinks offer, by the options they share.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/columnar/record_batch.h"
#include "runtime/format/datetime.h"
#include "runtime/operator/spec.h"

namespace flowrun {

// `format` (json, csv, text) and the options of each.
std::vector<OptionSpec> row_text_option_specs();

// Immutable and thread-safe once made.
class RowText {
 public:
  virtual ~RowText() = default;
  // What stands before the first row: CSV's line of names, if it was asked for.
  virtual void append_header(std::string& out) const { static_cast<void>(out); }
  // Every row, each with a line end. REQUIRES: the batch has the schema, all columns present.
  virtual void append_lines(const RecordBatch& batch, std::string& out) const = 0;
  // Of files: "jsonl", "csv", "txt".
  [[nodiscard]] virtual std::string_view extension() const = 0;
};

// By the options of row_text_option_specs. Refuses columns that the format cannot hold.
Result<std::unique_ptr<RowText>> make_row_text(const Options& options, const SchemaPtr& schema,
                                               const TimeZone& zone);

}  // namespace flowrun
