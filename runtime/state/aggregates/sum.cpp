#include "runtime/state/aggregates/sum.h"

#include <algorithm>

#include "runtime/state/aggregates/pod_states.h"

namespace flowrun {

namespace {

constexpr int kMaxPrecision = 38;

Decimal128 power_of_ten(int exponent) {
  Decimal128 power = 1;
  for (int i = 0; i < exponent; ++i) power *= 10;
  return power;
}

// Does the unscaled value have at most as many digits as the type?
bool fits(Decimal128 value, Decimal128 limit) { return value < limit && value > -limit; }

// Whole numbers and intervals; T is what the argument holds. Added as int64_t a sum wraps, as in
// Spark; added in 128 bits it is null if it does not fit in the end, whatever the order of the
// rows.
template <class T, class Sum>
struct IntegerSumOp {
  struct State {
    Sum sum = 0;
    bool any = false;
  };
  using Builder = FixedBuilder<int64_t>;
  Type result = Type::bigint();

  void update(std::span<State> states, const UpdateRows& rows) const {
    const std::span<const T> values = rows.arguments[0]->values<T>();
    rows.for_each_valid(*rows.arguments[0], [&](int64_t i) {
      add(states[rows.group(i)], values[static_cast<size_t>(i)]);
    });
  }
  void merge(State& into, const State& from) const {
    if (from.any) add(into, from.sum);
  }
  void finish(const State& state, Builder& out) const {
    const auto sum = static_cast<int64_t>(state.sum);
    state.any&& sum == state.sum ? out.append(sum) : out.append_null();
  }

 private:
  static void add(State& state, Sum value) {
    // Not an overflow to anybody: it is asked to wrap.
    static_cast<void>(__builtin_add_overflow(state.sum, value, &state.sum));
    state.any = true;
  }
};

// Sums of months have 32 bits.
struct MonthSumOp : IntegerSumOp<int32_t, int64_t> {
  using Builder = FixedBuilder<int32_t>;
  void finish(const State& state, Builder& out) const {
    state.any ? out.append(static_cast<int32_t>(state.sum)) : out.append_null();
  }
};

template <class T>
struct DoubleSumOp {
  struct State {
    double sum = 0;
    bool any = false;
  };
  using Builder = FixedBuilder<double>;
  Type result = Type::double_();

  void update(std::span<State> states, const UpdateRows& rows) const {
    const std::span<const T> values = rows.arguments[0]->values<T>();
    rows.for_each_valid(*rows.arguments[0], [&](int64_t i) {
      State& state = states[rows.group(i)];
      state.sum += static_cast<double>(values[static_cast<size_t>(i)]);
      state.any = true;
    });
  }
  void merge(State& into, const State& from) const {
    into.sum += from.sum;
    into.any |= from.any;
  }
  void finish(const State& state, Builder& out) const {
    state.any ? out.append(state.sum) : out.append_null();
  }
};

// Null if the sum has more digits than its type in the end. Spark gives null as soon as a partial
// sum has, which depends on the order of the rows; here sums that leave 128 bits and come back are
// whole.
struct DecimalSumOp {
  struct State {
    Decimal128 sum = 0;
    int64_t carry = 0;  // how often the sum left 128 bits upwards, less how often downwards
    int64_t count = 0;
  };
  using Builder = FixedBuilder<Decimal128>;
  Type result;
  Decimal128 limit = 0;  // sums lie between -limit and limit, exclusive

  void update(std::span<State> states, const UpdateRows& rows) const {
    const std::span<const Decimal128> values = rows.arguments[0]->values<Decimal128>();
    rows.for_each_valid(*rows.arguments[0], [&](int64_t i) {
      State& state = states[rows.group(i)];
      add(state, values[static_cast<size_t>(i)]);
      ++state.count;
    });
  }
  void merge(State& into, const State& from) const {
    add(into, from.sum);
    into.carry += from.carry;
    into.count += from.count;
  }
  void finish(const State& state, Builder& out) const {
    has_sum(state) ? out.append(state.sum) : out.append_null();
  }

 protected:
  [[nodiscard]] bool has_sum(const State& state) const {
    return state.count > 0 && state.carry == 0 && fits(state.sum, limit);
  }

 private:
  static void add(State& state, Decimal128 value) {
    if (__builtin_add_overflow(state.sum, value, &state.sum)) state.carry += value > 0 ? 1 : -1;
  }
};

// Spark adds doubles whatever the argument, so that avg of a large bigint is rounded as there.
template <class T>
struct AverageOp {
  struct State {
    double sum = 0;
    int64_t count = 0;
  };
  using Builder = FixedBuilder<double>;
  Type result = Type::double_();

  void update(std::span<State> states, const UpdateRows& rows) const {
    const std::span<const T> values = rows.arguments[0]->values<T>();
    rows.for_each_valid(*rows.arguments[0], [&](int64_t i) {
      State& state = states[rows.group(i)];
      state.sum += static_cast<double>(values[static_cast<size_t>(i)]);
      ++state.count;
    });
  }
  void merge(State& into, const State& from) const {
    into.sum += from.sum;
    into.count += from.count;
  }
  void finish(const State& state, Builder& out) const {
    state.count == 0 ? out.append_null() : out.append(state.sum / static_cast<double>(state.count));
  }
};

struct DecimalAverageOp : DecimalSumOp {
  int extra_digits = 0;  // of the result's scale over the argument's
  Decimal128 result_limit = 0;

  void finish(const State& state, Builder& out) const {
    if (!has_sum(state)) return out.append_null();
    const Decimal128 quotient = divide(state.sum, state.count);
    fits(quotient, result_limit) ? out.append(quotient) : out.append_null();
  }

 private:
  // sum * 10^extra_digits / count rounded half away from zero, by long division so that nothing
  // overflows.
  [[nodiscard]] Decimal128 divide(Decimal128 sum, int64_t count) const {
    const bool negative = sum < 0;
    const Decimal128 magnitude = negative ? -sum : sum;
    Decimal128 quotient = magnitude / count;
    Decimal128 remainder = magnitude % count;
    for (int i = 0; i < extra_digits; ++i) {
      if (quotient >= result_limit) return result_limit;
      quotient = quotient * 10 + remainder * 10 / count;
      remainder = remainder * 10 % count;
    }
    if (remainder * 2 >= count) ++quotient;
    return negative ? -quotient : quotient;
  }
};

// Averages of intervals: whole months or microseconds, rounded half away from zero.
template <class T>
struct IntervalAverageOp {
  struct State {
    Decimal128 sum = 0;
    int64_t count = 0;
  };
  using Builder = FixedBuilder<T>;
  Type result;

  void update(std::span<State> states, const UpdateRows& rows) const {
    const std::span<const T> values = rows.arguments[0]->values<T>();
    rows.for_each_valid(*rows.arguments[0], [&](int64_t i) {
      State& state = states[rows.group(i)];
      state.sum += values[static_cast<size_t>(i)];
      ++state.count;
    });
  }
  void merge(State& into, const State& from) const {
    into.sum += from.sum;
    into.count += from.count;
  }
  void finish(const State& state, Builder& out) const {
    if (state.count == 0) return out.append_null();
    const Decimal128 half = state.sum < 0 ? -(state.count / 2) : state.count / 2;
    out.append(static_cast<T>((state.sum + half) / state.count));
  }
};

template <class Sum>
std::unique_ptr<GroupStates> make_integer_sum(const AggregateSignature& signature) {
  const Type& argument = signature.arguments[0];
  return visit_fixed(argument.id(), [&](auto tag) -> std::unique_ptr<GroupStates> {
    using T = typename decltype(tag)::type;
    if constexpr (std::is_integral_v<T>) {
      IntegerSumOp<T, Sum> op;
      op.result = signature.result;
      return make_pod_states(op);
    } else {
      check_failed(__FILE__, __LINE__, "integer type", "sums of whole numbers take whole numbers");
    }
  });
}

// `Sum`: what whole numbers are added in.
template <class Sum>
std::unique_ptr<GroupStates> make_sum_of(const AggregateSignature& signature) {
  switch (signature.arguments[0].id()) {
    case TypeId::decimal: {
      DecimalSumOp op;
      op.result = signature.result;
      op.limit = power_of_ten(signature.result.precision());
      return make_pod_states(op);
    }
    case TypeId::real:
      return make_pod_states(DoubleSumOp<float>{});
    case TypeId::double_:
      return make_pod_states(DoubleSumOp<double>{});
    case TypeId::year_month_interval: {
      MonthSumOp op;
      op.result = signature.result;
      return make_pod_states(op);
    }
    default:
      return make_integer_sum<Sum>(signature);
  }
}

bool is_summable_interval(const Type& type) {
  return type.id() == TypeId::year_month_interval || type.id() == TypeId::day_time_interval;
}

}  // namespace

Result<AggregateSignature> resolve_sum(AggregateTypes arguments, AggregateConstants) {
  FLOWRUN_RETURN_IF_ERROR(check_argument_count(arguments.size(), 1, 1));
  const Type& type = arguments[0];
  if (type.id() == TypeId::decimal) {
    return AggregateSignature{
        {type}, Type::decimal(std::min(kMaxPrecision, type.precision() + 10), type.scale())};
  }
  if (type.is_integral()) return AggregateSignature{{type}, Type::bigint()};
  if (type.is_floating()) return AggregateSignature{{type}, Type::double_()};
  if (is_summable_interval(type)) return AggregateSignature{{type}, type};
  FLOWRUN_TRY(const Type number, as_double(type));
  return AggregateSignature{{number}, number};
}

std::unique_ptr<GroupStates> make_sum(const AggregateSignature& signature, AggregateConstants) {
  return make_sum_of<int64_t>(signature);
}

std::unique_ptr<GroupStates> make_try_sum(const AggregateSignature& signature, AggregateConstants) {
  return make_sum_of<Decimal128>(signature);
}

Result<AggregateSignature> resolve_average(AggregateTypes arguments, AggregateConstants) {
  FLOWRUN_RETURN_IF_ERROR(check_argument_count(arguments.size(), 1, 1));
  const Type& type = arguments[0];
  if (type.id() == TypeId::decimal) {
    const int precision = std::min(kMaxPrecision, type.precision() + 4);
    return AggregateSignature{{type},
                              Type::decimal(precision, std::min(kMaxPrecision, type.scale() + 4))};
  }
  if (is_summable_interval(type)) return AggregateSignature{{type}, type};
  if (type.is_integral() || type.is_floating()) return AggregateSignature{{type}, Type::double_()};
  // A time is averaged as its seconds.
  if (type.id() == TypeId::timestamp) return AggregateSignature{{Type::double_()}, Type::double_()};
  FLOWRUN_TRY(const Type number, as_double(type));
  return AggregateSignature{{number}, number};
}

std::unique_ptr<GroupStates> make_average(const AggregateSignature& signature, AggregateConstants) {
  const Type& argument = signature.arguments[0];
  if (argument.id() == TypeId::decimal) {
    DecimalAverageOp op;
    op.result = signature.result;
    op.limit = power_of_ten(std::min(kMaxPrecision, argument.precision() + 10));
    op.result_limit = power_of_ten(signature.result.precision());
    op.extra_digits = signature.result.scale() - argument.scale();
    return make_pod_states(op);
  }
  return visit_fixed(argument.id(), [&](auto tag) -> std::unique_ptr<GroupStates> {
    using T = typename decltype(tag)::type;
    if constexpr (std::is_integral_v<T> || std::is_floating_point_v<T>) {
      if (is_summable_interval(argument)) {
        if constexpr (std::is_integral_v<T>)
          return make_pod_states(IntervalAverageOp<T>{signature.result});
      }
      return make_pod_states(AverageOp<T>{});
    } else {
      check_failed(__FILE__, __LINE__, "numeric type", "avg takes numbers");
    }
  });
}

}  // namespace flowrun
