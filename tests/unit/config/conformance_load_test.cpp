// What the project ships loads: the conformance cases, and the examples of the operators' specs.

#include <rapidjson/document.h>
#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <iostream>
#include <map>

#include "operators/register_all.h"
#include "runtime/config/json_schema.h"
#include "runtime/config/load.h"
#include "runtime/config/reference.h"
#include "runtime/operator/option_reading.h"

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

TEST_CASE("every pipeline that is shipped loads") {
  const Registry registry = all_operators();
  for (const auto& entry : fs::directory_iterator(FLOWRUN_SOURCE_DIR "/pipelines")) {
    const std::string name = entry.path().string();
    if (!name.ends_with(".yaml") || name.ends_with(".test.yaml")) continue;
    const LoadedPlan loaded = load_plan(name, registry);
    const auto absent = std::ranges::find_if(loaded.diagnostics, is_missing_operator);
    if (absent != loaded.diagnostics.end()) {
      std::cout << "not yet loaded: " << entry.path().filename().string() << ", "
                << absent->message.substr(0, absent->message.find(" — ")) << "\n";
      continue;
    }
    INFO(render_text(loaded.diagnostics, loaded.sources));
    // What others include has no sink, and that is all there is to say about it.
    const bool is_included = name.ends_with("/watches.yaml");
    CHECK(loaded.diagnostics.size() == (is_included ? 1 : 0));
    CHECK((!is_included || loaded.diagnostics[0].message.starts_with("there is no sink")));
  }
}

TEST_CASE(
    "every operator has a summary, documented options, a reference and a place in the schema") {
  const Registry registry = all_operators();
  const std::string schema = pipeline_json_schema(registry);
  rapidjson::Document document;
  document.Parse(schema.c_str());
  REQUIRE_FALSE(document.HasParseError());
  const std::string list = operator_list(registry);
  for (const RegisteredOperator* entry : registry.all()) {
    const OperatorSpec& spec = entry->spec;
    INFO(spec.name);
    CHECK_FALSE(spec.summary.empty());
    CHECK_FALSE(spec.examples.empty());
    CHECK(list.find("  " + spec.name + " ") != std::string::npos);
    const std::string page = operator_page(spec);
    for (const OptionSpec& option : all_options(spec)) {
      INFO(option.name);
      CHECK_FALSE(option.doc.empty());
      CHECK(page.find("| `" + option.name + "` |") != std::string::npos);
      CHECK(operator_reference(spec).find("  " + option.name + ": ") != std::string::npos);
    }
    const bool is_source = spec.kind == OperatorKind::source;
    const std::string definition = (is_source                         ? "source_"
                                    : spec.kind == OperatorKind::sink ? "sink_"
                                                                      : "operator_") +
                                   spec.name;
    CHECK(document["definitions"].HasMember(definition.c_str()));
  }
}

TEST_CASE("the options inside a group are in the reference and the schema, which takes no others") {
  const Registry registry = all_operators();
  rapidjson::Document document;
  document.Parse(pipeline_json_schema(registry).c_str());
  const auto& tls = document["properties"]["serve"]["properties"]["tls"];
  CHECK_FALSE(tls["additionalProperties"].GetBool());
  CHECK(tls["required"].Size() == 2);
  CHECK(tls["properties"].MemberCount() == 3);
  const auto& roll = document["definitions"]["sink_file"]["properties"]["roll"];
  CHECK_FALSE(roll["additionalProperties"].GetBool());
  CHECK(roll["properties"].HasMember("every"));

  const OperatorSpec& sink = registry.find_sink("file")->spec;
  CHECK(operator_page(sink).find("| `roll.every` | a duration") != std::string::npos);
  CHECK(operator_reference(sink).find("  roll.size: a size") != std::string::npos);
  const OperatorSpec& source = registry.find_source("file")->spec;
  CHECK(operator_page(source).find("| `after.archive` | a path | required |") != std::string::npos);
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
