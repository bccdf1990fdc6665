// The names in `from` made edges, and everything that is wrong with a graph as such.

#include <algorithm>
#include <map>
#include <set>

#include "runtime/base/suggest.h"
#include "runtime/config/draft.h"

namespace flowrun {

namespace {

class Connector {
 public:
  Connector(Draft& draft, const Plan& plan, bool fragment, Diagnostics& diagnostics)
      : draft_(draft), plan_(plan), fragment_(fragment), diagnostics_(diagnostics) {
    for (size_t i = 0; i < draft.size(); ++i) index_node(i);
  }

  void run() {
    for (size_t i = 0; i < draft_.size(); ++i) connect_node(i);
    route_errors();
    check_cycles();
    check_live_tables();
    check_static_tables();
    if (!fragment_ && !has_errors(diagnostics_)) warn_unread();
  }

 private:
  void report(const DraftNode& node, std::string message, Position position) {
    diagnostics_.push_back(
        {Diagnostic::Severity::error, std::move(message), node.node.name, std::move(position)});
  }
  void warn(const std::string& node, std::string message, const Position& position) {
    diagnostics_.push_back({Diagnostic::Severity::warning, std::move(message), node, position});
  }

  void index_node(size_t i) {
    const DraftNode& node = draft_[i];
    const auto [same, fresh] = by_id_.emplace(node.node.id, i);
    if (!fresh) {
      report(node, "two steps are called " + back_quoted(node.node.id) + " — give one another `id`",
             node.node.position);
    }
    steps_[node.node.name].push_back(i);
    ids_.push_back(node.node.id);
  }

  void connect_node(size_t i) {
    DraftNode& node = draft_[i];
    if (node.follows_previous) {
      node.node.inputs.push_back({draft_[i - 1].node.id, "", node.node.position});
      readers_[i - 1].insert("");
      return;
    }
    for (const PortReference& reference : node.from) {
      if (auto found = resolve(node, reference)) {
        readers_[by_id_.at(found->node)].insert(found->port);
        node.node.inputs.push_back(std::move(*found));
      }
    }
  }

  // "node", "node.port", "node.step" or "node.step.port"; an error if it is none of these.
  std::optional<PortReference> resolve(const DraftNode& reader, const PortReference& reference) {
    const std::string& text = reference.node;
    if (const auto exact = by_id_.find(text); exact != by_id_.end()) {
      return readable(reader, exact->second, reference.position)
                 ? std::optional(PortReference{text, "", reference.position})
                 : std::nullopt;
    }
    const size_t dot = text.rfind('.');
    const std::string before = text.substr(0, dot);
    const auto node = by_id_.find(before);
    if (dot == std::string::npos || node == by_id_.end()) {
      if (fragment_) return std::nullopt;
      std::string hint = did_you_mean(text, ids_);
      if (hint.empty()) hint = " — there are " + back_quoted_list(ids_);
      report(reader, "there is no node " + back_quoted(text) + hint, reference.position);
      return std::nullopt;
    }
    return resolve_port(reader, node->second, text.substr(dot + 1), reference.position);
  }

  bool readable(const DraftNode& reader, size_t target, const Position& position) {
    const DraftNode& node = draft_[target];
    if (!node.spec || node.spec->kind != OperatorKind::sink) return true;
    std::string hint = " — read what it reads";
    if (!node.from.empty()) hint += ": " + back_quoted(node.from.front().node);
    report(reader, back_quoted(node.node.id) + " is a sink and gives no rows" + hint, position);
    return false;
  }

  // The port of a node; of a chain that of its only step that has it.
  std::optional<PortReference> resolve_port(const DraftNode& reader, size_t target,
                                            const std::string& port, const Position& position) {
    std::vector<size_t> candidates = {target};
    if (draft_[target].node.id == draft_[target].node.name)
      candidates = steps_.at(draft_[target].node.name);
    std::vector<size_t> having;
    std::vector<std::string> known;
    bool unknown_operator = false;
    for (const size_t i : candidates) {
      if (!draft_[i].spec) unknown_operator = true;
      if (!draft_[i].spec) continue;
      const std::vector<std::string>& ports = draft_[i].spec->ports;
      known.insert(known.end(), ports.begin(), ports.end());
      if (std::ranges::find(ports, port) != ports.end()) having.push_back(i);
    }
    if (having.size() == 1) return PortReference{draft_[having.front()].node.id, port, position};
    if (unknown_operator) return std::nullopt;
    const std::string shown = back_quoted(draft_[target].node.id);
    if (having.size() > 1) {
      report(reader,
             "several steps of " + shown + " have a port " + back_quoted(port) +
                 " — name the step: " + back_quoted(draft_[having.front()].node.id + "." + port),
             position);
    } else {
      std::string hint = did_you_mean(port, known);
      if (hint.empty())
        hint = known.empty() ? " — it has none beside its rows"
                             : " — it has " + back_quoted_list(known);
      report(reader, shown + " has no port " + back_quoted(port) + hint, position);
    }
    return std::nullopt;
  }

  // Reading `.errors` means that rejected records go there, unless the node says otherwise.
  void route_errors() {
    for (const auto& [i, ports] : readers_) {
      PlanNode& node = draft_[i].node;
      if (!ports.contains("errors")) continue;
      if (!node.on_error) {
        node.on_error = ErrorPolicy::route;
        OptionValue value;
        value.kind = OptionKind::word;
        value.position = node.op_position;
        value.text = "route";
        node.options.set("on_error", value);
      } else if (*node.on_error == ErrorPolicy::drop || *node.on_error == ErrorPolicy::fail) {
        const std::string word = node.options.text("on_error");
        warn(node.name,
             "`on_error: " + word +
                 "` leaves nothing for the port `errors`, which is read — write `on_error: route`",
             node.options.at("on_error").position);
      }
    }
  }

  void check_cycles() {
    enum class Mark : uint8_t { unseen, open, done };
    std::vector<Mark> marks(draft_.size(), Mark::unseen);
    // Iterative: a chain may have thousands of steps.
    for (size_t start = 0; start < draft_.size(); ++start) {
      std::vector<std::pair<size_t, size_t>> stack = {{start, 0}};
      if (marks[start] != Mark::unseen) continue;
      marks[start] = Mark::open;
      while (!stack.empty()) {
        const size_t node = stack.back().first;
        const auto& inputs = draft_[node].node.inputs;
        if (stack.back().second == inputs.size()) {
          marks[node] = Mark::done;
          stack.pop_back();
          continue;
        }
        const PortReference& input = inputs[stack.back().second++];
        const size_t next = by_id_.at(input.node);
        if (marks[next] == Mark::open) report_cycle(stack, next, input.position);
        if (marks[next] != Mark::unseen) continue;
        marks[next] = Mark::open;
        stack.emplace_back(next, 0);
      }
    }
  }

  // The stack leads from readers to what they read: a reads b, b reads a. The rows go the other
  // way.
  void report_cycle(const std::vector<std::pair<size_t, size_t>>& stack, size_t first,
                    const Position& position) {
    std::string path = draft_[first].node.id;
    for (size_t i = stack.size(); i-- > 0;) {
      path += " → " + draft_[stack[i].first].node.id;
      if (stack[i].first == first) break;
    }
    report(draft_[stack.back().first],
           "a cycle: " + path + " — a node cannot read what comes of itself", position);
  }

  void check_live_tables() {
    std::map<std::string, const DraftNode*> owners;
    for (const DraftNode& node : draft_) {
      if (!node.spec) continue;
      for (const OptionSpec& option : node.spec->options) {
        if (option.role != NameRole::live_table) continue;
        const OptionValue* value = node.node.options.find(option.name);
        const std::string table = value ? value->text : node.node.name;
        const auto [same, fresh] = owners.emplace(table, &node);
        if (fresh) continue;
        report(node,
               "the table " + back_quoted(table) + " is filled by " +
                   back_quoted(same->second->node.name) + " too — give one another name",
               value ? value->position : node.node.position);
      }
    }
  }

  std::vector<std::string> table_names() const {
    std::vector<std::string> names;
    for (const PlanTable& table : plan_.tables) names.push_back(table.name);
    return names;
  }

  // What names a static table in a node.
  static std::vector<const OptionValue*> tables_of(const DraftNode& node) {
    std::vector<const OptionValue*> values;
    const auto take = [&](const OptionSpec& option, const std::string& name) {
      const OptionValue* value =
          option.role == NameRole::static_table ? node.node.options.find(name) : nullptr;
      if (value && !value->text.empty()) values.push_back(value);
    };
    if (!node.spec) return values;
    take(node.spec->primary, node.spec->name);
    for (const OptionSpec& option : node.spec->options) take(option, option.name);
    return values;
  }

  void check_static_tables() {
    if (fragment_) return;
    const std::vector<std::string> names = table_names();
    for (const DraftNode& node : draft_) {
      for (const OptionValue* value : tables_of(node)) {
        if (std::ranges::find(names, value->text) != names.end()) continue;
        std::string hint = did_you_mean(value->text, names);
        if (hint.empty())
          hint = names.empty() ? " — declare it under `tables:`"
                               : " — there are " + back_quoted_list(names);
        report(node, "there is no table " + back_quoted(value->text) + hint, value->position);
      }
    }
  }

  // Indices of the nodes whose rows reach a sink, sinks included.
  std::set<size_t> leading_to_sinks() const {
    std::set<size_t> alive;
    std::vector<size_t> waiting;
    for (size_t i = 0; i < draft_.size(); ++i) {
      if (draft_[i].node.kind == OperatorKind::sink) waiting.push_back(i);
    }
    while (!waiting.empty()) {
      const size_t i = waiting.back();
      waiting.pop_back();
      if (!alive.insert(i).second) continue;
      for (const PortReference& input : draft_[i].node.inputs)
        waiting.push_back(by_id_.at(input.node));
    }
    return alive;
  }

  // What another file brings in is there for whoever needs it.
  [[nodiscard]] bool is_included(const Position& position) const {
    return position.file && *position.file != plan_.file && *position.file != "--set";
  }

  void warn_unread() {
    const std::set<size_t> alive = leading_to_sinks();
    if (alive.empty()) {
      warn("",
           "there is no sink, so nothing will run — add a node such as `out: { from: NODE, sink: "
           "console }`",
           draft_.empty() ? Position{} : draft_.front().node.position);
      return;
    }
    std::set<std::string> tables;
    for (size_t i = 0; i < draft_.size(); ++i) {
      const PlanNode& node = draft_[i].node;
      if (alive.contains(i)) {
        for (const OptionValue* value : tables_of(draft_[i])) tables.insert(value->text);
      } else if (is_included(node.position)) {
        continue;
      } else if (node.kind == OperatorKind::source) {
        warn(node.name, "this source leads to no sink and is not opened — read it, or remove it",
             node.position);
      } else if (!readers_.contains(i)) {
        warn(node.name, "nothing reads this node, so it does not run — add a sink, or remove it",
             node.position);
      }
    }
    for (const PlanTable& table : plan_.tables) {
      if (tables.contains(table.name) || is_included(table.position)) continue;
      warn("",
           "the table " + back_quoted(table.name) +
               " leads to no sink and is not read — join it, or remove it",
           table.position);
    }
  }

  Draft& draft_;
  const Plan& plan_;
  const bool fragment_;
  Diagnostics& diagnostics_;
  std::map<std::string, size_t> by_id_;
  std::map<std::string, std::vector<size_t>> steps_;  // by node name
  std::map<size_t, std::set<std::string>> readers_;   // which ports of a node are read
  std::vector<std::string> ids_;
};

}  // namespace

void connect(Draft& draft, const Plan& plan, bool fragment, Diagnostics& diagnostics) {
  Connector(draft, plan, fragment, diagnostics).run();
}

}  // namespace flowrun
