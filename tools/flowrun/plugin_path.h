#pragma once
// Where the command looks for plugins that are named by a word.

#include "runtime/plugin/library.h"

namespace flowrun {

// The folders of FLOWRUN_PLUGIN_PATH. Only the command reads it: the library must not look into the
// environment of the program that it is part of.
PluginPath plugin_path();

}  // namespace flowrun
