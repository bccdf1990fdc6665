#include "runtime/operator/aggregation.h"

#include <algorithm>
#include <limits>

#include "runtime/columnar/builder.h"
#include "runtime/operator/aggregation_partition.h"
#include "runtime/operator/event_time.h"
#include "runtime/operator/partition_list.h"
#include "runtime/operator/row_sequence.h"

namespace flowrun {

namespace {

constexpr size_t kLatePort = 1;

class AggregationLocal final : public Local {
 public:
  explicit AggregationLocal(const AggregationShape& shape) : groups(shape) {}
  [[nodiscard]] int64_t memory_bytes() const override {
    int64_t bytes = groups.table.memory_bytes();
    for (const auto& states : groups.states) bytes += states->memory_bytes();
    return bytes;
  }

  LocalGroups groups;
  std::vector<uint32_t> row_groups;
  RowSequence sequence;
};

// Rows of a batch, sorted into those that count and those that are late; rows without a time are
// neither.
struct Judged {
  std::vector<int32_t> kept;
  std::vector<int32_t> late;
};

class Aggregation final : public Stateful {
 public:
  Aggregation(AggregationOptions options, const ExpressionEnvironment& environment)
      : options_(std::move(options)), environment_(environment) {}

  Result<PortSchemas> bind(std::span<const InputSchema> inputs) override;
  Status plan(const StatefulPlan& plan, size_t partitions) override;
  [[nodiscard]] size_t num_partitions() const override { return partitions_.size(); }
  [[nodiscard]] ColumnSet read_columns(size_t input, size_t num_columns) const override;

  [[nodiscard]] std::unique_ptr<Local> make_local() const override {
    return std::make_unique<AggregationLocal>(shape_);
  }
  Status absorb(Local& local, const Input& input, const Epoch& epoch, Emitter& out) const override;
  Status merge(size_t partition, std::span<Local* const> locals, const Epoch& epoch) override {
    for (const Local* local : locals) {
      FLOWRUN_RETURN_IF_ERROR(partitions_[partition]->merge(
          static_cast<const AggregationLocal*>(local)->groups, epoch));
    }
    return {};
  }
  Status evict(size_t partition, const Epoch& epoch) override {
    return partitions_[partition]->evict(epoch);
  }
  Status emit(size_t partition, const Ask& ask, const Epoch& epoch, Emitter& out) override {
    return partitions_[partition]->emit(ask, epoch, out);
  }
  void forget(size_t partition, EpochId served) override { partitions_[partition]->forget(served); }
  void clear(Local& local) const override {
    LocalGroups& groups = static_cast<AggregationLocal&>(local).groups;
    groups.table.clear();
    for (const auto& states : groups.states) states->clear();
  }

  Status snapshot(SnapshotWriter& writer) override { return save_all(partitions_, writer); }
  Status restore(SnapshotReader& reader) override {
    return load_all(partitions_, reader, "groups");
  }

  [[nodiscard]] int64_t state_rows() const override { return total_rows(partitions_); }
  [[nodiscard]] int64_t state_bytes() const override { return total_bytes(partitions_); }
  [[nodiscard]] std::string describe() const override;
  [[nodiscard]] Bound state_bound() const override;
  [[nodiscard]] bool is_aggregation() const override { return true; }
  [[nodiscard]] std::vector<std::string> key_columns() const override {
    std::vector<std::string> names;
    for (size_t i = 0; i < shape_.keys.size() + (shape_.window ? 1 : 0); ++i)
      names.push_back(shape_.output->field(i).name);
    return names;
  }

 private:
  Status bind_keys(const SchemaPtr& schema);
  void find_time_key(const Schema& schema);
  [[nodiscard]] SchemaPtr output_schema(const Schema& schema) const;
  // Fills `panes` for the rows that are kept, if there are windows.
  Result<Judged> judge_windows(const RecordBatch& batch, const Epoch& epoch,
                               ColumnPtr& panes) const;
  Result<Judged> judge_time_key(const RecordBatch& batch, const Epoch& epoch) const;
  // Leaves in `batch` what is kept; counts and puts out what is late.
  Status drop(const Judged& judged, RecordBatch& batch, Emitter& out) const;
  [[nodiscard]] bool window_closes() const {
    return evict_ && shape_.time_key->kind == TimeKey::Kind::window;
  }
  [[nodiscard]] std::string key_names() const;

  AggregationOptions options_;
  const ExpressionEnvironment& environment_;
  AggregationShape shape_;
  std::optional<EventTime> time_;  // of windows
  bool evict_ = false;
  std::vector<std::unique_ptr<AggregationPartition>> partitions_;
};

Status Aggregation::bind_keys(const SchemaPtr& schema) {
  const Binder binder(Scope{schema}, environment_);
  for (const OptionValue& key : options_.keys) {
    auto bound = binder.bind(key.text);
    if (!bound) return key.place(std::move(bound.error()));
    shape_.keys.push_back(std::move(*bound));
  }
  shape_.sets = options_.sets;
  if (!options_.window) return {};
  shape_.window = options_.window->grid;
  FLOWRUN_TRY(time_, EventTime::bind(options_.window->on, schema, environment_));
  return {};
}

void Aggregation::find_time_key(const Schema& schema) {
  if (time_ && time_->watermark_delay()) {
    shape_.time_key = {TimeKey::Kind::window, 0};
    return;
  }
  for (size_t i = 0; i < shape_.keys.size(); ++i) {
    const Expression& key = *shape_.keys[i];
    if (!watermark_delay_of(key, schema)) continue;
    const auto kind =
        is_window_type(key.type()) ? TimeKey::Kind::earlier_window : TimeKey::Kind::time;
    shape_.time_key = {kind, i + (shape_.window ? 1 : 0)};
    return;
  }
}

SchemaPtr Aggregation::output_schema(const Schema& schema) const {
  std::vector<Field> fields;
  if (shape_.window) {
    Field window{"window",
                 Type::struct_({{"start", Type::timestamp()}, {"end", Type::timestamp()}}), false};
    window.watermark_delay = time_->watermark_delay();
    fields.push_back(std::move(window));
  }
  for (const ExpressionPtr& key : shape_.keys) {
    Field field{key->name(), key->type(), key->nullable() || !shape_.sets.empty()};
    field.watermark_delay = watermark_delay_of(*key, schema);
    fields.push_back(std::move(field));
  }
  fields.insert(fields.end(), shape_.aggregates.fields().begin(), shape_.aggregates.fields().end());
  return Schema::make(std::move(fields));
}

Result<PortSchemas> Aggregation::bind(std::span<const InputSchema> inputs) {
  const SchemaPtr& schema = inputs[0].schema;
  FLOWRUN_RETURN_IF_ERROR(bind_keys(schema));
  FLOWRUN_TRY(shape_.aggregates, AggregateList::bind(options_.aggregates, schema, shape_.keys,
                                                     !shape_.sets.empty(), environment_));
  find_time_key(*schema);
  shape_.output = output_schema(*schema);
  return PortSchemas{{"", shape_.output}, {"late", schema}};
}

Status Aggregation::plan(const StatefulPlan& plan, size_t partitions) {
  const bool append = std::ranges::find(plan.modes, OutputMode::append) != plan.modes.end();
  if (append && !shape_.time_key) {
    return Error::invalid(
        "append needs a watermark on a grouping column, for else no group is ever finished — add "
        "`watermark:` "
        "before it and group by that column or a window of it, or use `mode: complete` or `mode: "
        "update`");
  }
  evict_ = plan.evict && shape_.time_key.has_value();
  const size_t count = shape_.is_global() ? 1 : partitions;
  partitions_.clear();
  for (size_t i = 0; i < count; ++i) {
    partitions_.push_back(std::make_unique<AggregationPartition>(shape_, plan, i, count));
  }
  return {};
}

ColumnSet Aggregation::read_columns(size_t, size_t num_columns) const {
  ColumnSet read(num_columns, false);
  for (const ExpressionPtr& key : shape_.keys) {
    for (const size_t column : key->columns()) read[column] = true;
  }
  for (const size_t column : shape_.aggregates.columns()) read[column] = true;
  if (time_) {
    for (const size_t column : time_->columns()) read[column] = true;
  }
  return read;
}

Result<Judged> Aggregation::judge_windows(const RecordBatch& batch, const Epoch& epoch,
                                          ColumnPtr& panes) const {
  FLOWRUN_TRY(const ColumnPtr times, time_->evaluate(batch, epoch.context));
  const WindowGrid& grid = *shape_.window;
  const int64_t* values = times->values<int64_t>().data();
  // A row is late when the last window that holds it has ended: when it stands before the first
  // window that has not.
  const int64_t first_open = !window_closes() ? std::numeric_limits<int64_t>::min()
                             : epoch.late_watermark == kEndOfTime
                                 ? kEndOfTime
                                 : grid.first_window_after(epoch.late_watermark);
  Judged judged;
  judged.kept.reserve(static_cast<size_t>(batch.num_rows()));
  FixedBuilder<int64_t> begins(Type::timestamp());
  begins.reserve(batch.num_rows());
  const int64_t width = grid.pane_width();
  int64_t pane = 0;
  int64_t pane_end = 0;
  for (int64_t i = 0; i < times->size(); ++i) {
    if (times->is_null(i)) continue;
    const int64_t time = values[i];
    if (time < first_open) {
      judged.late.push_back(static_cast<int32_t>(i));
      continue;
    }
    if (time < pane || time >= pane_end) {
      pane = grid.pane_of(time);
      pane_end = pane + width;
    }
    begins.append(pane);
    judged.kept.push_back(static_cast<int32_t>(i));
  }
  panes = begins.finish();
  return judged;
}

Result<Judged> Aggregation::judge_time_key(const RecordBatch& batch, const Epoch& epoch) const {
  const TimeKey& key = *shape_.time_key;
  FLOWRUN_TRY(const ColumnPtr times,
              shape_.keys[key.index - (shape_.window ? 1 : 0)]->evaluate(batch, epoch.context));
  const Column& ends = key.kind == TimeKey::Kind::earlier_window ? *times->child(1) : *times;
  Judged judged;
  for (int64_t i = 0; i < times->size(); ++i) {
    const bool timeless = times->is_null(i) || ends.is_null(i);
    const bool late =
        !timeless && ends.values<int64_t>()[static_cast<size_t>(i)] <= epoch.late_watermark;
    (late ? judged.late : judged.kept).push_back(static_cast<int32_t>(i));
  }
  return judged;
}

Status Aggregation::drop(const Judged& judged, RecordBatch& batch, Emitter& out) const {
  if (!judged.late.empty()) {
    out.count(Metric::late, static_cast<int64_t>(judged.late.size()));
    if (out.wanted(kLatePort))
      FLOWRUN_RETURN_IF_ERROR(out.emit(kLatePort, batch.take(judged.late)));
  }
  if (judged.kept.size() < static_cast<size_t>(batch.num_rows())) batch = batch.take(judged.kept);
  return {};
}

Status Aggregation::absorb(Local& local, const Input& input, const Epoch& epoch,
                           Emitter& out) const {
  RecordBatch batch = input.batch;
  if (batch.num_rows() == 0) return {};
  ColumnPtr panes;
  if (evict_ && shape_.time_key->kind != TimeKey::Kind::window) {
    FLOWRUN_TRY(const Judged judged, judge_time_key(batch, epoch));
    FLOWRUN_RETURN_IF_ERROR(drop(judged, batch, out));
  }
  if (shape_.window) {
    FLOWRUN_TRY(const Judged judged, judge_windows(batch, epoch, panes));
    FLOWRUN_RETURN_IF_ERROR(drop(judged, batch, out));
  }
  if (batch.num_rows() == 0) return {};
  LocalGroups& groups = static_cast<AggregationLocal&>(local).groups;
  std::vector<uint32_t>& row_groups = static_cast<AggregationLocal&>(local).row_groups;
  std::vector<ColumnPtr> keys;
  if (panes) keys.push_back(std::move(panes));
  for (const ExpressionPtr& key : shape_.keys) {
    FLOWRUN_TRY(ColumnPtr column, key->evaluate(batch, epoch.context));
    keys.push_back(std::move(column));
  }
  row_groups.resize(static_cast<size_t>(batch.num_rows()));
  groups.table.find_or_add(keys, row_groups);
  return shape_.aggregates.update(
      groups.states, groups.table.size(), row_groups, batch, epoch.context,
      static_cast<AggregationLocal&>(local).sequence.next(input.sequence));
}

std::string Aggregation::key_names() const {
  std::string names;
  for (const ExpressionPtr& key : shape_.keys) names += (names.empty() ? "" : ", ") + key->name();
  return names;
}

std::string Aggregation::describe() const {
  std::string text = options_.name;
  if (time_) text += " of " + time_->name();
  if (!shape_.keys.empty()) text += (time_ ? " by " : " ") + key_names();
  return text + ": " + shape_.aggregates.describe();
}

Stateful::Bound Aggregation::state_bound() const {
  if (shape_.is_global()) return {"one row", true};
  std::string rows = "one row per ";
  if (shape_.window) rows += "window";
  if (!shape_.keys.empty()) rows += (shape_.window ? " and " : "") + key_names();
  if (!shape_.sets.empty()) rows += " and grouping set";
  if (evict_)
    return {
        rows + ", until the watermark passes " + (shape_.window ? "the window's end" : "its time"),
        true};
  if (shape_.time_key) return {rows + ", kept for ever because of complete mode", false};
  return {rows + ", no bound but the number of keys", false};
}

}  // namespace

std::unique_ptr<Stateful> make_aggregation(AggregationOptions options,
                                           const ExpressionEnvironment* environment) {
  return std::make_unique<Aggregation>(std::move(options), *environment);
}

}  // namespace flowrun
