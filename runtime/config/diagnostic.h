#pragma once
// Diagnostic: one thing to say about a pipeline file.

#include <string>
#include <vector>

#include "runtime/base/position.h"
#include "runtime/base/status.h"

namespace flowrun {

struct Diagnostic {
  enum class Severity : uint8_t { error, warning };
  Severity severity = Severity::error;
  std::string message;  // "what — what would be right"
  std::string node;     // empty when it is about no node
  Position position;
};
using Diagnostics = std::vector<Diagnostic>;

}  // namespace flowrun
