// dedup: the first row of each key.

#include <algorithm>

#include "runtime/columnar/builder.h"
#include "runtime/operator/late_rows.h"
#include "runtime/operator/option_specs.h"
#include "runtime/operator/pending_rows.h"
#include "runtime/operator/registry.h"
#include "runtime/operator/row_sequence.h"
#include "runtime/state/group_table.h"
#include "runtime/state/snapshot.h"

namespace flowrun {

namespace {

constexpr size_t kLatePort = 1;

OperatorSpec spec() {
  using namespace option;
  OperatorSpec spec;
  spec.name = "dedup";
  spec.summary = "Passes the first row of each key on.";
  spec.doc =
      "The first row in the order of arrival, whole; null is a key like others. An empty list "
      "takes all columns. With "
      "a watermark on one of the columns a key is forgotten when the watermark has passed its "
      "time; with "
      "`within_watermark` when it has passed the first row's time by the delay. Late rows are "
      "dropped, counted, and "
      "offered on `.late`.";
  spec.primary = list_of(column("dedup", "a column of the key"));
  spec.options = {boolean("within_watermark", "keep a key only for the watermark's delay")
                      .with_default("false")};
  spec.ports = {"late"};
  spec.examples = {{"One row per event", "unique: { from: events, dedup: [id] }\n"},
                   {"Repeats come within ten minutes",
                    "timed: { from: events, watermark: time, delay: 10 minutes }\n"
                    "unique: { from: timed, dedup: [id], within_watermark: true }\n"}};
  return spec;
}

// The first rows of the keys that one worker has seen in the epoch.
struct DedupLocal final : Local {
  explicit DedupLocal(std::vector<Type> types) : table(std::move(types)) {}
  [[nodiscard]] int64_t memory_bytes() const override { return table.memory_bytes() + piece_bytes; }

  struct First {
    int64_t sequence;
    size_t piece;
    int32_t row;  // in the piece; pieces keep the rows' order
  };
  GroupTable table;
  std::vector<First> firsts;  // by group
  std::vector<RecordBatch> pieces;
  int64_t piece_bytes = 0;
  RowSequence sequence;
};

class DedupPartition {
 public:
  explicit DedupPartition(std::vector<Type> types) : table(std::move(types)) {}

  GroupTable table;
  std::vector<int64_t> ends;  // when the watermark forgets each key; kEndOfTime: never
  PendingRows pending;
};

class Dedup final : public Stateful {
 public:
  Dedup(OptionValue columns, bool within_watermark)
      : options_(std::move(columns)), within_(within_watermark) {}

  Result<PortSchemas> bind(std::span<const InputSchema> inputs) override;
  Status plan(const StatefulPlan& plan, size_t partitions) override;
  [[nodiscard]] size_t num_partitions() const override { return partitions_.size(); }

  [[nodiscard]] std::unique_ptr<Local> make_local() const override {
    return std::make_unique<DedupLocal>(types_);
  }
  Status absorb(Local& local, const Input& input, const Epoch& epoch, Emitter& out) const override;
  Status merge(size_t partition, std::span<Local* const> locals, const Epoch& epoch) override;
  Status evict(size_t partition, const Epoch& epoch) override;
  Status emit(size_t partition, const Ask& ask, const Epoch&, Emitter& out) override {
    return partitions_[partition].pending.emit(ask.since, out);
  }
  void forget(size_t partition, EpochId served) override {
    partitions_[partition].pending.forget(served);
  }
  void clear(Local& local) const override {
    auto& own = static_cast<DedupLocal&>(local);
    own.table.clear();
    own.firsts.clear();
    own.pieces.clear();
    own.piece_bytes = 0;
  }

  Status snapshot(SnapshotWriter& writer) override;
  Status restore(SnapshotReader& reader) override;
  [[nodiscard]] int64_t state_rows() const override;
  [[nodiscard]] int64_t state_bytes() const override;
  [[nodiscard]] std::string describe() const override { return "dedup " + key_names(); }
  [[nodiscard]] Bound state_bound() const override;

 private:
  // A key that the state did not have, and where its first row stands.
  struct Fresh {
    DedupLocal::First first;
    const DedupLocal* local;
  };
  [[nodiscard]] RecordBatch gather(const std::vector<Fresh>& fresh) const;
  [[nodiscard]] bool key_has_time() const {
    return time_ && std::ranges::find(columns_, time_->index) != columns_.end();
  }
  void append_ends(const RecordBatch& rows, std::vector<int64_t>& ends) const;
  [[nodiscard]] std::string key_names() const;

  OptionValue options_;
  bool within_;
  SchemaPtr schema_;
  std::vector<size_t> columns_;
  std::vector<Type> types_;
  std::optional<WatermarkColumn> time_;
  bool evict_ = false;
  std::vector<DedupPartition> partitions_;
};

Result<PortSchemas> Dedup::bind(std::span<const InputSchema> inputs) {
  schema_ = inputs[0].schema;
  for (const OptionValue& option : options_.items) {
    auto found = schema_->find(option.text);
    if (!found) return option.place(std::move(found.error()));
    columns_.push_back(*found);
  }
  for (size_t i = 0; options_.items.empty() && i < schema_->num_fields(); ++i)
    columns_.push_back(i);
  for (const size_t column : columns_) types_.push_back(schema_->field(column).type);
  time_ = WatermarkColumn::find(*schema_);
  if (within_ && !time_) {
    return Error::invalid("within_watermark needs a watermark — add `watermark:` before it");
  }
  return PortSchemas{{"", schema_}, {"late", schema_}};
}

Status Dedup::plan(const StatefulPlan& plan, size_t partitions) {
  evict_ = plan.evict && time_.has_value();
  partitions_.clear();
  for (size_t i = 0; i < partitions; ++i) partitions_.emplace_back(types_);
  return {};
}

Status Dedup::absorb(Local& local, const Input& input, const Epoch& epoch, Emitter& out) const {
  RecordBatch batch = input.batch;
  if (evict_) FLOWRUN_RETURN_IF_ERROR(drop_late_rows(*time_, kLatePort, epoch, batch, out));
  if (batch.num_rows() == 0) return {};
  auto& own = static_cast<DedupLocal&>(local);
  const int64_t sequence = own.sequence.next(input.sequence);
  std::vector<ColumnPtr> keys;
  for (const size_t column : columns_) keys.push_back(batch.column(column));
  std::vector<uint32_t> groups(static_cast<size_t>(batch.num_rows()));
  own.table.find_or_add(keys, groups);
  std::vector<int32_t> rows;
  for (size_t i = 0; i < groups.size(); ++i) {
    const uint32_t group = groups[i];
    const DedupLocal::First first{sequence, own.pieces.size(), static_cast<int32_t>(rows.size())};
    if (group < own.firsts.size() && own.firsts[group].sequence <= sequence) continue;
    if (group == own.firsts.size()) own.firsts.emplace_back();
    own.firsts[group] = first;
    rows.push_back(static_cast<int32_t>(i));
  }
  if (rows.empty()) return {};
  own.pieces.push_back(batch.take(rows));
  own.piece_bytes += own.pieces.back().memory_bytes();
  return {};
}

RecordBatch Dedup::gather(const std::vector<Fresh>& fresh) const {
  std::vector<ColumnPtr> columns;
  for (size_t c = 0; c < schema_->num_fields(); ++c) {
    const std::unique_ptr<ColumnBuilder> builder = make_builder(schema_->field(c).type);
    bool absent = false;
    for (const Fresh& row : fresh) {
      const ColumnPtr& column = row.local->pieces[row.first.piece].column(c);
      absent |= !column;
      if (column) builder->append_row(*column, row.first.row);
    }
    columns.push_back(absent ? nullptr : builder->finish());
  }
  return {schema_, static_cast<int64_t>(fresh.size()), std::move(columns)};
}

void Dedup::append_ends(const RecordBatch& rows, std::vector<int64_t>& ends) const {
  const ColumnPtr times = evict_ && (within_ || key_has_time()) ? time_->times(rows) : nullptr;
  for (int64_t i = 0; i < rows.num_rows(); ++i) {
    const bool ended = times && times->is_valid(i);
    const int64_t time = ended ? times->values<int64_t>()[static_cast<size_t>(i)] : kEndOfTime;
    ends.push_back(ended && within_ ? time + time_->delay : time);
  }
}

Status Dedup::merge(size_t partition, std::span<Local* const> locals, const Epoch& epoch) {
  DedupPartition& state = partitions_[partition];
  const size_t known = state.table.size();
  std::vector<Fresh> fresh;
  for (const Local* local : locals) {
    const auto& own = static_cast<const DedupLocal&>(*local);
    std::vector<uint32_t> from;
    for (uint32_t group = 0; group < own.table.size(); ++group) {
      if (own.table.hash(group) % partitions_.size() == partition) from.push_back(group);
    }
    std::vector<uint32_t> groups(from.size());
    state.table.merge(own.table, from, groups);
    fresh.resize(state.table.size() - known, Fresh{{}, nullptr});
    for (size_t i = 0; i < groups.size(); ++i) {
      if (groups[i] < known) continue;
      Fresh& row = fresh[groups[i] - known];
      const DedupLocal::First& first = own.firsts[from[i]];
      if (!row.local || first.sequence < row.first.sequence) row = {first, &own};
    }
  }
  append_ends(gather(fresh), state.ends);
  std::ranges::sort(fresh, {},
                    [](const Fresh& row) { return std::pair(row.first.sequence, row.first.row); });
  state.pending.add(epoch.id, gather(fresh));
  return {};
}

Status Dedup::evict(size_t partition, const Epoch& epoch) {
  if (!evict_ || !(within_ || key_has_time())) return {};
  DedupPartition& state = partitions_[partition];
  std::vector<uint32_t> kept;
  for (uint32_t key = 0; key < state.ends.size(); ++key) {
    if (state.ends[key] > epoch.watermark || state.ends[key] == kEndOfTime) kept.push_back(key);
  }
  if (kept.size() == state.ends.size()) return {};
  state.table.keep(kept);
  for (size_t i = 0; i < kept.size(); ++i) state.ends[i] = state.ends[kept[i]];
  state.ends.resize(kept.size());
  return {};
}

Status Dedup::snapshot(SnapshotWriter& writer) {
  for (const DedupPartition& state : partitions_) {
    std::vector<uint32_t> all(state.table.size());
    for (uint32_t i = 0; i < all.size(); ++i) all[i] = i;
    std::vector<Field> fields;
    for (const Type& type : types_) fields.push_back({"key" + std::to_string(fields.size()), type});
    std::vector<ColumnPtr> columns = state.table.keys(all);
    FixedBuilder<int64_t> ends(Type::bigint());
    for (const int64_t end : state.ends) ends.append(end);
    fields.push_back({"end", Type::bigint()});
    columns.push_back(ends.finish());
    FLOWRUN_RETURN_IF_ERROR(
        writer.write("keys", RecordBatch(Schema::make(std::move(fields)),
                                         static_cast<int64_t>(all.size()), std::move(columns))));
  }
  return {};
}

Status Dedup::restore(SnapshotReader& reader) {
  FLOWRUN_TRY(const std::vector<RecordBatch> saved, reader.read("keys"));
  for (const RecordBatch& rows : saved) {
    std::vector<uint64_t> hashes(static_cast<size_t>(rows.num_rows()));
    const std::span<const ColumnPtr> keys(rows.columns().data(), types_.size());
    partitions_[0].table.hash_rows(keys, hashes);
    for (size_t p = 0; p < partitions_.size(); ++p) {
      std::vector<int32_t> own;
      for (size_t i = 0; i < hashes.size(); ++i) {
        if (hashes[i] % partitions_.size() == p) own.push_back(static_cast<int32_t>(i));
      }
      const RecordBatch part = rows.take(own);
      std::vector<uint32_t> groups(own.size());
      partitions_[p].table.find_or_add(std::span(part.columns().data(), types_.size()), groups);
      const auto ends = part.columns().back()->values<int64_t>();
      partitions_[p].ends.insert(partitions_[p].ends.end(), ends.begin(), ends.end());
    }
  }
  return {};
}

int64_t Dedup::state_rows() const {
  int64_t rows = 0;
  for (const DedupPartition& state : partitions_) rows += static_cast<int64_t>(state.table.size());
  return rows;
}

int64_t Dedup::state_bytes() const {
  int64_t bytes = 0;
  for (const DedupPartition& state : partitions_) {
    bytes += state.table.memory_bytes() + state.pending.memory_bytes() +
             static_cast<int64_t>(state.ends.capacity() * sizeof(int64_t));
  }
  return bytes;
}

std::string Dedup::key_names() const {
  std::string names;
  for (const size_t column : columns_)
    names += (names.empty() ? "" : ", ") + schema_->field(column).name;
  return names;
}

Stateful::Bound Dedup::state_bound() const {
  const std::string rows = "one key per " + key_names();
  if (evict_ && within_) return {rows + ", for the watermark's delay", true};
  if (evict_ && key_has_time()) return {rows + ", until the watermark passes its time", true};
  return {rows + ", no bound but the number of keys", false};
}

}  // namespace

void register_dedup(Registry& registry) {
  registry.add_stateful(
      spec(), [](const Options& options, const MakeContext&) -> Result<std::unique_ptr<Stateful>> {
        return std::make_unique<Dedup>(options.at("dedup"),
                                       options.boolean_or("within_watermark", false));
      });
}

}  // namespace flowrun
