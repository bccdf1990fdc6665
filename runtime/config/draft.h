#pragma once
// A plan under construction: its nodes with their specs, before the names in `from` are looked up.

#include <string>
#include <vector>

#include "runtime/config/document.h"

namespace flowrun {

struct DraftNode {
  PlanNode node;                       // inputs are not yet set
  const OperatorSpec* spec = nullptr;  // null if the operator was not recognised: it was reported
  std::vector<PortReference> from;     // node: the text as written; empty inside a chain
  bool follows_previous = false;       // a step of a chain that reads the step before
};

// Of all nodes, in the order of the file.
using Draft = std::vector<DraftNode>;

// Reads the nodes: operators, options, `from` as written.
Draft read_nodes(const Document& document, const Registry& registry, LoadedPlan& loaded);

// Looks up the names in `from`, fills PlanNode::inputs, and checks the whole: dangling names,
// ports, cycles, sinks that are read, tables, and what leads to no sink.
void connect(Draft& draft, const Plan& plan, bool fragment, Diagnostics& diagnostics);

}  // namespace flowrun
