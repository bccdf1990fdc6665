#pragma once
// DistinctStates: the states of an aggregate with DISTINCT. Each group's distinct arguments are
// kept; the function itself runs over them when a result is asked for.

#include <vector>

#include "runtime/expr/aggregate_function.h"
#include "runtime/state/grouped_values.h"

namespace flowrun {

class DistinctStates final : public GroupStates {
 public:
  // The function must outlive the states.
  DistinctStates(const AggregateFunction& function, AggregateFunction::Signature signature,
                 std::vector<ColumnPtr> constants);

  void resize(size_t groups) override { values_.resize(groups); }
  Status update(std::span<const uint32_t> groups, std::span<const ColumnPtr> arguments,
                std::span<const int32_t> selected, int64_t sequence) override;
  Status merge(std::span<const uint32_t> groups, const GroupStates& from,
               std::span<const uint32_t> from_groups) override;
  [[nodiscard]] Result<ColumnPtr> result(std::span<const uint32_t> groups) const override;
  void keep(std::span<const uint32_t> groups) override { values_.keep(groups); }
  void clear() override { values_.clear(); }
  [[nodiscard]] int64_t memory_bytes() const override { return values_.memory_bytes(); }
  [[nodiscard]] Result<std::vector<ColumnPtr>> save(
      std::span<const uint32_t> groups) const override;
  Status load(std::span<const ColumnPtr> columns) override;

 private:
  const AggregateFunction& function_;
  AggregateFunction::Signature signature_;
  std::vector<ColumnPtr> constants_;
  GroupedValues values_;
};

}  // namespace flowrun
