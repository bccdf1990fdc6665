#include "tools/flowrun/collect.h"

#include <algorithm>
#include <array>
#include <set>

#include "runtime/base/suggest.h"

namespace flowrun {
namespace {

constexpr const char* kSinkName = "(rows)";  // no node of a file has parentheses and is a sink
constexpr const char* kOperator = "collect";

const RegisteredOperator* entry_of(const PlanNode& node, const Registry& registry) {
  if (node.kind == OperatorKind::source) return registry.find_source(node.op);
  if (node.kind == OperatorKind::sink) return registry.find_sink(node.op);
  return registry.find_operator(node.op);
}

OptionValue word_value(std::string text) {
  OptionValue value;
  value.kind = OptionKind::word;
  value.text = std::move(text);
  return value;
}

// The node and all that its rows come from.
std::vector<const PlanNode*> nodes_before(const Plan& plan, const std::string& name) {
  std::vector<const PlanNode*> found;
  std::set<std::string> seen;
  std::vector<std::string> waiting = {name};
  while (!waiting.empty()) {
    const std::string id = waiting.back();
    waiting.pop_back();
    if (!seen.insert(id).second) continue;
    const auto node = std::ranges::find(plan.nodes, id, &PlanNode::id);
    if (node == plan.nodes.end()) continue;
    found.push_back(&*node);
    for (const PortReference& input : node->inputs) waiting.push_back(input.node);
  }
  return found;
}

bool reads_files_only(const Plan& plan, const std::string& name) {
  return std::ranges::all_of(nodes_before(plan, name), [](const PlanNode* node) {
    return node->kind != OperatorKind::source || node->op == "file";
  });
}

}  // namespace

class CollectingSink final : public Sink {
 public:
  explicit CollectingSink(Collection& collection) : collection_(collection) {}

  Status bind(const SinkInput& input) override {
    collection_.schema_ = input.schema;
    whole_results_ = input.mode == OutputMode::complete && input.aggregation;
    return {};
  }
  [[nodiscard]] bool accepts(OutputMode, bool) const override { return true; }
  Status open(std::optional<Token>) override { return {}; }
  Status write(EpochId, const RecordBatch& batch) override {
    if (whole_results_ && !began_) collection_.rows_.clear();
    began_ = true;
    const int64_t wanted = collection_.options_.rows + 1 - count();
    if (wanted > 0 || whole_results_)
      collection_.rows_.push_back(
          whole_results_ ? batch : batch.slice(0, std::min(wanted, batch.num_rows())));
    return {};
  }
  Result<Token> prepare(EpochId) override { return Token{}; }
  Status commit(EpochId, const Token&) override {
    began_ = false;
    const bool enough =
        whole_results_ ? count() > 0 && !collection_.options_.run_for && !collection_.to_the_end_
                       : count() > collection_.options_.rows;
    if (!enough) return {};
    const std::lock_guard lock(collection_.mutex_);
    if (collection_.engine_) collection_.engine_->stop();
    return {};
  }
  Status abort(EpochId) override { return {}; }
  [[nodiscard]] std::string describe() const override { return "rows to look at"; }

 private:
  [[nodiscard]] int64_t count() const {
    int64_t count = 0;
    for (const RecordBatch& batch : collection_.rows_) count += batch.num_rows();
    return count;
  }

  Collection& collection_;
  bool whole_results_ = false;
  bool began_ = false;
};

Result<PortReference> find_port(const Plan& plan, const Registry& registry,
                                const std::string& name) {
  std::vector<std::string> known;
  for (const PlanNode& node : plan.nodes) {
    if (node.kind != OperatorKind::sink) known.push_back(node.id);
    if (node.id != name) continue;
    if (node.kind != OperatorKind::sink) return PortReference{node.id, "", {}};
    return PortReference(node.inputs.front());  // a sink shows what it is given
  }
  const size_t dot = name.rfind('.');
  const std::string before = name.substr(0, dot);
  const std::string port = dot == std::string::npos ? "" : name.substr(dot + 1);
  for (const PlanNode& node : plan.nodes) {
    if (node.id != before && node.name != before) continue;
    const std::vector<std::string>& ports = entry_of(node, registry)->spec.ports;
    if (std::ranges::count(ports, port) > 0) return PortReference{node.id, port, {}};
    for (const std::string& other : ports) known.push_back(before + "." + other);
  }
  std::string hint = did_you_mean(name, known);
  if (hint.empty()) hint = " — there are " + back_quoted_list(known);
  return Error::invalid("there is no node " + back_quoted(name) + hint);
}

bool behind_aggregation(const Plan& plan, const std::string& name) {
  constexpr std::array kAggregations = {"group_by", "window",        "session", "cube",
                                        "rollup",   "grouping_sets", "sort"};
  return std::ranges::any_of(nodes_before(plan, name), [&](const PlanNode* node) {
    return std::ranges::find(kAggregations, node->op) != kAggregations.end();
  });
}

EngineOptions Collection::engine_options() const {
  EngineOptions options;
  options.run_for = options_.run_for;
  options.only = {kSinkName};
  return options;
}

PipelineChanges Collection::changes() {
  PipelineChanges changes;
  changes.operators = [this](const Registry& real) {
    Registry registry = real;
    OperatorSpec spec;
    spec.name = kOperator;
    spec.kind = OperatorKind::sink;
    registry.add_sink(std::move(spec),
                      [this](const Options&, const MakeContext&) -> Result<std::unique_ptr<Sink>> {
                        return std::make_unique<CollectingSink>(*this);
                      });
    registry_ = registry;
    return registry;
  };
  changes.plan = [this](Plan& plan) { return add_sink(plan, registry_); };
  return changes;
}

Status Collection::add_sink(Plan& plan, const Registry& registry) {
  timezone_ = plan.timezone;
  FLOWRUN_TRY(PortReference port, find_port(plan, registry, options_.node));
  const auto read = std::ranges::find(plan.nodes, port.node, &PlanNode::id);
  if (port.port == "errors" && !read->on_error) {
    read->on_error = ErrorPolicy::route;
    read->options.set("on_error", word_value("route"));
  }
  PlanNode sink;
  sink.id = sink.name = kSinkName;
  sink.position = read->position;
  sink.kind = OperatorKind::sink;
  sink.op = kOperator;
  sink.options.set("mode", word_value(std::string(output_mode_name(options_.mode))));
  sink.inputs = {std::move(port)};
  plan.nodes.push_back(std::move(sink));
  to_the_end_ = reads_files_only(plan, plan.nodes.back().id);
  if (to_the_end_) plan.trigger = {Trigger::Kind::available_now, 0};
  return ok_status();
}

Status Collection::run(Engine& engine) {
  {
    const std::lock_guard lock(mutex_);
    engine_ = &engine;
  }
  Status done = engine.run();
  const std::lock_guard lock(mutex_);
  engine_ = nullptr;
  if (!done && done.error().code == ErrorCode::cancelled) return ok_status();
  return done;
}

RecordBatch Collection::rows() const {
  if (!rows_.empty()) return concatenate(std::span<const RecordBatch>(rows_));
  std::vector<ColumnPtr> columns;
  for (const Field& field : schema_->fields()) columns.push_back(null_column(field.type, 0));
  return {schema_, 0, std::move(columns)};
}

}  // namespace flowrun
