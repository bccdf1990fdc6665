// Approximate aggregates in bounded memory: approx_count_distinct, percentile_approx.

#include <algorithm>
#include <cmath>
#include <limits>

#include "runtime/expr/function_registry.h"
#include "runtime/expr/row_hash.h"
#include "runtime/state/aggregate_functions.h"
#include "runtime/state/aggregates/entry.h"
#include "runtime/state/aggregates/fractions.h"
#include "runtime/state/aggregates/hyperloglog.h"
#include "runtime/state/aggregates/pod_states.h"
#include "runtime/state/aggregates/quantile_summary.h"

namespace flowrun {

namespace {

constexpr double kDefaultDeviation = 0.05;
constexpr double kGreatestDeviation = 0.39;
class CountDistinctStates final : public GroupStates {
 public:
  explicit CountDistinctStates(int bits) : bits_(bits), width_(size_t{1} << bits) {}

  void resize(size_t groups) override { registers_.resize(groups * width_); }
  Status update(std::span<const uint32_t> groups, std::span<const ColumnPtr> arguments,
                std::span<const int32_t> selected, int64_t sequence) override {
    const UpdateRows rows{groups, arguments, selected, sequence};
    rows.for_each_valid(*arguments[0], [&](int64_t i) {
      constexpr int64_t kSeed = 42;
      const int64_t hash = RowHasher<XxHash>::value(*arguments[0], i, kSeed);
      hyperloglog_add(static_cast<uint64_t>(hash), bits_, group_registers(rows.group(i)));
    });
    return {};
  }
  Status merge(std::span<const uint32_t> groups, const GroupStates& from,
               std::span<const uint32_t> from_groups) override {
    const auto& others = static_cast<const CountDistinctStates&>(from).registers_;
    for (size_t i = 0; i < groups.size(); ++i) {
      for (size_t r = 0; r < width_; ++r) {
        uint8_t& held = registers_[groups[i] * width_ + r];
        held = std::max(held, others[from_groups[i] * width_ + r]);
      }
    }
    return {};
  }
  [[nodiscard]] Result<ColumnPtr> result(std::span<const uint32_t> groups) const override {
    FixedBuilder<int64_t> builder(Type::bigint());
    for (const uint32_t group : groups) {
      builder.append(
          hyperloglog_estimate(std::span(registers_).subspan(group * width_, width_), bits_));
    }
    return builder.finish();
  }
  void keep(std::span<const uint32_t> groups) override {
    std::vector<uint8_t> kept;
    for (const uint32_t group : groups) {
      const auto begin = registers_.begin() + static_cast<std::ptrdiff_t>(group * width_);
      kept.insert(kept.end(), begin, begin + static_cast<std::ptrdiff_t>(width_));
    }
    registers_ = std::move(kept);
  }
  void clear() override { registers_.clear(); }
  [[nodiscard]] int64_t memory_bytes() const override {
    return static_cast<int64_t>(registers_.capacity());
  }
  [[nodiscard]] Result<std::vector<ColumnPtr>> save(
      std::span<const uint32_t> groups) const override {
    return std::vector<ColumnPtr>{save_bytes(registers_.data(), width_, groups)};
  }
  Status load(std::span<const ColumnPtr> columns) override {
    FLOWRUN_RETURN_IF_ERROR(check_bytes(columns, width_));
    for (int64_t i = 0; i < columns[0]->size(); ++i) {
      const std::string_view bytes = columns[0]->string(i);
      registers_.insert(registers_.end(), bytes.begin(), bytes.end());
    }
    return {};
  }

 private:
  [[nodiscard]] std::span<uint8_t> group_registers(size_t group) {
    return std::span(registers_).subspan(group * width_, width_);
  }

  int bits_;
  size_t width_;  // registers per group
  std::vector<uint8_t> registers_;
};

class ApproximatePercentileStates final : public GroupStates {
 public:
  ApproximatePercentileStates(Type value, Type result, Fractions fractions, double relative_error)
      : value_(std::move(value)),
        result_(std::move(result)),
        fractions_(std::move(fractions)),
        relative_error_(relative_error) {}

  void resize(size_t groups) override { summaries_.resize(groups); }
  Status update(std::span<const uint32_t> groups, std::span<const ColumnPtr> arguments,
                std::span<const int32_t> selected, int64_t sequence) override {
    const UpdateRows rows{groups, arguments, selected, sequence};
    const Column& values = *arguments[0];
    rows.for_each_valid(values, [&](int64_t i) {
      summaries_[rows.group(i)].insert(number_at(values, i), relative_error_);
    });
    return {};
  }
  Status merge(std::span<const uint32_t> groups, const GroupStates& from,
               std::span<const uint32_t> from_groups) override {
    const auto& others = static_cast<const ApproximatePercentileStates&>(from).summaries_;
    for (size_t i = 0; i < groups.size(); ++i)
      summaries_[groups[i]].merge(others[from_groups[i]], relative_error_);
    return {};
  }
  [[nodiscard]] Result<ColumnPtr> result(std::span<const uint32_t> groups) const override {
    const std::vector<QuantileSummary> summaries = flushed(groups);
    return fractions_.build(result_, groups.size(),
                            [&](size_t place, double fraction, ColumnBuilder& out) {
                              if (summaries[place].empty()) return false;
                              append(summaries[place].query(fraction, relative_error_), out);
                              return true;
                            });
  }
  void keep(std::span<const uint32_t> groups) override {
    std::vector<QuantileSummary> kept;
    for (const uint32_t group : groups) kept.push_back(std::move(summaries_[group]));
    summaries_ = std::move(kept);
  }
  void clear() override { summaries_.clear(); }
  [[nodiscard]] int64_t memory_bytes() const override {
    int64_t bytes = 0;
    for (const QuantileSummary& summary : summaries_) bytes += summary.memory_bytes();
    return bytes;
  }
  [[nodiscard]] Result<std::vector<ColumnPtr>> save(
      std::span<const uint32_t> groups) const override {
    StringBuilder builder(TypeId::binary);
    for (const QuantileSummary& summary : flushed(groups)) {
      std::string bytes;
      summary.save(bytes);
      builder.append(bytes);
    }
    return std::vector<ColumnPtr>{builder.finish()};
  }
  Status load(std::span<const ColumnPtr> columns) override {
    for (int64_t i = 0; i < columns[0]->size(); ++i)
      summaries_.push_back(QuantileSummary::load(columns[0]->string(i)));
    return {};
  }

 private:
  [[nodiscard]] std::vector<QuantileSummary> flushed(std::span<const uint32_t> groups) const {
    std::vector<QuantileSummary> summaries;
    for (const uint32_t group : groups)
      summaries.emplace_back(summaries_[group]).flush(relative_error_);
    return summaries;
  }
  void append(double value, ColumnBuilder& out) const {
    visit_fixed(value_.id(), [&](auto tag) {
      using T = typename decltype(tag)::type;
      if constexpr (std::is_same_v<T, CalendarInterval>) {
        out.append_null();
      } else if constexpr (std::is_same_v<T, Decimal128>) {
        static_cast<FixedBuilder<T>&>(out).append(
            static_cast<T>(std::round(value * std::pow(10.0, value_.scale()))));
      } else {
        static_cast<FixedBuilder<T>&>(out).append(static_cast<T>(value));
      }
    });
  }

  Type value_;
  Type result_;
  Fractions fractions_;
  double relative_error_;
  std::vector<QuantileSummary> summaries_;
};

Result<AggregateSignature> resolve_count_distinct(AggregateTypes arguments,
                                                  AggregateConstants constants) {
  FLOWRUN_RETURN_IF_ERROR(check_argument_count(arguments.size(), 1, 2));
  if (arguments.size() == 1) return AggregateSignature{{arguments[0]}, Type::bigint(), false};
  const bool number = constants[1] && arguments[1].is_numeric() && !constants[1]->is_null(0);
  const double deviation = number ? number_at(*constants[1], 0) : 0;
  if (!(deviation > 0 && deviation <= kGreatestDeviation)) {
    return Error::invalid(
        "takes as its second argument the relative error wanted, above 0 and at most 0.39");
  }
  return AggregateSignature{{arguments[0], arguments[1]}, Type::bigint(), false};
}

std::unique_ptr<GroupStates> make_count_distinct(const AggregateSignature&,
                                                 AggregateConstants constants) {
  const double deviation = constants.size() == 2 ? number_at(*constants[1], 0) : kDefaultDeviation;
  return std::make_unique<CountDistinctStates>(hyperloglog_register_bits(deviation));
}

Result<AggregateSignature> resolve_approximate(AggregateTypes arguments,
                                               AggregateConstants constants) {
  FLOWRUN_RETURN_IF_ERROR(check_argument_count(arguments.size(), 2, 3));
  Type value = arguments[0];
  if (value.id() == TypeId::string || value.id() == TypeId::null) value = Type::double_();
  const bool fits = value.is_numeric() || value.id() == TypeId::date ||
                    value.id() == TypeId::timestamp || value.id() == TypeId::year_month_interval ||
                    value.id() == TypeId::day_time_interval;
  if (!fits) return unexpected_type("numbers, dates, times or intervals", value);
  FLOWRUN_TRY(const Fractions fractions, Fractions::from_constant(constants[1]));
  AggregateSignature signature{{value, arguments[1]}, fractions.result_of(value)};
  if (arguments.size() == 3) {
    const bool whole = constants[2] && arguments[2].is_integral() && !constants[2]->is_null(0);
    const double accuracy = whole ? number_at(*constants[2], 0) : 0;
    if (accuracy <= 0 || accuracy > std::numeric_limits<int32_t>::max()) {
      return Error::invalid(
          "takes as its third argument the accuracy, a constant whole number above 0");
    }
    signature.arguments.push_back(arguments[2]);
  }
  return signature;
}

std::unique_ptr<GroupStates> make_approximate(const AggregateSignature& signature,
                                              AggregateConstants constants) {
  const double accuracy = constants.size() == 3 ? number_at(*constants[2], 0) : 10'000;
  return std::make_unique<ApproximatePercentileStates>(signature.arguments[0], signature.result,
                                                       *Fractions::from_constant(constants[1]),
                                                       1 / accuracy);
}

NameAggregate name_approximate(std::string name) {
  return [name = std::move(name)](std::span<const std::string> arguments, bool distinct) {
    std::string text = name + (distinct ? "(DISTINCT " : "(");
    for (const std::string& argument : arguments) text += argument + ", ";
    if (arguments.size() == 2) return text + "10000)";  // the default accuracy shows
    text.resize(text.size() - 2);
    return text + ")";
  };
}

}  // namespace

void register_sketch_aggregates(FunctionRegistry& registry) {
  registry.add(aggregate_entry(
      "approx_count_distinct",
      "approx_count_distinct(x[, error]): about how many distinct values, by HyperLogLog++.",
      resolve_count_distinct, make_count_distinct));
  for (const char* name : {"percentile_approx", "approx_percentile"}) {
    registry.add(aggregate_entry(
        name,
        std::string(name) +
            "(x, fraction[, accuracy]): a value below which about that fraction lies, its "
            "rank off by at most 1/accuracy of the rows; an array of fractions gives an array.",
        resolve_approximate, make_approximate, name_approximate(name)));
  }
}

}  // namespace flowrun
