// limit: the first rows.

#include <algorithm>

#include "runtime/operator/option_specs.h"
#include "runtime/operator/ordered_rows.h"
#include "runtime/operator/pending_rows.h"
#include "runtime/operator/registry.h"
#include "runtime/state/snapshot.h"

namespace flowrun {

namespace {

OperatorSpec spec() {
  using namespace option;
  OperatorSpec spec;
  spec.name = "limit";
  spec.summary = "Passes the first rows on.";
  spec.doc =
      "In `append` so many rows in all, over the whole run; in `complete`, behind an aggregation, "
      "so many of each "
      "result. `update` is refused.";
  spec.primary = integer("limit", "how many rows").at_least(0);
  spec.examples = {{"The three most frequent activities",
                    "counts: { from: clean, group_by: [gt], agg: count }\n"
                    "sorted: { from: counts, sort: [count desc] }\n"
                    "top: { from: sorted, limit: 3 }\n"}};
  return spec;
}

class Limit final : public Stateful {
 public:
  explicit Limit(int64_t limit) : limit_(limit) {}

  Result<PortSchemas> bind(std::span<const InputSchema> inputs) override {
    return PortSchemas{{"", inputs[0].schema}};
  }
  Status plan(const StatefulPlan& plan, size_t) override {
    if (std::ranges::find(plan.modes, OutputMode::update) != plan.modes.end()) {
      return Error::invalid(
          "limit is not possible in update mode — use `mode: append` or `mode: complete`");
    }
    per_epoch_ = plan.after_aggregation &&
                 std::ranges::find(plan.modes, OutputMode::complete) != plan.modes.end();
    return {};
  }
  [[nodiscard]] size_t num_partitions() const override { return 1; }

  [[nodiscard]] std::unique_ptr<Local> make_local() const override {
    return std::make_unique<OrderedRows>();
  }
  Status absorb(Local& local, const Input& input, const Epoch&, Emitter&) const override {
    auto& rows = static_cast<OrderedRows&>(local);
    rows.add(input.sequence, input.batch);
    if (rows.num_rows() / 2 > limit_) rows.cut(limit_);
    return {};
  }
  Status merge(size_t, std::span<Local* const> locals, const Epoch& epoch) override {
    if (per_epoch_) {
      taken_ = 0;
      pending_.clear();
    }
    for (const RecordBatch& batch : OrderedRows::in_order(locals)) {
      const int64_t rows = std::min(batch.num_rows(), limit_ - taken_);
      taken_ += rows;
      pending_.add(epoch.id, batch.slice(0, rows));
    }
    return {};
  }
  Status evict(size_t, const Epoch&) override { return {}; }
  Status emit(size_t, const Ask& ask, const Epoch&, Emitter& out) override {
    return pending_.emit(per_epoch_ ? -1 : ask.since, out);
  }
  void forget(size_t, EpochId served) override { pending_.forget(served); }
  void clear(Local& local) const override { static_cast<OrderedRows&>(local).clear(); }

  Status snapshot(SnapshotWriter& writer) override { return writer.write_number("taken", taken_); }
  Status restore(SnapshotReader& reader) override {
    FLOWRUN_TRY(const std::optional<int64_t> taken, reader.read_number("taken"));
    taken_ = taken.value_or(0);
    return {};
  }
  [[nodiscard]] int64_t state_rows() const override { return 0; }
  [[nodiscard]] int64_t state_bytes() const override { return pending_.memory_bytes(); }
  [[nodiscard]] std::string describe() const override { return "limit " + std::to_string(limit_); }
  [[nodiscard]] Bound state_bound() const override { return {"a counter", true}; }

 private:
  int64_t limit_;
  bool per_epoch_ = false;
  int64_t taken_ = 0;
  PendingRows pending_;
};

}  // namespace

void register_limit(Registry& registry) {
  registry.add_stateful(
      spec(), [](const Options& options, const MakeContext&) -> Result<std::unique_ptr<Stateful>> {
        return std::make_unique<Limit>(options.integer("limit"));
      });
}

}  // namespace flowrun
