#pragma once
// Loading: a pipeline file made a Plan, or everything that is wrong with it at once.
//
//   LoadedPlan loaded = load_plan("pipelines/iot.yaml", registry, {.sets =
//   {"watches.port=10000"}}); std::cerr << render_text(loaded.diagnostics, loaded.sources); if
//   (!loaded.plan) return 2;
//
// Reads the file, those it includes and those of ${file:...}; opens nothing else.

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "runtime/config/diagnostic.h"
#include "runtime/config/plan.h"
#include "runtime/config/yaml_document.h"
#include "runtime/operator/registry.h"

namespace flowrun {

struct LoadOptions {
  // "node.key=value" or "key=value" of the top level, as on the command line; the last one wins. A
  // value that begins with [, { or a quote is read as YAML, any other is taken as it is.
  std::vector<std::string> sets = {};
  // Environment variables for ${env:X}; default: the process's own.
  std::function<std::optional<std::string>(const std::string&)> environment = {};
  YamlLimits limits = {};
  // The text is a piece of a pipeline: names that it does not declare stand for nodes and tables
  // elsewhere, and what leads to no sink is no warning. For the examples of specs and for editors.
  bool fragment = false;
};

struct LoadedPlan {
  std::optional<Plan> plan;  // absent if there is an error among the diagnostics
  // If there is no plan: the nodes that no error touches, nor anything that they read. For
  // Engine::load to find what else is wrong, so that all of it is said at once; never to be run.
  std::optional<Plan> sound_part;
  Diagnostics diagnostics;  // in the order of the file
  SourceTexts sources;      // for render_text
};

// A plugin that a file names; whoever calls load_plan has loaded it into the registry before.
struct NamedPlugin {
  std::string name;
  Position position;
};
// In the order of the file. What is wrong with it is left to load_plan to say. The three below are
// for what load_plan, load_plan_text and load_plan_document take.
std::vector<NamedPlugin> plugins_named_in(const std::string& path, const LoadOptions& options = {});
std::vector<NamedPlugin> plugins_named_in_text(std::string text, const std::string& name,
                                               const LoadOptions& options = {});
std::vector<NamedPlugin> plugins_named_in_document(const RawValue& root, const std::string& name,
                                                   const LoadOptions& options = {});

// A file that cannot be read is an error among the diagnostics too.
LoadedPlan load_plan(const std::string& path, const Registry& registry,
                     const LoadOptions& options = {});

// `name` stands for the file in messages, and relative paths are relative to its folder.
LoadedPlan load_plan_text(std::string text, const std::string& name, const Registry& registry,
                          const LoadOptions& options = {});

// The same for a document that a host made without a text: its values have no positions, and
// diagnostics name the node alone.
LoadedPlan load_plan_document(const RawValue& root, const std::string& name,
                              const Registry& registry, const LoadOptions& options = {});

}  // namespace flowrun
