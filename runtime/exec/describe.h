#pragma once
// A bound graph as plain data.

#include "runtime/exec/graph.h"
#include "runtime/exec/graph_view.h"

namespace flowrun {

GraphView describe_graph(const Graph& graph);

}  // namespace flowrun
