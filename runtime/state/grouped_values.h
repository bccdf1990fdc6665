#pragma once
// GroupedValues: the distinct values of every group, for DISTINCT, collect_set, mode and
// percentile.
//
// One table for all groups, its keys the group's number and the value's columns. Distinct values
// are numbered 0, 1, ... in the order in which they came.

#include <span>
#include <string>
#include <vector>

#include "runtime/columnar/builder.h"
#include "runtime/state/group_table.h"

namespace flowrun {

class GroupedValues {
 public:
  explicit GroupedValues(const std::vector<Type>& types);

  void resize(size_t groups) { num_groups_ = groups; }
  [[nodiscard]] size_t num_groups() const { return num_groups_; }
  [[nodiscard]] size_t size() const { return table_.size(); }
  // The number of each (groups[i], values in row i), which is added if it is new.
  std::vector<uint32_t> add(std::span<const uint32_t> groups, std::span<const ColumnPtr> values);

  // The values of the named groups: values[i] belongs to groups[places[i]]. A group may be named
  // twice.
  struct Picked {
    std::vector<uint32_t> places;
    std::vector<uint32_t> values;
  };
  [[nodiscard]] Picked pick(std::span<const uint32_t> groups) const;
  [[nodiscard]] std::vector<ColumnPtr> columns(std::span<const uint32_t> values) const;
  // Keeps the named groups, renumbered 0, 1, ...; gives the old number of each value, in its new
  // order.
  std::vector<uint32_t> keep(std::span<const uint32_t> groups);
  void clear();
  [[nodiscard]] int64_t memory_bytes() const { return table_.memory_bytes(); }

  // Per named group one binary value: its values, encoded one after the other, each followed by
  // what `suffix` appends for its number. load gives each loaded value's number and lets
  // `read_suffix` take that off again.
  template <class Suffix>
  [[nodiscard]] ColumnPtr save(std::span<const uint32_t> groups, Suffix suffix) const;
  template <class ReadSuffix>
  void load(const Column& column, ReadSuffix read_suffix);

 private:
  [[nodiscard]] ColumnPtr build(const std::vector<std::string>& bytes) const;

  std::vector<Type> types_;
  size_t num_groups_ = 0;
  GroupTable table_;  // keys: the group as an int, then the value
};

template <class Suffix>
ColumnPtr GroupedValues::save(std::span<const uint32_t> groups, Suffix suffix) const {
  const Picked picked = pick(groups);
  const std::vector<ColumnPtr> values = columns(picked.values);
  std::vector<std::string> bytes(groups.size());
  for (size_t i = 0; i < picked.places.size(); ++i) {
    std::string& out = bytes[picked.places[i]];
    for (const ColumnPtr& column : values)
      ValueCodec(column->type()).append(*column, static_cast<int64_t>(i), out);
    suffix(picked.values[i], out);
  }
  return build(bytes);
}

template <class ReadSuffix>
void GroupedValues::load(const Column& column, ReadSuffix read_suffix) {
  for (int64_t i = 0; i < column.size(); ++i, ++num_groups_) {
    std::string_view bytes = column.string(i);
    while (!bytes.empty()) {
      std::vector<ColumnPtr> values;
      for (const Type& type : types_) {
        const auto builder = make_builder(type);
        ValueCodec(type).read_next(bytes, *builder);
        values.push_back(builder->finish());
      }
      const auto group = static_cast<uint32_t>(num_groups_);
      read_suffix(add(std::span(&group, 1), values)[0], bytes);
    }
  }
}

}  // namespace flowrun
