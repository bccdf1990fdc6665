#pragma once
// What a test found: where a pipeline's rows differ from those expected, as text for people, as a
// test file brought up to date, and as JUnit's XML.

#include <string>
#include <vector>

#include "tools/flowrun/test_file.h"
#include "tools/flowrun/test_script.h"

namespace flowrun {

struct TestResult {
  std::string file;
  bool refused = false;               // the test or its pipeline is wrong
  std::vector<std::string> failures;  // each with its lines; refused: the diagnostics
  int64_t duration = 0;               // microseconds of the machine's clock
  int64_t simulated = 0;              // of the test's
  [[nodiscard]] bool passed() const { return failures.empty(); }
};

// A failure for each sink and count that differs. Errors in the test that show only with the
// pipeline's schemas (appended to the diagnostics).
std::vector<std::string> compare(const PipelineTest& test, const TestScript& script,
                                 Diagnostics& diagnostics);

// The test's text with what the pipeline gave in place of what was expected. Sinks keep the form
// they have; a test that expects nothing yet gets all of them.
std::string updated_text(const PipelineTest& test, const TestScript& script);

// "-" and "+" lines of what changed between two texts, with the lines around them.
std::string line_diff(const std::string& before, const std::string& after);

std::string junit_xml(const std::vector<TestResult>& results);

}  // namespace flowrun
