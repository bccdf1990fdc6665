#include "runtime/operator/harness.h"

#include <fmt/format.h>

#include <algorithm>
#include <random>
#include <thread>

#include "runtime/format/json_writer.h"
#include "runtime/state/snapshot.h"

namespace flowrun {

namespace {

using Random = std::mt19937_64;

size_t below(size_t bound, Random& random) { return static_cast<size_t>(random() % bound); }

// Keeps what is emitted, and looks whether it is what the port declares.
class KeepingEmitter final : public Emitter {
 public:
  KeepingEmitter(const PortSchemas& ports, size_t epoch, std::optional<OutputMode> mode,
                 std::optional<size_t> wanted, bool extra_ports = true)
      : ports_(ports), epoch_(epoch), mode_(mode), wanted_(wanted), extra_ports_(extra_ports) {}

  Status emit(size_t port, RecordBatch batch) override {
    complain(port, batch);
    if (batch.num_rows() > 0) result_.outputs.push_back({epoch_, mode_, port, std::move(batch)});
    return ok_status();
  }
  [[nodiscard]] bool wanted(size_t port) const override {
    return port == 0 || (extra_ports_ && port < ports_.size());
  }
  void count(Metric metric, int64_t rows) override { result_.counts[metric] += rows; }
  void observe(int64_t event_time) override {
    result_.observed = std::max(result_.observed.value_or(event_time), event_time);
  }
  void warn(std::string_view) override {}

  // Adds what was kept to `result`.
  void move_to(TrialResult& result) {
    std::ranges::move(result_.outputs, std::back_inserter(result.outputs));
    std::ranges::move(result_.complaints, std::back_inserter(result.complaints));
    for (const auto& [metric, rows] : result_.counts) result.counts[metric] += rows;
    if (result_.observed) {
      result.observed = std::max(result.observed.value_or(*result_.observed), *result_.observed);
    }
  }

 private:
  void complain(size_t port, const RecordBatch& batch) {
    if (port >= ports_.size()) {
      result_.complaints.push_back(
          fmt::format("it emits on port {}, which it does not declare", port));
      return;
    }
    const Schema& declared = *ports_[port].schema;
    if (!(*batch.schema() == declared)) {
      result_.complaints.push_back(fmt::format("port {} declares {}, a batch has {}", port,
                                               declared.ddl(), batch.schema()->ddl()));
      return;
    }
    for (size_t i = 0; i < batch.num_columns(); ++i) {
      const ColumnPtr& column = batch.column(i);
      const Field& field = declared.field(i);
      if (!column) {
        if (port == 0 && wanted_ && *wanted_ != i) continue;
        result_.complaints.push_back(
            fmt::format("column `{}` of port {} is absent", field.name, port));
      } else if (!(column->type() == field.type)) {
        result_.complaints.push_back(
            fmt::format("column `{}` of port {} declares {}, a batch has {}", field.name, port,
                        field.type.ddl(), column->type().ddl()));
      }
    }
  }

  const PortSchemas& ports_;
  size_t epoch_;
  std::optional<OutputMode> mode_;
  std::optional<size_t> wanted_;
  bool extra_ports_;
  TrialResult result_;
};

// Rows [0, size) of the result are the batch's, behind and before others in the same buffers.
RecordBatch displaced(const RecordBatch& batch) {
  const int64_t before = batch.num_rows() / 2;
  const std::vector<RecordBatch> parts = {batch.slice(batch.num_rows() - before, before), batch,
                                          batch.slice(0, batch.num_rows() / 3)};
  return concatenate(parts).slice(before, batch.num_rows());
}

RecordBatch with_only(const RecordBatch& batch, const ColumnSet& read) {
  std::vector<ColumnPtr> columns = batch.columns();
  for (size_t i = 0; i < columns.size(); ++i) {
    if (!read[i]) columns[i] = nullptr;
  }
  return {batch.schema(), batch.num_rows(), std::move(columns), batch.origin()};
}

struct Chunk {
  size_t port;
  int64_t sequence;
  RecordBatch rows;
};

// The epoch's rows cut into chunks, dealt to workers at random; those of one input keep their
// order.
std::vector<std::vector<Chunk>> deal(const TrialEpoch& epoch, const std::vector<ColumnSet>& read,
                                     const Delivery& delivery, int64_t& sequence, Random& random) {
  std::vector<std::vector<Chunk>> dealt(delivery.workers);
  for (size_t port = 0; port < epoch.inputs.size(); ++port) {
    RecordBatch rows = epoch.inputs[port];
    if (delivery.displaced) rows = displaced(rows);
    if (delivery.only_read) rows = with_only(rows, read[port]);
    std::vector<int64_t> cuts = {0, rows.num_rows()};
    for (size_t i = 1; i < delivery.chunks; ++i) {
      cuts.push_back(static_cast<int64_t>(below(static_cast<size_t>(rows.num_rows()) + 1, random)));
    }
    std::ranges::sort(cuts);
    for (size_t i = 0; i + 1 < cuts.size(); ++i) {
      Chunk chunk{port, sequence++, rows.slice(cuts[i], cuts[i + 1] - cuts[i])};
      dealt[below(delivery.workers, random)].push_back(std::move(chunk));
    }
  }
  return dealt;
}

// Calls work(i) for each i below `count`, each on a thread of its own; the first error in order.
template <class Work>
Status in_threads(size_t count, Work work) {
  std::vector<Status> done(count);
  std::vector<std::thread> threads;
  for (size_t i = 1; i < count; ++i) threads.emplace_back([&, i] { done[i] = work(i); });
  done[0] = work(0);
  for (std::thread& thread : threads) thread.join();
  for (Status& status : done) FLOWRUN_RETURN_IF_ERROR(std::move(status));
  return ok_status();
}

Epoch epoch_of(const Trial& trial, size_t index) {
  const TrialEpoch& epoch = trial.epochs[index];
  return {static_cast<EpochId>(index), epoch.watermark, epoch.late_watermark, trial.context};
}

Result<TrialResult> run_transform(const Trial& trial, const Delivery& delivery, Random& random) {
  FLOWRUN_TRY(const std::unique_ptr<Transform> transform, trial.make_transform());
  TrialResult result;
  FLOWRUN_TRY(result.ports, transform->bind(trial.inputs));
  ColumnSet wanted(result.ports[0].schema->num_fields(), !delivery.wanted);
  if (delivery.wanted) wanted[*delivery.wanted] = true;
  const std::vector<ColumnSet> read = {
      transform->read_columns(wanted, trial.inputs[0].schema->num_fields())};
  transform->narrow(wanted);
  int64_t sequence = 0;
  for (size_t e = 0; e < trial.epochs.size(); ++e) {
    const Epoch epoch = epoch_of(trial, e);
    const auto dealt = deal(trial.epochs[e], read, delivery, sequence, random);
    std::vector<KeepingEmitter> emitters(
        delivery.workers, KeepingEmitter(result.ports, e, std::nullopt, delivery.wanted));
    Status applied = in_threads(delivery.workers, [&](size_t worker) -> Status {
      const std::unique_ptr<Scratch> scratch = transform->make_scratch();
      for (const Chunk& chunk : dealt[worker]) {
        FLOWRUN_RETURN_IF_ERROR(
            transform->apply(chunk.rows, epoch, scratch.get(), emitters[worker]));
      }
      return ok_status();
    });
    FLOWRUN_RETURN_IF_ERROR(std::move(applied));
    for (KeepingEmitter& emitter : emitters) emitter.move_to(result);
  }
  return result;
}

// A stateful operator, planned, with the locals of its workers.
class StatefulRun {
 public:
  StatefulRun(const Trial& trial, const Delivery& delivery) : trial_(trial), delivery_(delivery) {}

  Status start(TrialResult& result) { return start(delivery_.partitions, result); }
  Status start(size_t partitions, TrialResult& result) {
    FLOWRUN_TRY(stateful_, trial_.make_stateful());
    FLOWRUN_TRY(result.ports, stateful_->bind(trial_.inputs));
    FLOWRUN_RETURN_IF_ERROR(stateful_->plan(trial_.plan, partitions));
    locals_.clear();
    // Two sets, used in turn, as the engine does.
    for (size_t i = 0; i < 2 * delivery_.workers; ++i) locals_.push_back(stateful_->make_local());
    return ok_status();
  }

  Status run_epoch(size_t index, int64_t& sequence, Random& random, TrialResult& result) {
    const Epoch epoch = epoch_of(trial_, index);
    std::vector<Local*> locals;
    for (size_t w = 0; w < delivery_.workers; ++w) {
      locals.push_back(locals_[index % 2 * delivery_.workers + w].get());
    }
    FLOWRUN_RETURN_IF_ERROR(absorb(index, epoch, locals, sequence, random, result));
    std::vector<std::vector<KeepingEmitter>> emitters(stateful_->num_partitions());
    FLOWRUN_RETURN_IF_ERROR(in_threads(emitters.size(), [&](size_t p) {
      return close(p, index, epoch, locals, result.ports, emitters[p]);
    }));
    for (auto& partition : emitters) {
      for (KeepingEmitter& emitter : partition) emitter.move_to(result);
    }
    for (Local* local : locals) stateful_->clear(*local);
    return ok_status();
  }

  // A new operator takes over the state.
  Status restart(TrialResult& result) {
    MemorySnapshot snapshot;
    FLOWRUN_RETURN_IF_ERROR(stateful_->snapshot(snapshot));
    FLOWRUN_RETURN_IF_ERROR(
        start(delivery_.partitions_after.value_or(delivery_.partitions), result));
    return stateful_->restore(snapshot);
  }

 private:
  Status absorb(size_t index, const Epoch& epoch, std::span<Local* const> locals, int64_t& sequence,
                Random& random, TrialResult& result) {
    std::vector<ColumnSet> read;
    for (size_t port = 0; port < trial_.inputs.size(); ++port) {
      read.push_back(stateful_->read_columns(port, trial_.inputs[port].schema->num_fields()));
    }
    const auto dealt = deal(trial_.epochs[index], read, delivery_, sequence, random);
    std::vector<KeepingEmitter> emitters(
        delivery_.workers,
        KeepingEmitter(result.ports, index, std::nullopt, std::nullopt, !delivery_.only_read));
    Status absorbed = in_threads(delivery_.workers, [&](size_t worker) -> Status {
      for (const Chunk& chunk : dealt[worker]) {
        const Input input{chunk.port, chunk.sequence, chunk.rows};
        FLOWRUN_RETURN_IF_ERROR(stateful_->absorb(*locals[worker], input, epoch, emitters[worker]));
      }
      return ok_status();
    });
    FLOWRUN_RETURN_IF_ERROR(std::move(absorbed));
    for (KeepingEmitter& emitter : emitters) emitter.move_to(result);
    return ok_status();
  }

  Status close(size_t partition, size_t index, const Epoch& epoch, std::span<Local* const> locals,
               const PortSchemas& ports, std::vector<KeepingEmitter>& emitters) {
    FLOWRUN_RETURN_IF_ERROR(stateful_->merge(partition, locals, epoch));
    FLOWRUN_RETURN_IF_ERROR(stateful_->evict(partition, epoch));
    for (const OutputMode mode : trial_.plan.modes) {
      KeepingEmitter& emitter =
          emitters.emplace_back(ports, index, mode, std::nullopt, !delivery_.only_read);
      FLOWRUN_RETURN_IF_ERROR(stateful_->emit(partition, Ask{mode, epoch.id - 1}, epoch, emitter));
    }
    stateful_->forget(partition, epoch.id);
    return ok_status();
  }

  const Trial& trial_;
  const Delivery& delivery_;
  std::unique_ptr<Stateful> stateful_;
  std::vector<std::unique_ptr<Local>> locals_;
};

Result<TrialResult> run_stateful(const Trial& trial, const Delivery& delivery, Random& random) {
  TrialResult result;
  StatefulRun run(trial, delivery);
  FLOWRUN_RETURN_IF_ERROR(run.start(result));
  int64_t sequence = 0;
  for (size_t e = 0; e < trial.epochs.size(); ++e) {
    FLOWRUN_RETURN_IF_ERROR(run.run_epoch(e, sequence, random, result));
    if (delivery.restart_after == e) FLOWRUN_RETURN_IF_ERROR(run.restart(result));
  }
  return result;
}

void append_value(const ColumnPtr& column, int64_t row, const JsonWriteOptions& options,
                  std::string& line) {
  if (!column) {
    line += "absent";
  } else if (column->type().id() == TypeId::double_ && column->is_valid(row)) {
    line += fmt::format("{:.11e}", column->values<double>()[static_cast<size_t>(row)] + 0.0);
  } else {
    append_json(*column, row, options, line);
  }
}

}  // namespace

Result<TrialResult> run_trial(const Trial& trial, const Delivery& delivery) {
  Random random(delivery.seed);
  return trial.make_transform ? run_transform(trial, delivery, random)
                              : run_stateful(trial, delivery, random);
}

std::vector<std::string> sorted_lines(const TrialResult& result, std::optional<size_t> column) {
  const JsonWriteOptions options{.ignore_null_fields = false,
                                 .fraction = JsonWriteOptions::Fraction::microseconds};
  std::vector<std::string> lines;
  for (const TrialOutput& output : result.outputs) {
    if (column && output.port != 0) continue;
    const std::string head =
        fmt::format("epoch {} {} port {}:", output.epoch,
                    output.mode ? output_mode_name(*output.mode) : "", output.port);
    for (int64_t row = 0; row < output.rows.num_rows(); ++row) {
      std::string line = head;
      for (size_t i = 0; i < output.rows.num_columns(); ++i) {
        if (column && *column != i) continue;
        line += ' ';
        append_value(output.rows.column(i), row, options, line);
      }
      lines.push_back(std::move(line));
    }
  }
  std::ranges::sort(lines);
  return lines;
}

}  // namespace flowrun
