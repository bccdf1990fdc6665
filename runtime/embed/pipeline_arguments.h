#pragma once
// PipelineArguments: which pipeline, and what whoever starts it changes in it. Plain data.

#include <optional>
#include <string>
#include <vector>

#include "runtime/operator/option_reading.h"

namespace flowrun {

// `file` is read, unless a text or a document is given in its place; then it is the name that
// stands for it in messages, and relative paths are relative to its folder.
struct PipelineArguments {
  std::string file;
  std::vector<std::string> set;   // node.key=value
  std::vector<std::string> only;  // sinks
  std::vector<std::string> plugins = {};
  std::optional<std::string> text = {};
  std::optional<RawValue> document = {};
};

}  // namespace flowrun
