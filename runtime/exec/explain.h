#pragma once
// The graph as text, for `flowrun explain`.

#include <string>

#include "runtime/exec/graph.h"

namespace flowrun {

// One line per node, indented under what it reads: operator, columns, modes, what bounds its state.
std::string explain_graph(const Graph& graph, const Plan& plan);

}  // namespace flowrun
