#pragma once
// A YAML text as raw values with positions. The only place that knows yaml-cpp.

#include <memory>
#include <optional>
#include <string>

#include "runtime/config/diagnostic.h"
#include "runtime/operator/option_reading.h"

namespace flowrun {

// What a text may be made of; beyond it there is an error, never a crash or a wait.
struct YamlLimits {
  size_t bytes = size_t{16} << 20;  // of a file, and of all scalars with aliases expanded
  size_t values = 200'000;          // with aliases expanded
  size_t depth = 64;                // of nesting, aliases expanded
};

// Makes line ends '\n' and takes a byte order mark away; refuses what is no text (NUL and other
// control characters, invalid UTF-8, UTF-16) and what is too large, naming line and column.
Result<std::string> clean_yaml_text(std::string text,
                                    const std::shared_ptr<const std::string>& file,
                                    const YamlLimits& limits = {});

// REQUIRES: text comes from clean_yaml_text. Anchors, aliases and merge keys are resolved; the
// order of keys is that of the text, merged ones last. Errors (appended): what is no YAML,
// duplicate keys, keys that are no scalars, tags, several documents, aliases that blow up. An empty
// text gives an empty value.
RawValue read_yaml(const std::string& text, const std::shared_ptr<const std::string>& file,
                   Diagnostics& diagnostics, const YamlLimits& limits = {});

}  // namespace flowrun
