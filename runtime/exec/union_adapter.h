#pragma once
// UnionAdapter: makes the batches of one input of a union fit the union's schema, by position or by
// name.

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "runtime/columnar/record_batch.h"

namespace flowrun {

// Immutable and thread-safe.
class UnionAdapter {
 public:
  // Column i of the result is column `sources[i]` of the input, cast to the schema's type.
  UnionAdapter(SchemaPtr schema, std::vector<size_t> sources)
      : schema_(std::move(schema)), sources_(std::move(sources)) {}
  [[nodiscard]] Result<RecordBatch> apply(const RecordBatch& batch) const;
  [[nodiscard]] size_t source_of(size_t column) const { return sources_[column]; }

 private:
  SchemaPtr schema_;
  std::vector<size_t> sources_;
};

struct UnionPlan {
  SchemaPtr schema;
  std::vector<std::shared_ptr<const UnionAdapter>>
      adapters;  // one per input; null where nothing is to do
};

// The union's schema, names from the first input, types widened as Spark's UNION does; refused when
// the widths or types do not go together. `names` are the inputs' nodes, for messages.
Result<UnionPlan> plan_union(std::span<const SchemaPtr> schemas, std::span<const std::string> names,
                             bool by_name);

}  // namespace flowrun
