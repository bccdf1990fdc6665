// source: push and sink: pull. The operators' ends of the host's ports.
#include <algorithm>

#include "runtime/base/clock.h"
#include "runtime/embed/host_ports.h"
#include "runtime/operator/option_specs.h"

namespace flowrun {

namespace {

Error no_host(const char* what) {
  return Error::invalid(
      std::string(what) +
      " belongs to a program that has flowrun inside (flowrun.h) — the command can only check it");
}

class PushSource final : public Source {
 public:
  PushSource(SchemaPtr schema, std::shared_ptr<PushPort> port, const Clock& clock)
      : schema_(std::move(schema)), port_(std::move(port)), clock_(clock) {}

  Result<SchemaPtr> bind() override { return schema_; }
  Status open(std::optional<Offset>) override {
    if (!port_) return no_host("`source: push`");
    return ok_status();
  }
  Result<Chunk> read(Deadline deadline) override {
    return port_->read(deadline.monotonic - clock_.monotonic());
  }
  bool let_fill(ReadNow read_now) override {
    if (port_) port_->let_fill(std::move(read_now));
    return port_ != nullptr;
  }
  void await(Deadline deadline) override { port_->await(deadline.monotonic - clock_.monotonic()); }
  void cancel() override {
    if (port_) port_->cancel();
  }
  void stop_at_end() override {
    if (port_) port_->stop_at_end();
  }
  [[nodiscard]] std::string describe() const override { return "push from the host"; }

 private:
  SchemaPtr schema_;
  std::shared_ptr<PushPort> port_;
  const Clock& clock_;
};

class PullSink final : public Sink {
 public:
  explicit PullSink(std::shared_ptr<PullPort> port) : port_(std::move(port)) {}

  Status bind(const SinkInput& input) override {
    replaces_ = input.mode == OutputMode::complete && input.aggregation;
    if (port_) port_->bind(input.schema);
    return ok_status();
  }
  [[nodiscard]] bool accepts(OutputMode, bool) const override { return true; }
  Status open(std::optional<Token>) override {
    if (!port_) return no_host("`sink: pull`");
    return ok_status();
  }
  Status write(EpochId epoch, const RecordBatch& batch) override {
    port_->write(epoch, batch, replaces_);
    return ok_status();
  }
  Result<Token> prepare(EpochId) override { return Token{}; }
  Status commit(EpochId epoch, const Token&) override { return port_->commit(epoch); }
  Status abort(EpochId) override {
    port_->abort();
    return ok_status();
  }
  [[nodiscard]] int64_t memory_bytes() const override { return port_ ? port_->memory_bytes() : 0; }
  [[nodiscard]] std::string describe() const override { return "pull by the host"; }

 private:
  std::shared_ptr<PullPort> port_;
  bool replaces_ = false;
};

OperatorSpec push_spec() {
  using namespace option;
  OperatorSpec spec;
  spec.name = "push";
  spec.kind = OperatorKind::source;
  spec.summary = "Takes rows that the program around flowrun pushes in.";
  spec.doc =
      "For programs that have flowrun inside (flowrun.h, flowrun_c.h, Python): they push Arrow "
      "batches or rows of their own. A push waits while the pipeline has no room, and its ticket "
      "says when the rows are committed in every sink. The source ends when the program finishes "
      "it. The command can check such a pipeline and cannot run it.";
  spec.options = {required(schema("schema", "The columns of what is pushed."))};
  spec.inputs = InputShape::none;
  spec.examples = {{"Readings from the program itself",
                    "readings: { source: push, schema: \"sensor STRING, value DOUBLE\" }\n"
                    "high: { from: readings, filter: \"value > 100\" }\n"
                    "out: { from: high, sink: pull }\n"}};
  return spec;
}

OperatorSpec pull_spec() {
  OperatorSpec spec;
  spec.name = "pull";
  spec.kind = OperatorKind::sink;
  spec.summary = "Hands rows to the program around flowrun, which takes them when it likes.";
  spec.doc =
      "For programs that have flowrun inside. They pull Arrow batches, each with the number of its "
      "epoch; an epoch's rows can be taken when it is committed. While the program does not take "
      "them the pipeline waits, and stop waits 0.7 seconds for it. Exactly once, as long as the "
      "program lives.";
  spec.examples = {{"Counts to the program itself",
                    "words: { source: push, schema: \"word STRING\" }\n"
                    "counts: { from: words, group_by: [word], agg: count }\n"
                    "out: { from: counts, sink: pull, mode: update }\n"}};
  return spec;
}

}  // namespace

void register_host_operators(Registry& registry, HostPorts* ports) {
  registry.add_source(
      push_spec(),
      [ports](const Options& options, const MakeContext& context) -> Result<MadeSource> {
        const SchemaPtr schema = options.at("schema").schema;
        auto port = ports ? ports->add_push(context.node, schema) : nullptr;
        const Clock& clock = context.clock ? *context.clock : system_clock();
        return MadeSource{std::make_unique<PushSource>(schema, std::move(port), clock), nullptr};
      });
  registry.add_sink(
      pull_spec(),
      [ports](const Options&, const MakeContext& context) -> Result<std::unique_ptr<Sink>> {
        return std::make_unique<PullSink>(ports ? ports->add_pull(context.node) : nullptr);
      });
}

}  // namespace flowrun
