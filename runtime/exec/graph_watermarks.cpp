#include "runtime/exec/graph_watermarks.h"

#include <functional>

namespace flowrun {

namespace {

std::optional<size_t> nearest_stateful_above(const Graph& graph, const GraphNode& node) {
  for (const size_t p : node.producers) {
    const GraphNode& producer = graph.nodes[p];
    if (producer.stateful) return p;
    if (const auto found = nearest_stateful_above(graph, producer)) return found;
  }
  return std::nullopt;
}

}  // namespace

void assign_watermarks(Graph& graph) {
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    GraphNode& node = graph.nodes[i];
    const auto watermark = node.transform ? node.transform->watermark() : std::nullopt;
    if (!watermark) continue;
    node.watermark_index = graph.watermarks.size();
    node.watermark_delay = watermark->delay;
    graph.watermarks.push_back(i);
  }
  for (const size_t s : graph.statefuls) {
    GraphNode& stateful = graph.nodes[s];
    stateful.watermark_from = nearest_stateful_above(graph, stateful);
    for (const size_t w : graph.watermarks) {
      if (graph.nodes[w].sinks.intersects(stateful.sinks))
        stateful.watermark_indices.push_back(*graph.nodes[w].watermark_index);
    }
  }
}

}  // namespace flowrun
