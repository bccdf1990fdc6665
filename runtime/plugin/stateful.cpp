#include <fmt/format.h>

#include <algorithm>

#include "runtime/operator/pending_rows.h"
#include "runtime/operator/row_sequence.h"
#include "runtime/plugin/made_operator.h"
#include "runtime/state/snapshot.h"

namespace flowrun {

namespace {

using Made = MadePtr<flowrun_stateful>;

class PluginLocal final : public Local {
 public:
  PluginLocal(Made made, void* its_raw) : raw(its_raw), made_(std::move(made)) {}
  ~PluginLocal() override {
    if (raw) static_cast<void>(made_->call().plain(made_->table().destroy_local, raw));
  }
  [[nodiscard]] int64_t memory_bytes() const override {
    int64_t bytes = 0;
    const auto ask = [&](const void* local) { bytes = made_->table().local_bytes(local); };
    const bool known = made_->table().local_bytes && made_->call().plain(ask, raw);
    return known ? std::max<int64_t>(bytes, 0) : absorbed;
  }

  void* raw;
  int64_t absorbed = 0;  // bytes of what it was given, for plugins that do not count
  RowSequence sequence;

 private:
  Made made_;
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

class WriterBridge {
 public:
  WriterBridge(const Component& component, SnapshotWriter& writer)
      : component_(component), writer_(writer) {
    raw_ = {.size = sizeof(flowrun_snapshot_writer),
            .context = this,
            .write = [](void* context, const char* section, const ArrowSchema* schema,
                        ArrowArray* rows, flowrun_error* error) noexcept -> flowrun_code {
              auto& bridge = *static_cast<WriterBridge*>(context);
              return bridge.keep(bridge.write(section, schema, rows), error);
            },
            .write_number = [](void* context, const char* name, int64_t number,
                               flowrun_error* error) noexcept -> flowrun_code {
              auto& bridge = *static_cast<WriterBridge*>(context);
              return bridge.keep(bridge.writer_.write_number(string_of(name), number), error);
            }};
  }
  [[nodiscard]] const flowrun_snapshot_writer* get() const { return &raw_; }
  Status outcome(Status of_call) { return failure_ ? std::move(of_call) : std::move(failure_); }

 private:
  Status write(const char* section, const ArrowSchema* schema, ArrowArray* rows) {
    if (!schema || !rows)
      return component_.blame(Error::data("its snapshot has a null pointer for rows"));
    FLOWRUN_TRY(const RecordBatch batch, take_any_batch(component_, *schema, rows));
    return writer_.write(string_of(section), batch);
  }
  flowrun_code keep(Status status, flowrun_error* error) {
    if (status) return FLOWRUN_OK;
    const flowrun_code code = report(status.error(), error);
    failure_ = std::move(status);
    return code;
  }

  const Component& component_;
  SnapshotWriter& writer_;
  Status failure_;
  flowrun_snapshot_writer raw_;
};

class ReaderBridge {
 public:
  ReaderBridge(const Component& component, SnapshotReader& reader)
      : component_(component), reader_(reader) {
    raw_ = {.size = sizeof(flowrun_snapshot_reader),
            .context = this,
            .read = [](void* context, const char* section, uint64_t index, ArrowSchema* schema,
                       ArrowArray* rows, flowrun_error* error) noexcept -> flowrun_code {
              auto& bridge = *static_cast<ReaderBridge*>(context);
              const Status status = bridge.read(string_of(section), index, schema, rows);
              return status ? FLOWRUN_OK : report(status.error(), error);
            },
            .read_number = [](void* context, const char* name, int64_t* number, int32_t* found,
                              flowrun_error* error) noexcept -> flowrun_code {
              auto& bridge = *static_cast<ReaderBridge*>(context);
              const auto read = bridge.reader_.read_number(string_of(name));
              if (!read) return report(read.error(), error);
              *found = *read ? 1 : 0;
              *number = read->value_or(0);
              return FLOWRUN_OK;
            }};
  }
  [[nodiscard]] const flowrun_snapshot_reader* get() const { return &raw_; }

 private:
  Status read(const std::string& section, uint64_t index, ArrowSchema* schema, ArrowArray* rows) {
    *schema = {};
    *rows = {};
    FLOWRUN_TRY(const std::vector<RecordBatch> batches, reader_.read(section));
    if (index >= batches.size()) return ok_status();
    FLOWRUN_RETURN_IF_ERROR(export_batch(batches[index], rows, component_.text()));
    export_schema(*batches[index].schema(), schema, component_.text());
    return ok_status();
  }

  const Component& component_;
  SnapshotReader& reader_;
  flowrun_snapshot_reader raw_;
};

// One partition: the plugin sees all rows of an epoch at once.
class PluginStateful final : public Stateful {
 public:
  explicit PluginStateful(Made made) : made_(std::move(made)) {}

  Result<PortSchemas> bind(std::span<const InputSchema> inputs) override {
    FLOWRUN_TRY(PortSchemas ports, made_->bind(*inputs[0].schema));
    pending_.set_ports(ports.size());
    return ports;
  }
  Status plan(const StatefulPlan& plan, size_t) override {
    if (std::ranges::find(plan.modes, OutputMode::complete) == plan.modes.end()) return ok_status();
    return Error::invalid(
        fmt::format("{} gives new rows and is not possible in complete mode — use `mode: append`",
                    made_->component().name));
  }
  [[nodiscard]] size_t num_partitions() const override { return 1; }
  [[nodiscard]] std::unique_ptr<Local> make_local() const override;
  Status absorb(Local& local, const Input& input, const Epoch& epoch, Emitter& out) const override;
  Status merge(size_t partition, std::span<Local* const> locals, const Epoch& epoch) override;
  Status evict(size_t, const Epoch&) override { return ok_status(); }
  Status emit(size_t, const Ask& ask, const Epoch&, Emitter& out) override {
    return pending_.emit(ask.since, out);
  }
  void forget(size_t, EpochId served) override { pending_.forget(served); }
  void clear(Local& local) const override { static_cast<PluginLocal&>(local).absorbed = 0; }

  Status snapshot(SnapshotWriter& writer) override {
    WriterBridge bridge(made_->component(), writer);
    return bridge.outcome(made_->call()(made_->table().snapshot, made_->self(), bridge.get()));
  }
  Status restore(SnapshotReader& reader) override {
    const ReaderBridge bridge(made_->component(), reader);
    return made_->call()(made_->table().restore, made_->self(), bridge.get());
  }
  [[nodiscard]] int64_t state_rows() const override { return ask(made_->table().state_rows); }
  [[nodiscard]] int64_t state_bytes() const override {
    return pending_.memory_bytes() + ask(made_->table().state_bytes);
  }
  [[nodiscard]] std::string describe() const override { return made_->describe(); }
  [[nodiscard]] Bound state_bound() const override {
    const char* bound = made_->table().bound;
    return {bound ? bound : "what the plugin keeps; it says no bound", made_->table().bounded != 0};
  }

 private:
  int64_t ask(int64_t (*function)(const void*)) const {
    int64_t number = 0;
    if (!function) return 0;
    const Status asked =
        made_->call().plain([&](const void* self) { number = function(self); }, made_->self());
    return asked ? std::max<int64_t>(number, 0) : 0;
  }

  Made made_;
  PendingOutput pending_;
};

std::unique_ptr<Local> PluginStateful::make_local() const {
  void* raw = nullptr;
  const Status made = made_->call().plain(
      [&](const void* self) { raw = made_->table().make_local(self); }, made_->self());
  return std::make_unique<PluginLocal>(made_, made ? raw : nullptr);
}

Status PluginStateful::absorb(Local& local, const Input& input, const Epoch& epoch,
                              Emitter& out) const {
  auto& own = static_cast<PluginLocal&>(local);
  if (!own.raw)
    return made_->component().blame(Error::data("`make_local` gave back a null pointer"));
  own.absorbed += input.batch.memory_bytes();
  OwnedArray array;
  FLOWRUN_RETURN_IF_ERROR(export_batch(input.batch, array.get(), made_->component().text()));
  EmitterBridge bridge(made_->component(), made_->ports(), out);
  const flowrun_epoch at = epoch_of(epoch);
  const flowrun_input where{sizeof(flowrun_input), own.sequence.next(input.sequence)};
  return bridge.outcome(made_->call()(made_->table().absorb, made_->self(), own.raw, &where, &at,
                                      array.get(), bridge.get()));
}

Status PluginStateful::merge(size_t, std::span<Local* const> locals, const Epoch& epoch) {
  std::vector<void*> raw;
  for (Local* local : locals) {
    if (void* own = static_cast<PluginLocal*>(local)->raw) raw.push_back(own);
  }
  PendingEmitter out(pending_, epoch.id);
  EmitterBridge bridge(made_->component(), made_->ports(), out);
  const flowrun_epoch at = epoch_of(epoch);
  return bridge.outcome(made_->call()(made_->table().close, made_->self(),
                                      static_cast<void* const*>(raw.data()), uint64_t{raw.size()},
                                      &at, bridge.get()));
}

}  // namespace

Result<std::unique_ptr<Stateful>> make_plugin_stateful(const ComponentPtr& component,
                                                       const Options& options,
                                                       const MakeContext& context) {
  FLOWRUN_TRY(Made made, make_object<flowrun_stateful>(component, options, context));
  return std::make_unique<PluginStateful>(std::move(made));
}

}  // namespace flowrun
