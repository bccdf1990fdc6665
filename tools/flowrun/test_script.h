#pragma once
// TestScript: what stands in for the outside of a pipeline under test. Its sources give the rows of
// the test at their times, its sinks keep what they are given, and its clock goes from one time at
// which something happens to the next.
//
//   TestScript script(test);
//   pipeline.load(arguments, script.engine_options(), {.operators = script.operators()});
//   pipeline.engine().run();
//   script.sinks().at("screen").turns ...

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "runtime/base/clock.h"
#include "runtime/exec/engine.h"
#include "tools/flowrun/test_file.h"

namespace flowrun {

// What a sink was given.
struct SinkRecord {
  struct Turn {
    int64_t at = 0;                 // microseconds after the start
    std::vector<std::string> rows;  // canonical (test_rows.h)
  };
  SchemaPtr schema;  // with distinct names
  OutputMode mode = OutputMode::append;
  std::vector<Turn> turns;  // those without rows left out
};

// All of it, whenever it came; of a sink that is given whole results the last one.
std::vector<std::string> rows_in_all(const SinkRecord& record);

// Outlives the engine. The test outlives it.
class TestScript {
 public:
  explicit TestScript(const PipelineTest& test);

  // The same operators, but sources and sinks bind as they do and open nothing.
  Registry operators(const Registry& real);
  [[nodiscard]] EngineOptions engine_options();
  // Errors in the test that show only with the pipeline: sources that it does not have.
  void check_inputs(Diagnostics& diagnostics) const;

  // After the run.
  [[nodiscard]] const std::map<std::string, SinkRecord>& sinks() const { return sinks_; }
  [[nodiscard]] const Progress& last_progress() const { return progress_; }
  [[nodiscard]] int64_t elapsed() const { return clock_.now() - test_.start; }

  // For its sources and sinks.
  [[nodiscard]] const PipelineTest& test() const { return test_; }
  [[nodiscard]] int64_t now() const { return clock_.now() - test_.start; }
  // Those of a source that came due since it was asked last.
  std::vector<const TestInput*> take_due(const std::string& source);
  [[nodiscard]] bool has_more(const std::string& source) const;
  SinkRecord& sink(const std::string& name) { return sinks_[name]; }

 private:
  bool next_time(const Moment& moment);
  [[nodiscard]] std::optional<int64_t> next_input(const Moment& moment) const;
  [[nodiscard]] int64_t on_grid(int64_t time, const Moment& moment) const;

  const PipelineTest& test_;
  ManualClock clock_;
  bool started_ = false;
  std::map<std::string, size_t> taken_;  // by source: so many of its inputs; guarded by mutex_
  mutable std::mutex mutex_;
  std::set<std::string> sources_;
  std::map<std::string, SinkRecord> sinks_;
  Progress progress_;
};

}  // namespace flowrun
