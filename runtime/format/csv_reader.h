#pragma once
// CsvReader: CSV records to columns by a schema, by Spark's rules rather than RFC 4180 (SEMANTICS,
// Reading CSV).
//
// Columns go by position. A record with fewer or more fields than the schema is corrupt but keeps
// what it has.

#include <memory>
#include <vector>

#include "runtime/base/status.h"
#include "runtime/columnar/type.h"
#include "runtime/format/csv_options.h"
#include "runtime/format/record_reader.h"

namespace flowrun {

class CsvReader final : public RecordReader {
 public:
  // `wanted` has an element per field. Errors: a type that CSV cannot hold, a bad pattern or zone.
  static Result<std::unique_ptr<CsvReader>> make(const SchemaPtr& schema,
                                                 const CsvReadOptions& options,
                                                 const std::vector<bool>& wanted);
  ~CsvReader() override;

  Result<ReadRows> read(const Column& lines) override;

 private:
  struct State;
  explicit CsvReader(std::unique_ptr<State> state);

  std::unique_ptr<State> state_;
};

// Refuses what CSV cannot hold: arrays, maps, structs, intervals.
Status check_csv_schema(const Schema& schema);

// The names that a header gives: duplicates get their index behind them, empty ones are _c0, _c1
// ... by place.
std::vector<std::string> csv_column_names(std::string_view header, const CsvReadOptions& options);

// Index of the first line that is neither blank nor a comment, or -1. Errors: `data` if
// enforce_schema is off and that line has other names than the schema.
Result<int64_t> find_csv_header(const Column& lines, const Schema& schema,
                                const CsvReadOptions& options);

// Column names and types from the lines of a file: all strings unless infer_schema is on.
class CsvInference {
 public:
  // `options` must outlive this.
  static Result<std::unique_ptr<CsvInference>> make(const CsvReadOptions& options);
  ~CsvInference();
  void add(const Column& lines);
  // True once the schema is certain whatever comes.
  [[nodiscard]] bool done() const;
  // Errors: `invalid` if there was no line.
  [[nodiscard]] Result<SchemaPtr> schema() const;

 private:
  struct State;
  explicit CsvInference(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace flowrun
