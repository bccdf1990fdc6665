#pragma once
// Rows for tests, written as JSON lines with the values in the form of tests/conformance/README.md.
//
//   RecordBatch batch = rows_from_json("id int, s string", R"({"id": 1, "s": "one"}
//   {"id": 2})");

#include <string>
#include <string_view>
#include <vector>

#include "runtime/columnar/record_batch.h"

namespace flowrun {

// A missing field is null; what does not fit its type aborts the test program. Blank lines are
// skipped.
RecordBatch rows_from_json(const SchemaPtr& schema, std::string_view lines);
RecordBatch rows_from_json(std::string_view ddl, std::string_view lines);

// The whole file. REQUIRES: it is there.
std::string read_whole_file(const std::string& path);
// The text between line ends, without the last empty one.
std::vector<std::string> split_lines(std::string_view text);
// The files of a folder whose names end in `suffix`, without it, in order.
std::vector<std::string> files_ending(const std::string& folder, std::string_view suffix);

}  // namespace flowrun
