#pragma once
// Pipeline: a pipeline, checked and ready to run, with all that the engine borrows while it does.

#include <functional>
#include <memory>
#include <string>

#include "runtime/config/load.h"
#include "runtime/embed/pipeline_arguments.h"
#include "runtime/exec/engine.h"
#include "runtime/expr/function_registry.h"
#include "runtime/plugin/plugin_set.h"

namespace flowrun {

class HostPorts;

// What a command puts in the place of what the file says. Both may be empty.
struct PipelineChanges {
  // The operators to use, made of those built in and plugged in.
  std::function<Registry(const Registry&)> operators = {};
  // Changes the checked plan before a graph is made of it; an error is one of the pipeline.
  std::function<Status(Plan&)> plan = {};
};

// Must outlive the engine's run; not movable, since the engine points into it.
class Pipeline {
 public:
  // `plugins` is where those are looked for that are named without a folder. Without ports `push`
  // and `pull` can be checked but not opened.
  explicit Pipeline(PluginPath plugins, HostPorts* ports = nullptr);
  Pipeline(const Pipeline&) = delete;
  Pipeline& operator=(const Pipeline&) = delete;

  // Before load: the operators and functions of the program itself. The description must outlive
  // the pipeline.
  Status add(const flowrun_plugin& plugin) { return plugins_.add(plugin); }

  // Reads and checks the file. Everything there is to say is in diagnostics(); false if there was
  // an error.
  bool load(const PipelineArguments& arguments, EngineOptions options,
            const PipelineChanges& changes = {});

  // Nothing if there is no engine.
  void stop() {
    if (engine_) engine_->stop();
  }
  [[nodiscard]] Engine& engine() { return *engine_; }  // REQUIRES: loaded
  [[nodiscard]] const FunctionRegistry& functions() const { return functions_; }
  [[nodiscard]] const std::string& name() const { return name_; }
  // The nodes of the file and where they stand.
  [[nodiscard]] const std::map<std::string, Position, std::less<>>& nodes() const { return nodes_; }
  [[nodiscard]] const std::string& timezone() const { return timezone_; }
  [[nodiscard]] size_t num_sources() const { return num_sources_; }
  [[nodiscard]] const Diagnostics& diagnostics() const { return diagnostics_; }
  // The pipeline file and those it includes, as they were named.
  [[nodiscard]] std::vector<std::string> files() const { return sources_.files(); }
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
  std::map<std::string, Position, std::less<>> nodes_;
  size_t num_sources_ = 0;
  std::string timezone_;
  std::unique_ptr<Engine> engine_;
};

}  // namespace flowrun
