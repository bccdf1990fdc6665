#include "runtime/state/grouped_values.h"

#include <numeric>
#include <utility>

#include "runtime/columnar/builder.h"

namespace flowrun {

namespace {

std::vector<Type> key_types(const std::vector<Type>& types) {
  std::vector<Type> keys{Type::integer()};
  keys.insert(keys.end(), types.begin(), types.end());
  return keys;
}

ColumnPtr group_column(std::span<const uint32_t> groups) {
  FixedWriter<int32_t> writer(Type::integer(), static_cast<int64_t>(groups.size()));
  for (size_t i = 0; i < groups.size(); ++i)
    writer.set(static_cast<int64_t>(i), static_cast<int32_t>(groups[i]));
  return writer.finish();
}

}  // namespace

GroupedValues::GroupedValues(const std::vector<Type>& types)
    : types_(types), table_(key_types(types)) {}

std::vector<uint32_t> GroupedValues::add(std::span<const uint32_t> groups,
                                         std::span<const ColumnPtr> values) {
  std::vector<ColumnPtr> keys{group_column(groups)};
  keys.insert(keys.end(), values.begin(), values.end());
  std::vector<uint32_t> numbers(groups.size());
  table_.find_or_add(keys, numbers);
  return numbers;
}

GroupedValues::Picked GroupedValues::pick(std::span<const uint32_t> groups) const {
  // The places of a group form a chain through `next`.
  constexpr uint32_t kEnd = GroupTable::kNoGroup;
  std::vector<uint32_t> first(num_groups_, kEnd);
  std::vector<uint32_t> next(groups.size(), kEnd);
  for (size_t i = groups.size(); i-- > 0;)
    next[i] = std::exchange(first[groups[i]], static_cast<uint32_t>(i));
  std::vector<uint32_t> all(table_.size());
  std::iota(all.begin(), all.end(), 0u);
  const ColumnPtr owners = table_.key(0, all);
  Picked picked;
  for (uint32_t value = 0; value < all.size(); ++value) {
    const auto owner = static_cast<size_t>(owners->values<int32_t>()[value]);
    for (uint32_t place = first[owner]; place != kEnd; place = next[place]) {
      picked.places.push_back(place);
      picked.values.push_back(value);
    }
  }
  return picked;
}

std::vector<ColumnPtr> GroupedValues::columns(std::span<const uint32_t> values) const {
  std::vector<ColumnPtr> columns;
  for (size_t i = 0; i < types_.size(); ++i) columns.push_back(table_.key(i + 1, values));
  return columns;
}

std::vector<uint32_t> GroupedValues::keep(std::span<const uint32_t> groups) {
  Picked picked = pick(groups);
  const std::vector<ColumnPtr> values = columns(picked.values);
  table_.clear();
  num_groups_ = groups.size();
  add(picked.places, values);
  return std::move(picked.values);
}

void GroupedValues::clear() {
  table_.clear();
  num_groups_ = 0;
}

ColumnPtr GroupedValues::build(const std::vector<std::string>& bytes) const {
  StringBuilder builder(TypeId::binary);
  for (const std::string& value : bytes) builder.append(value);
  return builder.finish();
}

}  // namespace flowrun
