// pattern: rows of a key that follow one another as a pattern says, one row out per match.

#include <algorithm>

#include "runtime/operator/late_rows.h"
#include "runtime/operator/option_specs.h"
#include "runtime/operator/ordered_rows.h"
#include "runtime/operator/partition_list.h"
#include "runtime/operator/pattern_binding.h"
#include "runtime/operator/pattern_partition.h"
#include "runtime/operator/registry.h"

namespace flowrun {

namespace {

constexpr size_t kLatePort = 1;

OperatorSpec spec() {
  using namespace option;
  OperatorSpec spec;
  spec.name = "pattern";
  spec.summary = "Finds rows of a key that follow one another as a pattern says.";
  spec.doc =
      "SQL's MATCH_RECOGNIZE, one row per match: the columns of `partition_by`, then the measures. "
      "A pattern is written of variables, one row each and without a row between: `A B` one after "
      "the other, `A | B` one or the other, `( )` groups, behind a variable or group the "
      "quantifiers `*`, `+`, `?`, `{n}`, `{n,}`, `{n,m}`, `{,m}`, which take as many rows as they "
      "can, and with a `?` behind them as few. A variable without a condition is any row.\n\n"
      "In conditions and measures `A.x` is x of the last row of A so far (in the condition of A: "
      "of "
      "the row at hand), x alone of the last row of the match; `LAST(A.x, n)` and `FIRST(A.x, n)` "
      "count rows of A from an end, from 0; `PREV(x, n)` is x n rows before, in the match or not; "
      "aggregates such as `avg(A.x)` and `count(A.*)` run over all rows of A so far. "
      "`match_start()` and `match_rowtime()` are the times of the first and last row; "
      "`classifier()` is the variable of the last row, in measures.\n\n"
      "Rows are taken in the order of their time, once the watermark has passed it; rows of one "
      "time in the order of the further items of `order_by`, then as they came. Rows that come "
      "after the watermark has passed their time are late: dropped, counted, and offered on "
      "`.late`; rows without a time are left out. Of several matches from one row the first in "
      "the order of SQL is taken, and comes out when it is certain. `within` bounds the time from "
      "a match's first row to its last (equal is within), how far `PREV` looks back, and the "
      "state: without it a warning says that rows of a match that never ends are kept for ever. "
      "A skip to a variable that the match lacks, or to its first row, goes to the next row.\n\n"
      "With `within`, measures that are the time of a row of the match (`match_rowtime()`, "
      "`A.event_time`) carry the watermark on, `within` behind: windows may stand on them.";
  spec.primary = text("pattern", "the variables in order, as `A B+ C`");
  spec.options = {
      list_of(expression("partition_by", "keys: each key's rows are searched alone")),
      required(list_of(text("order_by",
                            "the time, a column with a watermark or a window of one; then further "
                            "expressions, perhaps with `desc`, for rows of one time"))),
      map_of(expression("", ""), "define", "variable: the condition that its rows fulfil"),
      required(one_of("measures", "what comes out beside the keys",
                      {map_of(expression("", ""), "", "name: expression"),
                       list_of(expression("", ""), "", "expressions")})),
      text("after_match",
           "where the next match may begin: `skip past last row`, `skip to next row`, `skip to "
           "first A`, `skip to last A`")
          .with_default("skip past last row"),
      duration("within", "the longest time from the first row of a match to its last").at_least(1),
  };
  spec.ports = {"late"};
  spec.examples = {
      {"Five, then six, then three",
       "alerts:\n"
       "  from: timed\n"
       "  pattern: A B C\n"
       "  partition_by: [User]\n"
       "  order_by: event_time\n"
       "  define: { A: A.level = 5, B: B.level = 6, C: C.level = 3 }\n"
       "  measures: { began: A.event_time, ended: C.event_time }\n"
       "  within: 1 minute\n"},
      {"From a fall to where it ends",
       "falls:\n"
       "  from: timed\n"
       "  pattern: START DOWN+ UP\n"
       "  partition_by: [symbol]\n"
       "  order_by: event_time\n"
       "  define:\n"
       "    DOWN: DOWN.price < PREV(DOWN.price)\n"
       "    UP: UP.price > LAST(DOWN.price)\n"
       "  measures: { began: match_start(), least: LAST(DOWN.price), rows: count(DOWN.*) }\n"
       "  after_match: skip to last UP\n"
       "  within: 1 hour\n"}};
  return spec;
}

struct PatternLocal final : Local {
  PatternLocal(const std::vector<Type>& key_types, size_t count)
      : hasher(key_types), partitions(count) {}
  [[nodiscard]] int64_t memory_bytes() const override {
    int64_t bytes = 0;
    for (const OrderedRows& rows : partitions) bytes += rows.memory_bytes();
    return bytes;
  }

  GroupTable hasher;  // holds no key
  std::vector<OrderedRows> partitions;
};

class Pattern final : public Stateful {
 public:
  Pattern(const Options& options, const ExpressionEnvironment& environment)
      : options_(options), environment_(environment) {}

  Result<PortSchemas> bind(std::span<const InputSchema> inputs) override {
    FLOWRUN_TRY(bound_, bind_pattern(options_, inputs[0].schema, environment_));
    return PortSchemas{{"", bound_.shape.output}, {"late", inputs[0].schema}};
  }
  Status plan(const StatefulPlan& plan, size_t partitions) override;
  [[nodiscard]] size_t num_partitions() const override { return partitions_.size(); }
  [[nodiscard]] ColumnSet read_columns(size_t, size_t num_columns) const override {
    ColumnSet set(num_columns, false);
    for (size_t i = 0; i < num_columns; ++i) set[i] = bound_.read[i];
    return set;
  }

  [[nodiscard]] std::unique_ptr<Local> make_local() const override {
    return std::make_unique<PatternLocal>(bound_.shape.key_types, partitions_.size());
  }
  Status absorb(Local& local, const Input& input, const Epoch& epoch, Emitter& out) const override;
  Status merge(size_t partition, std::span<Local* const> locals, const Epoch&) override {
    std::vector<Local*> rows;
    for (Local* local : locals)
      rows.push_back(&static_cast<PatternLocal*>(local)->partitions[partition]);
    partitions_[partition]->merge(OrderedRows::in_order(rows));
    return {};
  }
  Status evict(size_t partition, const Epoch& epoch) override {
    return partitions_[partition]->evict(epoch);
  }
  Status emit(size_t partition, const Ask& ask, const Epoch&, Emitter& out) override {
    return partitions_[partition]->emit(ask.since, out);
  }
  void forget(size_t partition, EpochId served) override { partitions_[partition]->forget(served); }
  void clear(Local& local) const override {
    for (OrderedRows& rows : static_cast<PatternLocal&>(local).partitions) rows.clear();
  }

  Status snapshot(SnapshotWriter& writer) override { return save_all(partitions_, writer); }
  Status restore(SnapshotReader& reader) override { return load_all(partitions_, reader, "rows"); }
  [[nodiscard]] int64_t state_rows() const override { return total_rows(partitions_); }
  [[nodiscard]] int64_t state_bytes() const override { return total_bytes(partitions_); }
  [[nodiscard]] std::string describe() const override {
    return "pattern " + options_.text("pattern") + bound_.per_key(" per ");
  }
  [[nodiscard]] Bound state_bound() const override;
  // No match begins before what a search may still begin with.
  [[nodiscard]] int64_t output_watermark(int64_t watermark) const override {
    if (watermark == kEndOfTime) return watermark;
    return bound_.shape.within ? std::max(kNoTime, watermark - *bound_.shape.within) : kNoTime;
  }

 private:
  // Keys, the variables that each row may be, and what is stored of it.
  [[nodiscard]] Result<RecordBatch> carry(const RecordBatch& batch, const ColumnPtr& times,
                                          const EvaluationContext& context) const;

  Options options_;
  const ExpressionEnvironment& environment_;
  BoundPattern bound_;
  std::vector<std::unique_ptr<PatternPartition>> partitions_;
};

Status Pattern::plan(const StatefulPlan& plan, size_t partitions) {
  for (const OutputMode mode : plan.modes) {
    if (mode == OutputMode::append) continue;
    if (mode == OutputMode::update && !plan.after_aggregation) continue;
    return Error::invalid(
        "a pattern looks at rows that are final and gives each match once — use `mode: append`");
  }
  partitions_.clear();
  const size_t count = bound_.shape.key_types.empty() ? 1 : partitions;
  for (size_t i = 0; i < count; ++i)
    partitions_.push_back(std::make_unique<PatternPartition>(bound_.shape, i, count));
  return {};
}

Result<RecordBatch> Pattern::carry(const RecordBatch& batch, const ColumnPtr& times,
                                   const EvaluationContext& context) const {
  const PatternShape& shape = bound_.shape;
  std::vector<ColumnPtr> columns;
  for (const ExpressionPtr& key : bound_.keys) {
    FLOWRUN_TRY(columns.emplace_back(), key->evaluate(batch, context));
  }
  std::vector<ColumnPtr> scope = batch.columns();
  scope.push_back(times);
  FLOWRUN_TRY(columns.emplace_back(),
              bound_.row_variables({bound_.scope, batch.num_rows(), scope}, context));
  std::vector<ColumnPtr> stored(shape.stored->num_fields());
  for (const size_t column : shape.kept) {
    if (column < scope.size()) {
      stored[column] = with_own_text(scope[column]);
    } else {
      const SortKey& tie = shape.ties[column - scope.size()];
      FLOWRUN_TRY(stored[column], tie.expression->evaluate(batch, context));
    }
  }
  columns.insert(columns.end(), stored.begin(), stored.end());
  return RecordBatch(shape.carried, batch.num_rows(), std::move(columns));
}

Status Pattern::absorb(Local& local, const Input& input, const Epoch& epoch, Emitter& out) const {
  RecordBatch batch = input.batch;
  if (batch.num_rows() == 0) return {};
  FLOWRUN_TRY(ColumnPtr times, bound_.time->evaluate(batch, epoch.context));
  FLOWRUN_RETURN_IF_ERROR(drop_late_rows(*times, kLatePort, epoch, batch, out));
  if (batch.num_rows() < times->size()) {
    FLOWRUN_TRY(times, bound_.time->evaluate(batch, epoch.context));
  }
  if (times->null_count() > 0) {
    std::vector<int32_t> timed;
    for (int64_t i = 0; i < times->size(); ++i) {
      if (times->is_valid(i)) timed.push_back(static_cast<int32_t>(i));
    }
    batch = batch.take(timed);
    times = take(*times, timed);
  }
  if (batch.num_rows() == 0) return {};
  FLOWRUN_TRY(const RecordBatch carried, carry(batch, times, epoch.context));
  auto& own = static_cast<PatternLocal&>(local);
  if (own.partitions.size() == 1) {
    own.partitions[0].add(input.sequence, carried);
    return {};
  }
  std::vector<uint64_t> hashes(static_cast<size_t>(carried.num_rows()));
  own.hasher.hash_rows(std::span(carried.columns()).first(bound_.keys.size()), hashes);
  std::vector<std::vector<int32_t>> rows(own.partitions.size());
  for (size_t i = 0; i < hashes.size(); ++i)
    rows[hashes[i] % rows.size()].push_back(static_cast<int32_t>(i));
  for (size_t p = 0; p < rows.size(); ++p) {
    if (!rows[p].empty()) own.partitions[p].add(input.sequence, carried.take(rows[p]));
  }
  return {};
}

Stateful::Bound Pattern::state_bound() const {
  const PatternShape& shape = bound_.shape;
  if (shape.within) {
    return {"the rows that a match may still need" + bound_.per_key(" per ") +
                ", until the watermark has passed them by `within`",
            true};
  }
  const std::optional<size_t> most = shape.program.automaton.most_rows();
  const std::string rows =
      most ? "at most " + std::to_string(*most + static_cast<size_t>(shape.most_back)) + " rows"
           : "the rows of a match that has not ended";
  return {rows + bound_.per_key(" per ") +
              (most ? ", no bound but the number of keys" : ", kept for ever if it never ends") +
              " — add `within:`",
          false};
}

}  // namespace

void register_pattern(Registry& registry) {
  registry.add_stateful(
      spec(),
      [](const Options& options, const MakeContext& context) -> Result<std::unique_ptr<Stateful>> {
        return std::make_unique<Pattern>(options, *context.expressions);
      });
}

}  // namespace flowrun
