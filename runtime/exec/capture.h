#pragma once
// Capture: writes what a sink would be given to files instead: DIR/SINK/schema.ddl, 0000.jsonl, ...
// One file per turn of the sink, one JSON object per row, as in tests/conformance.

#include <string>

#include "runtime/columnar/record_batch.h"

namespace flowrun {

class Capture {
 public:
  // `accumulates`: a sink in complete mode without an aggregation keeps all rows; each turn shows
  // them all.
  Capture(std::string folder, bool accumulates)
      : folder_(std::move(folder)), accumulates_(accumulates) {}

  // Makes the folder and writes schema.ddl.
  Status open(const Schema& schema);
  Status write(const RecordBatch& batch);
  // Ends the turn's file, also an empty one.
  Status commit();

 private:
  std::string folder_;
  bool accumulates_;
  std::string text_;
  int64_t turn_ = 0;
};

// DIR/late: "node count" a line.
Status write_late_counts(const std::string& folder, const std::string& text);

}  // namespace flowrun
