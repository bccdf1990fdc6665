#pragma once
// Diagnostic: one thing to say about a pipeline file, and how all of them are shown.

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/position.h"
#include "runtime/base/status.h"

namespace flowrun {

struct Diagnostic {
  enum class Severity : uint8_t { error, warning };
  Severity severity = Severity::error;
  std::string message;  // "what — what would be right"; without the node's name, which rendering
                        // puts before it
  std::string node;     // empty when it is about no node
  Position position;
};
using Diagnostics = std::vector<Diagnostic>;

[[nodiscard]] bool has_errors(const Diagnostics& diagnostics);
// An error of `node` (may be empty) as a diagnostic.
Diagnostic make_diagnostic(Error error, std::string node = {});

// The files that diagnostics point into, as they may be shown: secrets are blotted out.
class SourceTexts {
 public:
  void add(const std::string& file, std::string text);
  // In alphabetical order.
  [[nodiscard]] std::vector<std::string> files() const;
  // Replaces the bytes from the position (its length; to the line's end if that is 0) by asterisks.
  void hide(const Position& position);
  // The line without its end; empty if it is not known.
  [[nodiscard]] std::string_view line(const Position& position) const;

 private:
  struct Text {
    std::string bytes;
    std::vector<size_t> starts;  // of the lines
  };
  std::map<std::string, Text, std::less<>> texts_;
};

struct RenderOptions {
  bool colors = false;
  // What stands behind "2 errors, 1 warning; " when there was an error.
  std::string_view outcome = "nothing was started";
};

// As people read it:
//   a.yaml:31:44: error: activities: no column `gtt` — did you mean `gt`?
//      31 |   activities: { from: readings, group_by: [gtt], agg: count }
//         |                                            ^~~
//   1 error; nothing was started
// Empty if there are none.
std::string render_text(const Diagnostics& diagnostics, const SourceTexts& sources,
                        const RenderOptions& options = {});

// As programs read it: a JSON array of {severity, message, node, file, line, column, length}.
std::string render_json(const Diagnostics& diagnostics);

// Puts them in the order of the file, removes repetitions, and keeps the first 500 errors and
// warnings.
void put_in_order(Diagnostics& diagnostics);

}  // namespace flowrun
