#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "runtime/operator/pending_rows.h"
#include "runtime/operator/row_sequence.h"
#include "runtime/plugin/key_partition.h"
#include "runtime/plugin/made_operator.h"
#include "runtime/plugin/snapshot_bridge.h"

namespace flowrun {

namespace {

using Made = MadePtr<flowrun_stateful>;

// What a worker has for each partition, as the partition's object made it.
class PluginLocal final : public Local {
 public:
  explicit PluginLocal(std::vector<Made> made) : made_(std::move(made)) {}
  ~PluginLocal() override {
    for (size_t i = 0; i < raw.size(); ++i) {
      if (raw[i])
        static_cast<void>(made_[i]->call().plain(made_[i]->table().destroy_local, raw[i]));
    }
  }
  [[nodiscard]] int64_t memory_bytes() const override {
    int64_t bytes = 0;
    for (size_t i = 0; i < raw.size(); ++i) {
      const auto local_bytes = made_[i]->table().local_bytes;
      const auto ask = [&](const void* local) {
        bytes += std::max<int64_t>(local_bytes(local), 0);
      };
      if (!local_bytes || !made_[i]->call().plain(ask, raw[i])) return absorbed;
    }
    return bytes;
  }

  std::vector<void*> raw;  // by partition
  int64_t absorbed = 0;    // bytes of what it was given, for plugins that do not count
  RowSequence sequence;

 private:
  std::vector<Made> made_;
};

// An emitter whose main port is another port of the one behind it.
class PortEmitter final : public Emitter {
 public:
  PortEmitter(Emitter& out, size_t port) : out_(out), port_(port) {}
  Status emit(size_t, RecordBatch batch) override { return out_.emit(port_, std::move(batch)); }
  [[nodiscard]] bool wanted(size_t) const override { return out_.wanted(port_); }
  void count(Metric metric, int64_t rows) override { out_.count(metric, rows); }
  void observe(int64_t event_time) override { out_.observe(event_time); }
  void warn(std::string_view reason) override { out_.warn(reason); }

 private:
  Emitter& out_;
  size_t port_;
};

// Keeps what close puts out until every ask was served; what it counts and says is passed on with
// the first of them.
class PendingOutput {
 public:
  void set_ports(size_t ports) { rows_.resize(ports); }
  void add(EpochId epoch, size_t port, RecordBatch batch) {
    rows_[port].add(epoch, std::move(batch));
  }
  void count(Metric metric, int64_t rows) { counts_.emplace_back(metric, rows); }
  void warn(std::string_view reason) { warnings_.emplace_back(reason); }

  Status emit(EpochId since, Emitter& out) {
    for (const auto& [metric, rows] : std::exchange(counts_, {})) out.count(metric, rows);
    for (const std::string& reason : std::exchange(warnings_, {})) out.warn(reason);
    for (size_t port = 0; port < rows_.size(); ++port) {
      PortEmitter to_port(out, port);
      FLOWRUN_RETURN_IF_ERROR(rows_[port].emit(since, to_port));
    }
    return ok_status();
  }
  void forget(EpochId served) {
    for (PendingRows& rows : rows_) rows.forget(served);
  }
  [[nodiscard]] int64_t memory_bytes() const {
    int64_t bytes = 0;
    for (const PendingRows& rows : rows_) bytes += rows.memory_bytes();
    return bytes;
  }

 private:
  std::vector<PendingRows> rows_;  // by port
  std::vector<std::pair<Metric, int64_t>> counts_;
  std::vector<std::string> warnings_;
};

class PendingEmitter final : public Emitter {
 public:
  PendingEmitter(PendingOutput& pending, EpochId epoch) : pending_(pending), epoch_(epoch) {}

  Status emit(size_t port, RecordBatch batch) override {
    pending_.add(epoch_, port, std::move(batch));
    return ok_status();
  }
  // Who reads which port is not known here: what nobody reads is dropped when it is passed on.
  [[nodiscard]] bool wanted(size_t) const override { return true; }
  void count(Metric metric, int64_t rows) override { pending_.count(metric, rows); }
  void observe(int64_t) override {}
  void warn(std::string_view reason) override { pending_.warn(reason); }

 private:
  PendingOutput& pending_;
  EpochId epoch_;
};

// Makes one more object of the operator.
using MakeMore = std::function<Result<Made>()>;

// One object of the plugin for each partition, which sees all rows of its keys in an epoch at once;
// without a key one for all.
class PluginStateful final : public Stateful {
 public:
  PluginStateful(Made first, MakeMore make_more) : make_more_(std::move(make_more)) {
    parts_.push_back({std::move(first), {}});
  }

  Result<PortSchemas> bind(std::span<const InputSchema> inputs) override {
    input_ = inputs[0].schema;
    FLOWRUN_TRY(PortSchemas ports, made().bind(*input_));
    FLOWRUN_RETURN_IF_ERROR(find_key());
    parts_[0].pending.set_ports(ports.size());
    return ports;
  }
  Status plan(const StatefulPlan& plan, size_t partitions) override;
  [[nodiscard]] size_t num_partitions() const override { return parts_.size(); }
  [[nodiscard]] std::unique_ptr<Local> make_local() const override;
  Status absorb(Local& local, const Input& input, const Epoch& epoch, Emitter& out) const override;
  Status merge(size_t partition, std::span<Local* const> locals, const Epoch& epoch) override;
  Status evict(size_t, const Epoch&) override { return ok_status(); }
  Status emit(size_t partition, const Ask& ask, const Epoch&, Emitter& out) override {
    return parts_[partition].pending.emit(ask.since, out);
  }
  void forget(size_t partition, EpochId served) override {
    parts_[partition].pending.forget(served);
  }
  void clear(Local& local) const override { static_cast<PluginLocal&>(local).absorbed = 0; }
  Status snapshot(SnapshotWriter& writer) override;
  Status restore(SnapshotReader& reader) override;
  [[nodiscard]] int64_t state_rows() const override {
    int64_t rows = 0;
    for (const Part& part : parts_) rows += ask(*part.made, table().state_rows);
    return rows;
  }
  [[nodiscard]] int64_t state_bytes() const override {
    int64_t bytes = 0;
    for (const Part& part : parts_)
      bytes += part.pending.memory_bytes() + ask(*part.made, table().state_bytes);
    return bytes;
  }
  [[nodiscard]] std::string describe() const override { return made().describe(); }
  [[nodiscard]] Bound state_bound() const override {
    const char* bound = table().bound;
    return {bound ? bound : "what the plugin keeps; it says no bound", table().bounded != 0};
  }

 private:
  struct Part {
    Made made;
    PendingOutput pending;
  };
  [[nodiscard]] MadeOperator<flowrun_stateful>& made() const { return *parts_[0].made; }
  [[nodiscard]] const flowrun_stateful& table() const { return made().table(); }
  Status find_key();
  Status absorb_part(size_t partition, PluginLocal& local, const RecordBatch& batch, int64_t place,
                     const Epoch& epoch, Emitter& out) const;
  static int64_t ask(const MadeOperator<flowrun_stateful>& made, int64_t (*function)(const void*)) {
    int64_t number = 0;
    if (!function) return 0;
    const Status asked =
        made.call().plain([&](const void* self) { number = function(self); }, made.self());
    return asked ? std::max<int64_t>(number, 0) : 0;
  }

  MakeMore make_more_;
  SchemaPtr input_;
  PluginKey key_;
  std::vector<Part> parts_;  // by partition
};

// Asks for the columns of the key, if the plugin's version of the ABI has them.
Status PluginStateful::find_key() {
  if (!table().keys) return ok_status();
  std::vector<uint64_t> columns(input_->num_fields());
  uint64_t count = 0;
  FLOWRUN_RETURN_IF_ERROR(
      made().call()(table().keys, static_cast<const void*>(made().self()), columns.data(), &count));
  if (count > columns.size()) {
    return made().component().blame(
        Error::data(fmt::format("its key has {} columns, its input {}", count, columns.size())));
  }
  columns.resize(count);
  for (const uint64_t column : columns) {
    if (column >= input_->num_fields()) {
      return made().component().blame(Error::data(
          fmt::format("its key names column {} of an input of {}", column, input_->num_fields())));
    }
    key_.columns.push_back(column);
    key_.types.push_back(input_->field(column).type);
  }
  return ok_status();
}

Status PluginStateful::plan(const StatefulPlan& plan, size_t partitions) {
  if (std::ranges::find(plan.modes, OutputMode::complete) != plan.modes.end()) {
    return Error::invalid(
        fmt::format("{} gives new rows and is not possible in complete mode — use `mode: append`",
                    made().component().name));
  }
  const size_t num_ports = made().ports().size();
  while (!key_.empty() && parts_.size() < partitions) {
    FLOWRUN_TRY(Made more, make_more_());
    FLOWRUN_TRY(const PortSchemas ports, more->bind(*input_));
    parts_.push_back({std::move(more), {}});
    parts_.back().pending.set_ports(num_ports);
  }
  return ok_status();
}

std::unique_ptr<Local> PluginStateful::make_local() const {
  std::vector<Made> objects;
  for (const Part& part : parts_) objects.push_back(part.made);
  auto local = std::make_unique<PluginLocal>(std::move(objects));
  for (const Part& part : parts_) {
    void* raw = nullptr;
    const Status made = part.made->call().plain(
        [&](const void* self) { raw = table().make_local(self); }, part.made->self());
    local->raw.push_back(made ? raw : nullptr);
  }
  return local;
}

Status PluginStateful::absorb(Local& local, const Input& input, const Epoch& epoch,
                              Emitter& out) const {
  auto& own = static_cast<PluginLocal&>(local);
  own.absorbed += input.batch.memory_bytes();
  const int64_t place = own.sequence.next(input.sequence);
  if (parts_.size() == 1) return absorb_part(0, own, input.batch, place, epoch, out);
  const auto rows = rows_by_partition(input.batch, key_.columns, parts_.size());
  for (size_t i = 0; i < rows.size(); ++i) {
    if (rows[i].empty()) continue;
    FLOWRUN_RETURN_IF_ERROR(absorb_part(i, own, input.batch.take(rows[i]), place, epoch, out));
  }
  return ok_status();
}

Status PluginStateful::absorb_part(size_t partition, PluginLocal& local, const RecordBatch& batch,
                                   int64_t place, const Epoch& epoch, Emitter& out) const {
  const MadeOperator<flowrun_stateful>& made = *parts_[partition].made;
  if (!local.raw[partition])
    return made.component().blame(Error::data("`make_local` gave back a null pointer"));
  OwnedArray array;
  FLOWRUN_RETURN_IF_ERROR(export_batch(batch, array.get(), made.component().text()));
  EmitterBridge bridge(made.component(), made.ports(), out);
  const flowrun_epoch at = epoch_of(epoch);
  const flowrun_input where{sizeof(flowrun_input), place};
  return bridge.outcome(made.call()(made.table().absorb, made.self(), local.raw[partition], &where,
                                    &at, array.get(), bridge.get()));
}

Status PluginStateful::merge(size_t partition, std::span<Local* const> locals, const Epoch& epoch) {
  Part& part = parts_[partition];
  std::vector<void*> raw;
  for (Local* local : locals) {
    if (void* own = static_cast<PluginLocal*>(local)->raw[partition]) raw.push_back(own);
  }
  PendingEmitter out(part.pending, epoch.id);
  EmitterBridge bridge(part.made->component(), part.made->ports(), out);
  const flowrun_epoch at = epoch_of(epoch);
  return bridge.outcome(part.made->call()(table().close, part.made->self(),
                                          static_cast<void* const*>(raw.data()),
                                          uint64_t{raw.size()}, &at, bridge.get()));
}

Status PluginStateful::snapshot(SnapshotWriter& writer) {
  for (const Part& part : parts_) {
    WriterBridge bridge(part.made->component(), key_, writer);
    FLOWRUN_RETURN_IF_ERROR(
        bridge.outcome(part.made->call()(table().snapshot, part.made->self(), bridge.get())));
  }
  return ok_status();
}

Status PluginStateful::restore(SnapshotReader& reader) {
  for (size_t i = 0; i < parts_.size(); ++i) {
    const ReaderBridge bridge(made().component(), key_, i, parts_.size(), reader);
    FLOWRUN_RETURN_IF_ERROR(
        parts_[i].made->call()(table().restore, parts_[i].made->self(), bridge.get()));
  }
  return ok_status();
}

}  // namespace

Result<std::unique_ptr<Stateful>> make_plugin_stateful(const ComponentPtr& component,
                                                       const Options& options,
                                                       const MakeContext& context) {
  MakeMore make = [component, options, node = context.node] {
    MakeContext own;
    own.node = node;
    return make_object<flowrun_stateful>(component, options, own);
  };
  FLOWRUN_TRY(Made first, make());
  return std::make_unique<PluginStateful>(std::move(first), std::move(make));
}

}  // namespace flowrun
