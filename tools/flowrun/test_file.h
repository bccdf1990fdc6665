#pragma once
// PipelineTest: an x.test.yaml as plain data. docs/testing.md describes the file.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "runtime/config/diagnostic.h"
#include "runtime/operator/option_reading.h"

namespace flowrun {

// What a source gives at a time.
struct TestInput {
  int64_t at = 0;              // microseconds after the start
  std::vector<RawValue> rows;  // texts, or mappings of column to value
  std::string file;            // in place of rows; empty: none
  std::string file_written;    // the same as the test has it: where its rows come from
  Position position;
};

// What a sink was to be given in one turn, or in all (ExpectedSink::in_all).
struct ExpectedTurn {
  std::optional<int64_t> at;  // microseconds after the start; none: whenever
  std::vector<RawValue> rows;
  Position position;
};

struct ExpectedSink {
  std::string sink;
  Position position;
  bool in_all = false;    // one turn stands for all: no matter when the rows come
  bool in_order = false;  // the order of rows matters
  std::vector<ExpectedTurn> turns;
};

// A count, and where it is written.
struct ExpectedCount {
  int64_t rows = 0;
  Position position;
};
// In all, or by node.
struct ExpectedCounts {
  std::optional<ExpectedCount> in_all;
  std::map<std::string, ExpectedCount> by_node;
  std::map<std::string, Position> nodes;  // where each node is named
};

struct PipelineTest {
  std::string file;      // as given
  std::string text;      // of the file
  std::string pipeline;  // path of the pipeline
  int64_t start = 0;     // microseconds since 1970
  std::optional<int64_t> until;
  bool ends = false;  // sources end after their last row
  std::vector<std::string> set;
  std::map<std::string, std::vector<TestInput>> inputs;  // by source, in order of time
  std::map<std::string, Position> input_positions;
  std::vector<ExpectedSink> expected;
  ExpectedCounts late;
  ExpectedCounts rejected;
};

// "iot.yaml" for "iot.test.yaml".
std::string pipeline_of_test(const std::string& test_file);
inline constexpr std::string_view kTestSuffix = ".test.yaml";

// None if there is an error among the diagnostics (appended).
std::optional<PipelineTest> read_pipeline_test(const std::string& path, Diagnostics& diagnostics,
                                               SourceTexts& sources);
// The same of a text that is to stand in the file. REQUIRES: it comes from clean_yaml_text.
std::optional<PipelineTest> parse_pipeline_test(const std::string& path, const std::string& text,
                                                Diagnostics& diagnostics);

}  // namespace flowrun
