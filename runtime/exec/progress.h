#pragma once
// Progress: the record of one epoch, as Spark's lastProgress; and LogEvent: one thing worth a line.

#include <cstdint>
#include <string>
#include <vector>

namespace flowrun {

struct SourceProgress {
  std::string node;
  std::string offset;
  int64_t input_rows = 0;
  int64_t input_bytes = 0;
  double input_rows_per_second = 0;
  double processed_rows_per_second = 0;
  bool available = true;
};

struct StateProgress {
  std::string node;
  int64_t rows = 0;
  int64_t bytes = 0;
  int64_t late_rows = 0;  // in all since the start
};

struct SinkProgress {
  std::string node;
  int64_t output_rows = 0;  // in this epoch
};

// By the nodes of the graph, in its order.
struct NodeProgress {
  std::string node;           // its id
  int64_t late_rows = 0;      // since the start
  int64_t rejected_rows = 0;  // since the start
  bool has_watermark = false;
  int64_t watermark = 0;  // microseconds, of watermark nodes and of what ends state by one
};

struct Progress {
  std::string name;  // the pipeline's
  int64_t epoch = 0;
  int64_t timestamp = 0;  // when the epoch began, microseconds since 1970
  int64_t input_rows = 0;
  double input_rows_per_second = 0;
  double processed_rows_per_second = 0;
  // Microseconds by phase.
  int64_t read_duration = 0;    // from the first chunk to the trigger
  int64_t absorb_duration = 0;  // until the last chunk was absorbed
  int64_t close_duration = 0;   // merge, evict, emit
  int64_t commit_duration = 0;  // prepare and commit of the sinks
  int64_t total_duration = 0;
  int64_t watermark = 0;  // microseconds; 0: none seen
  bool has_watermark = false;
  int64_t late_rows = 0;      // since the start
  int64_t rejected_rows = 0;  // since the start
  int64_t state_rows = 0;
  int64_t state_bytes = 0;
  int64_t memory_bytes = 0;  // all that counts against `memory:`
  int64_t lag = 0;  // microseconds between the oldest unread row's arrival and now, 0 if none waits
  std::vector<SourceProgress> sources;
  std::vector<StateProgress> states;
  std::vector<SinkProgress> sinks;
  std::vector<NodeProgress> nodes;
  std::vector<int64_t> edge_rows;  // since the start, by the edges of the graph
};

// One JSON object on one line, keys in snake_case, times as text in UTC with a Z: what --progress
// writes.
std::string progress_json(const Progress& progress);

struct LogEvent {
  enum class Level : uint8_t { info, warning, error } level = Level::info;
  std::string node;
  std::string message;
};

}  // namespace flowrun
