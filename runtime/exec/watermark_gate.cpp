#include "runtime/exec/watermark_gate.h"

#include <algorithm>
#include <limits>

#include "runtime/exec/graph.h"

namespace flowrun {

Status WatermarkGate::observe(const RecordBatch& batch, const Epoch& epoch,
                              ObservedTimes& observed) const {
  std::vector<ColumnPtr> verdicts;
  for (const ExpressionPtr& conjunct : conjuncts_) {
    FLOWRUN_TRY(ColumnPtr verdict, conjunct->evaluate(batch, epoch.context));
    verdicts.push_back(std::move(verdict));
  }
  const Column& times = *batch.column(time_column_);
  const auto values = times.values<int64_t>();
  int64_t latest = std::numeric_limits<int64_t>::min();
  bool any = false;
  for (int64_t row = 0; row < batch.num_rows(); ++row) {
    if (times.is_null(row)) continue;
    const bool kept = std::ranges::all_of(verdicts, [&](const ColumnPtr& verdict) {
      return verdict->is_valid(row) && verdict->boolean(row);
    });
    if (!kept) continue;
    latest = std::max(latest, values[static_cast<size_t>(row)]);
    any = true;
  }
  if (any) observed.observe(watermark_, latest);
  return ok_status();
}

namespace {

// Which columns of a row-keeping transform's output depend on the columns `tainted` of its input.
ColumnSet carry(const Transform& transform, const ColumnSet& tainted, size_t num_outputs) {
  ColumnSet carried(num_outputs, false);
  for (size_t c = 0; c < num_outputs; ++c) {
    ColumnSet wanted(num_outputs, false);
    wanted[c] = true;
    const ColumnSet read = transform.read_columns(wanted, tainted.size());
    for (size_t i = 0; i < read.size(); ++i) carried[c] = carried[c] || (read[i] && tainted[i]);
  }
  return carried;
}

// The event-time column itself: the one that carries the watermark's mark.
std::optional<size_t> time_column(const Schema& schema) {
  for (size_t i = 0; i < schema.num_fields(); ++i) {
    if (schema.field(i).watermark_delay && schema.field(i).type.id() == TypeId::timestamp) return i;
  }
  return std::nullopt;
}

// The conjuncts that do not depend on the time.
std::vector<ExpressionPtr> standing_before(const std::vector<ExpressionPtr>& all,
                                           const ColumnSet& tainted) {
  std::vector<ExpressionPtr> before;
  std::ranges::copy_if(all, std::back_inserter(before), [&](const ExpressionPtr& conjunct) {
    return conjunct->deterministic() &&
           std::ranges::none_of(conjunct->columns(), [&](size_t c) { return tainted[c]; });
  });
  return before;
}

void place_gate(Graph& graph, size_t watermark_node) {
  GraphNode* node = &graph.nodes[watermark_node];
  const size_t index = *node->watermark_index;
  ColumnSet tainted(node->ports[0].schema->num_fields(), false);
  tainted[node->transform->watermark()->column] = true;
  Edge* gate = nullptr;
  std::shared_ptr<const WatermarkGate> placed;
  while (node->consumers.size() == 1 && node->consumers[0].port == 0 &&
         !node->consumers[0].adapter) {
    Edge& edge = node->consumers[0];
    GraphNode& next = graph.nodes[edge.to];
    const auto time = time_column(*next.inputs[edge.input].schema);
    if (next.sink || next.watermark_index || !time) break;
    const std::vector<ExpressionPtr> all =
        next.stateful ? next.stateful->conjuncts(edge.input) : next.transform->conjuncts();
    const std::vector<ExpressionPtr> before = standing_before(all, tainted);
    if (!before.empty()) {
      gate = &edge;
      placed = std::make_shared<const WatermarkGate>(index, *time, before);
    }
    if (next.stateful || before.size() < all.size()) break;
    if (all.empty() && !next.transform->keeps_rows()) break;
    if (all.empty()) tainted = carry(*next.transform, tainted, next.ports[0].schema->num_fields());
    node = &next;
  }
  if (!gate) return;
  graph.nodes[watermark_node].observes_below = true;
  gate->gate = std::move(placed);
}

}  // namespace

void place_watermark_gates(Graph& graph) {
  for (const size_t node : graph.watermarks) place_gate(graph, node);
}

}  // namespace flowrun
