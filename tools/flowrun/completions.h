#pragma once
// Completions: the command line as plain data, made scripts for shells and a manual page.

#include <string>
#include <string_view>
#include <vector>

namespace flowrun {

// A command, its options and its subcommands.
struct CommandOutline {
  struct Option {
    std::vector<std::string> names;  // "--set", "-h"; of an argument without a name none
    std::string doc;
    std::string takes;                // "FILE", "DURATION"; empty: a flag
    std::vector<std::string> values;  // all it can be; empty: anything
  };
  std::string name;
  std::string doc;
  std::vector<Option> options;
  std::vector<CommandOutline> commands;
};

// `shell`: bash, zsh or fish.
std::string completion_script(const CommandOutline& program, std::string_view shell);
// In roff, for man(1).
std::string manual_page(const CommandOutline& program, std::string_view version);

}  // namespace flowrun
