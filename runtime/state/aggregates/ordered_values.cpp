#include "runtime/state/aggregates/ordered_values.h"

#include <algorithm>
#include <limits>

#include "runtime/columnar/builder.h"
#include "runtime/state/aggregates/pod_states.h"

namespace flowrun {

namespace {

constexpr char kNullByte = 0;  // with which the codec begins a null

template <class Item, class Bytes>
ColumnPtr lists_of(const Type& element, const ValueCodec& codec,
                   const std::vector<std::vector<const Item*>>& groups, const Bytes& bytes) {
  ArrayBuilder builder(Type::array(element));
  for (const auto& items : groups) {
    for (const Item* item : items) codec.read(bytes(*item), builder.element());
    builder.append();
  }
  return builder.finish();
}

}  // namespace

OrderedValues::OrderedValues(Type value, const std::vector<Type>& keys,
                             std::vector<SortDirection> order)
    : codec_(std::move(value)), order_(std::move(order)) {
  for (const Type& key : keys) key_codecs_.emplace_back(key);
}

void OrderedValues::add(uint32_t group, const RowOrder& order, std::span<const ColumnPtr> columns,
                        int64_t row) {
  Item& item = groups_[group].emplace_back();
  item.order = order;
  codec_.append(*columns[0], row, item.value);
  const auto keys = columns.last(key_codecs_.size());
  for (size_t i = 0; i < keys.size(); ++i)
    key_codecs_[i].append(*keys[i], row, item.keys.emplace_back());
}

Status OrderedValues::update(std::span<const uint32_t> groups, std::span<const ColumnPtr> arguments,
                             std::span<const int32_t> selected, int64_t sequence) {
  const UpdateRows rows{groups, arguments, selected, sequence};
  rows.for_each_valid(*arguments[0], [&](int64_t i) {
    add(groups[static_cast<size_t>(i)], {sequence, i}, arguments, i);
  });
  return {};
}

Status OrderedValues::merge(std::span<const uint32_t> groups, const GroupStates& from,
                            std::span<const uint32_t> from_groups) {
  const auto& others = static_cast<const OrderedValues&>(from).groups_;
  for (size_t i = 0; i < groups.size(); ++i) {
    const auto& items = others[from_groups[i]];
    groups_[groups[i]].insert(groups_[groups[i]].end(), items.begin(), items.end());
  }
  return {};
}

void OrderedValues::keep(std::span<const uint32_t> groups) {
  std::vector<std::vector<Item>> kept;
  kept.reserve(groups.size());
  for (const uint32_t group : groups) kept.push_back(std::move(groups_[group]));
  groups_ = std::move(kept);
}

int64_t OrderedValues::memory_bytes() const {
  int64_t bytes = 0;
  for (const auto& items : groups_) {
    bytes += static_cast<int64_t>(sizeof(items) + items.capacity() * sizeof(Item));
    for (const Item& item : items) {
      bytes += static_cast<int64_t>(item.value.capacity());
      for (const std::string& key : item.keys)
        bytes += static_cast<int64_t>(sizeof(key) + key.capacity());
    }
  }
  return bytes;
}

int OrderedValues::compare(const Item& a, const Item& b) const {
  for (size_t i = 0; i < order_.size(); ++i) {
    const bool a_null = a.keys[i][0] == kNullByte;
    const bool b_null = b.keys[i][0] == kNullByte;
    if (a_null != b_null) return a_null == order_[i].nulls_first ? -1 : 1;
    const int difference = a.keys[i].compare(b.keys[i]);
    if (difference != 0) return (difference < 0) != order_[i].descending ? -1 : 1;
  }
  return a.order < b.order ? -1 : b.order < a.order ? 1 : 0;
}

std::vector<const OrderedValues::Item*> OrderedValues::in_order(uint32_t group) const {
  std::vector<const Item*> items;
  for (const Item& item : groups_[group]) items.push_back(&item);
  std::ranges::stable_sort(items,
                           [this](const Item* a, const Item* b) { return compare(*a, *b) < 0; });
  return items;
}

ColumnPtr OrderedValues::arrays(std::span<const uint32_t> groups) const {
  std::vector<std::vector<const Item*>> items;
  for (const uint32_t group : groups) items.push_back(in_order(group));
  return lists_of(codec_.type(), codec_, items,
                  [](const Item& item) { return std::string_view(item.value); });
}

Result<std::vector<ColumnPtr>> OrderedValues::save(std::span<const uint32_t> groups) const {
  std::vector<std::vector<const Item*>> items;
  for (const uint32_t group : groups) items.push_back(in_order(group));
  std::vector<ColumnPtr> columns{arrays(groups)};
  for (size_t key = 0; key < key_codecs_.size(); ++key) {
    columns.push_back(
        lists_of(key_codecs_[key].type(), key_codecs_[key], items,
                 [key](const Item& item) { return std::string_view(item.keys[key]); }));
  }
  return columns;
}

Status OrderedValues::load(std::span<const ColumnPtr> columns) {
  const Column& lists = *columns[0];
  std::vector<ColumnPtr> elements;
  for (const ColumnPtr& column : columns) elements.push_back(column->child(0));
  for (int64_t i = 0; i < lists.size(); ++i) {
    groups_.emplace_back();
    const auto group = static_cast<uint32_t>(groups_.size() - 1);
    // Before everything that is read from now on.
    for (int64_t j = lists.list_begin(i); j < lists.list_end(i); ++j)
      add(group, {std::numeric_limits<int64_t>::min(), j}, elements, j);
  }
  return {};
}

}  // namespace flowrun
