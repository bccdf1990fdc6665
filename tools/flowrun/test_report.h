#pragma once
// What a test found: where a pipeline's rows differ from those expected, as text for people and as
// JUnit's XML.

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

// Of a node of the file, with the steps of its chain.
int64_t late_rows_of(const Progress& progress, const std::string& node);
int64_t rejected_rows_of(const Progress& progress, const std::string& node);

// "-" and "+" lines of what changed between two texts, with the lines around them.
std::string line_diff(const std::string& before, const std::string& after);

std::string junit_xml(const std::vector<TestResult>& results);

}  // namespace flowrun
