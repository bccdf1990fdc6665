#pragma once
// PlanOrder: which nodes of a plan run, in which order, and which sinks each of them leads to.

#include <map>
#include <string>
#include <vector>

#include "runtime/config/plan.h"
#include "runtime/exec/sink_set.h"

namespace flowrun {

struct PlanOrder {
  std::map<std::string, size_t, std::less<>> index_of;  // plan node id -> plan index
  std::vector<size_t> nodes;                            // plan indices, producers before consumers
  std::map<size_t, size_t> sink_index;                  // plan index of a chosen sink -> its number
  size_t num_sinks = 0;
  std::vector<SinkSet> reaches;  // by plan index
};

// Only what leads to a chosen sink is ordered; `only` empty chooses all. An error names a sink that
// is not there. REQUIRES: no cycle and no dangling name, which config/ refuses.
Result<PlanOrder> order_plan(const Plan& plan, const std::vector<std::string>& only);

}  // namespace flowrun
