// What the project ships loads: the conformance cases, and the examples of the operators' specs.

#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <iostream>
#include <map>

#include "operators/register_all.h"
#include "runtime/config/load.h"
#include "runtime/config/reference.h"

namespace flowrun {
namespace {

namespace fs = std::filesystem;

Registry all_operators() {
  Registry registry;
  register_all_operators(registry);
  return registry;
}

// Refusals that the spec itself can see; all others need the operators.
bool may_be_refused_here(const fs::path& folder) {
  return fs::exists(folder / "expected" / "refused");
}

// "no source is called `file`": the operator is not built in.
bool is_missing_operator(const Diagnostic& diagnostic) {
  return diagnostic.message.starts_with("no source is called") ||
         diagnostic.message.starts_with("no sink is called") ||
         diagnostic.message.starts_with("unknown operator") ||
         // Beside `group_by`, a session that is not built in looks like an option.
         diagnostic.message.find("unknown option `session`") != std::string::npos;
}

TEST_CASE("every conformance case loads without a word, or is refused as expected") {
  const Registry registry = all_operators();
  std::map<std::string, int> missing;
  size_t loaded_cases = 0;
  for (const auto& theme : fs::directory_iterator(FLOWRUN_SOURCE_DIR "/tests/conformance")) {
    if (!theme.is_directory()) continue;
    for (const auto& folder : fs::directory_iterator(theme.path())) {
      const fs::path file = folder.path() / "pipeline.yaml";
      if (!fs::exists(file)) continue;
      const LoadedPlan loaded = load_plan(file.string(), registry);
      const auto absent = std::ranges::find_if(loaded.diagnostics, is_missing_operator);
      if (absent != loaded.diagnostics.end()) {
        ++missing[absent->message.substr(0, absent->message.find(" — "))];
        continue;
      }
      ++loaded_cases;
      if (may_be_refused_here(folder.path())) continue;
      INFO(render_text(loaded.diagnostics, loaded.sources));
      CHECK(loaded.plan.has_value());
      CHECK(loaded.diagnostics.empty());
    }
  }
  for (const auto& [what, count] : missing)
    std::cout << "not yet loaded: " << count << " cases, " << what << "\n";
  CHECK(loaded_cases + missing.size() > 0);
}

TEST_CASE("every example of every spec is right") {
  const Registry registry = all_operators();
  for (const RegisteredOperator* entry : registry.all()) {
    for (const Example& example : entry->spec.examples) {
      const LoadedPlan loaded =
          load_plan_text(example_pipeline(example), "example.yaml", registry, {.fragment = true});
      if (std::ranges::any_of(loaded.diagnostics, is_missing_operator)) {
        std::cout << "not yet checked: an example of " << entry->spec.name << "\n";
        continue;
      }
      INFO(entry->spec.name << ": " << example.title);
      INFO(render_text(loaded.diagnostics, loaded.sources));
      CHECK(loaded.diagnostics.empty());
    }
  }
}

}  // namespace
}  // namespace flowrun
