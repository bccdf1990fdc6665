#pragma once
// DistinctStates: the states of an aggregate with DISTINCT.
//
// Each group's distinct arguments are kept as keys (group, arguments...) of one table; the function
// itself runs over them when a result is asked for.

#include <vector>

#include "runtime/expr/aggregate_function.h"
#include "runtime/state/group_table.h"

namespace flowrun {

class DistinctStates final : public GroupStates {
 public:
  // The function must outlive the states.
  DistinctStates(const AggregateFunction& function, AggregateFunction::Signature signature,
                 std::vector<ColumnPtr> constants);

  void resize(size_t groups) override { num_groups_ = groups; }
  Status update(std::span<const uint32_t> groups, std::span<const ColumnPtr> arguments,
                std::span<const int32_t> selected, int64_t sequence) override;
  Status merge(std::span<const uint32_t> groups, const GroupStates& from,
               std::span<const uint32_t> from_groups) override;
  [[nodiscard]] Result<ColumnPtr> result(std::span<const uint32_t> groups) const override;
  void keep(std::span<const uint32_t> groups) override;
  void clear() override;
  [[nodiscard]] int64_t memory_bytes() const override { return values_.memory_bytes(); }
  [[nodiscard]] Result<std::vector<ColumnPtr>> save(
      std::span<const uint32_t> groups) const override;
  Status load(std::span<const ColumnPtr> columns) override;

 private:
  // The rows of values_ whose group is named: `places` gives its place in `groups`, `columns` the
  // values.
  struct Picked {
    std::vector<uint32_t> places;
    std::vector<ColumnPtr> columns;
  };
  [[nodiscard]] Picked pick(std::span<const uint32_t> groups) const;
  void add(std::span<const uint32_t> groups, std::span<const ColumnPtr> values);

  const AggregateFunction& function_;
  AggregateFunction::Signature signature_;
  std::vector<ColumnPtr> constants_;
  size_t num_groups_ = 0;
  GroupTable values_;  // keys: the group as an int, then the arguments
};

}  // namespace flowrun
