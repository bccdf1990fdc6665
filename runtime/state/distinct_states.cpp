#include "runtime/state/distinct_states.h"

#include <numeric>

#include "runtime/columnar/builder.h"
#include "runtime/state/value_codec.h"

namespace flowrun {

namespace {

std::vector<Type> key_types(const AggregateFunction::Signature& signature) {
  std::vector<Type> types{Type::integer()};
  types.insert(types.end(), signature.arguments.begin(), signature.arguments.end());
  return types;
}

ColumnPtr group_column(std::span<const uint32_t> groups) {
  FixedWriter<int32_t> writer(Type::integer(), static_cast<int64_t>(groups.size()));
  for (size_t i = 0; i < groups.size(); ++i)
    writer.set(static_cast<int64_t>(i), static_cast<int32_t>(groups[i]));
  return writer.finish();
}

}  // namespace

DistinctStates::DistinctStates(const AggregateFunction& function,
                               AggregateFunction::Signature signature,
                               std::vector<ColumnPtr> constants)
    : function_(function),
      signature_(std::move(signature)),
      constants_(std::move(constants)),
      values_(key_types(signature_)) {}

void DistinctStates::add(std::span<const uint32_t> groups, std::span<const ColumnPtr> values) {
  std::vector<ColumnPtr> keys{group_column(groups)};
  keys.insert(keys.end(), values.begin(), values.end());
  std::vector<uint32_t> numbers(groups.size());
  values_.find_or_add(keys, numbers);
}

Status DistinctStates::update(std::span<const uint32_t> groups,
                              std::span<const ColumnPtr> arguments,
                              std::span<const int32_t> selected, int64_t) {
  if (selected.empty()) {
    add(groups, arguments);
    return {};
  }
  std::vector<uint32_t> chosen;
  for (const int32_t row : selected) chosen.push_back(groups[static_cast<size_t>(row)]);
  std::vector<ColumnPtr> columns;
  for (const ColumnPtr& argument : arguments) columns.push_back(take(*argument, selected));
  add(chosen, columns);
  return {};
}

DistinctStates::Picked DistinctStates::pick(std::span<const uint32_t> groups) const {
  // A group may be named more than once (a pane that lies in several windows): places form chains.
  constexpr uint32_t kEnd = GroupTable::kNoGroup;
  std::vector<uint32_t> first(num_groups_, kEnd);
  std::vector<uint32_t> next(groups.size(), kEnd);
  for (size_t i = groups.size(); i-- > 0;)
    next[i] = std::exchange(first[groups[i]], static_cast<uint32_t>(i));
  std::vector<uint32_t> all(values_.size());
  std::iota(all.begin(), all.end(), 0u);
  const ColumnPtr owners = values_.key(0, all);
  Picked picked;
  std::vector<uint32_t> rows;
  for (uint32_t row = 0; row < all.size(); ++row) {
    const auto owner = static_cast<size_t>(owners->values<int32_t>()[row]);
    for (uint32_t place = first[owner]; place != kEnd; place = next[place]) {
      picked.places.push_back(place);
      rows.push_back(row);
    }
  }
  for (size_t i = 0; i < signature_.arguments.size(); ++i)
    picked.columns.push_back(values_.key(i + 1, rows));
  return picked;
}

Status DistinctStates::merge(std::span<const uint32_t> groups, const GroupStates& from,
                             std::span<const uint32_t> from_groups) {
  Picked picked = static_cast<const DistinctStates&>(from).pick(from_groups);
  for (uint32_t& place : picked.places) place = groups[place];
  add(picked.places, picked.columns);
  return {};
}

Result<ColumnPtr> DistinctStates::result(std::span<const uint32_t> groups) const {
  const Picked picked = pick(groups);
  const std::unique_ptr<GroupStates> states = function_.make_states(signature_, constants_);
  states->resize(groups.size());
  FLOWRUN_RETURN_IF_ERROR(states->update(picked.places, picked.columns, {}, 0));
  std::vector<uint32_t> all(groups.size());
  std::iota(all.begin(), all.end(), 0u);
  return states->result(all);
}

void DistinctStates::keep(std::span<const uint32_t> groups) {
  const Picked picked = pick(groups);
  values_.clear();
  add(picked.places, picked.columns);
  num_groups_ = groups.size();
}

void DistinctStates::clear() {
  values_.clear();
  num_groups_ = 0;
}

Result<std::vector<ColumnPtr>> DistinctStates::save(std::span<const uint32_t> groups) const {
  // Per group one binary value: the encoded arguments of its rows, one after the other.
  const Picked picked = pick(groups);
  std::vector<std::string> bytes(groups.size());
  for (size_t row = 0; row < picked.places.size(); ++row) {
    for (const ColumnPtr& column : picked.columns) {
      ValueCodec(column->type())
          .append(*column, static_cast<int64_t>(row), bytes[picked.places[row]]);
    }
  }
  StringBuilder builder(TypeId::binary);
  for (const std::string& value : bytes) builder.append(value);
  return std::vector<ColumnPtr>{builder.finish()};
}

Status DistinctStates::load(std::span<const ColumnPtr> columns) {
  std::vector<uint32_t> groups;
  std::vector<std::unique_ptr<ColumnBuilder>> builders;
  for (const Type& type : signature_.arguments) builders.push_back(make_builder(type));
  for (int64_t i = 0; i < columns[0]->size(); ++i) {
    std::string_view bytes = columns[0]->string(i);
    while (!bytes.empty()) {
      groups.push_back(static_cast<uint32_t>(num_groups_));
      for (const auto& builder : builders) ValueCodec(builder->type()).read_next(bytes, *builder);
    }
    ++num_groups_;
  }
  std::vector<ColumnPtr> values;
  for (const auto& builder : builders) values.push_back(builder->finish());
  add(groups, values);
  return {};
}

}  // namespace flowrun
