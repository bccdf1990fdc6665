// collect_list, array_agg, collect_set.

#include <algorithm>
#include <limits>

#include "runtime/expr/function_registry.h"
#include "runtime/state/aggregate_functions.h"
#include "runtime/state/aggregates/entry.h"
#include "runtime/state/aggregates/pod_states.h"
#include "runtime/state/distinct_states.h"
#include "runtime/state/value_codec.h"

namespace flowrun {

namespace {

// The non-null values in the order of the input.
class CollectStates final : public GroupStates {
 public:
  explicit CollectStates(Type type) : type_(std::move(type)), codec_(type_.element()) {}

  void resize(size_t groups) override { groups_.resize(groups); }
  Status update(std::span<const uint32_t> groups, std::span<const ColumnPtr> arguments,
                std::span<const int32_t> selected, int64_t sequence) override {
    const UpdateRows rows{groups, arguments, selected, sequence};
    rows.for_each_valid(*arguments[0], [&](int64_t i) {
      Item& item = groups_[rows.group(i)].emplace_back();
      item.order = {sequence, i};
      codec_.append(*arguments[0], i, item.value);
    });
    return {};
  }
  Status merge(std::span<const uint32_t> groups, const GroupStates& from,
               std::span<const uint32_t> from_groups) override {
    const auto& others = static_cast<const CollectStates&>(from).groups_;
    for (size_t i = 0; i < groups.size(); ++i) {
      const auto& items = others[from_groups[i]];
      groups_[groups[i]].insert(groups_[groups[i]].end(), items.begin(), items.end());
    }
    return {};
  }
  [[nodiscard]] Result<ColumnPtr> result(std::span<const uint32_t> groups) const override {
    ArrayBuilder builder(type_);
    for (const uint32_t group : groups) {
      for (const Item* item : in_order(group)) codec_.read(item->value, builder.element());
      builder.append();
    }
    return builder.finish();
  }
  void keep(std::span<const uint32_t> groups) override {
    std::vector<std::vector<Item>> kept;
    kept.reserve(groups.size());
    for (const uint32_t group : groups) kept.push_back(std::move(groups_[group]));
    groups_ = std::move(kept);
  }
  void clear() override { groups_.clear(); }
  [[nodiscard]] int64_t memory_bytes() const override {
    int64_t bytes = 0;
    for (const auto& items : groups_) {
      bytes += static_cast<int64_t>(sizeof(items) + items.capacity() * sizeof(Item));
      for (const Item& item : items) bytes += static_cast<int64_t>(item.value.capacity());
    }
    return bytes;
  }
  [[nodiscard]] Result<std::vector<ColumnPtr>> save(
      std::span<const uint32_t> groups) const override {
    FLOWRUN_TRY(ColumnPtr lists, result(groups));
    return std::vector<ColumnPtr>{std::move(lists)};
  }
  Status load(std::span<const ColumnPtr> columns) override {
    const Column& lists = *columns[0];
    for (int64_t i = 0; i < lists.size(); ++i) {
      std::vector<Item>& items = groups_.emplace_back();
      for (int64_t j = lists.list_begin(i); j < lists.list_end(i); ++j) {
        // Before everything that is read from now on.
        Item& item = items.emplace_back(Item{{std::numeric_limits<int64_t>::min(), j}, {}});
        codec_.append(*lists.child(0), j, item.value);
      }
    }
    return {};
  }

 private:
  struct Item {
    RowOrder order{};
    std::string value;
  };

  [[nodiscard]] std::vector<const Item*> in_order(uint32_t group) const {
    std::vector<const Item*> items;
    for (const Item& item : groups_[group]) items.push_back(&item);
    std::ranges::stable_sort(items, {}, [](const Item* item) { return item->order; });
    return items;
  }

  Type type_;
  ValueCodec codec_;
  std::vector<std::vector<Item>> groups_;
};

Result<AggregateSignature> resolve_list(AggregateTypes arguments, AggregateConstants) {
  FLOWRUN_RETURN_IF_ERROR(check_argument_count(arguments.size(), 1, 1));
  return AggregateSignature{{arguments[0]}, Type::array(arguments[0]), false};
}

std::unique_ptr<GroupStates> make_list(const AggregateSignature& signature, AggregateConstants) {
  return std::make_unique<CollectStates>(signature.result);
}

bool contains_map(const Type& type) {
  return type.id() == TypeId::map || std::ranges::any_of(type.fields(), [](const Field& field) {
           return contains_map(field.type);
         });
}

Result<AggregateSignature> resolve_set(AggregateTypes arguments, AggregateConstants constants) {
  FLOWRUN_TRY(AggregateSignature signature, resolve_list(arguments, constants));
  if (contains_map(arguments[0]))
    return unexpected_type("values that can be compared", arguments[0]);
  return signature;
}

const AggregateFunction& collect_list() {
  static const AggregateEntry entry("collect_list",
                                    "collect_list(x): the non-null values as an array.",
                                    resolve_list, make_list, nullptr);
  return entry;
}

std::unique_ptr<GroupStates> make_set(const AggregateSignature& signature, AggregateConstants) {
  return std::make_unique<DistinctStates>(collect_list(), signature, std::vector<ColumnPtr>(1));
}

}  // namespace

void register_collect_aggregates(FunctionRegistry& registry) {
  registry.add(
      std::make_shared<AggregateEntry>(
          "collect_list", "collect_list(x): the non-null values as an array, in their order.",
          resolve_list, make_list, nullptr),
      {"array_agg"});
  registry.add(aggregate_entry("collect_set",
                               "collect_set(x): the distinct non-null values as an array.",
                               resolve_set, make_set));
}

}  // namespace flowrun
