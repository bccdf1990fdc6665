#pragma once
// PluginSet: the plugins of one process's pipeline, and the registries they are entered in.
//
//   PluginSet plugins(registry, functions, PluginPath{{"/usr/lib/flowrun"}});
//   FLOWRUN_RETURN_IF_ERROR(plugins.load("./libclip.so", "pipelines"));
//   // registry.find_operator("clip") is there
//
// Nothing is loaded that was not named. A library is never unloaded.

#include <string>
#include <vector>

#include "runtime/expr/function_registry.h"
#include "runtime/operator/registry.h"
#include "runtime/plugin/component.h"
#include "runtime/plugin/library.h"

namespace flowrun {

struct LoadedPlugin {
  std::string name;
  std::string version;
  std::string file;
  int abi_major = 0;
  int abi_minor = 0;
  std::vector<ComponentPtr> components;
};

// Not thread-safe. The registries must outlive it.
class PluginSet {
 public:
  PluginSet(Registry& registry, FunctionRegistry& functions, PluginPath path)
      : registry_(registry), functions_(functions), path_(std::move(path)) {}

  // Loads what `name` stands for (see find_library) and enters what is in it. What is loaded
  // already, by its file or by its own name, is left as it is. All or nothing: with an error, such
  // as a name that is taken, nothing of it is entered.
  Status load(const std::string& name, const std::string& folder);

  // Enters what the program itself brings; its file is "of the program itself". The description
  // must live as long as whatever was made from the registries. All or nothing, as load.
  Status add(const flowrun_plugin& plugin);

  [[nodiscard]] const std::vector<LoadedPlugin>& plugins() const { return plugins_; }

 private:
  Status enter(const flowrun_plugin& raw, const std::string& file);
  Status check_names(const LoadedPlugin& plugin) const;
  [[nodiscard]] const LoadedPlugin* owner_of(const Component& component) const;
  void enter(const ComponentPtr& component);

  Registry& registry_;
  FunctionRegistry& functions_;
  PluginPath path_;
  std::vector<LoadedPlugin> plugins_;
};

}  // namespace flowrun
