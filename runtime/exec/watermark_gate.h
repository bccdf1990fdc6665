#pragma once
// WatermarkGate: a watermark node counts only the times of rows that the filters behind it keep.
//
// SEMANTICS, Time: a deterministic conjunct that does not read the time column counts as standing
// before the watermark node, also through select and with_columns, where every reader of the
// watermark node has it. In place of moving filters up, the look at the times is moved down: to the
// last such filter.

#include <memory>
#include <vector>

#include "runtime/exec/watermarks.h"
#include "runtime/expr/expression.h"
#include "runtime/operator/epoch.h"

namespace flowrun {

// Immutable and thread-safe. Stands on the edge to a filter, or to a stateful operator that takes
// some rows only.
class WatermarkGate {
 public:
  WatermarkGate(size_t watermark, size_t time_column, std::vector<ExpressionPtr> conjuncts)
      : watermark_(watermark), time_column_(time_column), conjuncts_(std::move(conjuncts)) {}

  Status observe(const RecordBatch& batch, const Epoch& epoch, ObservedTimes& observed) const;
  [[nodiscard]] size_t watermark() const { return watermark_; }
  [[nodiscard]] size_t time_column() const { return time_column_; }
  [[nodiscard]] const std::vector<ExpressionPtr>& conjuncts() const { return conjuncts_; }

 private:
  size_t watermark_;
  size_t time_column_;
  std::vector<ExpressionPtr> conjuncts_;
};

struct Graph;

// Finds the gates of all watermark nodes and puts them on the graph's edges.
void place_watermark_gates(Graph& graph);

}  // namespace flowrun
