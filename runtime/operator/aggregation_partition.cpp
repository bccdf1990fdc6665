#include "runtime/operator/aggregation_partition.h"

#include <algorithm>
#include <numeric>

#include "runtime/columnar/builder.h"

namespace flowrun {

namespace {

constexpr size_t kRowsPerBatch = 8192;
constexpr int64_t kNeverEnds = kEndOfTime;

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

AggregationPartition::Expansion AggregationPartition::expand_windows(const GroupTable& local,
                                                                     const Epoch& epoch) const {
  const std::vector<uint32_t> groups = all_groups(local.size());
  const ColumnPtr panes = local.key(0, groups);
  const WindowGrid& grid = *shape_.window;
  const bool closes = evict_ && shape_.time_key->kind == TimeKey::Kind::window;
  Expansion expansion;
  std::vector<int32_t> rows;
  FixedBuilder<int64_t> begins(Type::timestamp());
  for (const uint32_t group : groups) {
    const int64_t pane = panes->values<int64_t>()[group];
    for (int64_t begin = grid.last_window(pane); grid.end_of(begin) > pane; begin -= grid.slide) {
      if (closes && grid.end_of(begin) <= epoch.late_watermark)
        break;  // it was emitted; so were those before it
      begins.append(begin);
      rows.push_back(static_cast<int32_t>(group));
      expansion.from.push_back(group);
    }
  }
  expansion.keys.push_back(begins.finish());
  for (size_t i = 1; i < local.types().size(); ++i)
    expansion.keys.push_back(take(*local.key(i, groups), rows));
  return expansion;
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

void AggregationPartition::keep_own(Expansion& expansion) {
  if (count_ == 1) return;
  std::vector<uint64_t> hashes(expansion.from.size());
  table_.hash_rows(expansion.keys, hashes);
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
  if (shape_.window) return merge_expansion(expand_windows(local.table, epoch), local, epoch);
  for (size_t set = 0; set < shape_.sets.size(); ++set) {
    FLOWRUN_RETURN_IF_ERROR(merge_expansion(expand_set(local.table, set), local, epoch));
  }
  if (!shape_.sets.empty()) return {};
  std::vector<uint32_t> from;
  for (uint32_t group = 0; group < local.table.size(); ++group) {
    if (local.table.hash(group) % count_ == number_) from.push_back(group);
  }
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
  touched_.resize(table_.size(), -1);
  if (!evict_ || known == table_.size()) return;
  std::vector<uint32_t> added(table_.size() - known);
  std::iota(added.begin(), added.end(), static_cast<uint32_t>(known));
  const ColumnPtr times = table_.key(shape_.time_key->index, added);
  const bool is_struct = shape_.time_key->kind == TimeKey::Kind::earlier_window;
  const Column& values = is_struct ? *times->child(1) : *times;
  for (int64_t i = 0; i < times->size(); ++i) {
    int64_t end = kNeverEnds;
    if (times->is_valid(i) && values.is_valid(i)) {
      end = values.values<int64_t>()[static_cast<size_t>(i)];
      if (shape_.time_key->kind == TimeKey::Kind::window) end = shape_.window->end_of(end);
    }
    ends_.push_back(end);
    first_end_ = std::min(first_end_, end);
  }
}

Status AggregationPartition::evict(const Epoch& epoch) {
  if (!evict_ || first_end_ > epoch.watermark || first_end_ == kNeverEnds) return {};
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
  Evicted evicted{epoch.id, {}, {}};
  for (const uint32_t group : due) evicted.touched.push_back(touched_[group]);
  FLOWRUN_TRY(evicted.rows, output(due, epoch.context));
  evicted_.push_back(std::move(evicted));

  table_.keep(kept);
  for (const auto& states : states_) states->keep(kept);
  keep_elements(touched_, kept);
  keep_elements(ends_, kept);
  first_end_ = ends_.empty() ? kNeverEnds : *std::ranges::min_element(ends_);
  std::erase_if(touch_log_,
                [&](const Touch& touch) { return numbers[touch.group] == GroupTable::kNoGroup; });
  for (Touch& touch : touch_log_) touch.group = numbers[touch.group];
  return {};
}

Result<RecordBatch> AggregationPartition::output(std::span<const uint32_t> groups,
                                                 const EvaluationContext& context) const {
  std::vector<ColumnPtr> keys = table_.keys(groups);
  std::vector<ColumnPtr> columns;
  if (shape_.window) {
    columns.push_back(window_column(shape_.output->field(0).type, keys.front(), *shape_.window));
    keys.erase(keys.begin());
  }
  columns.insert(columns.end(), keys.begin(),
                 keys.begin() + static_cast<std::ptrdiff_t>(shape_.keys.size()));
  if (!shape_.sets.empty()) {
    FixedWriter<int64_t> ids(Type::bigint(), keys.back()->size());
    for (int64_t i = 0; i < keys.back()->size(); ++i) {
      ids.set(i, shape_.grouping_id(
                     static_cast<size_t>(keys.back()->values<int32_t>()[static_cast<size_t>(i)])));
    }
    keys.back() = ids.finish();
  }
  FLOWRUN_TRY(std::vector<ColumnPtr> results,
              shape_.aggregates.results(states_, groups, keys, context));
  columns.insert(columns.end(), results.begin(), results.end());
  return RecordBatch(shape_.output, static_cast<int64_t>(groups.size()), std::move(columns));
}

Status AggregationPartition::emit_groups(std::span<const uint32_t> groups, const Epoch& epoch,
                                         Emitter& out) const {
  for (size_t start = 0; start < groups.size(); start += kRowsPerBatch) {
    FLOWRUN_TRY(RecordBatch batch,
                output(groups.subspan(start, std::min(kRowsPerBatch, groups.size() - start)),
                       epoch.context));
    FLOWRUN_RETURN_IF_ERROR(out.emit(0, std::move(batch)));
  }
  return {};
}

Status AggregationPartition::emit(const Ask& ask, const Epoch& epoch, Emitter& out) const {
  if (ask.mode == OutputMode::complete || shape_.is_global())
    return emit_groups(all_groups(table_.size()), epoch, out);
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
  if (ask.mode == OutputMode::append) return {};
  const auto first = std::ranges::upper_bound(touch_log_, ask.since, {}, &Touch::epoch);
  std::vector<uint32_t> groups;
  for (auto touch = first; touch != touch_log_.end(); ++touch) {
    if (touched_[touch->group] == touch->epoch) groups.push_back(touch->group);
  }
  return emit_groups(groups, epoch, out);
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
  return writer.write("groups",
                      RecordBatch(Schema::make(std::move(fields)), rows(), std::move(columns)));
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
  for (const auto& states : states_) bytes += states->memory_bytes();
  for (const Evicted& evicted : evicted_) bytes += evicted.rows.memory_bytes();
  return bytes;
}

}  // namespace flowrun
