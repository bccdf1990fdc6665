#include "runtime/operator/aggregation_partition.h"

#include <algorithm>
#include <numeric>

#include "runtime/columnar/builder.h"

namespace flowrun {

namespace {

constexpr size_t kRowsPerBatch = 8192;
constexpr int64_t kNeverEnds = kEndOfTime;
constexpr size_t kSweep = 4;  // ended panes are swept out once they are a quarter

std::vector<uint32_t> all_groups(size_t count) {
  std::vector<uint32_t> groups(count);
  std::iota(groups.begin(), groups.end(), 0u);
  return groups;
}

template <class T>
void keep_elements(std::vector<T>& elements, std::span<const uint32_t> kept) {
  for (size_t i = 0; i < kept.size(); ++i) elements[i] = elements[kept[i]];
  elements.resize(kept.size());
}

// Calls body(some) for so many at a time.
template <class Body>
Status in_batches(std::span<const uint32_t> groups, const Body& body) {
  for (size_t start = 0; start < groups.size(); start += kRowsPerBatch) {
    FLOWRUN_RETURN_IF_ERROR(
        body(groups.subspan(start, std::min(kRowsPerBatch, groups.size() - start))));
  }
  return {};
}

ColumnPtr window_column(const Type& type, const ColumnPtr& begins, const WindowGrid& grid) {
  const std::span<const int64_t> values = begins->values<int64_t>();
  FixedWriter<int64_t> ends(Type::timestamp(), begins->size());
  for (int64_t i = 0; i < begins->size(); ++i)
    ends.set(i, grid.end_of(values[static_cast<size_t>(i)]));
  Column::Parts parts{.type = type, .size = begins->size(), .null_count = 0};
  parts.children = {begins, ends.finish()};
  return Column::make(std::move(parts));
}

}  // namespace

std::vector<Type> AggregationShape::local_types() const {
  std::vector<Type> types;
  if (window) types.push_back(Type::timestamp());
  for (const ExpressionPtr& key : keys) types.push_back(key->type());
  return types;
}

std::vector<Type> AggregationShape::state_types() const {
  std::vector<Type> types = local_types();
  if (!sets.empty()) types.push_back(Type::integer());
  return types;
}

int64_t AggregationShape::grouping_id(size_t set) const {
  int64_t id = 0;
  for (const bool present : sets[set]) id = id << 1 | (present ? 0 : 1);
  return id;
}

AggregationPartition::AggregationPartition(const AggregationShape& shape, const StatefulPlan& plan,
                                           size_t number, size_t count)
    : shape_(shape),
      modes_(plan.modes),
      evict_(plan.evict && shape.time_key),
      number_(number),
      count_(count),
      table_(shape.state_types()),
      states_(shape.aggregates.make_states()),
      first_end_(kNeverEnds) {
  if (shape.window && shape.window->slides()) sliding_.emplace(shape);
  if (!shape.is_global()) return;
  // The one row of an aggregation without keys is there before any input.
  std::vector<uint32_t> only(1);
  table_.find_or_add({}, only);
  for (const auto& states : states_) states->resize(1);
  note_new_groups();
}

bool AggregationPartition::asked_for(OutputMode mode) const {
  return std::ranges::find(modes_, mode) != modes_.end();
}

AggregationPartition::Expansion AggregationPartition::expand_set(const GroupTable& local,
                                                                 size_t set) const {
  Expansion expansion;
  expansion.from = all_groups(local.size());
  const auto rows = static_cast<int64_t>(local.size());
  for (size_t i = 0; i < shape_.keys.size(); ++i) {
    expansion.keys.push_back(shape_.sets[set][i] ? local.key(i, expansion.from)
                                                 : null_column(local.types()[i], rows));
  }
  FixedWriter<int32_t> number(Type::integer(), rows);
  std::fill_n(number.data(), rows, static_cast<int32_t>(set));
  expansion.keys.push_back(number.finish());
  return expansion;
}

// All panes of a key stand in one partition.
std::vector<uint64_t> AggregationPartition::owner_hashes(std::span<const ColumnPtr> keys,
                                                         size_t rows) {
  std::vector<uint64_t> hashes(rows);
  if (!sliding_) {
    table_.hash_rows(keys, hashes);
  } else if (!shape_.keys.empty()) {
    sliding_->hash_keys(keys.subspan(1), hashes);
  }
  return hashes;
}

std::vector<uint32_t> AggregationPartition::own_groups(const GroupTable& local) {
  std::vector<uint32_t> own = all_groups(local.size());
  if (count_ == 1) return own;
  const std::vector<uint64_t> hashes =
      sliding_ ? owner_hashes(local.keys(own), own.size()) : std::vector<uint64_t>();
  std::erase_if(own, [&](uint32_t group) {
    return (sliding_ ? hashes[group] : local.hash(group)) % count_ != number_;
  });
  return own;
}

void AggregationPartition::keep_own(Expansion& expansion) {
  if (count_ == 1) return;
  const std::vector<uint64_t> hashes = owner_hashes(expansion.keys, expansion.from.size());
  std::vector<int32_t> own;
  std::vector<uint32_t> from;
  for (size_t i = 0; i < hashes.size(); ++i) {
    if (hashes[i] % count_ != number_) continue;
    own.push_back(static_cast<int32_t>(i));
    from.push_back(expansion.from[i]);
  }
  for (ColumnPtr& key : expansion.keys) key = take(*key, own);
  expansion.from = std::move(from);
}

Status AggregationPartition::merge_expansion(Expansion expansion, const LocalGroups& local,
                                             const Epoch& epoch) {
  keep_own(expansion);
  std::vector<uint32_t> groups(expansion.from.size());
  table_.find_or_add(expansion.keys, groups);
  return merge_states(groups, local, expansion.from, epoch);
}

Status AggregationPartition::merge(const LocalGroups& local, const Epoch& epoch) {
  if (local.table.size() == 0) return {};
  for (size_t set = 0; set < shape_.sets.size(); ++set) {
    FLOWRUN_RETURN_IF_ERROR(merge_expansion(expand_set(local.table, set), local, epoch));
  }
  if (!shape_.sets.empty()) return {};
  const std::vector<uint32_t> from = own_groups(local.table);
  std::vector<uint32_t> groups(from.size());
  table_.merge(local.table, from, groups);
  return merge_states(groups, local, from, epoch);
}

Status AggregationPartition::merge_states(std::span<const uint32_t> groups,
                                          const LocalGroups& local, std::span<const uint32_t> from,
                                          const Epoch& epoch) {
  for (size_t i = 0; i < states_.size(); ++i) {
    states_[i]->resize(table_.size());
    FLOWRUN_RETURN_IF_ERROR(states_[i]->merge(groups, *local.states[i], from));
  }
  note_new_groups();
  const bool log = asked_for(OutputMode::update);
  for (const uint32_t group : groups) {
    if (touched_[group] == epoch.id) continue;
    touched_[group] = epoch.id;
    if (log) touch_log_.push_back({epoch.id, group});
  }
  return {};
}

void AggregationPartition::note_new_groups() {
  const size_t known = touched_.size();
  if (known == table_.size()) return;
  touched_.resize(table_.size(), -1);
  if (sliding_) sliding_->add(table_, known);
  if (!evict_) return;
  std::vector<uint32_t> added(table_.size() - known);
  std::iota(added.begin(), added.end(), static_cast<uint32_t>(known));
  const ColumnPtr times = table_.key(shape_.time_key->index, added);
  const bool is_struct = shape_.time_key->kind == TimeKey::Kind::earlier_window;
  const Column& values = is_struct ? *times->child(1) : *times;
  for (int64_t i = 0; i < times->size(); ++i) {
    int64_t end = kNeverEnds;
    int64_t first = kNeverEnds;
    if (times->is_valid(i) && values.is_valid(i)) {
      first = end = values.values<int64_t>()[static_cast<size_t>(i)];
      if (shape_.time_key->kind == TimeKey::Kind::window) {
        const WindowGrid& grid = *shape_.window;
        first = grid.end_of(grid.first_window_after(std::max(end, ended_until_)));
        end = grid.end_of(grid.last_window(end));
      }
    }
    ends_.push_back(end);
    first_end_ = std::min(first_end_, first);
  }
}

// The windows that ended since the watermark was last looked at.
Status AggregationPartition::evict_windows(const Epoch& epoch) {
  const WindowQuestion ended{.after = ended_until_,
                             .until = std::min(epoch.watermark, kNeverEnds - 1)};
  return sliding_->visit(ended, states_, touched_, [&](const WindowRows& windows) -> Status {
    FLOWRUN_TRY(RecordBatch rows,
                window_output(windows, all_groups(windows.begins.size()), epoch.context));
    evicted_.push_back({epoch.id, windows.touched, std::move(rows)});
    return {};
  });
}

Status AggregationPartition::evict(const Epoch& epoch) {
  if (!evict_) return {};
  ended_until_ = std::max(ended_until_, epoch.late_watermark);
  if (first_end_ > epoch.watermark || first_end_ == kNeverEnds) return {};
  std::vector<uint32_t> due;
  std::vector<uint32_t> kept;
  std::vector<uint32_t> numbers(ends_.size(), GroupTable::kNoGroup);
  for (uint32_t group = 0; group < ends_.size(); ++group) {
    if (ends_[group] <= epoch.watermark && ends_[group] != kNeverEnds) {
      due.push_back(group);
    } else {
      numbers[group] = static_cast<uint32_t>(kept.size());
      kept.push_back(group);
    }
  }
  if (sliding_) {
    FLOWRUN_RETURN_IF_ERROR(evict_windows(epoch));
  } else {
    Evicted evicted{epoch.id, {}, {}};
    for (const uint32_t group : due) evicted.touched.push_back(touched_[group]);
    FLOWRUN_TRY(evicted.rows, output(due, epoch.context));
    evicted_.push_back(std::move(evicted));
  }
  ended_until_ = epoch.watermark;
  // Every slide ends a pane or two of each key; they are swept out together. One that has ended
  // stands in no window and takes no rows, so it may wait.
  num_ended_ = due.size();
  if (sliding_ && num_ended_ * kSweep < table_.size()) {
    find_first_end();
    return {};
  }
  forget_groups(kept, numbers);
  num_ended_ = 0;
  return {};
}

void AggregationPartition::forget_groups(std::span<const uint32_t> kept,
                                         std::span<const uint32_t> numbers) {
  table_.keep(kept);
  for (const auto& states : states_) states->keep(kept);
  keep_elements(touched_, kept);
  keep_elements(ends_, kept);
  std::erase_if(touch_log_,
                [&](const Touch& touch) { return numbers[touch.group] == GroupTable::kNoGroup; });
  for (Touch& touch : touch_log_) touch.group = numbers[touch.group];
  if (sliding_) sliding_->renumber(numbers);
  find_first_end();
}

void AggregationPartition::find_first_end() {
  first_end_ = ends_.empty() ? kNeverEnds : *std::ranges::min_element(ends_);
  if (!sliding_ || first_end_ == kNeverEnds) return;
  // A pane stands in earlier windows than its last.
  const ColumnPtr panes = table_.key(0, all_groups(table_.size()));
  const int64_t first = std::ranges::min(panes->values<int64_t>());
  const WindowGrid& grid = *shape_.window;
  first_end_ = grid.end_of(grid.first_window_after(std::max(first, ended_until_)));
}

Result<RecordBatch> AggregationPartition::rows_of(ColumnPtr window, std::vector<ColumnPtr> keys,
                                                  const AggregateStates& states,
                                                  std::span<const uint32_t> groups,
                                                  const EvaluationContext& context) const {
  FLOWRUN_TRY(std::vector<ColumnPtr> results,
              shape_.aggregates.results(states, groups, keys, context));
  std::vector<ColumnPtr> columns;
  if (window) columns.push_back(std::move(window));
  columns.insert(columns.end(), keys.begin(),
                 keys.begin() + static_cast<std::ptrdiff_t>(shape_.keys.size()));
  columns.insert(columns.end(), results.begin(), results.end());
  return RecordBatch(shape_.output, static_cast<int64_t>(groups.size()), std::move(columns));
}

Result<RecordBatch> AggregationPartition::output(std::span<const uint32_t> groups,
                                                 const EvaluationContext& context) const {
  std::vector<ColumnPtr> keys = table_.keys(groups);
  ColumnPtr window;
  if (shape_.window) {
    window = window_column(shape_.output->field(0).type, keys.front(), *shape_.window);
    keys.erase(keys.begin());
  }
  if (!shape_.sets.empty()) {
    FixedWriter<int64_t> ids(Type::bigint(), keys.back()->size());
    for (int64_t i = 0; i < keys.back()->size(); ++i) {
      ids.set(i, shape_.grouping_id(
                     static_cast<size_t>(keys.back()->values<int32_t>()[static_cast<size_t>(i)])));
    }
    keys.back() = ids.finish();
  }
  return rows_of(std::move(window), std::move(keys), states_, groups, context);
}

Result<RecordBatch> AggregationPartition::window_output(const WindowRows& windows,
                                                        std::span<const uint32_t> chosen,
                                                        const EvaluationContext& context) const {
  FixedWriter<int64_t> begins(Type::timestamp(), static_cast<int64_t>(chosen.size()));
  std::vector<uint32_t> panes;
  panes.reserve(chosen.size());
  for (size_t i = 0; i < chosen.size(); ++i) {
    begins.set(static_cast<int64_t>(i), windows.begins[chosen[i]]);
    panes.push_back(windows.panes[chosen[i]]);
  }
  std::vector<ColumnPtr> keys;
  for (size_t i = 0; i < shape_.keys.size(); ++i) keys.push_back(table_.key(i + 1, panes));
  return rows_of(window_column(shape_.output->field(0).type, begins.finish(), *shape_.window),
                 std::move(keys), windows.states, chosen, context);
}

Status AggregationPartition::emit_windows(const WindowQuestion& question, const Epoch& epoch,
                                          Emitter& out) const {
  return sliding_->visit(question, states_, touched_, [&](const WindowRows& windows) -> Status {
    const std::vector<uint32_t> all = all_groups(windows.begins.size());
    return in_batches(all, [&](std::span<const uint32_t> some) -> Status {
      FLOWRUN_TRY(RecordBatch batch, window_output(windows, some, epoch.context));
      return out.emit(0, std::move(batch));
    });
  });
}

Status AggregationPartition::emit_groups(std::span<const uint32_t> groups, const Epoch& epoch,
                                         Emitter& out) const {
  return in_batches(groups, [&](std::span<const uint32_t> some) -> Status {
    FLOWRUN_TRY(RecordBatch batch, output(some, epoch.context));
    return out.emit(0, std::move(batch));
  });
}

Status AggregationPartition::emit_evicted(const Ask& ask, Emitter& out) const {
  for (const Evicted& evicted : evicted_) {
    if (evicted.epoch <= ask.since) continue;
    if (ask.mode == OutputMode::append) {
      FLOWRUN_RETURN_IF_ERROR(out.emit(0, evicted.rows));
      continue;
    }
    std::vector<int32_t> rows;
    for (size_t i = 0; i < evicted.touched.size(); ++i) {
      if (evicted.touched[i] > ask.since) rows.push_back(static_cast<int32_t>(i));
    }
    FLOWRUN_RETURN_IF_ERROR(out.emit(0, evicted.rows.take(rows)));
  }
  return {};
}

Status AggregationPartition::emit(const Ask& ask, const Epoch& epoch, Emitter& out) const {
  if (ask.mode == OutputMode::complete || shape_.is_global()) {
    return sliding_ ? emit_windows({}, epoch, out)
                    : emit_groups(all_groups(table_.size()), epoch, out);
  }
  FLOWRUN_RETURN_IF_ERROR(emit_evicted(ask, out));
  if (ask.mode == OutputMode::append) return {};
  const auto first = std::ranges::upper_bound(touch_log_, ask.since, {}, &Touch::epoch);
  std::vector<uint32_t> groups;
  for (auto touch = first; touch != touch_log_.end(); ++touch) {
    if (touched_[touch->group] == touch->epoch) groups.push_back(touch->group);
  }
  if (!sliding_) return emit_groups(groups, epoch, out);
  WindowQuestion touched{.after = ended_until_};
  touched.touched = {ask.since, groups};
  return emit_windows(touched, epoch, out);
}

void AggregationPartition::forget(EpochId served) {
  while (!evicted_.empty() && evicted_.front().epoch <= served) evicted_.pop_front();
  while (!touch_log_.empty() && touch_log_.front().epoch <= served) touch_log_.pop_front();
}

Status AggregationPartition::save(SnapshotWriter& writer) const {
  const std::vector<uint32_t> groups = all_groups(table_.size());
  std::vector<ColumnPtr> columns = table_.keys(groups);
  std::vector<Field> fields;
  for (size_t i = 0; i < columns.size(); ++i)
    fields.push_back({"key" + std::to_string(i), columns[i]->type()});
  for (size_t i = 0; i < states_.size(); ++i) {
    FLOWRUN_TRY(std::vector<ColumnPtr> saved, states_[i]->save(groups));
    for (ColumnPtr& column : saved) {
      fields.push_back({"call" + std::to_string(i), column->type()});
      columns.push_back(std::move(column));
    }
  }
  return writer.write(
      "groups", RecordBatch(Schema::make(std::move(fields)), static_cast<int64_t>(groups.size()),
                            std::move(columns)));
}

Status AggregationPartition::load(const RecordBatch& rows) {
  const size_t num_keys = table_.types().size();
  if (rows.num_columns() < num_keys)
    return Error::invalid("the saved groups have other keys than this aggregation");
  for (size_t i = 0; i < num_keys; ++i) {
    if (rows.column(i)->type() != table_.types()[i]) {
      return Error::invalid("the saved groups have other keys than this aggregation");
    }
  }
  Expansion expansion;
  expansion.keys.assign(rows.columns().begin(),
                        rows.columns().begin() + static_cast<std::ptrdiff_t>(num_keys));
  expansion.from = all_groups(static_cast<size_t>(rows.num_rows()));
  keep_own(expansion);
  std::vector<int32_t> own(expansion.from.begin(), expansion.from.end());
  std::vector<uint32_t> groups(own.size());
  if (shape_.is_global()) {
    // The saved row takes the place of the one that stands at the start.
    for (const auto& states : states_) states->clear();
  } else {
    table_.find_or_add(expansion.keys, groups);
  }
  for (size_t i = 0; i < states_.size(); ++i) {
    std::vector<ColumnPtr> saved;
    for (const size_t index : rows.schema()->find_all("call" + std::to_string(i))) {
      saved.push_back(take(*rows.column(index), own));
    }
    if (saved.empty())
      return Error::invalid("the saved groups have other aggregates than this aggregation");
    FLOWRUN_RETURN_IF_ERROR(states_[i]->load(saved));
  }
  note_new_groups();
  return {};
}

int64_t AggregationPartition::memory_bytes() const {
  int64_t bytes =
      table_.memory_bytes() +
      static_cast<int64_t>(touched_.capacity() * sizeof(EpochId) +
                           ends_.capacity() * sizeof(int64_t) + touch_log_.size() * sizeof(Touch));
  if (sliding_) bytes += sliding_->memory_bytes();
  for (const auto& states : states_) bytes += states->memory_bytes();
  for (const Evicted& evicted : evicted_) bytes += evicted.rows.memory_bytes();
  return bytes;
}

}  // namespace flowrun
