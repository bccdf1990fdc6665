#include "runtime/state/aggregates/extreme.h"

#include <cmath>

#include "runtime/state/aggregates/combine.h"
#include "runtime/state/value_codec.h"

namespace flowrun {

namespace {

// Spark's order: NaN above all, -0.0 equal to 0.0.
template <class T>
bool less(T a, T b) {
  if constexpr (std::is_floating_point_v<T>) return std::isnan(b) ? !std::isnan(a) : a < b;
  return a < b;
}

// The first of equals stays.
template <bool kMax>
struct Extreme {
  template <class T>
  static T combine(T held, T value) {
    const bool beats = kMax ? less(held, value) : less(value, held);
    return beats ? value : held;
  }
};

// Text and nested values, held in the encoding whose bytes sort as the values do.
template <bool kMax>
class EncodedExtremeStates final : public GroupStates {
 public:
  explicit EncodedExtremeStates(Type type) : codec_(std::move(type)) {}

  void resize(size_t groups) override { values_.resize(groups); }
  Status update(std::span<const uint32_t> groups, std::span<const ColumnPtr> arguments,
                std::span<const int32_t> selected, int64_t sequence) override {
    const UpdateRows rows{groups, arguments, selected, sequence};
    const Column& values = *arguments[0];
    if (values.type().is_string_like()) {
      rows.for_each_valid(values,
                          [&](int64_t i) { add(values_[rows.group(i)], values.string(i)); });
    } else {
      rows.for_each_valid(values, [&](int64_t i) {
        scratch_.clear();
        codec_.append(values, i, scratch_);
        add(values_[rows.group(i)], scratch_);
      });
    }
    return {};
  }
  Status merge(std::span<const uint32_t> groups, const GroupStates& from,
               std::span<const uint32_t> from_groups) override {
    const auto& other = static_cast<const EncodedExtremeStates&>(from).values_;
    for (size_t i = 0; i < groups.size(); ++i) {
      const auto& value = other[from_groups[i]];
      if (value) add(values_[groups[i]], *value);
    }
    return {};
  }
  [[nodiscard]] Result<ColumnPtr> result(std::span<const uint32_t> groups) const override {
    const std::unique_ptr<ColumnBuilder> builder = make_builder(codec_.type());
    for (const uint32_t group : groups) {
      const auto& value = values_[group];
      if (!value) {
        builder->append_null();
      } else if (codec_.type().is_string_like()) {
        static_cast<StringBuilder&>(*builder).append(*value);
      } else {
        codec_.read(*value, *builder);
      }
    }
    return builder->finish();
  }
  void keep(std::span<const uint32_t> groups) override {
    std::vector<std::optional<std::string>> kept;
    kept.reserve(groups.size());
    text_bytes_ = 0;
    for (const uint32_t group : groups) {
      text_bytes_ += values_[group] ? static_cast<int64_t>(values_[group]->capacity()) : 0;
      kept.push_back(std::move(values_[group]));
    }
    values_ = std::move(kept);
  }
  void clear() override {
    values_.clear();
    text_bytes_ = 0;
  }
  [[nodiscard]] int64_t memory_bytes() const override {
    return static_cast<int64_t>(values_.capacity() * sizeof(values_[0])) + text_bytes_;
  }
  [[nodiscard]] Result<std::vector<ColumnPtr>> save(
      std::span<const uint32_t> groups) const override {
    StringBuilder builder(TypeId::binary);
    for (const uint32_t group : groups)
      values_[group] ? builder.append(*values_[group]) : builder.append_null();
    return std::vector<ColumnPtr>{builder.finish()};
  }
  Status load(std::span<const ColumnPtr> columns) override {
    for (int64_t i = 0; i < columns[0]->size(); ++i) {
      values_.emplace_back();
      if (!columns[0]->is_null(i)) values_.back() = std::string(columns[0]->string(i));
    }
    return {};
  }

 private:
  void add(std::optional<std::string>& held, std::string_view value) {
    if (held && !(kMax ? value > *held : value < *held)) return;
    text_bytes_ -= held ? static_cast<int64_t>(held->capacity()) : 0;
    if (!held) {
      held.emplace(value);
    } else {
      held->assign(value);
    }
    text_bytes_ += static_cast<int64_t>(held->capacity());
  }

  ValueCodec codec_;
  std::vector<std::optional<std::string>> values_;
  std::string scratch_;
  int64_t text_bytes_ = 0;
};

template <bool kMax>
std::unique_ptr<GroupStates> make_extreme(const AggregateSignature& signature) {
  const Type& type = signature.result;
  switch (type.id()) {
    case TypeId::boolean:
      return make_pod_states(CombineOp<bool, Extreme<kMax>>{type});
    case TypeId::null:
    case TypeId::string:
    case TypeId::binary:
    case TypeId::array:
    case TypeId::struct_:
      return std::make_unique<EncodedExtremeStates<kMax>>(type);
    default:
      break;
  }
  return visit_fixed(type.id(), [&](auto tag) -> std::unique_ptr<GroupStates> {
    using T = typename decltype(tag)::type;
    if constexpr (std::is_same_v<T, CalendarInterval>) {
      check_failed(__FILE__, __LINE__, "orderable type", "calendar intervals have no order");
    } else {
      return make_pod_states(CombineOp<T, Extreme<kMax>>{type});
    }
  });
}

}  // namespace

Status check_orderable(const Type& type) {
  if (type.id() == TypeId::map || type.id() == TypeId::calendar_interval) {
    return unexpected_type("values that can be ordered", type);
  }
  for (const Field& field : type.fields()) FLOWRUN_RETURN_IF_ERROR(check_orderable(field.type));
  return {};
}

Result<AggregateSignature> resolve_extreme(AggregateTypes arguments, AggregateConstants) {
  FLOWRUN_RETURN_IF_ERROR(check_argument_count(arguments.size(), 1, 1));
  FLOWRUN_RETURN_IF_ERROR(check_orderable(arguments[0]));
  return AggregateSignature{{arguments[0]}, arguments[0]};
}

std::unique_ptr<GroupStates> make_min(const AggregateSignature& signature, AggregateConstants) {
  return make_extreme<false>(signature);
}

std::unique_ptr<GroupStates> make_max(const AggregateSignature& signature, AggregateConstants) {
  return make_extreme<true>(signature);
}

}  // namespace flowrun
