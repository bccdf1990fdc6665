// flowrun check: everything that is wrong with pipelines and tests, without running them.

#include <fmt/format.h>

#include <algorithm>

#include "runtime/embed/pipeline.h"
#include "tools/flowrun/collect.h"
#include "tools/flowrun/commands.h"
#include "tools/flowrun/plugin_path.h"
#include "tools/flowrun/terminal.h"
#include "tools/flowrun/test_file.h"
#include "tools/flowrun/text.h"

namespace flowrun {
namespace {

constexpr int64_t kPatience = 10'000'000;  // microseconds that a peer has to answer

int print(Terminal& terminal, const std::string& text) {
  const Status written = terminal.write(text.ends_with('\n') ? text : text + "\n");
  if (written) return kExitDone;
  terminal.line(written.error().message);
  return kExitFailed;
}

// A file that is there to be included has no sink. So that it is checked to the end all the same,
// what nobody reads goes nowhere.
Status add_missing_sinks(Plan& plan) {
  const auto is_sink = [](const PlanNode& node) { return node.kind == OperatorKind::sink; };
  if (plan.nodes.empty() || std::ranges::any_of(plan.nodes, is_sink)) return ok_status();
  const std::vector<PlanNode> nodes = plan.nodes;
  for (const PlanNode& node : nodes) {
    const bool read = std::ranges::any_of(nodes, [&](const PlanNode& other) {
      return std::ranges::count(other.inputs, node.id, &PortReference::node) > 0;
    });
    if (read) continue;
    PlanNode sink;
    sink.id = sink.name = "(" + node.id + ")";
    sink.position = node.position;
    sink.kind = OperatorKind::sink;
    sink.op = "discard";
    OptionValue mode;
    mode.kind = OptionKind::word;
    mode.text = behind_aggregation(plan, node.id) ? "complete" : "append";
    sink.options.set("mode", std::move(mode));
    sink.inputs = {{node.id, "", node.position}};
    plan.nodes.push_back(std::move(sink));
  }
  return ok_status();
}

class Check {
 public:
  explicit Check(const CheckCommand& command)
      : command_(command), terminal_(Terminal::standard()) {}

  int execute() {
    for (const std::string& file : command_.files) {
      const int checked = file.ends_with(kTestSuffix) ? check_test(file) : check_pipeline(file);
      if (checked == kExitFailed) return checked;
      exit_code_ = std::max(exit_code_, checked);
    }
    if (command_.json && print(terminal_, render_json(all_)) != kExitDone) return kExitFailed;
    return exit_code_;
  }

 private:
  int check_pipeline(const std::string& file) {
    Pipeline pipeline(plugin_path());
    bool added_sinks = false;
    PipelineChanges changes;
    changes.plan = [&added_sinks](Plan& plan) {
      const size_t before = plan.nodes.size();
      Status added = add_missing_sinks(plan);
      added_sinks = plan.nodes.size() > before;
      return added;
    };
    EngineOptions options;
    options.allow_exec = true;  // nothing is started, by --connect neither
    const bool loaded =
        pipeline.load({.file = file, .set = command_.set, .only = {}, .plugins = command_.plugins},
                      options, changes);
    const bool denied = command_.deny_warnings && !pipeline.diagnostics().empty();
    if (command_.json) {
      all_.insert(all_.end(), pipeline.diagnostics().begin(), pipeline.diagnostics().end());
    } else {
      std::string text = pipeline.diagnostics_text(terminal_.colours());
      if (text.ends_with('\n')) text.pop_back();
      if (!text.empty()) terminal_.line(text);
      if (loaded && print(terminal_, summary(file, pipeline, added_sinks)) != kExitDone)
        return kExitFailed;
    }
    if (!loaded || denied) return kExitRefused;
    return command_.connect ? connect(file, pipeline) : kExitDone;
  }

  // All answers at once; the worst of them is the exit code.
  int connect(const std::string& file, Pipeline& pipeline) {
    int exit_code = kExitDone;
    for (const Engine::Probe& probe : pipeline.engine().probe(kPatience)) {
      if (!probe.result) exit_code = kExitRefused;
      if (command_.json) {
        if (!probe.result)
          all_.push_back(make_diagnostic(Error::invalid(probe.result.error().message), probe.node));
        if (!probe.skipped.empty())
          all_.push_back(
              {Diagnostic::Severity::warning, "not tried — " + probe.skipped, probe.node, {}});
        continue;
      }
      const std::string answer = !probe.result           ? probe.result.error().message
                                 : probe.skipped.empty() ? "ok"
                                                         : "not tried — " + probe.skipped;
      if (print(terminal_, fmt::format("  {}: {}: {}", probe.node, probe.what, answer)) !=
          kExitDone)
        return kExitFailed;
    }
    if (exit_code != kExitDone && !command_.json)
      terminal_.line(file + ": not everything can be opened");
    return exit_code;
  }

  int check_test(const std::string& file) {
    Diagnostics diagnostics;
    SourceTexts sources;
    const bool read = read_pipeline_test(file, diagnostics, sources).has_value();
    put_in_order(diagnostics);
    if (command_.json) {
      all_.insert(all_.end(), diagnostics.begin(), diagnostics.end());
    } else if (!read) {
      terminal_.line(render_text(diagnostics, sources, {.colors = terminal_.colours()}));
    } else if (print(terminal_, file + ": a test, no errors") != kExitDone) {
      return kExitFailed;
    }
    return read ? kExitDone : kExitRefused;
  }

  static std::string summary(const std::string& file, Pipeline& pipeline, bool added_sinks) {
    const auto sinks = static_cast<int64_t>(pipeline.engine().num_sinks());
    const auto nodes =
        static_cast<int64_t>(pipeline.engine().num_nodes()) - (added_sinks ? sinks : 0);
    std::string text = fmt::format("{}: {}, {}, no errors\n", file, plural(nodes, "node"),
                                   added_sinks ? "no sink: to be included" : plural(sinks, "sink"));
    for (const Engine::StateBound& bound : pipeline.engine().state_bounds()) {
      text += fmt::format("  state of {}: {} ({})\n", bound.node, bound.text,
                          bound.bounded ? "bounded" : "grows");
    }
    return text;
  }

  const CheckCommand& command_;
  Terminal terminal_;
  Diagnostics all_;
  int exit_code_ = kExitDone;
};

}  // namespace

int execute(const CheckCommand& command) { return Check(command).execute(); }

}  // namespace flowrun
