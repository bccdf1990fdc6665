#pragma once
// CommandLine: what the user typed, as plain data.

#include <cstdint>
#include <optional>
#include <string>
#include <variant>

namespace flowrun {

// The process's exit codes; docs/exit-codes.md.
inline constexpr int kExitDone = 0;
inline constexpr int kExitFailed = 1;  // failed while running
inline constexpr int kExitRefused =
    2;  // the command line or a pipeline is wrong: nothing was started

struct SimulateCommand {
  std::string stream;  // watches, heart, quotes
  std::string host;
  uint16_t port = 0;
  double rate = 0;
  uint64_t seed = 1;
  std::optional<int64_t> count;
  double nulls = 0;
  double late = 0;
  bool drop_slow = false;
  bool quiet = false;
};

// The command line was answered by the parser: help, version, or a complaint, already printed.
struct Answered {
  int exit_code = kExitDone;
};

using CommandLine = std::variant<Answered, SimulateCommand>;

CommandLine parse_command_line(int count, char** arguments);

}  // namespace flowrun
