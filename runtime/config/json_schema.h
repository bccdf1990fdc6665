#pragma once
// JSON Schema of pipeline files, for editors. Comes from the specs alone.

#include <string>

#include "runtime/operator/registry.h"

namespace flowrun {

// Draft 7, as yaml-language-server reads it. Looser than the check where JSON Schema has no words
// for it (names, expressions, durations).
std::string pipeline_json_schema(const Registry& registry);

}  // namespace flowrun
