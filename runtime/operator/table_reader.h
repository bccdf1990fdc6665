#pragma once
// Whole files of records: static tables, and the schema of a file whose schema nobody wrote.

#include <string>

#include "runtime/columnar/record_batch.h"
#include "runtime/format/record_format.h"
#include "runtime/operator/decode.h"
#include "runtime/operator/text_file.h"
#include "runtime/operator/watched_folder.h"

namespace flowrun {

// How the file of such records is cut into records.
TextFileOptions text_file_options(const RecordFormat& format);

// The schema of a file, or of the first file of a folder in that order; reads as much as it needs
// to be certain. Errors: `invalid` if there is no file or no line, or the format has no inference.
Result<SchemaPtr> infer_schema(const std::string& path, FileOrder order,
                               const RecordFormat& format);

// Takes the header, the first line that is neither blank nor a comment, and what stands before it
// off a file's blocks, as long as it is `wanted`. Errors: as find_csv_header.
Status drop_header(TextFile::Block& block, const Schema& schema, const CsvReadOptions& options,
                   bool& wanted);

struct TableReadOptions {
  RecordFormat format;  // with `source` set
  SchemaPtr schema;     // null: inferred
  // Of a plugin's format, for that schema: in place of those of `format`.
  MakeRecordReader make_reader = {};
  std::string plugged_name = {};
  CorruptRecords corrupt = CorruptRecords::keep;
  std::optional<std::string> corrupt_column = {};
};

// The schema that read_table gives.
Result<SchemaPtr> table_schema(const std::string& path, const TableReadOptions& options);
// All rows of one file.
Result<RecordBatch> read_table(const std::string& path, const TableReadOptions& options);

}  // namespace flowrun
