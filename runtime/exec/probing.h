#pragma once
// Probing: whether the sources and sinks of a graph can be opened, for `flowrun check --connect`.

#include <vector>

#include "runtime/exec/engine.h"
#include "runtime/exec/graph.h"

namespace flowrun {

// Engine::probe. REQUIRES: nothing of the graph is open.
std::vector<Engine::Probe> probe_graph(Graph& graph, int64_t patience);

}  // namespace flowrun
