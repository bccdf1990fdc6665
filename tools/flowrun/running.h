#pragma once
// Finding the run of a pipeline file, and asking it.

#include <memory>
#include <string>

#include "runtime/serve/api_client.h"

namespace flowrun {

// `file` is a pipeline or the socket of a run; of several runs of a file the newest that answers.
Result<std::unique_ptr<ApiClient>> connect_to_run(const std::string& file);

// The message of an error that a run answered with; `text` points into a statement if it is there.
std::string error_of(const ApiResponse& response);

// "error: ..." on standard error; the exit code for it.
int complain(const std::string& message, int exit_code);

}  // namespace flowrun
