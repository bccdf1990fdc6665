#pragma once
// Decode: texts to columns by a RecordReader; what `parse` and the file source have in common.
//
// Keeps, drops, fails on or routes away corrupt records, fills `corrupt_record`, the port `errors`
// and the metric of rejected records. Only columns that are read downstream are converted, unless
// corrupt records matter: then a record is judged by all of them.

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/format/record_format.h"
#include "runtime/operator/options.h"
#include "runtime/operator/transform.h"

namespace flowrun {

// What becomes of a corrupt record.
enum class CorruptRecords : uint8_t { keep, drop, fail, route };

struct DecodeOptions {
  std::string format;            // "json", for explain
  SchemaPtr schema;              // of the records
  MakeRecordReader make_reader;  // for that schema
  CorruptRecords corrupt = CorruptRecords::keep;
  std::optional<std::string> corrupt_column;  // one of the schema's, or added behind them
  OptionValue column;  // the column to read: its name, and where that was written
  std::vector<OptionValue>
      keep_columns;               // columns of the input that stay, before those of the schema
  std::optional<std::string> as;  // one struct column of this name in place of the columns
};

// keep, drop, fail or route as `on_error` says; keep without it.
CorruptRecords corrupt_records_option(const Options& options);

std::unique_ptr<Transform> make_decode(DecodeOptions options);

// Columns source, offset, reason, raw: of every port `errors`.
const SchemaPtr& errors_schema();

}  // namespace flowrun
