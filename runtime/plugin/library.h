#pragma once
// Shared libraries: found, judged, opened.

#include <string>
#include <vector>

#include "include/flowrun/flowrun_plugin.h"
#include "runtime/base/status.h"

namespace flowrun {

// Where plugins that are named without a folder are looked for. Whoever loads a pipeline says it:
// the command takes FLOWRUN_PLUGIN_PATH, a host names folders or none. Nothing here reads the
// environment.
struct PluginPath {
  std::vector<std::string> folders;
  std::string said_by = "FLOWRUN_PLUGIN_PATH";  // for messages: where a folder is named

  // From the variable's text, separated by colons. Folders that are not absolute are left out: what
  // is loaded may not depend on the working directory.
  static PluginPath parse(std::string_view text);
};

// The library that `name` stands for: with a slash or behind a `.so` a file (against `folder` if it
// is relative), else NAME.so, libNAME.so or NAME in the path's folders.
Result<std::string> find_library(const std::string& name, const std::string& folder,
                                 const PluginPath& path);

// Refuses a file that, or a folder above it that, others than its owner and root may write to.
Status check_library_rights(const std::string& file);

// Opens the library for good and asks its entry what is in it. Errors: rights, the loader's words,
// no entry, another version of the ABI.
Result<const flowrun_plugin*> open_library(const std::string& file);

}  // namespace flowrun
