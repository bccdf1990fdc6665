#include "runtime/state/distinct_states.h"

#include <numeric>

namespace flowrun {

DistinctStates::DistinctStates(const AggregateFunction& function,
                               AggregateFunction::Signature signature,
                               std::vector<ColumnPtr> constants)
    : function_(function),
      signature_(std::move(signature)),
      constants_(std::move(constants)),
      values_(signature_.arguments) {}

Status DistinctStates::update(std::span<const uint32_t> groups,
                              std::span<const ColumnPtr> arguments,
                              std::span<const int32_t> selected, int64_t) {
  if (selected.empty()) {
    values_.add(groups, arguments);
    return {};
  }
  std::vector<uint32_t> chosen;
  for (const int32_t row : selected) chosen.push_back(groups[static_cast<size_t>(row)]);
  std::vector<ColumnPtr> columns;
  for (const ColumnPtr& argument : arguments) columns.push_back(take(*argument, selected));
  values_.add(chosen, columns);
  return {};
}

Status DistinctStates::merge(std::span<const uint32_t> groups, const GroupStates& from,
                             std::span<const uint32_t> from_groups) {
  const GroupedValues& others = static_cast<const DistinctStates&>(from).values_;
  GroupedValues::Picked picked = others.pick(from_groups);
  for (uint32_t& place : picked.places) place = groups[place];
  values_.add(picked.places, others.columns(picked.values));
  return {};
}

Result<ColumnPtr> DistinctStates::result(std::span<const uint32_t> groups) const {
  const GroupedValues::Picked picked = values_.pick(groups);
  const std::unique_ptr<GroupStates> states = function_.make_states(signature_, constants_);
  states->resize(groups.size());
  FLOWRUN_RETURN_IF_ERROR(states->update(picked.places, values_.columns(picked.values), {}, 0));
  std::vector<uint32_t> all(groups.size());
  std::iota(all.begin(), all.end(), 0u);
  return states->result(all);
}

Result<std::vector<ColumnPtr>> DistinctStates::save(std::span<const uint32_t> groups) const {
  return std::vector<ColumnPtr>{values_.save(groups, [](uint32_t, std::string&) {})};
}

Status DistinctStates::load(std::span<const ColumnPtr> columns) {
  values_.load(*columns[0], [](uint32_t, std::string_view&) {});
  return {};
}

}  // namespace flowrun
