#pragma once
// Metrics in the text format of Prometheus. docs/operations.md has the list of them.

#include <string>
#include <vector>

#include "runtime/exec/engine.h"
#include "runtime/serve/live_state.h"

namespace flowrun {

struct MetricSpec {
  const char* name;
  const char* type;    // counter, gauge
  const char* labels;  // "node", "from, to, port"; empty: none
  const char* help;
};

// Every metric there is, in the order in which they are written.
const std::vector<MetricSpec>& metric_specs();

struct MetricSources {
  const Engine& engine;
  const LiveState& state;
  std::string version;
  size_t connections = 0;
  size_t streams = 0;
};

std::string metrics_text(const MetricSources& sources);

// The table of metrics in docs/operations.md.
std::string metrics_markdown();

}  // namespace flowrun
