#include "runtime/exec/engine.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <mutex>

#include "runtime/base/suggest.h"
#include "runtime/exec/describe.h"
#include "runtime/exec/explain.h"
#include "runtime/exec/graph.h"
#include "runtime/exec/probing.h"
#include "runtime/exec/run.h"
#include "runtime/expr/function_registry.h"
#include "runtime/operator/file_table.h"

namespace flowrun {

namespace {

constexpr int64_t kDefaultInFlight = int64_t{32} << 20;

class StandardOutput final : public Output {
 public:
  Status write(std::string_view text) override {
    const std::lock_guard lock(mutex_);
    if (std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0)
      return ok_status();
    return Error::from_errno("cannot write to standard output", errno);
  }

 private:
  std::mutex mutex_;
};

class PlanEngine final : public Engine {
 public:
  PlanEngine(Plan plan, const Registry& registry, const FunctionRegistry& functions,
             EngineOptions options)
      : plan_(std::move(plan)), registry_(registry), options_(std::move(options)) {
    if (!options_.clock) options_.clock = &system_clock();
    expressions_.functions = &functions;
    expressions_.timezone = plan_.timezone;
    if (options_.stepped) options_.threads = 1;
    threads_ = choose(options_.threads, plan_.threads, "--threads", "threads:", granted_cpus());
    memory_ = choose(options_.memory, plan_.memory, "--memory", "memory:", default_memory());
  }

  bool prepare(Diagnostics& diagnostics) {
    if (!make_tables(diagnostics)) return false;
    GraphOptions options;
    options.only = options_.only;
    options.partitions = static_cast<size_t>(threads_.value);
    graph_ = build_graph(
        plan_, registry_, options, [this](const PlanNode& node) { return context_for(node); },
        diagnostics);
    show_tables();
    return graph_ != nullptr;
  }

  Status run() override {
    make_run();
    return run_->execute();
  }

  Result<Step> step() override {
    if (!run_) make_run();
    if (!begun_) {
      FLOWRUN_TRY(begun_, run_->begin());
    }
    const Step step = begun_ ? run_->step() : run_->before_begin();
    if (step.ended) FLOWRUN_RETURN_IF_ERROR(run_->finish());
    return step;
  }

  void make_run() {
    RunSettings settings;
    settings.name = plan_.name;
    settings.trigger = plan_.trigger;
    settings.workers = options_.stepped ? 0 : static_cast<size_t>(threads_.value);
    settings.stepped = options_.stepped;
    settings.memory = memory_.value;
    const int64_t usual = std::min(kDefaultInFlight, memory_.value / 8);
    settings.in_flight =
        std::min(options_.in_flight.value_or(plan_.in_flight.value_or(usual)), memory_.value / 2);
    settings.watermark_policy_max = plan_.watermark_policy_max;
    settings.timezone = plan_.timezone;
    settings.epochs = options_.epochs;
    settings.run_for = options_.run_for;
    settings.capture = options_.capture;
    settings.chunking = options_.chunking;
    settings.restart_state = options_.restart_state;
    settings.clock = options_.clock;
    settings.next_time = options_.next_time;
    settings.on_log = options_.on_log;
    settings.on_progress = options_.on_progress;
    settings.on_stuck = options_.on_stuck;
    settings.on_committed = options_.on_committed;
    settings.after_commit = [this] { show_tables(); };
    const std::lock_guard lock(mutex_);
    run_ = std::make_unique<Run>(*graph_, std::move(settings),
                                 options_.pool ? options_.pool : BufferPool::create());
    if (stopped_) run_->stop();
  }

  void stop() override {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    if (run_) run_->stop();
  }

  [[nodiscard]] std::string explain() const override { return explain_graph(*graph_, plan_); }

  [[nodiscard]] Result<std::string> explain_schema(std::string_view name) const override {
    const std::string node(name.substr(0, name.find('.')));
    const std::string port(
        name.find('.') == std::string_view::npos ? "" : name.substr(name.find('.') + 1));
    std::vector<std::string> names;
    const GraphNode* found = nullptr;
    for (const GraphNode& candidate : graph_->nodes) {
      names.push_back(candidate.id);
      if (candidate.id == name || candidate.id == node) found = &candidate;
    }
    if (!found)
      return Error::invalid("no node `" + std::string(name) + "`" + did_you_mean(name, names));
    if (found->sink) return found->inputs[0].schema->tree_string();
    for (const PortSchema& candidate : found->ports) {
      if (candidate.name == port || found->id == name) return candidate.schema->tree_string();
    }
    return Error::invalid("`" + node + "` has no port `" + port + "`");
  }

  [[nodiscard]] std::vector<Probe> probe(int64_t patience) override {
    return probe_graph(*graph_, patience);
  }

  [[nodiscard]] const LiveTable* table(std::string_view name) const override {
    const auto found = live_tables_.find(name);
    return found == live_tables_.end() ? nullptr : found->second.get();
  }
  [[nodiscard]] std::vector<TableView> tables() const override {
    const std::lock_guard lock(shown_mutex_);
    std::vector<TableView> views;
    for (const auto& [name, snapshot] : shown_) views.push_back({name, true, snapshot, nullptr});
    for (const auto& [name, table] : queried_tables_) {
      if (!shown_.contains(name)) views.push_back({name, false, nullptr, table.get()});
    }
    return views;
  }
  [[nodiscard]] std::vector<SourceView> sources() const override {
    const std::lock_guard lock(mutex_);
    return run_ ? run_->sources() : std::vector<SourceView>();
  }
  [[nodiscard]] std::vector<SinkView> sinks() const override {
    const std::lock_guard lock(mutex_);
    return run_ ? run_->sinks() : std::vector<SinkView>();
  }
  [[nodiscard]] GraphView graph() const override { return describe_graph(*graph_); }
  [[nodiscard]] Result<std::shared_ptr<Tap>> tap(const TapRequest& request) override;
  [[nodiscard]] const Plan& plan() const override { return plan_; }
  [[nodiscard]] Chosen threads() const override { return threads_; }
  [[nodiscard]] Chosen memory() const override { return memory_; }
  [[nodiscard]] std::vector<StateBound> state_bounds() const override {
    std::vector<StateBound> bounds;
    for (const size_t index : graph_->statefuls) {
      const GraphNode& node = graph_->nodes[index];
      Stateful::Bound bound = node.stateful->state_bound();
      bounds.push_back({node.name, std::move(bound.text), bound.bounded});
    }
    return bounds;
  }
  [[nodiscard]] size_t num_nodes() const override { return graph_->nodes.size(); }
  [[nodiscard]] size_t num_sinks() const override { return graph_->sinks.size(); }

 private:
  static Chosen choose(std::optional<int64_t> option, std::optional<int64_t> planned,
                       const char* option_name, const char* planned_name, Chosen fallback) {
    if (option) return {*option, option_name};
    if (planned) return {*planned, planned_name};
    return fallback;
  }

  // Tables are made, not read: those that no node asks for are never touched.
  bool make_tables(Diagnostics& diagnostics) {
    bool right = true;
    for (const PlanTable& table : plan_.tables) {
      const MakeContext context = format_context(table.name);
      auto made = make_file_table(table.name, table.options, context);
      if (made) {
        tables_.emplace(table.name, std::move(*made));
        // Of its own for queries: a join that looks for changes must not miss one that they saw.
        if (auto queried = make_file_table(table.name, table.options, context))
          queried_tables_.emplace(table.name, std::move(*queried));
        continue;
      }
      right = false;
      Error error = std::move(made.error());
      diagnostics.push_back({Diagnostic::Severity::error, std::move(error.message), table.name,
                             error.position.known() ? error.position : table.position});
    }
    return right;
  }

  // All at once, so that nobody sees one table's epoch beside another's.
  void show_tables() {
    std::map<std::string, std::shared_ptr<const LiveTableSnapshot>, std::less<>> shown;
    for (const auto& [name, table] : live_tables_) shown.emplace(name, table->snapshot());
    const std::lock_guard lock(shown_mutex_);
    shown_.swap(shown);
  }

  // What a format may need, of a node or of a table.
  MakeContext format_context(const std::string& name) {
    MakeContext context;
    context.node = name;
    context.expressions = &expressions_;
    context.clock = options_.clock;
    context.format = [this](std::string_view format) { return registry_.find_format(format); };
    return context;
  }

  MakeContext context_for(const PlanNode& node) {
    MakeContext context = format_context(node.name);
    context.table = [this](std::string_view name) -> StaticTable* {
      const auto found = tables_.find(name);
      return found == tables_.end() ? nullptr : found->second.get();
    };
    for (const auto& [name, table] : tables_) context.table_names.push_back(name);
    context.live_table = [this](std::string_view name) {
      return live_tables_.try_emplace(std::string(name), std::make_unique<LiveTable>())
          .first->second.get();
    };
    context.console = options_.console ? options_.console : &standard_output_;
    context.console_is_shared = std::ranges::count_if(plan_.nodes, [](const PlanNode& other) {
                                  return other.kind == OperatorKind::sink && other.op == "console";
                                }) > 1;
    context.allow_exec = options_.allow_exec;
    return context;
  }

  Plan plan_;
  const Registry& registry_;
  EngineOptions options_;
  ExpressionEnvironment expressions_;
  Chosen threads_;
  Chosen memory_;
  StandardOutput standard_output_;
  std::map<std::string, std::unique_ptr<StaticTable>, std::less<>> tables_;
  std::map<std::string, std::unique_ptr<LiveTable>, std::less<>> live_tables_;
  std::map<std::string, std::unique_ptr<StaticTable>, std::less<>> queried_tables_;
  mutable std::mutex shown_mutex_;
  std::map<std::string, std::shared_ptr<const LiveTableSnapshot>, std::less<>> shown_;
  std::unique_ptr<Graph> graph_;
  mutable std::mutex mutex_;
  std::unique_ptr<Run> run_;
  bool stopped_ = false;
  bool begun_ = false;  // of a run that is stepped
};

Result<std::shared_ptr<Tap>> PlanEngine::tap(const TapRequest& request) {
  std::vector<std::string> names;
  std::vector<size_t> edges;
  bool found = false;
  for (size_t i = 0; i < graph_->nodes.size(); ++i) {
    const GraphNode& node = graph_->nodes[i];
    names.push_back(node.id);
    // A source with a decoder, and a chain, are several nodes under one name: what leaves is what
    // leaves the last of them.
    const bool named = node.id == request.node || node.name == request.node;
    found = found || named;
    for (const Edge& edge : node.consumers) {
      const GraphNode& to = graph_->nodes[edge.to];
      const bool enters = (to.id == request.node || to.name == request.node) && !named;
      const bool leaves =
          named && to.name != node.name && node.ports[edge.port].name == request.port;
      if (request.input ? enters : leaves) edges.push_back(edge.index);
    }
  }
  if (!found)
    return Error::invalid("no node `" + request.node + "`" + did_you_mean(request.node, names));
  if (edges.empty())
    return Error::invalid("nothing " + std::string(request.input ? "enters" : "leaves") + " `" +
                          request.node + (request.port.empty() ? "" : "." + request.port) + "`" +
                          (request.input ? "" : " — a sink is looked at with its input"));
  // One way out is enough: the same rows take each of them.
  if (!request.input) edges.resize(1);
  return graph_->traffic->open(std::move(edges), request.limit);
}

}  // namespace

std::unique_ptr<Engine> Engine::load(Plan plan, const Registry& registry,
                                     const FunctionRegistry& functions, EngineOptions options,
                                     Diagnostics& diagnostics) {
  auto engine =
      std::make_unique<PlanEngine>(std::move(plan), registry, functions, std::move(options));
  if (!engine->prepare(diagnostics)) return nullptr;
  return engine;
}

}  // namespace flowrun
