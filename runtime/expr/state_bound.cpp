#include "runtime/expr/state_bound.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "runtime/expr/bound_expression.h"

namespace flowrun {

namespace {

constexpr double kMicros = 1e6;
constexpr double kMicrosPerMilli = 1e3;
constexpr double kDay = 24 * 3600 * kMicros;
constexpr int64_t kMillisecond = 1000;
constexpr int64_t kNoBound = int64_t{1} << 61;  // farther than any two times; sums do not overflow

// A sum of columns and a constant, in microseconds.
struct Sum {
  struct Term {
    size_t column;
    double sign;
  };
  std::vector<Term> terms;
  double constant = 0;
  double slack = 1;  // by how much casts, and days that have not 24 hours, may change it
};

std::optional<double> micros_of(const ConstantNode& node) {
  const Column& value = *node.value();
  if (value.is_null(0)) return std::nullopt;
  switch (node.type.id()) {
    case TypeId::timestamp:
      return static_cast<double>(value.values<int64_t>()[0]);
    case TypeId::day_time_interval:
      return static_cast<double>(value.values<int64_t>()[0]);
    case TypeId::decimal: {
      double scaled = static_cast<double>(value.values<Decimal128>()[0]) * kMicros;
      for (int i = 0; i < node.type.scale(); ++i) scaled /= 10;
      return scaled;
    }
    default:
      if (!node.type.is_numeric()) return std::nullopt;
      return visit_fixed(node.type.id(), [&](auto tag) -> double {
        using T = typename decltype(tag)::type;
        if constexpr (std::is_arithmetic_v<T>)
          return static_cast<double>(value.values<T>()[0]) * kMicros;
        return 0;  // not a number
      });
  }
}

// Adds `sign` times the node to the sum; false where it is no sum of times and constants.
bool collect(const TypedNode& node, double sign, Sum& sum) {
  if (const auto* constant = dynamic_cast<const ConstantNode*>(&node)) {
    const std::optional<double> micros = micros_of(*constant);
    sum.constant += sign * micros.value_or(0);
    if (node.type.id() == TypeId::day_time_interval && std::abs(micros.value_or(0)) >= kDay)
      sum.slack += 2 * kDay;
    return micros.has_value();
  }
  if (const auto* column = dynamic_cast<const ColumnNode*>(&node)) {
    sum.terms.push_back({column->index(), sign});
    return true;
  }
  if (dynamic_cast<const CastNode*>(&node)) {
    sum.slack += kMicros;
    return (node.type.is_numeric() || node.type.id() == TypeId::timestamp) &&
           collect(*node.children[0], sign, sum);
  }
  const auto* call = dynamic_cast<const CallNode*>(&node);
  if (!call) return false;
  const std::string& function = call->function();
  if (function == "unary -") return collect(*node.children[0], -sign, sum);
  const bool plus = function == "instant + interval" || function == "numeric +";
  const bool minus = function == "instant - interval" || function == "numeric -";
  return (plus || minus) && collect(*node.children[0], sign, sum) &&
         collect(*node.children[1], minus ? -sign : sign, sum);
}

// A comparison as `sum < 0`, or `sum <= 0`.
struct Inequality {
  Sum sum;
  bool inclusive = false;
};

std::optional<Inequality> as_inequality(const Expression& conjunct) {
  const auto* bound = dynamic_cast<const BoundExpression*>(&conjunct);
  const auto* call = bound ? dynamic_cast<const CallNode*>(bound->root().get()) : nullptr;
  if (!call || call->children.size() != 2) return std::nullopt;
  const std::string& function = call->function();
  const bool less = function == "compare <" || function == "compare <=";
  if (!less && function != "compare >" && function != "compare >=") return std::nullopt;
  Inequality inequality;
  inequality.inclusive = function.ends_with('=');
  if (!collect(*call->children[0], less ? 1 : -1, inequality.sum) ||
      !collect(*call->children[1], less ? -1 : 1, inequality.sum))
    return std::nullopt;
  return inequality;
}

}  // namespace

std::optional<StateBound> StateBound::find(const JoinCondition& condition, const Schema& joined,
                                           size_t num_left, Side side) {
  const auto is_own = [&](size_t column) { return (column < num_left) == (side == Side::left); };
  const auto is_time = [&](size_t column) {
    return joined.field(column).type.id() == TypeId::timestamp;
  };
  std::optional<StateBound> bound;
  for (const ExpressionPtr& conjunct : condition.rest) {
    const std::optional<Inequality> inequality = as_inequality(*conjunct);
    if (!inequality) continue;
    const std::vector<Sum::Term>& terms = inequality->sum.terms;
    const auto own =
        std::ranges::find_if(terms, [&](const Sum::Term& term) { return is_own(term.column); });
    if (own == terms.end() || own->sign > 0 || !is_time(own->column)) continue;
    const bool others_are_watermarked = std::ranges::all_of(terms, [&](const Sum::Term& term) {
      return &term == &*own || (!is_own(term.column) && is_time(term.column) &&
                                joined.field(term.column).watermark_delay);
    });
    if (!others_are_watermarked) continue;
    Comparison comparison{0, inequality->sum.constant, inequality->inclusive};
    for (const Sum::Term& term : terms) comparison.times += &term == &*own ? 0 : term.sign;
    const size_t column = own->column - (side == Side::left ? 0 : num_left);
    if (!bound) {
      bound.emplace();
      bound->column_ = column;
    }
    if (bound->column_ == column) bound->comparisons_.push_back(comparison);
  }
  return bound;
}

int64_t StateBound::at(int64_t watermark) const {
  if (watermark == std::numeric_limits<int64_t>::max()) return watermark;
  int64_t least = std::numeric_limits<int64_t>::max();
  for (const Comparison& comparison : comparisons_) {
    const double micros = comparison.times * static_cast<double>(watermark) + comparison.offset;
    const auto millis = static_cast<int64_t>(micros / kMicrosPerMilli);
    least = std::min(least, (comparison.inclusive ? millis - 1 : millis) * kMillisecond);
  }
  return least;
}

std::optional<TimeRange> TimeRange::find(const JoinCondition& condition, const Schema& joined,
                                         size_t num_left) {
  constexpr double kFarthest = 4e15;  // in a double every microsecond below is exact
  std::optional<TimeRange> range;
  for (const ExpressionPtr& conjunct : condition.rest) {
    const std::optional<Inequality> inequality = as_inequality(*conjunct);
    if (!inequality || inequality->sum.terms.size() != 2) continue;
    const Sum& sum = inequality->sum;
    const bool in_order = sum.terms[0].column < num_left;
    const Sum::Term& left = sum.terms[in_order ? 0 : 1];
    const Sum::Term& right = sum.terms[in_order ? 1 : 0];
    if (left.column >= num_left || right.column < num_left || left.sign == right.sign) continue;
    if (joined.field(left.column).type.id() != TypeId::timestamp ||
        joined.field(right.column).type.id() != TypeId::timestamp)
      continue;
    const double most = -sum.constant + sum.slack;  // of right - left, times the sign of right
    if (!(std::abs(most) < kFarthest)) continue;
    const size_t right_column = right.column - num_left;
    if (!range) range = TimeRange{left.column, right_column, -kNoBound, kNoBound};
    if (range->left != left.column || range->right != right_column) continue;
    if (right.sign > 0) {
      range->most = std::min(range->most, static_cast<int64_t>(std::ceil(most)));
    } else {
      range->least = std::max(range->least, -static_cast<int64_t>(std::ceil(most)));
    }
  }
  return range;
}

}  // namespace flowrun
