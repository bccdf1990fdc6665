#include "runtime/exec/worker.h"

#include <fmt/format.h>

#include "runtime/columnar/builder.h"
#include "runtime/exec/edge_traffic.h"
#include "runtime/exec/watermark_gate.h"

namespace flowrun {

// The Emitter of one operator during one call.
class NodeEmitter final : public Emitter {
 public:
  NodeEmitter(Worker& worker, const GraphNode& node, size_t index, Worker::Push& push)
      : worker_(worker), node_(node), index_(index), push_(push) {}

  Status emit(size_t port, RecordBatch batch) override {
    if (batch.num_rows() == 0) return ok_status();
    Status passed = worker_.pass_on(node_, port, batch, push_);
    failed_below_ = !passed.has_value();
    return passed;
  }

  // Gives the operator's own error its node's name; one that came up from further down has its own.
  Status named(Status done) const {
    if (done || failed_below_) return done;
    return std::move(done.error()).within(node_.name);
  }

  [[nodiscard]] bool wanted(size_t port) const override {
    for (const Edge& edge : node_.consumers) {
      if (edge.port == port) return true;
    }
    return false;
  }

  void count(Metric metric, int64_t rows) override {
    worker_.shared_.counters->add(index_, metric, rows);
  }

  void observe(int64_t event_time) override {
    if (node_.watermark_index && !node_.observes_below)
      push_.epoch.observed.observe(*node_.watermark_index, event_time);
  }

  void warn(std::string_view reason) override { worker_.shared_.warn(node_, reason); }

 private:
  Worker& worker_;
  const GraphNode& node_;
  size_t index_;
  Worker::Push& push_;
  bool failed_below_ = false;
};

namespace {

constexpr size_t kErrorsPort = 1;  // of a source's node

}  // namespace

Worker::Worker(WorkerShared& shared, size_t index) : shared_(shared), index_(index) {
  const Graph& graph = *shared.graph;
  scratch_.resize(graph.nodes.size());
  for (size_t i = 0; i < graph.nodes.size(); ++i) {
    if (graph.nodes[i].transform) scratch_[i] = graph.nodes[i].transform->make_scratch();
  }
}

Status Worker::run_chunk(const Work& work, std::vector<SinkRows>& out) {
  const size_t index = shared_.graph->sources[work.source];
  const GraphNode& source = shared_.graph->nodes[index];
  Push push{*work.epoch, work.sequence, nullptr, out};
  if (!work.rejected.empty()) FLOWRUN_RETURN_IF_ERROR(reject(source, index, work.rejected, push));
  if (work.rows.num_rows() == 0) return ok_status();
  return pass_on(source, 0, work.rows, push);
}

Status Worker::reject(const GraphNode& source, size_t index, std::span<const Rejection> rejected,
                      Push& push) {
  NodeEmitter emitter(*this, source, index, push);
  emitter.count(Metric::rejected, static_cast<int64_t>(rejected.size()));
  if (source.on_error == ErrorPolicy::fail) {
    const Rejection& first = rejected.front();
    return emitter.named(Error::data(fmt::format("{}, {}: {} — `on_error: keep` reads on",
                                                 first.source, first.offset, first.reason)));
  }
  for (const Rejection& rejection : rejected) emitter.warn(rejection.reason);
  if (!emitter.wanted(kErrorsPort)) return ok_status();
  const SchemaPtr& schema = source.ports[kErrorsPort].schema;
  std::vector<ColumnPtr> columns;
  const auto add = [&](auto member) {
    StringBuilder builder(schema->field(columns.size()).type);
    for (const Rejection& rejection : rejected) builder.append(rejection.*member);
    columns.push_back(builder.finish());
  };
  add(&Rejection::source);
  add(&Rejection::offset);
  add(&Rejection::reason);
  add(&Rejection::raw);
  return emitter.emit(
      kErrorsPort, RecordBatch(schema, static_cast<int64_t>(rejected.size()), std::move(columns)));
}

Status Worker::run_emit(size_t node, size_t partition, const Ask& ask, const SinkSet& sinks,
                        EpochState& epoch, int64_t sequence, std::vector<SinkRows>& out) {
  GraphNode& stateful = shared_.graph->nodes[node];
  Push push{epoch, sequence, &sinks, out};
  NodeEmitter emitter(*this, stateful, node, push);
  return emitter.named(
      stateful.stateful->emit(partition, ask, epoch.stateful[stateful.stateful_index], emitter));
}

Status Worker::pass_on(const GraphNode& from, size_t port, const RecordBatch& batch, Push& push) {
  for (const Edge& edge : from.consumers) {
    if (edge.port != port) continue;
    if (push.sinks && !push.sinks->intersects(edge.sinks)) continue;
    FLOWRUN_RETURN_IF_ERROR(deliver(edge, batch, push));
  }
  return ok_status();
}

Status Worker::deliver(const Edge& edge, RecordBatch batch, Push& push) {
  const GraphNode& node = shared_.graph->nodes[edge.to];
  shared_.graph->traffic->pass(edge.index, batch);
  if (edge.adapter) {
    auto adapted = edge.adapter->apply(batch);
    if (!adapted) return std::move(adapted.error()).within(node.name);
    batch = std::move(*adapted);
  }
  if (node.sink) {
    if (!push.sinks || push.sinks->contains(node.sink_index))
      push.out.push_back({node.sink_index, std::move(batch)});
    return ok_status();
  }
  NodeEmitter emitter(*this, node, edge.to, push);
  if (edge.gate)
    FLOWRUN_RETURN_IF_ERROR(
        emitter.named(edge.gate->observe(batch, push.epoch.plain, push.epoch.observed)));
  if (node.stateful) return absorb(edge.to, edge.input, batch, push);
  return emitter.named(
      node.transform->apply(batch, push.epoch.plain, scratch_[edge.to].get(), emitter));
}

Status Worker::absorb(size_t index, size_t input, const RecordBatch& batch, Push& push) {
  const GraphNode& node = shared_.graph->nodes[index];
  const auto parity = static_cast<size_t>(push.epoch.id & 1);
  std::unique_ptr<Local>& local = shared_.locals[node.stateful_index][parity][index_];
  if (!local) local = node.stateful->make_local();
  NodeEmitter emitter(*this, node, index, push);
  const Input rows{input, push.sequence, batch};
  const int64_t before = local->memory_bytes();
  Status done =
      node.stateful->absorb(*local, rows, push.epoch.stateful[node.stateful_index], emitter);
  shared_.local_bytes.add(node.stateful_index, local->memory_bytes() - before);
  return emitter.named(std::move(done));
}

}  // namespace flowrun
