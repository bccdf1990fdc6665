#pragma once
// Rows of tests: from YAML to JSON and columns, and from a sink's batches to YAML again.

#include <string>
#include <vector>

#include "runtime/columnar/record_batch.h"
#include "runtime/operator/option_reading.h"

namespace flowrun {

// {gt: stand, n: 1, s: "1"} -> {"gt":"stand","n":1,"s":"1"}. What stands in quotes is a text; what
// does not is null, true, false or a number if it looks like one.
std::string json_of(const RawValue& raw);

// The same fields, each with a name of its own: a second `User` is `User_2`.
SchemaPtr with_distinct_names(const Schema& schema);

// One JSON object a row, with all columns, times in UTC: rows are equal if these texts are.
std::vector<std::string> canonical_rows(const RecordBatch& batch);

// A row of a test file in that form. A mapping names columns, those it leaves out are null; a list
// has a value for each column; a scalar is the only column. Errors carry the position.
Result<std::string> canonical_row(const RawValue& raw, const SchemaPtr& schema);

// A canonical row as a test file has it: { gt: stand, count: 2 }.
std::string yaml_row(const std::string& canonical, const SchemaPtr& schema);

// JSON objects, one a text, as columns of the schema. Errors: `data` for what does not fit.
Result<RecordBatch> read_json_rows(const std::vector<std::string>& rows, const SchemaPtr& schema);

}  // namespace flowrun
