// sort: the rows of a complete result in order.

#include <algorithm>
#include <numeric>

#include "runtime/operator/option_specs.h"
#include "runtime/operator/ordered_rows.h"
#include "runtime/operator/pending_rows.h"
#include "runtime/operator/registry.h"
#include "runtime/operator/sort_key.h"

namespace flowrun {

namespace {

OperatorSpec spec() {
  using namespace option;
  OperatorSpec spec;
  spec.name = "sort";
  spec.summary = "Puts the rows of a complete result in order.";
  spec.doc =
      "Only in `complete` mode behind an aggregation: a stream has no end by which it could be "
      "sorted. Ascending with "
      "nulls first, unless told `desc` (nulls last), `nulls first` or `nulls last`. NaN is the "
      "greatest number.";
  spec.primary = list_of(
      text("sort", "a column, perhaps with `asc` or `desc`, `nulls first` or `nulls last`"));
  spec.examples = {{"Most frequent first", "sorted: { from: counts, sort: [count desc, gt] }\n"}};
  return spec;
}

class Sort final : public Stateful {
 public:
  Sort(std::vector<OptionValue> options, const ExpressionEnvironment& environment)
      : options_(std::move(options)), environment_(environment) {}

  Result<PortSchemas> bind(std::span<const InputSchema> inputs) override {
    const Binder binder(Scope{inputs[0].schema}, environment_);
    for (const OptionValue& option : options_) {
      FLOWRUN_TRY(SortKey key, bind_sort_key(option, binder));
      keys_.push_back(std::move(key));
    }
    return PortSchemas{{"", inputs[0].schema}};
  }
  Status plan(const StatefulPlan& plan, size_t) override {
    const bool complete = plan.modes.size() == 1 && plan.modes[0] == OutputMode::complete;
    if (complete && plan.after_aggregation) return {};
    return Error::invalid(
        "sort is only possible in complete mode after an aggregation, for a stream has no end — "
        "use "
        "`mode: complete` behind an aggregation, or leave the sort out");
  }
  [[nodiscard]] size_t num_partitions() const override { return 1; }

  [[nodiscard]] std::unique_ptr<Local> make_local() const override {
    return std::make_unique<OrderedRows>();
  }
  Status absorb(Local& local, const Input& input, const Epoch&, Emitter&) const override {
    static_cast<OrderedRows&>(local).add(input.sequence, input.batch);
    return {};
  }
  Status merge(size_t, std::span<Local* const> locals, const Epoch& epoch) override {
    sorted_.clear();
    const std::vector<RecordBatch> batches = OrderedRows::in_order(locals);
    if (batches.empty()) return {};
    const RecordBatch rows = concatenate(std::span<const RecordBatch>(batches));
    FLOWRUN_TRY(const std::vector<int32_t> order, order_of(rows, epoch.context));
    sorted_.add(epoch.id, rows.take(order));
    return {};
  }
  Status evict(size_t, const Epoch&) override { return {}; }
  Status emit(size_t, const Ask&, const Epoch&, Emitter& out) override {
    return sorted_.emit(-1, out);
  }
  void clear(Local& local) const override { static_cast<OrderedRows&>(local).clear(); }

  Status snapshot(SnapshotWriter&) override { return {}; }
  Status restore(SnapshotReader&) override { return {}; }
  [[nodiscard]] int64_t state_rows() const override { return 0; }
  [[nodiscard]] int64_t state_bytes() const override { return sorted_.memory_bytes(); }
  [[nodiscard]] std::string describe() const override {
    std::string text = "sort";
    for (const OptionValue& option : options_)
      text += (&option == &options_.front() ? " " : ", ") + option.text;
    return text;
  }
  [[nodiscard]] Bound state_bound() const override { return {"one result at a time", true}; }

 private:
  [[nodiscard]] Result<std::vector<int32_t>> order_of(const RecordBatch& rows,
                                                      const EvaluationContext& context) const {
    std::vector<ColumnPtr> columns;
    for (const SortKey& key : keys_) {
      FLOWRUN_TRY(ColumnPtr column, key.expression->evaluate(rows, context));
      columns.push_back(std::move(column));
    }
    std::vector<int32_t> order(static_cast<size_t>(rows.num_rows()));
    std::iota(order.begin(), order.end(), 0);
    std::ranges::stable_sort(order, [&](int32_t a, int32_t b) {
      for (size_t i = 0; i < keys_.size(); ++i) {
        const int difference = keys_[i].compare(*columns[i], a, b);
        if (difference != 0) return difference < 0;
      }
      return false;
    });
    return order;
  }
  std::vector<OptionValue> options_;
  const ExpressionEnvironment& environment_;
  std::vector<SortKey> keys_;
  PendingRows sorted_;
};

}  // namespace

void register_sort(Registry& registry) {
  registry.add_stateful(
      spec(),
      [](const Options& options, const MakeContext& context) -> Result<std::unique_ptr<Stateful>> {
        return std::make_unique<Sort>(options.at("sort").items, *context.expressions);
      });
}

}  // namespace flowrun
