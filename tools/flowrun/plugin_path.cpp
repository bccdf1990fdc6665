#include "tools/flowrun/plugin_path.h"

#include <cstdlib>

namespace flowrun {

PluginPath plugin_path() {
  const char* text = std::getenv("FLOWRUN_PLUGIN_PATH");
  return PluginPath::parse(text ? text : "");
}

}  // namespace flowrun
