#pragma once
// Finding the run of a pipeline file, and asking it.

#include <rapidjson/document.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "runtime/serve/api_client.h"

namespace flowrun {

// `file` is a pipeline or the socket of a run; of several runs of a file the newest that answers.
Result<std::unique_ptr<ApiClient>> connect_to_run(const std::string& file);

// What /v1/status says of the sources and sinks whose peer does not answer: the node, and since
// when.
std::vector<std::pair<std::string, std::string>> absent_peers(const rapidjson::Document& status);

// The message of an error that a run answered with; `text` points into a statement if it is there.
std::string error_of(const ApiResponse& response);

// "error: ..." on standard error; the exit code for it.
int complain(const std::string& message, int exit_code);

}  // namespace flowrun
