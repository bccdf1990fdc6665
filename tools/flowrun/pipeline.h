#pragma once
// Pipeline: a file, checked and ready to run, with all that the engine borrows while it does.

#include <memory>
#include <string>

#include "runtime/config/load.h"
#include "runtime/exec/engine.h"
#include "runtime/expr/function_registry.h"
#include "runtime/plugin/plugin_set.h"
#include "tools/flowrun/command_line.h"

namespace flowrun {

// Must outlive the engine's run; not movable, since the engine points into it.
class Pipeline {
 public:
  Pipeline();
  Pipeline(const Pipeline&) = delete;
  Pipeline& operator=(const Pipeline&) = delete;

  // Reads and checks the file. Everything there is to say is in diagnostics(); false if there was
  // an error.
  bool load(const PipelineArguments& arguments, EngineOptions options);

  [[nodiscard]] Engine& engine() { return *engine_; }  // REQUIRES: loaded
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const Diagnostics& diagnostics() const { return diagnostics_; }
  // The diagnostics as text with the lines they are about; empty if there are none.
  [[nodiscard]] std::string diagnostics_text(bool colours) const;

 private:
  bool load_plugins(const PipelineArguments& arguments, const LoadOptions& options);
  void find_more_errors(Plan sound_part, EngineOptions options);

  Registry registry_;
  FunctionRegistry functions_;
  PluginSet plugins_;
  Diagnostics diagnostics_;
  SourceTexts sources_;
  std::string name_;
  std::unique_ptr<Engine> engine_;
};

}  // namespace flowrun
