#include "runtime/exec/plan_order.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "runtime/base/check.h"
#include "runtime/base/suggest.h"

namespace flowrun {

namespace {

Status check_sinks(const Plan& plan, const std::vector<std::string>& only) {
  std::vector<std::string> names;
  for (const PlanNode& node : plan.nodes) {
    if (node.kind == OperatorKind::sink) names.push_back(node.name);
  }
  if (names.empty()) {
    return Error::invalid(
        "the pipeline has no sink — add a node such as `screen: { from: ..., sink: console }`");
  }
  for (const std::string& wanted : only) {
    if (std::ranges::find(names, wanted) == names.end()) {
      return Error::invalid(
          fmt::format("--only {}: no sink has that name{}", wanted, did_you_mean(wanted, names)));
    }
  }
  return ok_status();
}

// Depth first from the chosen sinks.
void order_nodes(const Plan& plan, const std::vector<std::string>& only, PlanOrder& order) {
  enum class Mark : uint8_t { unseen, open, done };
  std::vector<Mark> marks(plan.nodes.size(), Mark::unseen);
  const std::function<void(size_t)> visit = [&](size_t i) {
    if (marks[i] == Mark::done) return;
    FLOWRUN_CHECK(marks[i] == Mark::unseen, "config refused cycles");
    marks[i] = Mark::open;
    for (const PortReference& input : plan.nodes[i].inputs) {
      const auto found = order.index_of.find(input.node);
      FLOWRUN_CHECK(found != order.index_of.end(), "config refused dangling names");
      visit(found->second);
    }
    marks[i] = Mark::done;
    order.nodes.push_back(i);
  };
  for (size_t i = 0; i < plan.nodes.size(); ++i) {
    const PlanNode& node = plan.nodes[i];
    if (node.kind != OperatorKind::sink) continue;
    if (!only.empty() && std::ranges::find(only, node.name) == only.end()) continue;
    order.sink_index[i] = order.num_sinks++;
    visit(i);
  }
}

}  // namespace

Result<PlanOrder> order_plan(const Plan& plan, const std::vector<std::string>& only) {
  FLOWRUN_RETURN_IF_ERROR(check_sinks(plan, only));
  PlanOrder order;
  for (size_t i = 0; i < plan.nodes.size(); ++i) order.index_of[plan.nodes[i].id] = i;
  order_nodes(plan, only, order);
  order.reaches.assign(plan.nodes.size(), SinkSet(order.num_sinks));
  for (auto i = order.nodes.rbegin(); i != order.nodes.rend(); ++i) {
    const auto sink = order.sink_index.find(*i);
    if (sink != order.sink_index.end()) order.reaches[*i].add(sink->second);
    for (const PortReference& input : plan.nodes[*i].inputs) {
      order.reaches[order.index_of.at(input.node)] |= order.reaches[*i];
    }
  }
  return order;
}

}  // namespace flowrun
