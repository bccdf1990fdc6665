#include <algorithm>
#include <filesystem>

#include "runtime/config/draft.h"
#include "runtime/config/load.h"
#include "runtime/config/top_level.h"

namespace flowrun {

namespace {

Plan build_plan(const Document& document, const std::string& name, const Registry& registry,
                bool fragment, LoadedPlan& loaded) {
  Plan plan;
  plan.file = name;
  read_top_level(document, plan, loaded.diagnostics);
  if (plan.name.empty()) plan.name = std::filesystem::path(name).stem().string();
  read_tables(document, plan, loaded);
  Draft draft = read_nodes(document, registry, loaded);
  connect(draft, plan, fragment, loaded.diagnostics);
  for (DraftNode& node : draft) plan.nodes.push_back(std::move(node.node));
  return plan;
}

}  // namespace

LoadedPlan load_plan_text(std::string text, const std::string& name, const Registry& registry,
                          const LoadOptions& options) {
  LoadedPlan loaded;
  const Document document = read_document(std::move(text), name, options, loaded);
  // Without a document there is nothing that the specs could add.
  const bool empty = document.nodes.keys.empty() && document.chain.kind == RawValue::Kind::empty;
  if (!empty || !has_errors(loaded.diagnostics)) {
    Plan plan = build_plan(document, name, registry, options.fragment, loaded);
    if (!has_errors(loaded.diagnostics)) loaded.plan = std::move(plan);
  }
  put_in_order(loaded.diagnostics);
  return loaded;
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
