#pragma once
// A pipeline file and those it includes as one text, for `flowrun explain --yaml`.

#include <string>

#include "runtime/config/load.h"

namespace flowrun {

struct MergedYaml {
  std::string text;  // empty if the files could not be read
  Diagnostics diagnostics;
  SourceTexts sources;
};

// What each file brings stands under a comment that names it; `${...}` stays as it is written, and
// aliases are resolved. The text is itself a pipeline file that means the same, in the folder of
// the first.
MergedYaml merged_yaml(const std::string& path, const LoadOptions& options = {});

}  // namespace flowrun
