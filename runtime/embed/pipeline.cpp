#include "runtime/embed/pipeline.h"

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <utility>

#include "operators/register_all.h"
#include "runtime/config/load.h"
#include "runtime/embed/host_ports.h"
#include "runtime/expr/function_registry.h"
#include "runtime/state/aggregate_functions.h"

namespace flowrun {

namespace {

LoadedPlan plan_for(const PipelineArguments& arguments, const Registry& registry,
                    const LoadOptions& options) {
  if (arguments.document)
    return load_plan_document(*arguments.document, arguments.file, registry, options);
  if (arguments.text) return load_plan_text(*arguments.text, arguments.file, registry, options);
  return load_plan(arguments.file, registry, options);
}

std::vector<NamedPlugin> plugins_for(const PipelineArguments& arguments,
                                     const LoadOptions& options) {
  if (arguments.document)
    return plugins_named_in_document(*arguments.document, arguments.file, options);
  if (arguments.text) return plugins_named_in_text(*arguments.text, arguments.file, options);
  return plugins_named_in(arguments.file, options);
}

}  // namespace

Pipeline::Pipeline(PluginPath plugins, HostPorts* ports)
    : plugins_(registry_, functions_, std::move(plugins)) {
  register_all_operators(registry_);
  register_host_operators(registry_, ports);
  register_all_functions(functions_);
  register_aggregate_functions(functions_);
}

bool Pipeline::load(const PipelineArguments& arguments, EngineOptions options,
                    const PipelineChanges& changes) {
  if (!arguments.only.empty()) options.only = arguments.only;
  LoadOptions load_options;
  load_options.sets = arguments.set;
  const bool plugged = load_plugins(arguments, load_options);
  if (changes.operators) registry_ = changes.operators(registry_);
  LoadedPlan loaded = plan_for(arguments, registry_, load_options);
  std::ranges::move(loaded.diagnostics, std::back_inserter(diagnostics_));
  sources_ = std::move(loaded.sources);
  if (!loaded.plan) {
    if (loaded.sound_part) find_more_errors(std::move(*loaded.sound_part), std::move(options));
    put_in_order(diagnostics_);
    return false;
  }
  name_ = loaded.plan->name;
  if (Status changed = changes.plan ? changes.plan(*loaded.plan) : ok_status(); !changed) {
    diagnostics_.push_back(make_diagnostic(std::move(changed.error())));
    return false;
  }
  timezone_ = loaded.plan->timezone;
  for (const PlanNode& node : loaded.plan->nodes) {
    nodes_.try_emplace(node.name, node.position);
    num_sources_ += node.kind == OperatorKind::source ? 1 : 0;
  }
  engine_ = Engine::load(std::move(*loaded.plan), registry_, functions_, std::move(options),
                         diagnostics_);
  put_in_order(diagnostics_);
  return plugged && engine_ != nullptr;
}

// Before anything looks an operator up: those of the command line, then those of the file.
bool Pipeline::load_plugins(const PipelineArguments& arguments, const LoadOptions& options) {
  const size_t before = diagnostics_.size();
  for (const std::string& name : arguments.plugins) {
    if (Status status = plugins_.load(name, ""); !status)
      diagnostics_.push_back(make_diagnostic(std::move(status.error())));
  }
  const std::string folder = std::filesystem::path(arguments.file).parent_path().string();
  for (const NamedPlugin& named : plugins_for(arguments, options)) {
    Status status = plugins_.load(named.name, folder.empty() ? "." : folder);
    if (!status)
      diagnostics_.push_back(make_diagnostic(std::move(status.error()).at(named.position)));
  }
  return diagnostics_.size() == before;
}

// What the engine has to say against the part of a refused plan that the loader has nothing
// against.
void Pipeline::find_more_errors(Plan sound_part, EngineOptions options) {
  options.only.clear();
  Diagnostics more;
  Engine::load(std::move(sound_part), registry_, functions_, std::move(options), more);
  for (Diagnostic& diagnostic : more) {
    const bool is_error = diagnostic.severity == Diagnostic::Severity::error;
    if (is_error && !diagnostic.node.empty()) diagnostics_.push_back(std::move(diagnostic));
  }
  put_in_order(diagnostics_);
}

std::string Pipeline::diagnostics_text(bool colours) const {
  return render_text(diagnostics_, sources_, {.colors = colours});
}

}  // namespace flowrun
