#pragma once
// Which columns each node must give, from the sinks upwards, so that nobody makes what nobody
// reads.

#include "runtime/exec/graph.h"

namespace flowrun {

// Calls read_columns and narrow on every operator of the graph, consumers first.
void narrow_columns(Graph& graph);

}  // namespace flowrun
