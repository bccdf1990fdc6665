#include "runtime/operator/contract.h"

#include <fmt/format.h>

#include <algorithm>

namespace flowrun {

namespace {

constexpr size_t kRandomDeliveries = 6;

class Suite {
 public:
  Suite(const Trial& trial, uint64_t seed) : trial_(trial), seed_(seed) {}

  std::vector<std::string> run() {
    auto plain = run_trial(trial_, {});
    if (!plain) return {fmt::format("it fails on plain input: {}", plain.error().message)};
    plain_ = std::move(*plain);
    adopt("plain input", plain_);
    check_deliveries();
    check_columns();
    check_odd_batches();
    return std::move(complaints_);
  }

 private:
  void adopt(const std::string& circumstances, const TrialResult& result) {
    for (const std::string& complaint : result.complaints) {
      complaints_.push_back(fmt::format("{}: {}", circumstances, complaint));
    }
  }

  // The result of another delivery must be that of the plain one.
  void check_same(const std::string& circumstances, const Delivery& delivery) {
    const auto result = run_trial(trial_, delivery);
    if (!result) {
      complaints_.push_back(fmt::format("{}: it fails: {}", circumstances, result.error().message));
      return;
    }
    adopt(circumstances, *result);
    TrialResult expected = plain_;
    if (delivery.only_read && trial_.make_stateful)
      std::erase_if(expected.outputs, [](const TrialOutput& output) { return output.port != 0; });
    compare(circumstances, sorted_lines(expected, delivery.wanted),
            sorted_lines(*result, delivery.wanted));
    if (delivery.wanted) return;
    if (result->counts != plain_.counts)
      complaints_.push_back(circumstances + ": it counts differently");
    if (result->observed != plain_.observed) {
      complaints_.push_back(circumstances + ": it observes another event time");
    }
  }

  void compare(const std::string& circumstances, const std::vector<std::string>& expected,
               const std::vector<std::string>& got) {
    if (expected == got) return;
    const auto [left, right] = std::ranges::mismatch(expected, got);
    complaints_.push_back(
        fmt::format("{}: {} rows become {}; the first to differ is `{}`, was `{}`", circumstances,
                    expected.size(), got.size(), right == got.end() ? "" : *right,
                    left == expected.end() ? "" : *left));
  }

  void check_deliveries() {
    check_same("rows at an offset", {.displaced = true});
    const size_t rows = most_rows();
    for (size_t i = 0; i < kRandomDeliveries; ++i) {
      const Delivery delivery{.chunks = 2 + (seed_ + 3 * i) % 9,
                              .workers = 1 + i % 3,
                              .partitions = 1 + i % 4,
                              .displaced = i % 2 == 1,
                              .seed = seed_ + i};
      check_same(fmt::format("{} chunks, {} workers, {} partitions, seed {}", delivery.chunks,
                             delivery.workers, delivery.partitions, delivery.seed),
                 delivery);
    }
    check_same("chunks of about a row", {.chunks = rows + rows / 2 + 1, .seed = seed_});
    if (trial_.make_transform) return;
    for (size_t e = 0; e + 1 < trial_.epochs.size(); ++e) {
      check_same(fmt::format("a restart behind epoch {}", e),
                 {.chunks = 3, .workers = 2, .partitions = 3, .restart_after = e, .seed = seed_});
      check_same(fmt::format("a restart behind epoch {} with another number of partitions", e),
                 {.chunks = 3,
                  .workers = 2,
                  .partitions = 3,
                  .restart_after = e,
                  .partitions_after = 2,
                  .seed = seed_});
    }
  }

  void check_columns() {
    check_same("columns absent that it does not read", {.only_read = true});
    if (!trial_.make_transform) return;
    const Schema& output = *plain_.ports[0].schema;
    for (size_t i = 0; i < output.num_fields(); ++i) {
      check_same(fmt::format("only column `{}` wanted", output.field(i).name),
                 {.chunks = 2, .only_read = true, .wanted = i, .seed = seed_});
    }
  }

  void check_odd_batches() {
    Trial odd = trial_;
    for (TrialEpoch& epoch : odd.epochs) {
      for (RecordBatch& rows : epoch.inputs) rows = rows.slice(0, 0);
    }
    check_runs("batches without rows", odd);
    odd = trial_;
    for (TrialEpoch& epoch : odd.epochs) {
      for (RecordBatch& rows : epoch.inputs) rows = nulls_like(rows);
    }
    check_runs("columns of nulls", odd);
  }

  void check_runs(const std::string& circumstances, const Trial& trial) {
    const auto result =
        run_trial(trial, {.chunks = 2, .workers = 2, .partitions = 2, .seed = seed_});
    if (!result) {
      complaints_.push_back(fmt::format("{}: it fails: {}", circumstances, result.error().message));
    } else {
      adopt(circumstances, *result);
    }
  }

  static RecordBatch nulls_like(const RecordBatch& rows) {
    std::vector<ColumnPtr> columns;
    for (const ColumnPtr& column : rows.columns())
      columns.push_back(null_column(column->type(), rows.num_rows()));
    return {rows.schema(), rows.num_rows(), std::move(columns)};
  }

  [[nodiscard]] size_t most_rows() const {
    int64_t rows = 0;
    for (const TrialEpoch& epoch : trial_.epochs) {
      for (const RecordBatch& input : epoch.inputs) rows = std::max(rows, input.num_rows());
    }
    return static_cast<size_t>(rows);
  }

  const Trial& trial_;
  uint64_t seed_;
  TrialResult plain_;
  std::vector<std::string> complaints_;
};

}  // namespace

std::vector<std::string> check_contract(const Trial& trial, uint64_t seed) {
  return Suite(trial, seed).run();
}

}  // namespace flowrun
