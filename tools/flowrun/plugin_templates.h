#pragma once
// What `flowrun plugin new` writes. @name@ and @Class@ stand for the operator's name and its class.

#include <string_view>

namespace flowrun {

struct PluginTemplate {
  std::string_view code;      // @name@.cpp
  std::string_view pipeline;  // test/pipeline.yaml
  std::string_view expected;  // what it prints: test/expected.jsonl
};

// REQUIRES: transform, stateful, source, sink, function or format.
const PluginTemplate& plugin_template(std::string_view kind);

extern const std::string_view kPluginCMake;
extern const std::string_view kPluginInput;
extern const std::string_view kPluginCompare;

}  // namespace flowrun
