#pragma once
// The harness: one operator between fake neighbours, driven as the engine drives it.
//
//   Trial trial;
//   trial.make_transform = [&] { return entry->make_transform(options, context); };
//   trial.inputs = {{schema, "readings"}};
//   trial.epochs = {{.inputs = {rows}}};
//   FLOWRUN_TRY(TrialResult result, run_trial(trial, {.chunks = 5, .workers = 2, .seed = 7}));
//   for (const std::string& complaint : check_contract(trial, 7)) ...   //
//   runtime/operator/contract.h
//
// Time stands still: what an epoch knows of it is in its Epoch. Workers are threads, so that a
// thread checker sees what the engine would do.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/operator/stateful.h"
#include "runtime/operator/transform.h"

namespace flowrun {

// What reaches the operator in one epoch, and what the epoch knows of time.
struct TrialEpoch {
  std::vector<RecordBatch> inputs;  // the rows of each input, whole
  int64_t watermark = kNoTime;
  int64_t late_watermark = kNoTime;
};

// An operator and its input. The factory gives a new operator at each call.
struct Trial {
  std::function<Result<std::unique_ptr<Transform>>()> make_transform =
      {};  // exactly one of the two
  std::function<Result<std::unique_ptr<Stateful>>()> make_stateful = {};
  std::vector<InputSchema> inputs = {};
  std::vector<TrialEpoch> epochs = {};
  StatefulPlan plan = {};  // stateful only: each epoch asks in every one of its modes
  EvaluationContext context = {};
};

// How the rows reach the operator. The result may depend on none of it.
struct Delivery {
  size_t chunks = 1;       // each input is cut at random places into so many, some perhaps empty
  size_t workers = 1;      // each with a scratch or local of its own
  size_t partitions = 1;   // what the planner allows a stateful operator
  bool displaced = false;  // the rows stand at an offset in longer columns
  // Columns that the operator does not claim to read are absent. Of a stateful one nobody reads the
  // extra ports then, for the engine narrows its input only where that is so.
  bool only_read = false;
  std::optional<size_t> wanted =
      {};  // transforms: only this column of the main port is read downstream
  std::optional<size_t> restart_after = {};     // stateful: snapshot and restore behind this epoch
  std::optional<size_t> partitions_after = {};  // how many after that restart; the same without
  uint64_t seed = 0;
};

// What one call put out. Rows of the extra ports of a stateful operator have no mode when absorb
// emitted them.
struct TrialOutput {
  size_t epoch = 0;
  std::optional<OutputMode> mode = {};
  size_t port = 0;
  RecordBatch rows = {};
};

struct TrialResult {
  PortSchemas ports;
  std::vector<TrialOutput> outputs;
  std::map<Metric, int64_t> counts;
  std::optional<int64_t> observed;      // the greatest
  std::vector<std::string> complaints;  // batches that are not what their port declares
};

// Makes a new operator and gives it every epoch. An error is the operator's own.
Result<TrialResult> run_trial(const Trial& trial, const Delivery& delivery);

// The rows as sorted lines of JSON, each with its epoch, mode and port: equal for runs that differ
// in the order of rows only. Doubles are cut to twelve digits. With `column`, only that column of
// the main port.
std::vector<std::string> sorted_lines(const TrialResult& result, std::optional<size_t> column = {});

}  // namespace flowrun
