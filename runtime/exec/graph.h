#pragma once
// Graph: the Plan's nodes as bound operators and the edges between them. Made once, before anything
// is opened.
//
// Invariants
// - `nodes` are in topological order: an edge leads from a lower to a higher index.
// - Only nodes that lead to a chosen sink are here.
// - A plan node may stand here several times: a source with a decoder is two nodes, a stateful
// operator asked
//   for `complete` and another mode below a watermark is two (one per need); `sinks` tells them
//   apart.

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "runtime/config/plan.h"
#include "runtime/exec/sink_set.h"
#include "runtime/exec/union_adapter.h"
#include "runtime/operator/registry.h"

namespace flowrun {

class EdgeTraffic;
class WatermarkGate;

struct Edge {
  size_t port = 0;   // output port of the producer
  size_t to = 0;     // consumer's index
  size_t input = 0;  // which input of the consumer: 0, or 0 and 1 for left and right
  std::shared_ptr<const UnionAdapter> adapter;  // null when the schemas agree
  SinkSet sinks;                                // sinks that rows passing here may reach
  // Set where a watermark node looks at the times of the rows that the consumer keeps.
  std::shared_ptr<const WatermarkGate> gate = nullptr;
  size_t index = 0;  // among all edges of the graph
};

struct GraphNode {
  OperatorKind kind = OperatorKind::transform;
  std::string id;  // of the plan node
  std::string name;
  Position position;
  const PlanNode* plan = nullptr;
  PortSchemas ports;  // empty for sinks
  std::vector<InputSchema> inputs;
  std::vector<Edge> consumers;
  std::vector<size_t> producers;
  SinkSet sinks;

  // One of these is set, as `kind` says. A decoder is a transform under its source's id.
  std::unique_ptr<Source> source;
  std::unique_ptr<Transform> transform;
  std::unique_ptr<Stateful> stateful;
  std::unique_ptr<Sink> sink;

  // Stateful: what it was planned for, and how another like it is made.
  StatefulPlan stateful_plan;
  std::function<Result<std::unique_ptr<Stateful>>()> remake;
  size_t stateful_index = 0;              // among the stateful nodes
  std::vector<size_t> watermark_indices;  // of the watermark nodes that decide its W
  std::vector<size_t>
      watermark_from;  // graph indices of the stateful operators it takes its W from
  // Per sink that it serves: the mode which that sink's path asks of it.
  std::vector<std::optional<OutputMode>> asked;
  std::vector<bool> through_stateful;  // per sink: another stateful operator stands on the way

  // Is there state that a watermark which moves may end?
  [[nodiscard]] bool ends_by_watermark() const {
    return stateful_plan.evict && stateful && stateful->evicts();
  }

  // Transform: set on a watermark node.
  std::optional<size_t> watermark_index;  // among the watermark nodes
  int64_t watermark_delay = 0;
  std::vector<size_t> fed_by;   // sources above a watermark node, by source_index
  bool observes_below = false;  // a gate further down looks at the times in its place

  // Sink.
  size_t sink_index = 0;
  OutputMode mode = OutputMode::append;
  int64_t pace = 0;  // microseconds; 0: every epoch
  bool pace_is_default = false;
  bool aggregated = false;      // rows come from an aggregation
  bool stateful_input = false;  // some stateful operator feeds it

  // Source.
  size_t source_index = 0;
  ErrorPolicy on_error = ErrorPolicy::keep;  // for records that it cannot take
  int64_t idle = 0;  // microseconds without rows after which it holds no watermark back; 0: never
};

struct Graph {
  std::vector<GraphNode> nodes;
  std::vector<size_t> sources;  // graph indices, by source_index
  std::vector<size_t> sinks;
  std::vector<size_t> statefuls;  // in topological order
  std::vector<size_t> watermarks;
  std::shared_ptr<EdgeTraffic> traffic;  // by Edge::index
};

struct GraphOptions {
  std::vector<std::string> only;  // sinks; empty: all
  size_t partitions = 1;          // at most, per stateful operator
};

// Makes and binds the operators of every node that leads to a chosen sink, infers modes and
// required columns, and appends every error and warning to `diagnostics`. Null if there was an
// error. `context_for` gives the MakeContext of a node. `plan` must outlive the graph.
std::unique_ptr<Graph> build_graph(const Plan& plan, const Registry& registry,
                                   const GraphOptions& options,
                                   const std::function<MakeContext(const PlanNode&)>& context_for,
                                   Diagnostics& diagnostics);

}  // namespace flowrun
