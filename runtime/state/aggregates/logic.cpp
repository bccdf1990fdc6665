// bool_and, bool_or and the bitwise aggregates.

#include "runtime/expr/function_registry.h"
#include "runtime/state/aggregate_functions.h"
#include "runtime/state/aggregates/combine.h"
#include "runtime/state/aggregates/entry.h"
#include "runtime/state/aggregates/extreme.h"

namespace flowrun {

namespace {

struct And {
  template <class T>
  static T combine(T a, T b) {
    return static_cast<T>(a & b);
  }
};
struct Or {
  template <class T>
  static T combine(T a, T b) {
    return static_cast<T>(a | b);
  }
};
struct Xor {
  template <class T>
  static T combine(T a, T b) {
    return static_cast<T>(a ^ b);
  }
};

Result<AggregateSignature> resolve_boolean(AggregateTypes arguments, AggregateConstants) {
  FLOWRUN_RETURN_IF_ERROR(check_argument_count(arguments.size(), 1, 1));
  if (arguments[0].id() != TypeId::boolean && arguments[0].id() != TypeId::null) {
    return unexpected_type("a boolean", arguments[0]);
  }
  return AggregateSignature{{Type::boolean()}, Type::boolean()};
}

Result<AggregateSignature> resolve_bits(AggregateTypes arguments, AggregateConstants) {
  FLOWRUN_RETURN_IF_ERROR(check_argument_count(arguments.size(), 1, 1));
  if (!arguments[0].is_integral()) return unexpected_type("a whole number", arguments[0]);
  return AggregateSignature{{arguments[0]}, arguments[0]};
}

template <class Combine>
std::unique_ptr<GroupStates> make_bits(const AggregateSignature& signature, AggregateConstants) {
  return visit_fixed(signature.result.id(), [&](auto tag) -> std::unique_ptr<GroupStates> {
    using T = typename decltype(tag)::type;
    if constexpr (std::is_integral_v<T>) {
      return make_pod_states(CombineOp<T, Combine>{signature.result});
    } else {
      check_failed(__FILE__, __LINE__, "integer type", "bits are of whole numbers");
    }
  });
}

}  // namespace

void register_logic_aggregates(FunctionRegistry& registry) {
  // false < true, so the least value is the conjunction and the greatest the disjunction.
  for (const char* name : {"bool_and", "every"}) {
    registry.add(aggregate_entry(
        name, std::string(name) + "(x): is x true in every row where it is not null?",
        resolve_boolean, make_min));
  }
  for (const char* name : {"bool_or", "some", "any"}) {
    registry.add(aggregate_entry(name, std::string(name) + "(x): is x true in some row?",
                                 resolve_boolean, make_max));
  }
  registry.add(aggregate_entry("bit_and", "bit_and(x): the bits set in every value.", resolve_bits,
                               make_bits<And>));
  registry.add(aggregate_entry("bit_or", "bit_or(x): the bits set in some value.", resolve_bits,
                               make_bits<Or>));
  registry.add(aggregate_entry("bit_xor", "bit_xor(x): the bits set in an odd number of values.",
                               resolve_bits, make_bits<Xor>));
}

}  // namespace flowrun
