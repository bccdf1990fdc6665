#include "runtime/exec/graph.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "runtime/base/check.h"
#include "runtime/exec/edge_traffic.h"
#include "runtime/exec/graph_columns.h"
#include "runtime/exec/graph_watermarks.h"
#include "runtime/exec/plan_order.h"
#include "runtime/exec/watermark_gate.h"
#include "runtime/operator/decode.h"

namespace flowrun {

namespace {

// A producer of one input of a plan node: a graph node and its port.
struct Producer {
  size_t node;
  size_t port;
};

class GraphBuilder {
 public:
  GraphBuilder(const Plan& plan, const Registry& registry, const GraphOptions& options,
               const std::function<MakeContext(const PlanNode&)>& context_for,
               Diagnostics& diagnostics)
      : plan_(plan),
        registry_(registry),
        options_(options),
        context_for_(context_for),
        diagnostics_(diagnostics) {}

  std::unique_ptr<Graph> build() {
    auto order = order_plan(plan_, options_.only);
    if (!order) {
      diagnostics_.push_back(
          {Diagnostic::Severity::error, std::move(order.error().message), "", {}});
      return nullptr;
    }
    order_ = std::move(*order);
    for (const size_t i : order_.nodes) make(i);
    if (failed_) return nullptr;
    infer_modes();
    for (const size_t i : order_.nodes) bind(i);
    if (failed_) return nullptr;
    assign_watermarks(*graph_);
    place_watermark_gates(*graph_);
    for (const size_t s : graph_->statefuls) plan_stateful(s);
    if (failed_) return nullptr;
    narrow_columns(*graph_);
    return std::move(graph_);
  }

 private:
  void report(const PlanNode& node, Error error) {
    failed_ = true;
    Position where = error.position.known()     ? error.position
                     : node.op_position.known() ? node.op_position
                                                : node.position;
    diagnostics_.push_back(
        {Diagnostic::Severity::error, std::move(error.message), node.name, std::move(where)});
  }

  void warn(const PlanNode& node, std::string message) {
    diagnostics_.push_back(
        {Diagnostic::Severity::warning, std::move(message), node.name, node.position});
  }

  const RegisteredOperator& entry(const PlanNode& node) const {
    const RegisteredOperator* found =
        node.kind == OperatorKind::source ? registry_.find_source(node.op)
        : node.kind == OperatorKind::sink ? registry_.find_sink(node.op)
                                          : registry_.find_operator(node.op);
    FLOWRUN_CHECK(found, "config refused unknown operators");
    return *found;
  }

  // The unbound operators of one plan node.
  struct Made {
    MadeSource source;
    std::unique_ptr<Transform> transform;
    std::unique_ptr<Stateful> stateful;
    std::unique_ptr<Sink> sink;
  };

  template <class Operator, class Make>
  void make_into(const PlanNode& node, const Make& make, Operator& target) {
    auto made = make(node.options, context_for_(node));
    if (made) {
      target = std::move(*made);
    } else {
      report(node, std::move(made.error()));
    }
  }

  void make(size_t i) {
    const PlanNode& node = plan_.nodes[i];
    const RegisteredOperator& registered = entry(node);
    Made& made = made_[i];
    switch (node.kind) {
      case OperatorKind::source:
        return make_into(node, registered.make_source, made.source);
      case OperatorKind::transform:
        return make_into(node, registered.make_transform, made.transform);
      case OperatorKind::stateful:
        return make_into(node, registered.make_stateful, made.stateful);
      case OperatorKind::sink:
        return make_into(node, registered.make_sink, made.sink);
    }
  }

  // From the sinks upwards: the mode that each sink asks of each node on its path. An aggregation
  // asks append of what feeds it; other operators hand the question on.
  void infer_modes() {
    asked_.assign(plan_.nodes.size(), std::vector<std::optional<OutputMode>>(order_.num_sinks));
    for (auto i = order_.nodes.rbegin(); i != order_.nodes.rend(); ++i) {
      const PlanNode& node = plan_.nodes[*i];
      if (const auto sink = order_.sink_index.find(*i); sink != order_.sink_index.end())
        asked_[*i][sink->second] = sink_mode(node);
      const bool aggregation = made_[*i].stateful && made_[*i].stateful->is_aggregation();
      for (const PortReference& input : node.inputs) {
        auto& above = asked_[order_.index_of[input.node]];
        for (size_t s = 0; s < order_.num_sinks; ++s) {
          if (asked_[*i][s] && !above[s])
            above[s] = aggregation ? OutputMode::append : *asked_[*i][s];
        }
      }
    }
  }

  static OutputMode sink_mode(const PlanNode& node) {
    const std::string mode = node.options.text_or("mode", "append");
    return mode == "complete" ? OutputMode::complete
           : mode == "update" ? OutputMode::update
                              : OutputMode::append;
  }

  GraphNode& add(const PlanNode& node, OperatorKind kind, SinkSet sinks) {
    GraphNode& added = graph_->nodes.emplace_back();
    added.kind = kind;
    added.id = node.id;
    added.name = node.name;
    added.position = node.position;
    added.plan = &node;
    added.sinks = std::move(sinks);
    return added;
  }

  void bind(size_t i) {
    const PlanNode& node = plan_.nodes[i];
    if (node.kind == OperatorKind::source) return bind_source(i);
    std::vector<std::vector<Producer>> inputs;
    std::vector<SchemaPtr> schemas;
    for (const PortReference& reference : node.inputs) {
      std::vector<Producer> producers = find_port(node, reference);
      if (producers.empty()) return;
      schemas.push_back(graph_->nodes[producers[0].node].ports[producers[0].port].schema);
      inputs.push_back(std::move(producers));
    }
    switch (node.kind) {
      case OperatorKind::transform:
        return bind_transform(i, inputs, schemas);
      case OperatorKind::stateful:
        return bind_stateful(i, inputs, schemas);
      default:
        return bind_sink(i, inputs, schemas);
    }
  }

  // Every graph node that stands for the referenced one, with the port's index; empty after an
  // error.
  std::vector<Producer> find_port(const PlanNode& node, const PortReference& reference) {
    std::vector<Producer> producers;
    for (const size_t p : graph_of_[order_.index_of[reference.node]]) {
      const PortSchemas& ports = graph_->nodes[p].ports;
      for (size_t port = 0; port < ports.size(); ++port) {
        if (ports[port].name == reference.port) producers.push_back({p, port});
      }
    }
    if (producers.empty() && !graph_of_[order_.index_of[reference.node]].empty()) {
      report(node,
             Error::invalid(fmt::format("`{}` has no port `{}`", reference.node, reference.port))
                 .at(reference.position));
    }
    return producers;
  }

  // The schema after the union of several inputs; adapters per input.
  std::optional<UnionPlan> unite(const PlanNode& node, const std::vector<SchemaPtr>& schemas) {
    std::vector<std::string> names;
    for (const PortReference& reference : node.inputs) names.push_back(reference.node);
    auto plan = plan_union(schemas, names, node.union_by_name);
    if (plan) return std::move(*plan);
    report(node, std::move(plan.error()));
    return std::nullopt;
  }

  void connect(size_t to, const std::vector<std::vector<Producer>>& inputs, const UnionPlan* united,
               bool sides) {
    for (size_t input = 0; input < inputs.size(); ++input) {
      for (const Producer& producer : inputs[input]) {
        GraphNode& from = graph_->nodes[producer.node];
        GraphNode& consumer = graph_->nodes[to];
        if (!from.sinks.intersects(consumer.sinks)) continue;
        from.consumers.push_back({producer.port, to, sides ? input : 0,
                                  united ? united->adapters[input] : nullptr, consumer.sinks,
                                  nullptr});
        consumer.producers.push_back(producer.node);
      }
    }
  }

  [[nodiscard]] static std::string qualifier(const std::string& id) {
    return id.substr(0, id.find('.'));
  }

  std::vector<InputSchema> input_schemas(const PlanNode& node,
                                         const std::vector<SchemaPtr>& schemas,
                                         const std::optional<UnionPlan>& united) const {
    if (united) return {{united->schema, node.name}};
    std::vector<InputSchema> inputs;
    for (size_t i = 0; i < schemas.size(); ++i)
      inputs.push_back({schemas[i], qualifier(node.inputs[i].node)});
    return inputs;
  }

  void bind_source(size_t i) {
    const PlanNode& node = plan_.nodes[i];
    MadeSource& made = made_[i].source;
    auto schema = made.source->bind();
    if (!schema) return report(node, std::move(schema.error()));
    GraphNode& raw = add(node, OperatorKind::source, order_.reaches[i]);
    raw.source = std::move(made.source);
    // What the source itself rejects comes out beside what its decoder rejects.
    raw.ports = {{made.decode ? "undecoded" : "", *schema}, {"errors", errors_schema()}};
    raw.source_index = graph_->sources.size();
    raw.idle = node.options.integer_or("idle", 0);
    raw.on_error = node.on_error.value_or(ErrorPolicy::keep);
    size_t last = graph_->nodes.size() - 1;
    graph_->sources.push_back(last);
    graph_of_[i] = {last};
    if (made.decode) {
      const InputSchema input{*schema, node.name};
      auto ports = made.decode->bind({&input, 1});
      if (!ports) return report(node, std::move(ports.error()));
      GraphNode& decoder = add(node, OperatorKind::transform, order_.reaches[i]);
      decoder.transform = std::move(made.decode);
      decoder.inputs = {input};
      decoder.ports = std::move(*ports);
      connect(graph_->nodes.size() - 1, {{{last, 0}}}, nullptr, false);
      last = graph_->nodes.size() - 1;
    }
    if (last != graph_of_[i][0]) graph_of_[i].push_back(last);
  }

  void bind_transform(size_t i, const std::vector<std::vector<Producer>>& inputs,
                      const std::vector<SchemaPtr>& schemas) {
    const PlanNode& node = plan_.nodes[i];
    std::optional<UnionPlan> united;
    if (inputs.size() > 1) {
      united = unite(node, schemas);
      if (!united) return;
    }
    const std::vector<InputSchema> bound = input_schemas(node, schemas, united);
    auto ports = made_[i].transform->bind(bound);
    if (!ports) return report(node, std::move(ports.error()));
    GraphNode& added = add(node, OperatorKind::transform, order_.reaches[i]);
    added.transform = std::move(made_[i].transform);
    added.inputs = bound;
    added.ports = std::move(*ports);
    for (const std::string& warning : added.transform->warnings()) warn(node, warning);
    connect(graph_->nodes.size() - 1, inputs, united ? &*united : nullptr, false);
    graph_of_[i] = {graph_->nodes.size() - 1};
  }

  // One variant per need: a watermark parts `complete` from the other modes.
  void bind_stateful(size_t i, const std::vector<std::vector<Producer>>& inputs,
                     const std::vector<SchemaPtr>& schemas) {
    const PlanNode& node = plan_.nodes[i];
    std::optional<UnionPlan> united;
    if (inputs.size() > 1 && !node.sides) {
      united = unite(node, schemas);
      if (!united) return;
    }
    const std::vector<InputSchema> bound = input_schemas(node, schemas, united);
    const bool timed = std::ranges::any_of(bound, [](const InputSchema& input) {
      return std::ranges::any_of(input.schema->fields(), [](const Field& field) {
        return field.watermark_delay.has_value();
      });
    });
    std::map<bool, SinkSet> needs;  // by "asked complete"; one entry when nothing parts them
    for (size_t s = 0; s < order_.num_sinks; ++s) {
      if (!asked_[i][s] || !order_.reaches[i].contains(s)) continue;
      const bool complete = timed && *asked_[i][s] == OutputMode::complete;
      needs.try_emplace(complete, SinkSet(order_.num_sinks)).first->second.add(s);
    }
    for (auto& [complete, sinks] : needs) {
      if (!made_[i].stateful) make(i);
      std::unique_ptr<Stateful> instance = std::move(made_[i].stateful);
      if (!instance) return;
      auto ports = instance->bind(bound);
      if (!ports) return report(node, std::move(ports.error()));
      GraphNode& added = add(node, OperatorKind::stateful, sinks);
      added.stateful = std::move(instance);
      added.inputs = bound;
      added.ports = std::move(*ports);
      added.asked = asked_[i];
      added.stateful_index = graph_->statefuls.size();
      added.stateful_plan.evict = timed && !complete;
      for (size_t s = 0; s < order_.num_sinks; ++s) {
        if (!sinks.contains(s)) continue;
        auto& modes = added.stateful_plan.modes;
        if (std::ranges::find(modes, *asked_[i][s]) == modes.end()) modes.push_back(*asked_[i][s]);
      }
      const size_t index = graph_->nodes.size() - 1;
      graph_->statefuls.push_back(index);
      connect(index, inputs, united ? &*united : nullptr, node.sides);
      graph_of_[i].push_back(index);
    }
  }

  void plan_stateful(size_t index) {
    GraphNode& node = graph_->nodes[index];
    if (node.stateful->is_aggregation() && !check_chained_modes(index)) return;
    node.stateful_plan.after_aggregation = has_aggregation_above(index);
    node.through_stateful.assign(order_.num_sinks, false);
    mark_stateful_below(index, node.through_stateful);
    const auto partitions = static_cast<size_t>(
        node.plan->options.integer_or("partitions", static_cast<int64_t>(options_.partitions)));
    Status planned = node.stateful->plan(node.stateful_plan, partitions);
    if (!planned) return report(*blamed_sink(node), std::move(planned.error()));
    check_partitions(node, partitions);
    node.remake = [make = entry(*node.plan).make_stateful, context = context_for_(*node.plan),
                   options = &node.plan->options, inputs = node.inputs, plan = node.stateful_plan,
                   partitions]() -> Result<std::unique_ptr<Stateful>> {
      FLOWRUN_TRY(std::unique_ptr<Stateful> made, make(*options, context));
      FLOWRUN_TRY([[maybe_unused]] const PortSchemas ports, made->bind(inputs));
      FLOWRUN_RETURN_IF_ERROR(made->plan(plan, partitions));
      return made;
    };
    const Stateful::Bound bound = node.stateful->state_bound();
    if (!bound.bounded) warn(*node.plan, bound.text);
    for (const std::string& warning : node.stateful->warnings()) warn(*node.plan, warning);
  }

  // An operator planned twice (for two modes) says it once.
  void check_partitions(const GraphNode& node, size_t asked) {
    const OptionValue* option = node.plan->options.find("partitions");
    if (!option || node.stateful->num_partitions() >= asked) return;
    Diagnostic warning{Diagnostic::Severity::warning,
                       "`partitions` changes nothing here: without a key by which rows part there "
                       "is one partition — leave it out",
                       node.name, option->position};
    const auto said = std::ranges::find_if(diagnostics_, [&](const Diagnostic& other) {
      return other.message == warning.message && other.node == warning.node;
    });
    if (said == diagnostics_.end()) diagnostics_.push_back(std::move(warning));
  }

  // Marks the sinks that rows of `from` reach past another stateful operator.
  void mark_stateful_below(size_t from, std::vector<bool>& marked) const {
    for (const Edge& edge : graph_->nodes[from].consumers) {
      const GraphNode& below = graph_->nodes[edge.to];
      if (!below.stateful) {
        mark_stateful_below(edge.to, marked);
        continue;
      }
      for (size_t s = 0; s < marked.size(); ++s) marked[s] = marked[s] || below.sinks.contains(s);
    }
  }

  // Two aggregations in a row can only be asked for append.
  bool check_chained_modes(size_t index) {
    const GraphNode& node = graph_->nodes[index];
    const bool behind_another = has_aggregation_above(index);
    if (!behind_another) return true;
    for (const OutputMode mode : node.stateful_plan.modes) {
      if (mode == OutputMode::append) continue;
      report(*blamed_sink(node),
             Error::invalid(
                 fmt::format("{} mode is not supported after two aggregations in a row (multiple "
                             "streaming aggregations) — use `mode: append` with a watermark",
                             output_mode_name(mode))));
      return false;
    }
    return true;
  }

  // Late and rejected rows are rows as they came in: only what comes out of the main port counts.
  [[nodiscard]] bool feeds_main_port(size_t producer, size_t consumer) const {
    return std::ranges::any_of(graph_->nodes[producer].consumers, [&](const Edge& edge) {
      return edge.to == consumer && edge.port == 0;
    });
  }

  [[nodiscard]] bool has_aggregation_above(size_t node) const {
    return std::ranges::any_of(graph_->nodes[node].producers, [&](size_t p) {
      const GraphNode& producer = graph_->nodes[p];
      if (feeds_main_port(p, node) && producer.stateful && producer.stateful->is_aggregation()) {
        return true;
      }
      return has_aggregation_above(p);
    });
  }

  // A mode is refused at the sink that asks for it; the message names that sink.
  [[nodiscard]] const PlanNode* blamed_sink(const GraphNode& node) const {
    const PlanNode* only = nullptr;
    for (const auto& [plan_index, sink] : order_.sink_index) {
      if (!node.sinks.contains(sink)) continue;
      const PlanNode& candidate = plan_.nodes[plan_index];
      if (!only || sink_mode(candidate) == OutputMode::append) only = &candidate;
    }
    return only ? only : node.plan;
  }

  void bind_sink(size_t i, const std::vector<std::vector<Producer>>& inputs,
                 const std::vector<SchemaPtr>& schemas) {
    const PlanNode& node = plan_.nodes[i];
    std::optional<UnionPlan> united;
    if (inputs.size() > 1) {
      united = unite(node, schemas);
      if (!united) return;
    }
    GraphNode& added = add(node, OperatorKind::sink, order_.reaches[i]);
    const size_t index = graph_->nodes.size() - 1;
    added.sink = std::move(made_[i].sink);
    added.inputs = input_schemas(node, schemas, united);
    added.mode = sink_mode(node);
    added.sink_index = order_.sink_index[i];
    connect(index, inputs, united ? &*united : nullptr, false);
    std::vector<std::string> keys;
    GraphNode& sink = graph_->nodes[index];
    describe_inputs(sink, index, keys);
    if (!sink.sink->accepts(sink.mode, sink.aggregated)) return refuse_mode(node, sink);
    const OptionValue* every = node.options.find("every");
    sink.pace_is_default = !every;
    sink.pace = every                                       ? every->integer
                : plan_.trigger.kind == Trigger::Kind::asap ? sink.sink->default_pace(sink.mode)
                                                            : 0;
    if (Status bound = sink.sink->bind({sink.inputs[0].schema, sink.mode, sink.aggregated, keys,
                                        std::max(sink.pace, plan_.trigger.period)});
        !bound)
      return report(node, std::move(bound.error()));
    for (const std::string& warning : sink.sink->warnings()) warn(node, warning);
    graph_->sinks.push_back(index);
    graph_of_[i] = {index};
  }

  void refuse_mode(const PlanNode& node, const GraphNode& sink) {
    const OptionValue* mode = node.options.find("mode");
    report(node,
           Error::invalid(
               fmt::format("a {} sink cannot take {} mode of {} — use `mode: append`{}", node.op,
                           output_mode_name(sink.mode), sink.aggregated ? "an aggregation" : "rows",
                           sink.aggregated ? " with a watermark, or a memory or console sink" : ""))
               .at(mode ? mode->position : node.position));
  }

  // Walks up from a sink: does an aggregation feed it, do rows come past every stateful operator,
  // which keys?
  void describe_inputs(GraphNode& sink, size_t index, std::vector<std::string>& keys) {
    std::set<size_t> seen;
    const std::function<void(size_t)> visit = [&](size_t i) {
      for (const size_t p : graph_->nodes[i].producers) {
        if (!seen.insert(p).second) continue;
        const GraphNode& producer = graph_->nodes[p];
        if (producer.stateful && feeds_main_port(p, i)) {
          sink.stateful_input = true;
          if (producer.stateful->is_aggregation() && !sink.aggregated) {
            sink.aggregated = true;
            keys = producer.stateful->key_columns();
          }
        }
        visit(p);
      }
    };
    visit(index);
  }

  const Plan& plan_;
  const Registry& registry_;
  const GraphOptions& options_;
  const std::function<MakeContext(const PlanNode&)>& context_for_;
  Diagnostics& diagnostics_;
  bool failed_ = false;

  std::unique_ptr<Graph> graph_ = std::make_unique<Graph>();
  PlanOrder order_;
  std::map<size_t, Made> made_;
  std::vector<std::vector<std::optional<OutputMode>>> asked_;  // by plan index, then sink
  std::map<size_t, std::vector<size_t>>
      graph_of_;  // plan index -> graph indices that give its output
};

}  // namespace

std::unique_ptr<Graph> build_graph(const Plan& plan, const Registry& registry,
                                   const GraphOptions& options,
                                   const std::function<MakeContext(const PlanNode&)>& context_for,
                                   Diagnostics& diagnostics) {
  auto graph = GraphBuilder(plan, registry, options, context_for, diagnostics).build();
  if (!graph) return graph;
  size_t num_edges = 0;
  for (GraphNode& node : graph->nodes) {
    for (Edge& edge : node.consumers) edge.index = num_edges++;
  }
  graph->traffic = std::make_shared<EdgeTraffic>(num_edges);
  return graph;
}

}  // namespace flowrun
