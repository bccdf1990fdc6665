// session: aggregates per key over rows that follow one another within a gap.

#include <algorithm>
#include <string>
#include <unordered_map>

#include "runtime/columnar/builder.h"
#include "runtime/format/interval.h"
#include "runtime/operator/event_time.h"
#include "runtime/operator/option_specs.h"
#include "runtime/operator/partition_list.h"
#include "runtime/operator/registry.h"
#include "runtime/operator/row_sequence.h"
#include "runtime/operator/session_partition.h"

namespace flowrun {

namespace {

constexpr size_t kLatePort = 1;

OperatorSpec spec() {
  using namespace option;
  OperatorSpec spec;
  spec.name = "session";
  spec.summary = "Aggregates per key over rows that follow one another within a gap.";
  spec.doc =
      "Rows of a key no further apart than the gap (the gap itself included) share a session; its "
      "end is the last "
      "row's time plus the gap. A row between two sessions makes them one. The column "
      "`session_window` comes first, a "
      "struct of `start` and `end`. The gap may be an expression that gives a duration per row; a "
      "row whose gap is null, zero "
      "or negative is left out. `append` needs a watermark on the time and gives each session "
      "once, when it has "
      "ended; a row whose own session has ended before it came is late: counted, and offered on "
      "`.late`. `update` is "
      "refused.";
  spec.primary = one_of(
      "session", "the gap",
      {duration("", "the gap").at_least(1), expression("", "the gap of each row, as a duration")});
  spec.options = {
      required(expression("on",
                          "a timestamp column, or an earlier `window` or `session_window` column")),
      list_of(expression("group_by", "keys; at least one")),
      AggregateList::option(),
  };
  spec.ports = {"late"};
  spec.examples = {{"A wearer's spells of activity",
                    "spells: { from: timed, session: 30 seconds, on: event_time, group_by: [User], "
                    "agg: count }\n"}};
  return spec;
}

struct SessionLocal final : Local {
  explicit SessionLocal(const SessionShape& shape) : sessions(shape) {}
  [[nodiscard]] int64_t memory_bytes() const override {
    int64_t bytes = sessions.table.memory_bytes();
    for (const auto& states : sessions.states) bytes += states->memory_bytes();
    return bytes;
  }

  LocalSessions sessions;
  RowSequence sequence;
};

class SessionOperator final : public Stateful {
 public:
  SessionOperator(const Options& options, const ExpressionEnvironment& environment)
      : options_(options), environment_(environment) {}

  Result<PortSchemas> bind(std::span<const InputSchema> inputs) override;
  Status plan(const StatefulPlan& plan, size_t partitions) override;
  [[nodiscard]] size_t num_partitions() const override { return partitions_.size(); }
  [[nodiscard]] ColumnSet read_columns(size_t input, size_t num_columns) const override;

  [[nodiscard]] std::unique_ptr<Local> make_local() const override {
    return std::make_unique<SessionLocal>(shape_);
  }
  Status absorb(Local& local, const Input& input, const Epoch& epoch, Emitter& out) const override;
  Status merge(size_t partition, std::span<Local* const> locals, const Epoch&) override {
    std::vector<const LocalSessions*> sessions;
    for (const Local* local : locals)
      sessions.push_back(&static_cast<const SessionLocal*>(local)->sessions);
    return partitions_[partition]->merge(sessions);
  }
  Status evict(size_t partition, const Epoch& epoch) override {
    return evict_ ? partitions_[partition]->evict(epoch) : ok_status();
  }
  Status emit(size_t partition, const Ask& ask, const Epoch& epoch, Emitter& out) override {
    return partitions_[partition]->emit(ask, epoch, out);
  }
  void forget(size_t partition, EpochId served) override { partitions_[partition]->forget(served); }
  void clear(Local& local) const override {
    LocalSessions& sessions = static_cast<SessionLocal&>(local).sessions;
    sessions.table.clear();
    for (const auto& states : sessions.states) states->clear();
  }

  Status snapshot(SnapshotWriter& writer) override { return save_all(partitions_, writer); }
  Status restore(SnapshotReader& reader) override {
    return load_all(partitions_, reader, "sessions");
  }
  [[nodiscard]] int64_t state_rows() const override { return total_rows(partitions_); }
  [[nodiscard]] int64_t state_bytes() const override { return total_bytes(partitions_); }
  [[nodiscard]] std::string describe() const override {
    return "session of " + time_->name() + ": " + shape_.aggregates.describe();
  }
  [[nodiscard]] Bound state_bound() const override {
    if (evict_) return {"one row per open session, until the watermark passes its end", true};
    return {"one row per session, kept for ever because of complete mode", false};
  }
  [[nodiscard]] bool is_aggregation() const override { return true; }
  [[nodiscard]] std::vector<std::string> key_columns() const override {
    std::vector<std::string> names{"session_window"};
    for (const ExpressionPtr& key : shape_.keys) names.push_back(key->name());
    return names;
  }

 private:
  // The gap of each row in microseconds; what is not above zero drops the row.
  [[nodiscard]] Result<std::vector<int64_t>> gaps_of(const RecordBatch& batch,
                                                     const EvaluationContext& context) const;
  Status bind_gap(const Binder& binder);

  Options options_;
  const ExpressionEnvironment& environment_;
  SessionShape shape_;
  std::optional<EventTime> time_;
  int64_t gap_ = 0;
  ExpressionPtr gap_expression_;  // in place of gap_
  bool evict_ = false;
  std::vector<std::unique_ptr<SessionPartition>> partitions_;
};

Status SessionOperator::bind_gap(const Binder& binder) {
  const OptionValue& option = options_.at("session");
  if (option.kind == OptionKind::duration) {
    gap_ = option.integer;
    return {};
  }
  auto bound = binder.bind(option.text);
  if (!bound) return option.place(std::move(bound.error()));
  const TypeId type = (*bound)->type().id();
  if (type != TypeId::string && type != TypeId::day_time_interval) {
    return option.place(Error::invalid(
        "the gap of a session is a duration, got " + (*bound)->type().simple_string() +
        " — write such as `10 seconds`, or an expression that gives that text"));
  }
  gap_expression_ = std::move(*bound);
  return {};
}

Result<PortSchemas> SessionOperator::bind(std::span<const InputSchema> inputs) {
  const SchemaPtr& schema = inputs[0].schema;
  const Binder binder(Scope{schema}, environment_);
  FLOWRUN_TRY(time_, EventTime::bind(options_.at("on"), schema, environment_));
  FLOWRUN_RETURN_IF_ERROR(bind_gap(binder));
  const OptionValue* keys = options_.find("group_by");
  if (!keys || keys->items.empty()) {
    return Error::invalid(
        "a session needs a grouping column beside it — add `group_by:` with at least one key");
  }
  for (const OptionValue& key : keys->items) {
    auto bound = binder.bind(key.text);
    if (!bound) return key.place(std::move(bound.error()));
    shape_.keys.push_back(std::move(*bound));
  }
  FLOWRUN_TRY(shape_.aggregates,
              AggregateList::bind(options_.at("agg"), schema, shape_.keys, false, environment_));
  Field window{"session_window",
               Type::struct_({{"start", Type::timestamp()}, {"end", Type::timestamp()}}), false};
  window.watermark_delay = time_->watermark_delay();
  std::vector<Field> fields{std::move(window)};
  for (const ExpressionPtr& key : shape_.keys)
    fields.push_back({key->name(), key->type(), key->nullable()});
  fields.insert(fields.end(), shape_.aggregates.fields().begin(), shape_.aggregates.fields().end());
  shape_.output = Schema::make(std::move(fields));
  return PortSchemas{{"", shape_.output}, {"late", schema}};
}

Status SessionOperator::plan(const StatefulPlan& plan, size_t partitions) {
  const auto asked = [&](OutputMode mode) {
    return std::ranges::find(plan.modes, mode) != plan.modes.end();
  };
  if (asked(OutputMode::update)) {
    return Error::invalid(
        "a session is not possible in update mode — use `mode: append` with a watermark, or "
        "`mode: complete`");
  }
  if (asked(OutputMode::append) && !time_->watermark_delay()) {
    return Error::invalid(
        "append needs a watermark on the session's time, for else no session is ever finished — "
        "add `watermark:` before it, or use `mode: complete`");
  }
  evict_ = plan.evict && time_->watermark_delay().has_value();
  partitions_.clear();
  for (size_t i = 0; i < partitions; ++i) {
    partitions_.push_back(std::make_unique<SessionPartition>(shape_, i, partitions));
  }
  return {};
}

ColumnSet SessionOperator::read_columns(size_t, size_t num_columns) const {
  ColumnSet read(num_columns, false);
  const auto add = [&](std::span<const size_t> columns) {
    for (const size_t column : columns) read[column] = true;
  };
  for (const ExpressionPtr& key : shape_.keys) add(key->columns());
  add(shape_.aggregates.columns());
  add(time_->columns());
  if (gap_expression_) add(gap_expression_->columns());
  return read;
}

Result<std::vector<int64_t>> SessionOperator::gaps_of(const RecordBatch& batch,
                                                      const EvaluationContext& context) const {
  std::vector<int64_t> gaps(static_cast<size_t>(batch.num_rows()), gap_);
  if (!gap_expression_) return gaps;
  FLOWRUN_TRY(const ColumnPtr column, gap_expression_->evaluate(batch, context));
  std::unordered_map<std::string, int64_t> known;  // few texts, many rows
  for (size_t i = 0; i < gaps.size(); ++i) {
    const auto row = static_cast<int64_t>(i);
    if (column->is_null(row)) {
      gaps[i] = 0;
    } else if (column->type().id() == TypeId::day_time_interval) {
      gaps[i] = column->values<int64_t>()[i];
    } else {
      const auto [entry, added] = known.try_emplace(std::string(column->string(row)), 0);
      // What is no duration is null, as a cast to an interval is.
      if (added) entry->second = parse_duration(entry->first).value_or(0);
      gaps[i] = entry->second;
    }
  }
  return gaps;
}

Status SessionOperator::absorb(Local& local, const Input& input, const Epoch& epoch,
                               Emitter& out) const {
  RecordBatch batch = input.batch;
  if (batch.num_rows() == 0) return {};
  FLOWRUN_TRY(const ColumnPtr times, time_->evaluate(batch, epoch.context));
  FLOWRUN_TRY(const std::vector<int64_t> gaps, gaps_of(batch, epoch.context));
  std::vector<int32_t> kept;
  std::vector<int32_t> late;
  FixedBuilder<int64_t> begins(Type::timestamp());
  FixedBuilder<int64_t> ends(Type::timestamp());
  for (size_t i = 0; i < gaps.size(); ++i) {
    if (times->is_null(static_cast<int64_t>(i)) || gaps[i] <= 0) continue;
    const int64_t begin = times->values<int64_t>()[i];
    const int64_t end = begin > kEndOfTime - gaps[i] ? kEndOfTime : begin + gaps[i];
    if (evict_ && end <= epoch.late_watermark) {
      late.push_back(static_cast<int32_t>(i));
      continue;
    }
    begins.append(begin);
    ends.append(end);
    kept.push_back(static_cast<int32_t>(i));
  }
  if (!late.empty()) {
    out.count(Metric::late, static_cast<int64_t>(late.size()));
    if (out.wanted(kLatePort)) FLOWRUN_RETURN_IF_ERROR(out.emit(kLatePort, batch.take(late)));
  }
  if (kept.empty()) return {};
  if (kept.size() < gaps.size()) batch = batch.take(kept);
  std::vector<ColumnPtr> keys{begins.finish(), ends.finish()};
  for (const ExpressionPtr& key : shape_.keys) {
    FLOWRUN_TRY(ColumnPtr column, key->evaluate(batch, epoch.context));
    keys.push_back(std::move(column));
  }
  auto& own = static_cast<SessionLocal&>(local);
  std::vector<uint32_t> groups(kept.size());
  own.sessions.table.find_or_add(keys, groups);
  return shape_.aggregates.update(own.sessions.states, own.sessions.table.size(), groups, batch,
                                  epoch.context, own.sequence.next(input.sequence));
}

}  // namespace

void register_session(Registry& registry) {
  registry.add_stateful(
      spec(),
      [](const Options& options, const MakeContext& context) -> Result<std::unique_ptr<Stateful>> {
        return std::make_unique<SessionOperator>(options, *context.expressions);
      });
}

}  // namespace flowrun
