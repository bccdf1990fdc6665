// sink: memory. A live table of what came, for queries while the pipeline runs and after it.

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <memory>
#include <numeric>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "runtime/base/clock.h"
#include "runtime/columnar/builder.h"
#include "runtime/columnar/hash.h"
#include "runtime/operator/option_specs.h"
#include "runtime/operator/registry.h"

namespace flowrun {

namespace {

constexpr int64_t kPace = 1'000'000;
constexpr int64_t kLargeBatch = 64 << 10;  // rows; smaller neighbours are joined
constexpr size_t kFilterBitsPerRow = 16;
constexpr int64_t kKeepSteps = 16;  // batches joined are no further apart than keep / kKeepSteps

// A copy whose text does not keep the blocks alive that it was read from.
ColumnPtr detach(const ColumnPtr& column) {
  if (!column || (!column->type().is_string_like() && !column->type().is_nested())) return column;
  const std::unique_ptr<ColumnBuilder> builder = make_builder(column->type());
  builder->reserve(column->size());
  for (int64_t row = 0; row < column->size(); ++row) builder->append_row(*column, row);
  return builder->finish();
}

struct Held {
  RecordBatch rows;
  int64_t arrived = 0;           // microseconds, of its oldest part
  std::vector<uint64_t> hashes;  // of the keys, with upsert only
};

struct Bounds {
  std::optional<int64_t> rows;
  std::optional<int64_t> age;  // microseconds
};

class MemorySink final : public Sink {
 public:
  MemorySink(std::string table, LiveTable* live, Bounds bounds, bool upsert, const Clock& clock)
      : table_(std::move(table)), live_(live), bounds_(bounds), upsert_(upsert), clock_(clock) {}

  Status bind(const SinkInput& input) override;
  [[nodiscard]] bool accepts(OutputMode, bool) const override { return true; }
  Status open(std::optional<Token>) override { return {}; }
  Status write(EpochId epoch, const RecordBatch& batch) override;
  Result<Token> prepare(EpochId) override { return Token{}; }
  Status commit(EpochId epoch, const Token&) override;
  Status abort(EpochId) override {
    pending_.clear();
    count_bytes();
    return {};
  }

  [[nodiscard]] int64_t default_pace(OutputMode mode) const override {
    return mode == OutputMode::complete ? kPace : 0;
  }
  [[nodiscard]] int64_t memory_bytes() const override {
    return bytes_.load(std::memory_order_relaxed);
  }
  [[nodiscard]] std::string describe() const override {
    return fmt::format("memory {}, {}{}", table_, output_mode_name(mode_),
                       upsert_ ? " by key" : "");
  }
  [[nodiscard]] std::vector<std::string> warnings() const override;

 private:
  void replace_keys(const Held& added);
  void join_small_batches();
  void drop_oldest();
  void publish(EpochId epoch);
  void count_bytes();
  [[nodiscard]] std::vector<uint64_t> hash_keys(const RecordBatch& rows) const;
  [[nodiscard]] bool same_keys(const RecordBatch& a, int64_t i, const RecordBatch& b,
                               int64_t j) const;

  std::string table_;
  LiveTable* live_;
  Bounds bounds_;
  bool upsert_;
  const Clock& clock_;
  SchemaPtr schema_;
  OutputMode mode_ = OutputMode::append;
  bool replaces_ = false;     // each epoch brings the whole result
  std::vector<size_t> keys_;  // with upsert: indices of the grouping columns
  std::vector<RecordBatch> pending_;
  EpochId pending_epoch_ = -1;
  std::vector<Held> held_;  // oldest first
  int64_t dropped_rows_ = 0;
  std::atomic<int64_t> bytes_{0};
};

Status MemorySink::bind(const SinkInput& input) {
  schema_ = input.schema;
  mode_ = input.mode;
  replaces_ = mode_ == OutputMode::complete && input.aggregation;
  if (replaces_ && (bounds_.rows || bounds_.age)) {
    return Error::invalid(
        "`keep_rows` and `keep` bound rows that are added — in mode complete the table is the "
        "result as it stands; remove them");
  }
  publish(-1);  // empty, so that it can be asked before the run begins
  if (!upsert_) return {};
  if (mode_ != OutputMode::update || input.keys.empty()) {
    return Error::invalid(
        "`upsert: true` keeps one row per grouping key — it needs `mode: update` after an "
        "aggregation with keys");
  }
  for (const std::string& key : input.keys) {
    const std::vector<size_t> found = schema_->find_all(key);
    if (found.empty()) {
      return Error::invalid(
          fmt::format("`upsert: true` needs every grouping key among the columns, and `{}` is not "
                      "there — keep it in the select before this sink",
                      key));
    }
    keys_.push_back(found.front());
  }
  return {};
}

std::vector<std::string> MemorySink::warnings() const {
  if (replaces_ || upsert_ || bounds_.rows || bounds_.age) return {};
  return {fmt::format(
      "the table `{}` grows with every row and nothing ends it — add `keep_rows: 100000` or "
      "`keep: 1 hour`",
      table_)};
}

Status MemorySink::write(EpochId epoch, const RecordBatch& batch) {
  if (replaces_ && epoch != pending_epoch_) pending_.clear();
  pending_epoch_ = epoch;
  std::vector<ColumnPtr> columns;
  for (const ColumnPtr& column : batch.columns()) columns.push_back(detach(column));
  pending_.emplace_back(schema_, batch.num_rows(), std::move(columns));
  count_bytes();
  return {};
}

Status MemorySink::commit(EpochId epoch, const Token&) {
  if (replaces_) held_.clear();
  if (!pending_.empty()) {
    Held added{concatenate(std::span<const RecordBatch>(pending_)), clock_.now(), {}};
    pending_.clear();
    if (upsert_) {
      added.hashes = hash_keys(added.rows);
      replace_keys(added);
    }
    held_.push_back(std::move(added));
    join_small_batches();
  }
  drop_oldest();
  count_bytes();
  publish(epoch);
  return {};
}

std::vector<uint64_t> MemorySink::hash_keys(const RecordBatch& rows) const {
  std::vector<uint64_t> hashes(static_cast<size_t>(rows.num_rows()), kHashSeed);
  for (const size_t key : keys_) hash_rows(*rows.column(key), hashes);
  return hashes;
}

bool MemorySink::same_keys(const RecordBatch& a, int64_t i, const RecordBatch& b, int64_t j) const {
  return std::ranges::all_of(
      keys_, [&](size_t key) { return rows_equal(*a.column(key), i, *b.column(key), j); });
}

// Takes the rows out of the table whose keys `added` brings anew. An epoch's update has each key
// once.
void MemorySink::replace_keys(const Held& added) {
  std::unordered_multimap<uint64_t, int64_t> rows_of;
  rows_of.reserve(added.hashes.size());
  // Most rows of a large table stay: one bit tells nearly all of them.
  std::vector<bool> perhaps(std::bit_ceil(added.hashes.size() * kFilterBitsPerRow));
  const uint64_t mask = perhaps.size() - 1;
  for (size_t row = 0; row < added.hashes.size(); ++row) {
    rows_of.emplace(added.hashes[row], row);
    perhaps[added.hashes[row] & mask] = true;
  }
  const auto replaced = [&](const Held& held, size_t row) {
    if (!perhaps[held.hashes[row] & mask]) return false;
    const auto [first, last] = rows_of.equal_range(held.hashes[row]);
    return std::any_of(first, last, [&](const auto& entry) {
      return same_keys(held.rows, static_cast<int64_t>(row), added.rows, entry.second);
    });
  };
  for (Held& held : held_) {
    size_t first = 0;
    while (first < held.hashes.size() && !replaced(held, first)) ++first;
    if (first == held.hashes.size()) continue;
    std::vector<int32_t> kept(first);
    std::iota(kept.begin(), kept.end(), 0);
    std::vector<uint64_t> hashes(held.hashes.begin(),
                                 held.hashes.begin() + static_cast<std::ptrdiff_t>(first));
    for (size_t row = first + 1; row < held.hashes.size(); ++row) {
      if (replaced(held, row)) continue;
      kept.push_back(static_cast<int32_t>(row));
      hashes.push_back(held.hashes[row]);
    }
    held.rows = held.rows.take(kept);
    held.hashes = std::move(hashes);
  }
  std::erase_if(held_, [](const Held& held) { return held.rows.num_rows() == 0; });
}

// Epochs under a trickle bring a row or two: neighbours are joined so that a batch is at least
// twice as large as the next, which costs each row a logarithmic number of copies.
void MemorySink::join_small_batches() {
  while (held_.size() >= 2) {
    Held& last = held_.back();
    Held& before = held_[held_.size() - 2];
    if (before.rows.num_rows() >= 2 * last.rows.num_rows() || before.rows.num_rows() >= kLargeBatch)
      return;
    if (bounds_.age && last.arrived - before.arrived > *bounds_.age / kKeepSteps) return;
    before.rows = concatenate(std::vector<RecordBatch>{before.rows, last.rows});
    before.hashes.insert(before.hashes.end(), last.hashes.begin(), last.hashes.end());
    held_.pop_back();
  }
}

void MemorySink::drop_oldest() {
  size_t gone = 0;
  if (bounds_.age) {
    const int64_t oldest = clock_.now() - *bounds_.age;
    while (gone < held_.size() && held_[gone].arrived < oldest)
      dropped_rows_ += held_[gone++].rows.num_rows();
  }
  held_.erase(held_.begin(), held_.begin() + static_cast<std::ptrdiff_t>(gone));
  if (!bounds_.rows) return;
  int64_t surplus = -*bounds_.rows;
  for (const Held& held : held_) surplus += held.rows.num_rows();
  while (surplus > 0) {
    Held& first = held_.front();
    const int64_t dropped = std::min(surplus, first.rows.num_rows());
    if (dropped == first.rows.num_rows()) {
      held_.erase(held_.begin());
    } else {
      first.rows = first.rows.slice(dropped, first.rows.num_rows() - dropped);
      if (!first.hashes.empty())
        first.hashes.erase(first.hashes.begin(), first.hashes.begin() + dropped);
    }
    surplus -= dropped;
    dropped_rows_ += dropped;
  }
}

void MemorySink::publish(EpochId epoch) {
  LiveTableSnapshot snapshot;
  snapshot.schema = schema_;
  snapshot.epoch = epoch;
  snapshot.dropped_rows = dropped_rows_;
  for (const Held& held : held_) snapshot.batches.push_back(held.rows);
  live_->publish(std::move(snapshot));
}

void MemorySink::count_bytes() {
  int64_t bytes = 0;
  for (const RecordBatch& batch : pending_) bytes += batch.memory_bytes();
  for (const Held& held : held_) {
    bytes += held.rows.memory_bytes() + static_cast<int64_t>(held.hashes.size() * sizeof(uint64_t));
  }
  bytes_.store(bytes, std::memory_order_relaxed);
}

OperatorSpec spec() {
  using namespace option;
  OperatorSpec spec;
  spec.name = "memory";
  spec.summary = "Keeps rows as a live table that can be queried while the pipeline runs.";
  spec.doc =
      "`append` adds what comes; `update` adds every row that an update gives, as in Spark, or "
      "with `upsert: true` "
      "keeps one row per grouping key; `complete` holds the result as it stands after each "
      "epoch.\n\n"
      "The table counts against the pipeline's `memory:`. With `keep_rows` or `keep` the oldest "
      "rows leave, and "
      "are counted; without either a table that is added to grows until the budget ends the run.";
  spec.options = {
      required(text("table", "The table's name.").naming(NameRole::live_table)),
      boolean("upsert", "In mode update: one row per grouping key, the latest.")
          .with_default("false"),
      integer("keep_rows", "So many rows at most; the oldest leave.").at_least(1),
      duration("keep", "Rows older than this leave, by the time they arrived.").at_least(1),
  };
  spec.examples = {
      {"The last thousand lines",
       "lines: { source: socket, port: 9999 }\n"
       "recent: { from: lines, sink: memory, table: recent, keep_rows: 1000 }\n"},
      {"Counts as they stand",
       "lines: { source: socket, port: 9999 }\n"
       "counts: { from: lines, group_by: [value], agg: count }\n"
       "table: { from: counts, sink: memory, table: counts, mode: complete }\n"},
  };
  return spec;
}

Result<std::unique_ptr<Sink>> make(const Options& options, const MakeContext& context) {
  Bounds bounds;
  if (const OptionValue* rows = options.find("keep_rows")) bounds.rows = rows->integer;
  if (const OptionValue* age = options.find("keep")) bounds.age = age->integer;
  return std::make_unique<MemorySink>(
      options.text("table"), context.live_table(options.text("table")), bounds,
      options.boolean_or("upsert", false), context.clock ? *context.clock : system_clock());
}

}  // namespace

void register_memory_sink(Registry& registry) { registry.add_sink(spec(), make); }

}  // namespace flowrun
