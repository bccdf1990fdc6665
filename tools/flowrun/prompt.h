#pragma once
// Prompt: statements from a person, with history and completion, or from a pipe.

#include <optional>
#include <string>
#include <vector>

namespace flowrun {

// One at a time in a process: the line editor's own state is the process's.
class Prompt {
 public:
  // `words` are what the tab key completes to.
  explicit Prompt(std::vector<std::string> words);
  ~Prompt();
  Prompt(const Prompt&) = delete;
  Prompt& operator=(const Prompt&) = delete;

  // The next statement, without its semicolon. At a terminal a line is one, or lines up to a
  // semicolon if it does not end with one and a backslash stands there; from a pipe, what stands
  // before a semicolon. None at the end.
  std::optional<std::string> read();

 private:
  std::optional<std::string> line(const char* prompt);

  bool terminal_;
  std::string history_;
};

// The texts of an array in a JSON object: texts_in("{\"words\":[\"a\"]}", "words").
std::vector<std::string> texts_in(const std::string& json, const char* key);

}  // namespace flowrun
