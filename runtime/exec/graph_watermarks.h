#pragma once
// Which watermark nodes decide the watermark of each stateful operator (SEMANTICS, Time).

#include "runtime/exec/graph.h"

namespace flowrun {

// Numbers the watermark nodes and fills GraphNode::watermark_* of them and of the stateful
// operators: an operator counts every watermark node that feeds a sink which the operator feeds;
// one behind another stateful operator takes its watermark from that one.
void assign_watermarks(Graph& graph);

}  // namespace flowrun
