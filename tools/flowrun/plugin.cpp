// flowrun plugin list: what is in libraries.

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "operators/register_all.h"
#include "runtime/plugin/describe.h"
#include "runtime/plugin/plugin_set.h"
#include "runtime/state/aggregate_functions.h"
#include "tools/flowrun/commands.h"
#include "tools/flowrun/plugin_path.h"
#include "tools/flowrun/terminal.h"

namespace flowrun {
namespace {

namespace fs = std::filesystem;

// Files that look like libraries, in the folders of the path.
std::vector<std::string> libraries_in(const PluginPath& path) {
  std::vector<std::string> files;
  for (const std::string& folder : path.folders) {
    std::error_code error;
    for (const fs::directory_entry& entry : fs::directory_iterator(folder, error)) {
      if (entry.path().extension() == ".so") files.push_back(entry.path().string());
    }
  }
  std::ranges::sort(files);
  return files;
}

std::string description(const LoadedPlugin& plugin) {
  std::string text = fmt::format("{} {} (ABI {}.{}) {}\n", plugin.name, plugin.version,
                                 plugin.abi_major, plugin.abi_minor, plugin.file);
  for (const ComponentPtr& component : plugin.components) {
    text += fmt::format("  {:<20} {:<20} {}\n", component_kind_name(component->raw.kind),
                        component->name, component->spec.summary);
  }
  return text;
}

}  // namespace

int execute(const PluginListCommand& command) {
  Terminal terminal(Terminal::standard());
  const PluginPath path = plugin_path();
  const std::vector<std::string> names =
      command.plugins.empty() ? libraries_in(path) : command.plugins;
  int exit_code = kExitDone;
  if (names.empty())
    terminal.line("no plugins: name libraries, or set FLOWRUN_PLUGIN_PATH to folders of them");
  for (const std::string& name : names) {
    Registry registry;
    FunctionRegistry functions;
    register_all_operators(registry);
    register_all_functions(functions);
    register_aggregate_functions(functions);
    PluginSet plugins(registry, functions, path);
    if (Status loaded = plugins.load(name, ""); !loaded) {
      terminal.line(loaded.error().message);
      exit_code = kExitRefused;
    } else if (!terminal.write(description(plugins.plugins()[0]))) {
      return kExitFailed;
    }
  }
  return exit_code;
}

}  // namespace flowrun
