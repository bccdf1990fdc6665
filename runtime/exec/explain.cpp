#include "runtime/exec/explain.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace flowrun {

namespace {

constexpr size_t kColumnsShown = 6;
constexpr int64_t kSecond = 1'000'000;

std::string schema_text(const Schema& schema) {
  std::string text;
  for (size_t i = 0; i < schema.num_fields(); ++i) {
    if (i == kColumnsShown) return text + fmt::format(", ... ({} columns)", schema.num_fields());
    if (i > 0) text += ", ";
    text += schema.field(i).name + ": " + schema.field(i).type.simple_string();
  }
  return text;
}

std::string seconds(int64_t microseconds) {
  return microseconds % kSecond == 0 ? fmt::format("{} s", microseconds / kSecond)
                                     : fmt::format("{} ms", microseconds / 1000);
}

class Explainer {
 public:
  Explainer(const Graph& graph, const Plan& plan) : graph_(graph), plan_(plan) {}

  std::string run() {
    for (const size_t source : graph_.sources) node(source, "", "");
    return std::move(text_);
  }

 private:
  std::string line(const GraphNode& node) const {
    const bool step = node.id != node.name;
    const std::string name = step ? node.id : node.name;
    if (node.source)
      return fmt::format("{}  {} -> {}  ({})", name, node.source->describe(),
                         schema_text(*node.ports[0].schema), node.source->guarantee());
    if (node.sink)
      return fmt::format("{}  {}, {}{}", name, node.sink->describe(), output_mode_name(node.mode),
                         pace(node));
    const std::string out = schema_text(*node.ports[0].schema);
    if (node.transform) return fmt::format("{}  {} -> {}", name, node.transform->describe(), out);
    std::string modes;
    for (const OutputMode mode : node.stateful_plan.modes)
      modes += fmt::format("{}{}", modes.empty() ? "" : ", ", output_mode_name(mode));
    return fmt::format("{}  {} -> {}  [{}]  state: {}; {}", name, node.stateful->describe(), out,
                       modes, node.stateful->state_bound().text, sharing(node));
  }

  // What each worker has to itself, and how it is put together.
  static std::string sharing(const GraphNode& node) {
    const size_t partitions = node.stateful->num_partitions();
    const bool chosen = node.plan->options.has("partitions");
    return fmt::format("each worker gathers {} of an epoch, merged in {} partition{}{}",
                       node.stateful->is_aggregation() ? "partial results" : "the rows", partitions,
                       partitions == 1 ? "" : "s", chosen ? " (`partitions`)" : "");
  }

  std::string pace(const GraphNode& node) const {
    if (node.pace > 0)
      return fmt::format(", every {}{}", seconds(node.pace),
                         node.pace_is_default ? " (the default under asap)" : "");
    return plan_.trigger.kind == Trigger::Kind::period
               ? fmt::format(", every {}", seconds(plan_.trigger.period))
               : ", every epoch";
  }

  void node(size_t index, const std::string& prefix, const std::string& below) {
    const GraphNode& shown = graph_.nodes[index];
    if (!seen_.insert(index).second) {
      text_ += fmt::format("{}{}  (as above)\n", prefix, shown.id);
      return;
    }
    text_.append(prefix).append(line(shown)).append("\n");
    for (size_t i = 0; i < shown.consumers.size(); ++i) {
      const bool last = i + 1 == shown.consumers.size();
      const Edge& edge = shown.consumers[i];
      std::string head = below;
      head.append(last ? "└ " : "├ ");
      if (edge.port > 0) head.append(".").append(shown.ports[edge.port].name).append(" ");
      node(edge.to, head, below + (last ? "  " : "│ "));
    }
  }

  const Graph& graph_;
  const Plan& plan_;
  std::string text_;
  std::set<size_t> seen_;
};

}  // namespace

std::string explain_graph(const Graph& graph, const Plan& plan) {
  return Explainer(graph, plan).run();
}

}  // namespace flowrun
