#include "runtime/exec/describe.h"

#include "runtime/exec/edge_traffic.h"

namespace flowrun {

namespace {

std::string kind_of(const GraphNode& node) {
  if (node.source) return "source";
  if (node.sink) return "sink";
  return node.stateful ? "stateful" : "transform";
}

NodeView view_of(const GraphNode& node) {
  NodeView view;
  view.id = node.id;
  view.name = node.name;
  view.kind = kind_of(node);
  view.op = node.plan ? node.plan->op : "";
  view.doc = node.plan ? node.plan->doc : "";
  view.line = node.position.line;
  if (node.source) view.text = node.source->describe();
  if (node.transform) view.text = node.transform->describe();
  if (node.sink) {
    view.text = node.sink->describe();
    view.mode = output_mode_name(node.mode);
  }
  if (node.stateful) {
    view.text = node.stateful->describe();
    Stateful::Bound bound = node.stateful->state_bound();
    view.state = std::move(bound.text);
    view.bounded = bound.bounded;
  }
  for (const PortSchema& port : node.ports) view.ports.push_back({port.name, port.schema});
  return view;
}

}  // namespace

GraphView describe_graph(const Graph& graph) {
  GraphView view;
  view.edges.resize(graph.traffic->num_edges());
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    const GraphNode& node = graph.nodes[i];
    view.nodes.push_back(view_of(node));
    for (const Edge& edge : node.consumers)
      view.edges[edge.index] = {i, edge.to, node.ports[edge.port].name, edge.input};
  }
  return view;
}

}  // namespace flowrun
