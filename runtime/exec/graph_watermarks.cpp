#include "runtime/exec/graph_watermarks.h"

#include <set>

namespace flowrun {

namespace {

// The first stateful operator on every way up.
void find_statefuls_above(const Graph& graph, const GraphNode& node, std::set<size_t>& found) {
  for (const size_t p : node.producers) {
    const GraphNode& producer = graph.nodes[p];
    if (producer.stateful) {
      found.insert(p);
    } else {
      find_statefuls_above(graph, producer, found);
    }
  }
}

void find_sources_above(const Graph& graph, const GraphNode& node, std::set<size_t>& found) {
  if (node.source) found.insert(node.source_index);
  for (const size_t p : node.producers) find_sources_above(graph, graph.nodes[p], found);
}

}  // namespace

void assign_watermarks(Graph& graph) {
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    GraphNode& node = graph.nodes[i];
    const auto watermark = node.transform ? node.transform->watermark() : std::nullopt;
    if (!watermark) continue;
    node.watermark_index = graph.watermarks.size();
    node.watermark_delay = watermark->delay;
    std::set<size_t> sources;
    find_sources_above(graph, node, sources);
    node.fed_by.assign(sources.begin(), sources.end());
    graph.watermarks.push_back(i);
  }
  for (const size_t s : graph.statefuls) {
    GraphNode& stateful = graph.nodes[s];
    std::set<size_t> above;
    find_statefuls_above(graph, stateful, above);
    stateful.watermark_from.assign(above.begin(), above.end());
    for (const size_t w : graph.watermarks) {
      if (graph.nodes[w].sinks.intersects(stateful.sinks))
        stateful.watermark_indices.push_back(*graph.nodes[w].watermark_index);
    }
  }
}

}  // namespace flowrun
