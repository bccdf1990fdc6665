#pragma once
// An expression's text to one line of JSON: what it is and what it gives for every row.
//
//   evaluate_text("x + 1", batch, environment, context)
//   // {"expr":"x + 1","name":"(x + 1)","type":"int","values":[2,3,null]}
//
// {"expr":..., "error":...} where binding refuses it; name, type and {"runtime_error":...} in place
// of the values where it fails on the data. Timestamps with microseconds, nulls in structs written.

#include <string>
#include <string_view>

#include "runtime/columnar/record_batch.h"
#include "runtime/expr/expression.h"

namespace flowrun {

// Without a line end. A generator or `*` is refused: one expression gives one column.
std::string evaluate_text(std::string_view text, const RecordBatch& batch,
                          const ExpressionEnvironment& environment,
                          const EvaluationContext& context);

}  // namespace flowrun
