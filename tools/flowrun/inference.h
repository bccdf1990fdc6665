#pragma once
// Inference: the schema of records that somebody sent, and what a reader of the pipeline should
// know of its columns.

#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/status.h"
#include "runtime/columnar/type.h"

namespace flowrun {

struct InferredColumn {
  std::string name;
  Type type;
  int64_t present = 0;  // records that have it, with a value or null
  int64_t values = 0;   // records in which it is not null
};

struct InferredRecords {
  enum class Format : uint8_t { json, csv, text };
  Format format = Format::text;
  int64_t records = 0;  // that were looked at
  int64_t bad = 0;      // of them none of the format
  std::vector<InferredColumn> columns;
  // csv only
  std::string separator = ",";
  bool header = false;
  bool multi_line = false;  // values in quotes hold line ends
  // The column is worth an entry of the schema: it was seen in more than a hundredth of the
  // records.
  [[nodiscard]] bool is_common(const InferredColumn& column) const;
};

// Records are JSON objects if most lines are, CSV if the lines have as many separators each (or
// `is_csv`), else text. Numbers widen: bigint and double is double, what does not meet is string.
Result<InferredRecords> infer_records(const std::vector<std::string>& lines, bool is_csv);

// The records of a CSV file: its lines, those put together that are one record because a value in
// quotes holds their ends. `may_be_cut`: the last one may lack its end, and is then left out.
std::vector<std::string> join_csv_records(std::vector<std::string> lines, bool may_be_cut);

}  // namespace flowrun
