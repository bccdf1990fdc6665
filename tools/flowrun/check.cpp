// flowrun check and flowrun explain: what a pipeline is, without running it.

#include <fmt/format.h>

#include "runtime/embed/pipeline.h"
#include "tools/flowrun/commands.h"
#include "tools/flowrun/terminal.h"
#include "tools/flowrun/text.h"

namespace flowrun {
namespace {

void print_diagnostics(Terminal& terminal, const Pipeline& pipeline) {
  std::string text = pipeline.diagnostics_text(terminal.colours());
  if (text.ends_with('\n')) text.pop_back();
  if (!text.empty()) terminal.line(text);
}

int print(Terminal& terminal, const std::string& text) {
  const Status written = terminal.write(text.ends_with('\n') ? text : text + "\n");
  if (written) return kExitDone;
  terminal.line(written.error().message);
  return kExitFailed;
}

std::string summary(const std::string& file, Pipeline& pipeline) {
  const auto nodes = static_cast<int64_t>(pipeline.engine().num_nodes());
  const auto sinks = static_cast<int64_t>(pipeline.engine().num_sinks());
  std::string text =
      fmt::format("{}: {}, {}, no errors\n", file, plural(nodes, "node"), plural(sinks, "sink"));
  for (const Engine::StateBound& bound : pipeline.engine().state_bounds()) {
    text += fmt::format("  state of {}: {} ({})\n", bound.node, bound.text,
                        bound.bounded ? "bounded" : "grows");
  }
  return text;
}

// Nothing is started, so a pipeline may name what `run` would have to be allowed.
EngineOptions checked_only() {
  EngineOptions options;
  options.allow_exec = true;
  return options;
}

}  // namespace

int execute(const CheckCommand& command) {
  Terminal terminal(Terminal::standard());
  int exit_code = kExitDone;
  Diagnostics all;
  for (const std::string& file : command.files) {
    Pipeline pipeline;
    const bool loaded = pipeline.load(
        {.file = file, .set = command.set, .only = {}, .plugins = command.plugins}, checked_only());
    if (!loaded) exit_code = kExitRefused;
    if (command.json) {
      all.insert(all.end(), pipeline.diagnostics().begin(), pipeline.diagnostics().end());
      continue;
    }
    print_diagnostics(terminal, pipeline);
    if (loaded && print(terminal, summary(file, pipeline)) != kExitDone) return kExitFailed;
  }
  if (command.json && print(terminal, render_json(all)) != kExitDone) return kExitFailed;
  return exit_code;
}

int execute(const ExplainCommand& command) {
  Terminal terminal(Terminal::standard());
  Pipeline pipeline;
  const bool loaded = pipeline.load(command.pipeline, checked_only());
  print_diagnostics(terminal, pipeline);
  if (!loaded) return kExitRefused;
  if (command.schema_of.empty()) return print(terminal, pipeline.engine().explain());
  const Result<std::string> schema = pipeline.engine().explain_schema(command.schema_of);
  if (schema) return print(terminal, *schema);
  terminal.line(schema.error().message);
  return kExitRefused;
}

}  // namespace flowrun
