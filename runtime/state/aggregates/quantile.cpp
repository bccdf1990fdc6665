// Exact order statistics: percentile and its kin, median, mode. They keep every distinct value with
// its count.

#include <algorithm>
#include <cmath>

#include "runtime/expr/function_registry.h"
#include "runtime/state/aggregate_functions.h"
#include "runtime/state/aggregates/entry.h"
#include "runtime/state/aggregates/extreme.h"
#include "runtime/state/aggregates/fractions.h"
#include "runtime/state/aggregates/pod_states.h"
#include "runtime/state/grouped_values.h"

namespace flowrun {

namespace {

class CountedValues : public GroupStates {
 public:
  explicit CountedValues(const Type& type) : values_({type}) {}

  void resize(size_t groups) override { values_.resize(groups); }
  // A second argument counts a row so many times.
  Status update(std::span<const uint32_t> groups, std::span<const ColumnPtr> arguments,
                std::span<const int32_t> selected, int64_t sequence) override {
    const Column* frequencies = arguments.size() == 3 ? arguments[2].get() : nullptr;
    std::vector<uint32_t> chosen;
    std::vector<int32_t> rows;
    std::vector<int64_t> counts;
    bool negative = false;
    const UpdateRows all{groups, arguments, selected, sequence};
    all.for_each_valid(*arguments[0], [&](int64_t i) {
      if (frequencies && frequencies->is_null(i)) return;
      const int64_t count =
          frequencies ? frequencies->values<int64_t>()[static_cast<size_t>(i)] : 1;
      negative |= count < 0;
      if (count == 0) return;
      chosen.push_back(groups[static_cast<size_t>(i)]);
      rows.push_back(static_cast<int32_t>(i));
      counts.push_back(count);
    });
    if (negative)
      return Error::data("a frequency is negative — percentile counts a row zero times or more");
    add(chosen, std::vector<ColumnPtr>{take(*arguments[0], rows)}, counts);
    return {};
  }
  Status merge(std::span<const uint32_t> groups, const GroupStates& from,
               std::span<const uint32_t> from_groups) override {
    const auto& others = static_cast<const CountedValues&>(from);
    GroupedValues::Picked picked = others.values_.pick(from_groups);
    std::vector<int64_t> counts;
    for (const uint32_t value : picked.values) counts.push_back(others.counts_[value]);
    for (uint32_t& place : picked.places) place = groups[place];
    add(picked.places, others.values_.columns(picked.values), counts);
    return {};
  }
  void keep(std::span<const uint32_t> groups) override {
    std::vector<int64_t> kept;
    for (const uint32_t value : values_.keep(groups)) kept.push_back(counts_[value]);
    counts_ = std::move(kept);
  }
  void clear() override {
    values_.clear();
    counts_.clear();
  }
  [[nodiscard]] int64_t memory_bytes() const override {
    return values_.memory_bytes() + static_cast<int64_t>(counts_.capacity() * sizeof(int64_t));
  }
  [[nodiscard]] Result<std::vector<ColumnPtr>> save(
      std::span<const uint32_t> groups) const override {
    return std::vector<ColumnPtr>{values_.save(groups, [&](uint32_t value, std::string& out) {
      out.append(reinterpret_cast<const char*>(&counts_[value]), sizeof(int64_t));
    })};
  }
  Status load(std::span<const ColumnPtr> columns) override {
    values_.load(*columns[0], [&](uint32_t value, std::string_view& bytes) {
      counts_.resize(std::max<size_t>(counts_.size(), value + 1));
      std::memcpy(&counts_[value], bytes.data(), sizeof(int64_t));
      bytes.remove_prefix(sizeof(int64_t));
    });
    return {};
  }

 protected:
  // One group's values in ascending order: rows of `column`, and how often each came.
  struct Sorted {
    std::vector<int64_t> rows;
    std::vector<int64_t> counts;
  };
  [[nodiscard]] std::vector<Sorted> sorted(std::span<const uint32_t> groups,
                                           ColumnPtr& column) const {
    const GroupedValues::Picked picked = values_.pick(groups);
    column = values_.columns(picked.values)[0];
    std::vector<Sorted> result(groups.size());
    for (size_t i = 0; i < picked.places.size(); ++i)
      result[picked.places[i]].rows.push_back(static_cast<int64_t>(i));
    for (Sorted& group : result) {
      std::ranges::sort(group.rows, [&](int64_t a, int64_t b) {
        return compare_rows(*column, a, *column, b) < 0;
      });
      for (const int64_t row : group.rows)
        group.counts.push_back(counts_[picked.values[static_cast<size_t>(row)]]);
    }
    return result;
  }

 private:
  void add(std::span<const uint32_t> groups, std::span<const ColumnPtr> values,
           std::span<const int64_t> counts) {
    const std::vector<uint32_t> numbers = values_.add(groups, values);
    counts_.resize(values_.size());
    for (size_t i = 0; i < numbers.size(); ++i) counts_[numbers[i]] += counts[i];
  }

  GroupedValues values_;
  std::vector<int64_t> counts_;
};

enum class Percentile : uint8_t {
  interpolated,  // between the two values nearest to the place (n - 1) * fraction
  discrete,      // the first value that so large a part of all is not after
};

class PercentileStates final : public CountedValues {
 public:
  PercentileStates(Type result, Fractions fractions, Percentile kind = Percentile::interpolated,
                   bool descending = false)
      : CountedValues(Type::double_()),
        result_(std::move(result)),
        fractions_(std::move(fractions)),
        kind_(kind),
        descending_(descending) {}

  [[nodiscard]] Result<ColumnPtr> result(std::span<const uint32_t> groups) const override {
    ColumnPtr column;
    const std::vector<Sorted> sorted_groups = sorted(groups, column);
    return fractions_.build(
        result_, groups.size(), [&](size_t place, double fraction, ColumnBuilder& out) {
          const Sorted& group = sorted_groups[place];
          if (group.rows.empty()) return false;
          static_cast<FixedBuilder<double>&>(out).append(percentile(group, *column, fraction));
          return true;
        });
  }

 private:
  [[nodiscard]] double percentile(const Sorted& group, const Column& column,
                                  double fraction) const {
    int64_t total = 0;
    for (const int64_t count : group.counts) total += count;
    const auto value_at = [&](int64_t index) {
      return ascending_value(group, column, descending_ ? total - 1 - index : index);
    };
    if (kind_ == Percentile::discrete) {
      const auto place = static_cast<int64_t>(std::ceil(static_cast<double>(total) * fraction));
      return value_at(std::max<int64_t>(place - 1, 0));
    }
    const double position = static_cast<double>(total - 1) * fraction;
    const double below = std::floor(position);
    const double above = std::ceil(position);
    const double low = value_at(static_cast<int64_t>(below));
    const double high = value_at(static_cast<int64_t>(above));
    if (below == above || low == high) return low;
    return (above - position) * low + (position - below) * high;
  }
  static double ascending_value(const Sorted& group, const Column& column, int64_t index) {
    size_t i = 0;
    for (; i + 1 < group.rows.size() && index >= group.counts[i]; ++i) index -= group.counts[i];
    return column.values<double>()[static_cast<size_t>(group.rows[i])];
  }

  Type result_;
  Fractions fractions_;
  Percentile kind_;
  bool descending_;
};

// Of several values that came equally often the least.
class ModeStates final : public CountedValues {
 public:
  explicit ModeStates(const Type& type) : CountedValues(type) {}

  Status update(std::span<const uint32_t> groups, std::span<const ColumnPtr> arguments,
                std::span<const int32_t> selected, int64_t sequence) override {
    return CountedValues::update(groups, arguments.first(1), selected, sequence);
  }
  [[nodiscard]] Result<ColumnPtr> result(std::span<const uint32_t> groups) const override {
    ColumnPtr column;
    std::vector<int32_t> rows;
    for (const Sorted& group : sorted(groups, column)) {
      const auto most = std::ranges::max_element(group.counts);
      rows.push_back(
          most == group.counts.end()
              ? -1
              : static_cast<int32_t>(group.rows[static_cast<size_t>(most - group.counts.begin())]));
    }
    return take(*column, rows);
  }
};

Result<AggregateSignature> resolve_percentile(AggregateTypes arguments,
                                              AggregateConstants constants) {
  FLOWRUN_RETURN_IF_ERROR(check_argument_count(arguments.size(), 2, 3));
  FLOWRUN_TRY(Type number, as_double(arguments[0]));
  FLOWRUN_TRY(const Fractions fractions, Fractions::from_constant(constants[1]));
  AggregateSignature signature{{std::move(number), fractions.type()},
                               fractions.result_of(Type::double_())};
  if (arguments.size() == 3) {
    if (!arguments[2].is_integral())
      return unexpected_type("a whole number as its third argument", arguments[2]);
    signature.arguments.push_back(Type::bigint());
  }
  return signature;
}

std::unique_ptr<GroupStates> make_percentile(const AggregateSignature& signature,
                                             AggregateConstants constants) {
  return std::make_unique<PercentileStates>(signature.result,
                                            *Fractions::from_constant(constants[1]));
}

Result<AggregateSignature> resolve_percentile_of(AggregateTypes arguments,
                                                 AggregateConstants constants) {
  FLOWRUN_RETURN_IF_ERROR(check_argument_count(arguments.size(), 2, 2));
  return resolve_percentile(arguments, constants);
}

template <Percentile kKind>
std::unique_ptr<GroupStates> make_percentile_of(const AggregateSignature& signature,
                                                AggregateConstants constants) {
  return std::make_unique<PercentileStates>(signature.result,
                                            *Fractions::from_constant(constants[1]), kKind,
                                            signature.order[0].descending);
}

Result<AggregateSignature> resolve_median(AggregateTypes arguments, AggregateConstants) {
  FLOWRUN_RETURN_IF_ERROR(check_argument_count(arguments.size(), 1, 1));
  FLOWRUN_TRY(Type number, as_double(arguments[0]));
  return AggregateSignature{{std::move(number)}, Type::double_()};
}

std::unique_ptr<GroupStates> make_median(const AggregateSignature& signature, AggregateConstants) {
  return std::make_unique<PercentileStates>(signature.result, Fractions::of(0.5));
}

Result<AggregateSignature> resolve_mode(AggregateTypes arguments, AggregateConstants constants) {
  FLOWRUN_RETURN_IF_ERROR(check_argument_count(arguments.size(), 1, 2));
  FLOWRUN_RETURN_IF_ERROR(check_orderable(arguments[0]));
  if (arguments.size() == 1) return AggregateSignature{{arguments[0]}, arguments[0]};
  if (arguments[1].id() != TypeId::boolean || !constants[1]) {
    return Error::invalid(
        "takes `true` or `false` as its second argument: whether the least of several is taken");
  }
  return AggregateSignature{{arguments[0], Type::boolean()}, arguments[0]};
}

std::unique_ptr<GroupStates> make_mode(const AggregateSignature& signature, AggregateConstants) {
  return std::make_unique<ModeStates>(signature.result);
}

std::string name_percentile(std::span<const std::string> arguments, bool distinct) {
  std::string text = distinct ? "percentile(DISTINCT " : "percentile(";
  for (const std::string& argument : arguments) text += argument + ", ";
  if (arguments.size() == 2) return text + "1)";  // the default frequency shows
  text.resize(text.size() - 2);
  return text + ")";
}

std::string name_mode(std::span<const std::string> arguments, bool distinct) {
  if (arguments.size() == 2 && names_equal(arguments[1], "true")) {
    return "mode() WITHIN GROUP (ORDER BY " + arguments[0] + " DESC)";
  }
  return std::string(distinct ? "mode(DISTINCT " : "mode(") +
         (arguments.empty() ? "" : arguments[0]) + ")";
}

}  // namespace

void register_quantile_aggregates(FunctionRegistry& registry) {
  registry.add(aggregate_entry(
      "percentile",
      "percentile(x, fraction[, frequency]): the exact, interpolated value below which that "
      "fraction lies; an array of fractions gives an array.",
      resolve_percentile, make_percentile, name_percentile));
  registry.add(aggregate_entry(
      "percentile_cont",
      "percentile_cont(fraction) within group (order by x [desc]): as percentile(x, fraction), "
      "counted in that order.",
      resolve_percentile_of, make_percentile_of<Percentile::interpolated>, nullptr,
      AggregateFunction::OrderUse::value));
  registry.add(aggregate_entry(
      "percentile_disc",
      "percentile_disc(fraction) within group (order by x [desc]): the first of the values that "
      "has that fraction of all up to it.",
      resolve_percentile_of, make_percentile_of<Percentile::discrete>, nullptr,
      AggregateFunction::OrderUse::value));
  registry.add(
      aggregate_entry("median", "median(x): percentile(x, 0.5).", resolve_median, make_median));
  registry.add(aggregate_entry("mode", "mode(x[, deterministic]): the value that came most often.",
                               resolve_mode, make_mode, name_mode));
}

}  // namespace flowrun
