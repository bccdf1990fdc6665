// Variance and higher moments, and what pairs of values have in common.
//
// One pass, numerically stable, mergeable: Pébay, "Formulas for Robust, One-Pass Parallel
// Computation of Covariances and Arbitrary-Order Statistical Moments" (2008), as Spark has it.

#include <cmath>

#include "runtime/expr/function_registry.h"
#include "runtime/state/aggregate_functions.h"
#include "runtime/state/aggregates/entry.h"
#include "runtime/state/aggregates/pod_states.h"

namespace flowrun {

namespace {

struct Moments {
  double count = 0;
  double mean = 0;
  double m2 = 0;  // sums of the deviations' powers
  double m3 = 0;
  double m4 = 0;
};

void merge_moments(Moments& into, const Moments& from) {
  if (from.count == 0) return;
  if (into.count == 0) {
    into = from;
    return;
  }
  const double na = into.count;
  const double nb = from.count;
  const double n = na + nb;
  const double delta = from.mean - into.mean;
  const double delta_n = delta / n;
  const Moments a = into;
  into.count = n;
  into.mean = a.mean + delta_n * nb;
  into.m2 = a.m2 + from.m2 + delta * delta_n * na * nb;
  into.m3 = a.m3 + from.m3 + delta_n * delta_n * delta * na * nb * (na - nb) +
            3 * delta_n * (na * from.m2 - nb * a.m2);
  into.m4 = a.m4 + from.m4 +
            delta_n * delta_n * delta_n * delta * na * nb * (na * na - na * nb + nb * nb) +
            6 * delta_n * delta_n * (na * na * from.m2 + nb * nb * a.m2) +
            4 * delta_n * (na * from.m3 - nb * a.m3);
}

// nullopt: the result is null.
using MomentResult = std::optional<double> (*)(const Moments&);

std::optional<double> over(double value, double divisor) {
  return divisor == 0 ? std::nullopt : std::optional(value / divisor);
}
std::optional<double> variance_population(const Moments& m) { return over(m.m2, m.count); }
std::optional<double> variance_sample(const Moments& m) {
  return m.count == 0 ? std::nullopt : over(m.m2, m.count - 1);
}
std::optional<double> root(std::optional<double> value) {
  return value ? std::optional(std::sqrt(*value)) : value;
}
std::optional<double> deviation_population(const Moments& m) {
  return root(variance_population(m));
}
std::optional<double> deviation_sample(const Moments& m) { return root(variance_sample(m)); }
std::optional<double> skewness(const Moments& m) {
  return m.count == 0 ? std::nullopt
                      : over(std::sqrt(m.count) * m.m3, std::sqrt(m.m2 * m.m2 * m.m2));
}
std::optional<double> kurtosis(const Moments& m) {
  const auto ratio = m.count == 0 ? std::nullopt : over(m.count * m.m4, m.m2 * m.m2);
  return ratio ? std::optional(*ratio - 3) : ratio;
}

struct MomentOp {
  using State = Moments;
  using Builder = FixedBuilder<double>;
  Type result = Type::double_();
  MomentResult compute;

  void update(std::span<State> states, const UpdateRows& rows) const {
    const std::span<const double> values = rows.arguments[0]->values<double>();
    rows.for_each_valid(*rows.arguments[0], [&](int64_t i) {
      add(states[rows.group(i)], values[static_cast<size_t>(i)]);
    });
  }
  void merge(State& into, const State& from) const { merge_moments(into, from); }
  void finish(const State& state, Builder& out) const {
    const std::optional<double> value = compute(state);
    value ? out.append(*value) : out.append_null();
  }

 private:
  static void add(Moments& m, double value) {
    m.count += 1;
    const double n = m.count;
    const double delta = value - m.mean;
    const double delta_n = delta / n;
    m.mean += delta_n;
    const double m2 = m.m2 + delta * (delta - delta_n);
    const double m3 = m.m3 - 3 * delta_n * m2 + delta * (delta * delta - delta_n * delta_n);
    m.m4 = m.m4 - 4 * delta_n * m3 - 6 * delta_n * delta_n * m2 +
           delta * (delta * delta * delta - delta_n * delta_n * delta_n);
    m.m3 = m3;
    m.m2 = m2;
  }
};

// Of pairs (x, y) in which neither is null.
struct Pairs {
  double count = 0;
  double mean_x = 0;
  double mean_y = 0;
  double product = 0;  // sum of the products of both deviations
  double square_x = 0;
  double square_y = 0;
};

using PairResult = std::optional<double> (*)(const Pairs&);

std::optional<double> covariance_population(const Pairs& p) { return over(p.product, p.count); }
std::optional<double> covariance_sample(const Pairs& p) {
  return p.count == 0 ? std::nullopt : over(p.product, p.count - 1);
}
std::optional<double> correlation(const Pairs& p) {
  if (p.count < 2) return std::nullopt;
  return over(p.product, std::sqrt(p.square_x * p.square_y));
}
// The regr_ functions take (y, x): the first argument depends on the second.
std::optional<double> regression_average_x(const Pairs& p) {
  return p.count == 0 ? std::nullopt : std::optional(p.mean_y);
}
std::optional<double> regression_average_y(const Pairs& p) {
  return p.count == 0 ? std::nullopt : std::optional(p.mean_x);
}
std::optional<double> regression_sxx(const Pairs& p) {
  return p.count == 0 ? std::nullopt : std::optional(p.square_y);
}
std::optional<double> regression_syy(const Pairs& p) {
  return p.count == 0 ? std::nullopt : std::optional(p.square_x);
}
std::optional<double> regression_sxy(const Pairs& p) {
  return p.count == 0 ? std::nullopt : std::optional(p.product);
}
std::optional<double> regression_slope(const Pairs& p) { return over(p.product, p.square_y); }
std::optional<double> regression_intercept(const Pairs& p) {
  const auto slope = regression_slope(p);
  return slope ? std::optional(p.mean_x - *slope * p.mean_y) : slope;
}
std::optional<double> regression_r2(const Pairs& p) {
  if (p.square_y == 0) return std::nullopt;
  if (p.square_x == 0) return 1;
  const double r = p.product / std::sqrt(p.square_x * p.square_y);
  return r * r;
}

struct PairOp {
  using State = Pairs;
  using Builder = FixedBuilder<double>;
  Type result = Type::double_();
  PairResult compute;

  void update(std::span<State> states, const UpdateRows& rows) const {
    const std::span<const double> x = rows.arguments[0]->values<double>();
    const std::span<const double> y = rows.arguments[1]->values<double>();
    rows.for_each_complete([&](int64_t i) {
      add(states[rows.group(i)], x[static_cast<size_t>(i)], y[static_cast<size_t>(i)]);
    });
  }
  void merge(State& into, const State& from) const {
    if (from.count == 0) return;
    if (into.count == 0) {
      into = from;
      return;
    }
    const Pairs a = into;
    const double n = a.count + from.count;
    const double delta_x = from.mean_x - a.mean_x;
    const double delta_y = from.mean_y - a.mean_y;
    const double delta_x_n = delta_x / n;
    const double delta_y_n = delta_y / n;
    into.count = n;
    into.mean_x = a.mean_x + delta_x_n * from.count;
    into.mean_y = a.mean_y + delta_y_n * from.count;
    into.product = a.product + from.product + delta_x * delta_y_n * a.count * from.count;
    into.square_x = a.square_x + from.square_x + delta_x * delta_x_n * a.count * from.count;
    into.square_y = a.square_y + from.square_y + delta_y * delta_y_n * a.count * from.count;
  }
  void finish(const State& state, Builder& out) const {
    const std::optional<double> value = compute(state);
    value ? out.append(*value) : out.append_null();
  }

 private:
  static void add(Pairs& p, double x, double y) {
    p.count += 1;
    const double delta_x = x - p.mean_x;
    const double delta_y = y - p.mean_y;
    const double delta_y_n = delta_y / p.count;
    p.mean_x += delta_x / p.count;
    p.mean_y += delta_y_n;
    p.product += delta_x * (y - p.mean_y);
    p.square_x += delta_x * (x - p.mean_x);
    p.square_y += delta_y * (y - p.mean_y);
  }
};

template <size_t kCount>
Result<AggregateSignature> resolve_doubles(AggregateTypes arguments, AggregateConstants) {
  FLOWRUN_RETURN_IF_ERROR(check_argument_count(arguments.size(), kCount, kCount));
  AggregateSignature signature{{}, Type::double_()};
  for (const Type& type : arguments) {
    FLOWRUN_TRY(Type number, as_double(type));
    signature.arguments.push_back(std::move(number));
  }
  return signature;
}

template <MomentResult kCompute>
std::unique_ptr<GroupStates> make_moment(const AggregateSignature&, AggregateConstants) {
  return make_pod_states(MomentOp{.compute = kCompute});
}

template <PairResult kCompute>
std::unique_ptr<GroupStates> make_pair(const AggregateSignature&, AggregateConstants) {
  return make_pod_states(PairOp{.compute = kCompute});
}

struct PairCountOp {
  struct State {
    int64_t count = 0;
  };
  using Builder = FixedBuilder<int64_t>;
  Type result = Type::bigint();
  void update(std::span<State> states, const UpdateRows& rows) const {
    rows.for_each_complete([&](int64_t i) { ++states[rows.group(i)].count; });
  }
  void merge(State& into, const State& from) const { into.count += from.count; }
  void finish(const State& state, Builder& out) const { out.append(state.count); }
};

Result<AggregateSignature> resolve_pair_count(AggregateTypes arguments,
                                              AggregateConstants constants) {
  FLOWRUN_TRY(AggregateSignature signature, resolve_doubles<2>(arguments, constants));
  signature.result = Type::bigint();
  signature.nullable = false;
  return signature;
}

struct Entry {
  const char* name;
  const char* doc;
  MakeGroupStates make;
};

}  // namespace

void register_moment_aggregates(FunctionRegistry& registry) {
  for (const Entry& entry : {
           Entry{"var_pop", "var_pop(x): the variance of all values.",
                 make_moment<variance_population>},
           Entry{"var_samp", "var_samp(x): the variance estimated from a sample.",
                 make_moment<variance_sample>},
           Entry{"variance", "variance(x): var_samp(x) by another name.",
                 make_moment<variance_sample>},
           Entry{"stddev_pop", "stddev_pop(x): the standard deviation of all values.",
                 make_moment<deviation_population>},
           Entry{"stddev_samp", "stddev_samp(x): the standard deviation estimated from a sample.",
                 make_moment<deviation_sample>},
           Entry{"stddev", "stddev(x): stddev_samp(x) by another name.",
                 make_moment<deviation_sample>},
           Entry{"std", "std(x): stddev_samp(x) by another name.", make_moment<deviation_sample>},
           Entry{"skewness", "skewness(x): how far the values lean to one side.",
                 make_moment<skewness>},
           Entry{"kurtosis", "kurtosis(x): how heavy the tails are, 0 for a normal distribution.",
                 make_moment<kurtosis>},
       }) {
    registry.add(aggregate_entry(entry.name, entry.doc, resolve_doubles<1>, entry.make));
  }
  for (const Entry& entry : {
           Entry{"covar_pop", "covar_pop(x, y): the covariance of all pairs.",
                 make_pair<covariance_population>},
           Entry{"covar_samp", "covar_samp(x, y): the covariance estimated from a sample.",
                 make_pair<covariance_sample>},
           Entry{"corr", "corr(x, y): Pearson's correlation.", make_pair<correlation>},
           Entry{"regr_avgx", "regr_avgx(y, x): the mean of x over the pairs.",
                 make_pair<regression_average_x>},
           Entry{"regr_avgy", "regr_avgy(y, x): the mean of y over the pairs.",
                 make_pair<regression_average_y>},
           Entry{"regr_sxx", "regr_sxx(y, x): the sum of squared deviations of x.",
                 make_pair<regression_sxx>},
           Entry{"regr_syy", "regr_syy(y, x): the sum of squared deviations of y.",
                 make_pair<regression_syy>},
           Entry{"regr_sxy", "regr_sxy(y, x): the sum of the products of both deviations.",
                 make_pair<regression_sxy>},
           Entry{"regr_slope", "regr_slope(y, x): the slope of the line of least squares.",
                 make_pair<regression_slope>},
           Entry{"regr_intercept", "regr_intercept(y, x): where that line meets x = 0.",
                 make_pair<regression_intercept>},
           Entry{"regr_r2", "regr_r2(y, x): the share of y's variance that the line explains.",
                 make_pair<regression_r2>},
       }) {
    registry.add(aggregate_entry(entry.name, entry.doc, resolve_doubles<2>, entry.make));
  }
  registry.add(aggregate_entry("regr_count", "regr_count(y, x): how many pairs have no null.",
                               resolve_pair_count,
                               [](const AggregateSignature&, AggregateConstants) {
                                 return make_pod_states(PairCountOp{});
                               }));
}

}  // namespace flowrun
