#pragma once
// CombineOp: a group's non-null values folded into one by an operation on two: min, max, the
// bitwise aggregates. Combine::combine(held, value) gives what is held from then on.

#include <span>
#include <type_traits>

#include "runtime/state/aggregates/pod_states.h"

namespace flowrun {

template <class T, class Combine>
struct CombineOp {
  struct State {
    T value{};
    bool any = false;
  };
  static constexpr bool kBoolean = std::is_same_v<T, bool>;
  using Builder = std::conditional_t<kBoolean, BooleanBuilder, FixedBuilder<T>>;
  Type result;

  void update(std::span<State> states, const UpdateRows& rows) const {
    const Column& column = *rows.arguments[0];
    if constexpr (kBoolean) {
      rows.for_each_valid(column, [&](int64_t i) {
        merge(states[rows.group(i)], {column.boolean(i), true});
      });
    } else {
      const std::span<const T> values = column.values<T>();
      rows.for_each_valid(column, [&](int64_t i) {
        merge(states[rows.group(i)], {values[static_cast<size_t>(i)], true});
      });
    }
  }
  void merge(State& into, const State& from) const {
    if (!from.any) return;
    into.value = into.any ? Combine::combine(into.value, from.value) : from.value;
    into.any = true;
  }
  void finish(const State& state, Builder& out) const {
    state.any ? out.append(state.value) : out.append_null();
  }
};

}  // namespace flowrun
