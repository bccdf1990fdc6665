// first, last, any_value: by the order of the input. min_by, max_by: by another value.

#include <limits>

#include "runtime/expr/function_registry.h"
#include "runtime/state/aggregate_functions.h"
#include "runtime/state/aggregates/entry.h"
#include "runtime/state/aggregates/extreme.h"
#include "runtime/state/aggregates/kept_values.h"
#include "runtime/state/aggregates/pod_states.h"

namespace flowrun {

namespace {

// What comes out of a snapshot stands before everything that is read after it.
constexpr RowOrder kBeforeAll{std::numeric_limits<int64_t>::min(), 0};

struct OrderedValue {
  RowOrder order{};
  std::string value;

  void save(std::string& out) const { out = value; }
  static OrderedValue load(std::string_view bytes) { return {kBeforeAll, std::string(bytes)}; }
};

template <bool kLast>
class OrderStates final : public KeptValues<OrderedValue> {
 public:
  OrderStates(Type type, bool ignore_nulls)
      : KeptValues(std::move(type)), ignore_nulls_(ignore_nulls) {}

  Status update(std::span<const uint32_t> groups, std::span<const ColumnPtr> arguments,
                std::span<const int32_t> selected, int64_t sequence) override {
    const Column& values = *arguments[0];
    const UpdateRows rows{groups, arguments, selected, sequence};
    present_.resize(states_.size());
    rows.for_each([&](int64_t i) {
      if (ignore_nulls_ && values.is_null(i)) return;
      const size_t group = rows.group(i);
      if (!replaces({sequence, i}, group)) return;
      states_[group].order = {sequence, i};
      present_[group] = true;
      choose(group, i);
    });
    take_chosen(values);
    return {};
  }
  Status merge(std::span<const uint32_t> groups, const GroupStates& from,
               std::span<const uint32_t> from_groups) override {
    const auto& others = static_cast<const OrderStates&>(from).states_;
    present_.resize(states_.size());
    for (size_t i = 0; i < groups.size(); ++i) {
      const OrderedValue& other = others[from_groups[i]];
      if (!other.value.empty() && replaces(other.order, groups[i])) states_[groups[i]] = other;
    }
    return {};
  }
  void clear() override {
    KeptValues::clear();
    present_.clear();
  }
  void keep(std::span<const uint32_t> groups) override {
    KeptValues::keep(groups);
    present_.assign(states_.size(), false);
  }

 private:
  // present_ covers rows of the batch at hand, whose values are not encoded yet.
  [[nodiscard]] bool replaces(const RowOrder& order, size_t group) const {
    if (states_[group].value.empty() && !present_[group]) return true;
    return kLast ? order > states_[group].order : order < states_[group].order;
  }

  bool ignore_nulls_;
  std::vector<bool> present_;
};

struct RankedValue {
  RowOrder order{};
  std::string rank;  // by which it was chosen, encoded; empty: none yet
  std::string value;

  void save(std::string& out) const {
    const uint64_t size = rank.size();
    out.assign(reinterpret_cast<const char*>(&size), sizeof size);
    out += rank;
    out += value;
  }
  static RankedValue load(std::string_view bytes) {
    uint64_t size;
    std::memcpy(&size, bytes.data(), sizeof size);
    bytes.remove_prefix(sizeof size);
    return {kBeforeAll, std::string(bytes.substr(0, size)), std::string(bytes.substr(size))};
  }
};

// Of equal ranks the latest row's value is taken, as in Spark.
template <bool kMax>
class RankStates final : public KeptValues<RankedValue> {
 public:
  RankStates(Type type, Type rank)
      : KeptValues(std::move(type)), ranks_(std::move(rank), ValueCodec::Form::key) {}

  Status update(std::span<const uint32_t> groups, std::span<const ColumnPtr> arguments,
                std::span<const int32_t> selected, int64_t sequence) override {
    const UpdateRows rows{groups, arguments, selected, sequence};
    rows.for_each_valid(*arguments[1], [&](int64_t i) {
      scratch_.clear();
      ranks_.append(*arguments[1], i, scratch_);
      RankedValue& state = states_[rows.group(i)];
      if (!replaces(scratch_, {sequence, i}, state)) return;
      state.rank = scratch_;
      state.order = {sequence, i};
      choose(rows.group(i), i);
    });
    take_chosen(*arguments[0]);
    return {};
  }
  Status merge(std::span<const uint32_t> groups, const GroupStates& from,
               std::span<const uint32_t> from_groups) override {
    const auto& others = static_cast<const RankStates&>(from).states_;
    for (size_t i = 0; i < groups.size(); ++i) {
      const RankedValue& other = others[from_groups[i]];
      if (!other.rank.empty() && replaces(other.rank, other.order, states_[groups[i]]))
        states_[groups[i]] = other;
    }
    return {};
  }

 private:
  static bool replaces(const std::string& rank, const RowOrder& order, const RankedValue& held) {
    if (held.rank.empty()) return true;
    const int difference = rank.compare(held.rank);
    return difference == 0 ? order > held.order : (kMax ? difference > 0 : difference < 0);
  }

  ValueCodec ranks_;
  std::string scratch_;
};

Result<AggregateSignature> resolve_order(AggregateTypes arguments, AggregateConstants constants) {
  FLOWRUN_RETURN_IF_ERROR(check_argument_count(arguments.size(), 1, 2));
  if (arguments.size() == 1) return AggregateSignature{{arguments[0]}, arguments[0]};
  if (arguments[1].id() != TypeId::boolean || !constants[1] || constants[1]->is_null(0)) {
    return Error::invalid(
        "takes `true` or `false` as its second argument: whether nulls are ignored");
  }
  return AggregateSignature{{arguments[0], Type::boolean()}, arguments[0]};
}

template <bool kLast>
std::unique_ptr<GroupStates> make_order(const AggregateSignature& signature,
                                        AggregateConstants constants) {
  const bool ignore_nulls = constants.size() == 2 && constants[1]->boolean(0);
  return std::make_unique<OrderStates<kLast>>(signature.result, ignore_nulls);
}

Result<AggregateSignature> resolve_rank(AggregateTypes arguments, AggregateConstants) {
  FLOWRUN_RETURN_IF_ERROR(check_argument_count(arguments.size(), 2, 2));
  FLOWRUN_RETURN_IF_ERROR(check_orderable(arguments[1]));
  return AggregateSignature{{arguments[0], arguments[1]}, arguments[0]};
}

template <bool kMax>
std::unique_ptr<GroupStates> make_rank(const AggregateSignature& signature, AggregateConstants) {
  return std::make_unique<RankStates<kMax>>(signature.result, signature.arguments[1]);
}

}  // namespace

void register_pick_aggregates(FunctionRegistry& registry) {
  struct Named {
    const char* name;
    const char* doc;
    MakeGroupStates make;
  };
  for (const Named& entry : {
           Named{"first", "first(x[, ignore_nulls]): the value of the first row.",
                 make_order<false>},
           Named{"first_value", "first_value(x[, ignore_nulls]): first(x) by another name.",
                 make_order<false>},
           Named{"any_value", "any_value(x[, ignore_nulls]): some row's value: the first one's.",
                 make_order<false>},
           Named{"last", "last(x[, ignore_nulls]): the value of the last row.", make_order<true>},
           Named{"last_value", "last_value(x[, ignore_nulls]): last(x) by another name.",
                 make_order<true>},
       }) {
    registry.add(aggregate_entry(entry.name, entry.doc, resolve_order, entry.make,
                                 name_by_first_argument(entry.name)));
  }
  registry.add(aggregate_entry("max_by",
                               "max_by(x, y): the value of x in the row with the greatest y.",
                               resolve_rank, make_rank<true>));
  registry.add(aggregate_entry("min_by",
                               "min_by(x, y): the value of x in the row with the least y.",
                               resolve_rank, make_rank<false>));
}

}  // namespace flowrun
