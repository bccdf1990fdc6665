#pragma once
// A test file brought up to date: what the pipeline gave in place of what was expected.

#include <string>

#include "tools/flowrun/test_file.h"
#include "tools/flowrun/test_script.h"

namespace flowrun {

// The test's text. Only the rows, times and counts that differ are written anew, where they stand:
// order, form and comments of the rest stay, and so does the comment of a row that is gone. A test
// that expects nothing yet gets all sinks. What cannot be changed in place (rows behind an alias)
// makes its `expect:` be written anew, below the comments that stood in it.
std::string updated_text(const PipelineTest& test, const TestScript& script);

}  // namespace flowrun
