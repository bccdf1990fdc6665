#pragma once
// Row expansion: what explode, posexplode, inline and stack make of each row.

#include <cstdint>
#include <vector>

#include "runtime/expr/expression.h"

namespace flowrun {

// The rows that a generator gives for a batch.
struct Expansion {
  std::vector<int32_t> rows;       // the row of the batch that each one comes from, ascending
  std::vector<ColumnPtr> columns;  // as Generator::columns says, as long as `rows`
};

Result<Expansion> expand_rows(const Generator& generator, const RecordBatch& batch,
                              const EvaluationContext& context);

}  // namespace flowrun
