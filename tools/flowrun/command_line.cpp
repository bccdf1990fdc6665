// The only file that knows the command-line library.
#include "tools/flowrun/command_line.h"

#include <CLI/CLI.hpp>

namespace flowrun {
namespace {

constexpr double kLeastRate = 0.1, kMostRate = 2'000'000;  // records a second
constexpr const char* kDefaultLate = "0.01";

void add_stream(CLI::App& simulate, CommandLine& out, SimulateCommand& command,
                const std::string& name, const std::string& what, uint16_t port, double nulls) {
  CLI::App* stream = simulate.add_subcommand(name, what);
  stream->add_option(
      "--port", command.port,
      "TCP port to listen on; 0 for a free one (default " + std::to_string(port) + ")");
  stream->add_option("--host", command.host, "address to listen on (default 127.0.0.1)");
  stream->add_option("--rate", command.rate, "records a second, 0.1 to 2000000")
      ->check(CLI::Range(kLeastRate, kMostRate))
      ->capture_default_str();
  stream
      ->add_option("--seed", command.seed,
                   "the same seed gives the same records, but for their times")
      ->capture_default_str();
  stream->add_option("--count", command.count, "end after so many records");
  stream
      ->add_option("--nulls", command.nulls,
                   "share of records in error: every field null but the times")
      ->check(CLI::Range(0.0, 1.0));
  if (name != "quotes") {
    stream
        ->add_option("--late", command.late,
                     "share of records that are half a minute to ten minutes old (0.01 when no "
                     "number is given)")
        ->expected(0, 1)
        ->default_str(kDefaultLate)
        ->check(CLI::Range(0.0, 1.0));
  }
  stream
      ->add_option_function<std::string>(
          "--slow", [&command](const std::string& word) { command.drop_slow = word == "drop"; },
          "a client that reads too slowly: wait for it, or drop it")
      ->check(CLI::IsMember({"wait", "drop"}));
  stream->add_flag("--quiet", command.quiet, "say nothing");
  stream->preparse_callback([&command, port, nulls](size_t) {
    command.port = port;
    command.nulls = nulls;
  });
  stream->callback([&out, &command, name] {
    command.stream = name;
    out = command;
  });
}

void add_simulate(CLI::App& app, CommandLine& out, SimulateCommand& command) {
  constexpr uint16_t kWatchesPort = 9999, kHeartPort = 10000, kQuotesPort = 10001;
  constexpr double kErrors = 0.01;
  CLI::App* simulate =
      app.add_subcommand("simulate", "Send a made-up stream of records to every TCP client");
  simulate->require_subcommand(1);
  command.host = "127.0.0.1";
  command.rate = 1000;
  add_stream(*simulate, out, command, "watches", "Accelerometers of 26 people's watches and phones",
             kWatchesPort, kErrors);
  add_stream(*simulate, out, command, "heart", "Heart rates of the same people", kHeartPort,
             kErrors);
  add_stream(*simulate, out, command, "quotes", "Lines of plays by Molière and Shakespeare",
             kQuotesPort, 0);
}

}  // namespace

CommandLine parse_command_line(int count, char** arguments) {
  CommandLine out;
  SimulateCommand simulate;
  CLI::App app("Streaming dataflow with the semantics of Spark Structured Streaming", "flowrun");
  app.set_version_flag("--version", std::string("flowrun ") + FLOWRUN_VERSION);
  app.require_subcommand(1);
  add_simulate(app, out, simulate);
  try {
    app.parse(count, arguments);
  } catch (const CLI::ParseError& error) {
    return Answered{app.exit(error) == 0 ? kExitDone : kExitRefused};
  }
  return out;
}

}  // namespace flowrun
