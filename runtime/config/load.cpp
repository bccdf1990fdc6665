#include <algorithm>
#include <filesystem>
#include <set>

#include "runtime/config/draft.h"
#include "runtime/config/load.h"
#include "runtime/config/top_level.h"

namespace flowrun {

namespace {

// Leaves out the nodes with errors and all that reads them, directly or not.
Plan without_unsound(Plan plan, const Diagnostics& diagnostics) {
  std::set<std::string> unsound;  // ids
  for (const PlanNode& node : plan.nodes) {
    const bool named = std::ranges::any_of(diagnostics, [&](const Diagnostic& diagnostic) {
      return diagnostic.severity == Diagnostic::Severity::error && diagnostic.node == node.name;
    });
    if (named || node.op.empty()) unsound.insert(node.id);
  }
  for (size_t before = 0; before != unsound.size();) {
    before = unsound.size();
    for (const PlanNode& node : plan.nodes) {
      const bool reads_unsound = std::ranges::any_of(
          node.inputs, [&](const PortReference& input) { return unsound.contains(input.node); });
      if (reads_unsound) unsound.insert(node.id);
    }
  }
  std::erase_if(plan.nodes, [&](const PlanNode& node) { return unsound.contains(node.id); });
  return plan;
}

void build_plan(const Document& document, const std::string& name, const Registry& registry,
                bool fragment, LoadedPlan& loaded) {
  const bool readable = !has_errors(loaded.diagnostics);
  Plan plan;
  plan.file = name;
  read_top_level(document, plan, loaded.diagnostics);
  if (plan.name.empty()) plan.name = std::filesystem::path(name).stem().string();
  const bool sound_tables = read_tables(document, registry, plan, loaded);
  Draft draft = read_nodes(document, registry, loaded);
  connect(draft, plan, fragment, loaded.diagnostics);
  for (DraftNode& node : draft) plan.nodes.push_back(std::move(node.node));
  if (!has_errors(loaded.diagnostics)) {
    loaded.plan = std::move(plan);
  } else if (readable && sound_tables) {
    loaded.sound_part = without_unsound(std::move(plan), loaded.diagnostics);
  }
}

// What is left to do when the document is read; `loaded` has the complaints so far.
LoadedPlan plan_of(const Document& document, const std::string& name, const Registry& registry,
                   const LoadOptions& options, LoadedPlan loaded) {
  // Without a document there is nothing that the specs could add.
  const bool empty = document.nodes.keys.empty() && document.chain.kind == RawValue::Kind::empty;
  if (!empty || !has_errors(loaded.diagnostics)) {
    build_plan(document, name, registry, options.fragment, loaded);
  }
  put_in_order(loaded.diagnostics);
  return loaded;
}

std::vector<NamedPlugin> plugins_of(const Document& document) {
  const RawValue* plugins = document.top.find("plugins");
  if (!plugins) return {};
  std::vector<NamedPlugin> named;
  if (plugins->kind == RawValue::Kind::scalar) named.push_back({plugins->text, plugins->position});
  for (const RawValue& item : plugins->items) {
    if (item.kind == RawValue::Kind::scalar) named.push_back({item.text, item.position});
  }
  return named;
}

}  // namespace

LoadedPlan load_plan_text(std::string text, const std::string& name, const Registry& registry,
                          const LoadOptions& options) {
  LoadedPlan loaded;
  const Document document = read_document(std::move(text), name, options, loaded);
  return plan_of(document, name, registry, options, std::move(loaded));
}

LoadedPlan load_plan_document(const RawValue& root, const std::string& name,
                              const Registry& registry, const LoadOptions& options) {
  LoadedPlan loaded;
  const Document document = read_document(root, name, options, loaded);
  return plan_of(document, name, registry, options, std::move(loaded));
}

std::vector<NamedPlugin> plugins_named_in(const std::string& path, const LoadOptions& options) {
  Result<std::string> text = read_text_file(path, options.limits.bytes);
  if (!text) return {};
  return plugins_named_in_text(std::move(*text), path, options);
}

std::vector<NamedPlugin> plugins_named_in_text(std::string text, const std::string& name,
                                               const LoadOptions& options) {
  LoadedPlan unused;
  return plugins_of(read_document(std::move(text), name, options, unused));
}

std::vector<NamedPlugin> plugins_named_in_document(const RawValue& root, const std::string& name,
                                                   const LoadOptions& options) {
  LoadedPlan unused;
  return plugins_of(read_document(root, name, options, unused));
}

LoadedPlan load_plan(const std::string& path, const Registry& registry,
                     const LoadOptions& options) {
  Result<std::string> text = read_text_file(path, options.limits.bytes);
  if (text) return load_plan_text(std::move(*text), path, registry, options);
  LoadedPlan loaded;
  loaded.diagnostics.push_back(make_diagnostic(std::move(text.error())));
  return loaded;
}

}  // namespace flowrun
