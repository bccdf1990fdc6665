#include "runtime/exec/graph_columns.h"

#include <algorithm>

#include "runtime/exec/watermark_gate.h"

namespace flowrun {

namespace {

// Late rows come out as they came in.
bool reads_extra_port(const GraphNode& node) {
  return std::ranges::any_of(node.consumers, [](const Edge& edge) { return edge.port != 0; });
}

// What consumer `edge.to` reads of its input, in the producer's columns.
ColumnSet wanted_by(const Graph& graph, const Edge& edge, const std::vector<ColumnSet>& wanted,
                    size_t num_columns) {
  const GraphNode& consumer = graph.nodes[edge.to];
  const size_t num_inputs = consumer.inputs[edge.input].schema->num_fields();
  ColumnSet read(num_inputs, true);
  if (consumer.transform) read = consumer.transform->read_columns(wanted[edge.to], num_inputs);
  if (consumer.stateful && !reads_extra_port(consumer))
    read = consumer.stateful->read_columns(edge.input, num_inputs);
  if (edge.gate) {
    read[edge.gate->time_column()] = true;
    for (const ExpressionPtr& conjunct : edge.gate->conjuncts()) {
      for (const size_t column : conjunct->columns()) read[column] = true;
    }
  }
  if (!edge.adapter) return read;
  ColumnSet adapted(num_columns, false);
  for (size_t i = 0; i < read.size(); ++i) {
    if (read[i]) adapted[edge.adapter->source_of(i)] = true;
  }
  return adapted;
}

}  // namespace

void narrow_columns(Graph& graph) {
  std::vector<ColumnSet> wanted(graph.nodes.size());
  for (size_t i = graph.nodes.size(); i-- > 0;) {
    GraphNode& node = graph.nodes[i];
    if (node.ports.empty()) continue;
    const size_t num_columns = node.ports[0].schema->num_fields();
    wanted[i].assign(num_columns, false);
    for (const Edge& edge : node.consumers) {
      if (edge.port != 0) continue;
      const ColumnSet read = wanted_by(graph, edge, wanted, num_columns);
      for (size_t c = 0; c < num_columns; ++c) wanted[i][c] = wanted[i][c] || read[c];
    }
    if (node.transform) node.transform->narrow(wanted[i]);
    if (node.stateful) node.stateful->narrow(wanted[i]);
    if (node.source) node.source->narrow(wanted[i]);
  }
}

}  // namespace flowrun
