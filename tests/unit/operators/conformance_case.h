#pragma once
// Runs a conformance case of one source and at most one parse step, without an engine: the source
// is read to its end, its decoder or the parse applied to every chunk, and the rows compared with
// the case's answers.

#include <rapidjson/document.h>

#include <filesystem>
#include <string>
#include <vector>

#include "runtime/operator/registry.h"

namespace flowrun {

// What a pipeline of a case gave: rows of its last step, or the error that stopped it.
struct CaseResult {
  SchemaPtr schema;
  std::vector<RecordBatch> batches;
  std::optional<Error> refused;  // before anything was read
  std::optional<Error> failed;   // on the data
};

// Empty if the case needs operators other than a file source and parse.
std::optional<CaseResult> run_case(const std::filesystem::path& folder);

// "" if the result is what the folder's expected/ says, else the first difference.
std::string difference(const CaseResult& result, const std::filesystem::path& folder);

}  // namespace flowrun
