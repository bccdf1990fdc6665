#include "runtime/exec/probing.h"

#include <fmt/format.h>

#include <chrono>
#include <future>

namespace flowrun {

namespace {

Status probe_node(GraphNode& node) {
  return node.source ? node.source->probe() : node.sink->probe();
}

void cancel_node(GraphNode& node) {
  if (node.source) node.source->cancel();
  if (node.sink) node.sink->cancel();
}

}  // namespace

std::vector<Engine::Probe> probe_graph(Graph& graph, int64_t patience) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::microseconds(patience);
  std::vector<GraphNode*> nodes;
  std::vector<std::future<Status>> answers;
  for (GraphNode& node : graph.nodes) {
    if (!node.source && !node.sink) continue;
    nodes.push_back(&node);
    answers.push_back(std::async(std::launch::async, [&node] { return probe_node(node); }));
  }
  std::vector<Engine::Probe> probes;
  for (size_t i = 0; i < nodes.size(); ++i) {
    GraphNode& node = *nodes[i];
    const bool late = answers[i].wait_until(deadline) != std::future_status::ready;
    if (late) cancel_node(node);
    Engine::Probe probe{node.name,
                        node.source ? node.source->describe() : node.sink->describe(),
                        answers[i].get(),
                        {}};
    if (!probe.result && probe.result.error().code == ErrorCode::cancelled) {
      if (late) {
        probe.result =
            Error::unavailable(fmt::format("no answer within {} s", patience / 1'000'000));
      } else {
        probe.skipped = probe.result.error().message;
        probe.result = ok_status();
      }
    }
    probes.push_back(std::move(probe));
  }
  return probes;
}

}  // namespace flowrun
