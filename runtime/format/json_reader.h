#pragma once
// JsonReader: JSON records to columns by a schema, as Spark reads them (SEMANTICS, Reading JSON
// records).
//
//   FLOWRUN_TRY(auto reader, JsonReader::make(schema, options, {true, true, false}));
//   ReadRows rows = reader->read(lines);
//
// Two paths, one result: whatever is plain JSON of the right types goes through simdjson's
// structural index and from there straight into columns (JsonFast); the rest through ExactJson.
// Columns not wanted are checked for syntax only.

#include <memory>
#include <vector>

#include "runtime/base/status.h"
#include "runtime/columnar/type.h"
#include "runtime/format/json_options.h"
#include "runtime/format/record_reader.h"

namespace flowrun {

class JsonReader final : public RecordReader {
 public:
  // `wanted` has an element per field. Errors: a type that JSON cannot hold, a bad pattern or zone.
  static Result<std::unique_ptr<JsonReader>> make(const SchemaPtr& schema,
                                                  const JsonReadOptions& options,
                                                  const std::vector<bool>& wanted);
  ~JsonReader() override;

  Result<ReadRows> read(const Column& lines) override;

  // For the property test that holds the two paths together.
  void use_exact_only() { exact_only_ = true; }

 private:
  struct State;
  explicit JsonReader(std::unique_ptr<State> state);
  void read_exactly(const Column& lines, int64_t line, std::string_view record, ReadRows& out);
  void append_nulls(int64_t line, ReadRows& out);
  void append_absent(int64_t line, ReadRows& out);  // for a text that is null or blank
  void note_lines(int64_t line, int64_t rows, ReadRows& out);
  void read_blocks(const Column& lines, ReadRows& out);

  std::unique_ptr<State> state_;
  bool exact_only_ = false;
};

// Refuses what JSON records cannot hold: maps whose keys are not strings, intervals.
Status check_json_schema(const Schema& schema);

}  // namespace flowrun
