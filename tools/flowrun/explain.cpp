// flowrun explain: what a pipeline is, without running it.

#include "runtime/config/merged_yaml.h"
#include "runtime/embed/pipeline.h"
#include "tools/flowrun/collect.h"
#include "tools/flowrun/commands.h"
#include "tools/flowrun/plugin_path.h"
#include "tools/flowrun/terminal.h"

namespace flowrun {
namespace {

int print(Terminal& terminal, const std::string& text) {
  const Status written = terminal.write(text.ends_with('\n') ? text : text + "\n");
  if (written) return kExitDone;
  terminal.line(written.error().message);
  return kExitFailed;
}

void print_text(Terminal& terminal, std::string text) {
  if (text.ends_with('\n')) text.pop_back();
  if (!text.empty()) terminal.line(text);
}

int explain_yaml(const ExplainCommand& command, Terminal& terminal) {
  const MergedYaml merged = merged_yaml(command.pipeline.file, {.sets = command.pipeline.set});
  print_text(terminal,
             render_text(merged.diagnostics, merged.sources, {.colors = terminal.colours()}));
  if (has_errors(merged.diagnostics)) return kExitRefused;
  return print(terminal, merged.text);
}

// Of any node, also of one that leads to no sink.
int explain_schema(const ExplainCommand& command, Terminal& terminal) {
  std::string refusal;
  for (const OutputMode mode : {OutputMode::append, OutputMode::complete, OutputMode::update}) {
    Collection collection({.node = command.schema_of, .mode = mode});
    Pipeline pipeline(plugin_path());
    EngineOptions options = collection.engine_options();
    options.allow_exec = true;  // nothing is started
    if (pipeline.load(command.pipeline, std::move(options), collection.changes()))
      return print(terminal, collection.schema()->tree_string());
    if (refusal.empty()) refusal = pipeline.diagnostics_text(terminal.colours());
  }
  print_text(terminal, refusal);
  return kExitRefused;
}

}  // namespace

int execute(const ExplainCommand& command) {
  Terminal terminal(Terminal::standard());
  if (command.yaml) return explain_yaml(command, terminal);
  if (!command.schema_of.empty()) return explain_schema(command, terminal);
  Pipeline pipeline(plugin_path());
  EngineOptions options;
  options.allow_exec = true;  // nothing is started
  const bool loaded = pipeline.load(command.pipeline, std::move(options));
  print_text(terminal, pipeline.diagnostics_text(terminal.colours()));
  return loaded ? print(terminal, pipeline.engine().explain()) : kExitRefused;
}

}  // namespace flowrun
