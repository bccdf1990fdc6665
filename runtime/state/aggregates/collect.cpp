// collect_list, array_agg, collect_set, listagg.

#include <algorithm>

#include "runtime/columnar/builder.h"
#include "runtime/expr/function_registry.h"
#include "runtime/state/aggregate_functions.h"
#include "runtime/state/aggregates/entry.h"
#include "runtime/state/aggregates/ordered_values.h"
#include "runtime/state/distinct_states.h"

namespace flowrun {

namespace {

class CollectStates final : public OrderedValues {
 public:
  explicit CollectStates(const Type& type) : OrderedValues(type.element(), {}, {}) {}
  [[nodiscard]] Result<ColumnPtr> result(std::span<const uint32_t> groups) const override {
    return arrays(groups);
  }
};

// The values joined; null of none.
class JoinedStates final : public OrderedValues {
 public:
  JoinedStates(const AggregateSignature& signature, std::string separator)
      : OrderedValues(signature.result, keys_of(signature), signature.order),
        separator_(std::move(separator)) {}

  [[nodiscard]] Result<ColumnPtr> result(std::span<const uint32_t> groups) const override {
    StringBuilder builder(codec().type());
    StringBuilder parts(codec().type());
    std::string text;
    for (const uint32_t group : groups) {
      const auto items = in_order(group);
      for (const Item* item : items) codec().read(item->value, parts);
      const ColumnPtr values = parts.finish();
      text.clear();
      for (int64_t i = 0; i < values->size(); ++i) {
        if (i > 0) text += separator_;
        text += values->string(i);
      }
      items.empty() ? builder.append_null() : builder.append(text);
    }
    return builder.finish();
  }

 private:
  static std::vector<Type> keys_of(const AggregateSignature& signature) {
    const auto count = static_cast<std::ptrdiff_t>(signature.order.size());
    return {signature.arguments.end() - count, signature.arguments.end()};
  }

  std::string separator_;
};

// listagg(x[, separator]).
Result<AggregateSignature> resolve_joined(AggregateTypes arguments, AggregateConstants constants) {
  FLOWRUN_RETURN_IF_ERROR(check_argument_count(arguments.size(), 1, 2));
  if (arguments[0].is_nested()) return unexpected_type("text or binary values", arguments[0]);
  const Type type = arguments[0].id() == TypeId::binary ? Type::binary() : Type::string();
  AggregateSignature signature{{type}, type};
  if (arguments.size() == 2) {
    if (!constants[1] || (!arguments[1].is_string_like() && arguments[1].id() != TypeId::null))
      return Error::invalid("takes as its second argument a separator, a constant text");
    signature.arguments.push_back(type);
  }
  return signature;
}

std::unique_ptr<GroupStates> make_joined(const AggregateSignature& signature,
                                         AggregateConstants constants) {
  const size_t plain = signature.arguments.size() - signature.order.size();
  const bool separated = plain == 2 && !constants[1]->is_null(0);
  return std::make_unique<JoinedStates>(signature,
                                        separated ? std::string(constants[1]->string(0)) : "");
}

std::string name_joined(std::span<const std::string> arguments, bool distinct) {
  return std::string(distinct ? "listagg(DISTINCT " : "listagg(") + arguments[0] + ", " +
         (arguments.size() > 1 ? arguments[1] : "NULL") + ")";
}

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
  for (const char* name : {"listagg", "string_agg"}) {
    registry.add(aggregate_entry(
        name,
        std::string(name) + "(x[, separator]) [within group (order by y, ...)]: the non-null "
                            "values joined, in that order.",
        resolve_joined, make_joined, name_joined, AggregateFunction::OrderUse::rows));
  }
}

}  // namespace flowrun
