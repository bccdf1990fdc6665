#pragma once
// CommandLine: what the user typed, as plain data.

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "runtime/embed/pipeline_arguments.h"

namespace flowrun {

// The process's exit codes; docs/exit-codes.md.
inline constexpr int kExitDone = 0;
inline constexpr int kExitFailed = 1;  // failed while running
inline constexpr int kExitRefused =
    2;  // the command line or a pipeline is wrong: nothing was started

struct RunCommand {
  PipelineArguments pipeline;
  std::optional<int64_t> threads;
  std::optional<int64_t> memory;  // bytes
  std::optional<int64_t> epochs;
  std::optional<int64_t> run_for;  // microseconds
  std::string capture;
  std::optional<uint64_t> chunking;
  bool restart_state = false;
  std::string progress;
  std::string listen;  // over the pipeline's `serve: { listen: ... }`
  bool allow_exec = false;
  bool quiet = false;
  bool json_log = false;
};

struct CheckCommand {
  std::vector<std::string> files;
  std::vector<std::string> set;
  std::vector<std::string> plugins;
  bool json = false;
  bool connect = false;        // try to open every source and sink
  bool deny_warnings = false;  // a warning is as bad as an error
};

struct ExplainCommand {
  PipelineArguments pipeline;
  std::string schema_of;  // print this node's schema only
  bool yaml = false;      // print the file with all it includes
};

struct ShowCommand {
  PipelineArguments pipeline;
  std::string node;  // or NODE.errors, NODE.late
  int64_t rows = 20;
  int64_t truncate = 20;  // -1: not
  bool vertical = false;
  std::optional<int64_t> run_for;  // microseconds
};

struct NewCommand {
  std::string from;  // HOST:PORT, a file, a folder
  std::string out;   // file to write; empty: standard output
  bool schema_only = false;
  std::optional<int64_t> run_for;  // microseconds
};

struct CompletionsCommand {
  std::string shell;  // bash, zsh, fish
  std::string text;   // what to print
};

struct TestCommand {
  std::vector<std::string> places;  // test files, pipelines, folders
  std::vector<std::string> plugins;
  std::string junit;    // where to write JUnit's XML; empty: nowhere
  bool update = false;  // write what the pipelines give into the tests
  bool watch = false;   // again whenever a file changes
};

struct EvalCommand {
  std::vector<std::string> expressions;
  std::string expression_file;  // one expression a line
  std::string schema;           // file with the columns' DDL
  std::string input;            // file of JSON rows
  std::string timezone;
  bool json = false;
  std::vector<std::string> plugins;  // whose functions are known too
};

struct OperatorsCommand {
  std::string name;      // one operator; empty: the list
  std::string markdown;  // folder to write every operator's page to
  std::vector<std::string> plugins;
};

struct SchemaCommand {
  std::vector<std::string> plugins;
};

struct PluginListCommand {
  std::vector<std::string> plugins;  // empty: every library in FLOWRUN_PLUGIN_PATH
};

struct PluginCheckCommand {
  std::vector<std::string> plugins;
  uint64_t seed = 1;
};

struct PluginNewCommand {
  std::string name;
  std::string kind;    // transform, function, stateful, source, sink
  std::string folder;  // empty: NAME
};

struct SimulateCommand {
  std::string stream;  // watches, heart, quotes, wikimedia
  std::string host;
  uint16_t port = 0;
  double rate = 0;
  uint64_t seed = 1;
  std::optional<int64_t> count;
  double nulls = 0;
  double late = 0;
  bool lines = false;                 // wikimedia: plain lines in place of server-sent events
  bool burst = false;                 // wikimedia: runs of edits on one page
  std::optional<int64_t> drop_every;  // cut connections after so many records
  bool drop_slow = false;
  bool quiet = false;
};

// Of the commands below, `file` is a pipeline that runs, or the socket of a run.
struct SqlCommand {
  std::string file;
  std::string statement;         // empty: a prompt
  std::string format = "table";  // table, json, csv
  std::optional<int64_t> watch;  // microseconds
  std::optional<int64_t> rows;
  std::string truncate;  // as show()'s: true, false, a number
  bool vertical = false;
};

struct StatusCommand {
  std::string file;  // empty: all runs
  bool json = false;
};

struct TopCommand {
  std::string file;
  int64_t every = 1'000'000;  // microseconds
  bool once = false;
};

struct TapCommand {
  std::string file;
  std::string node;
  std::string port;
  bool input = false;
  int64_t limit = 20;
  int64_t wait = 5'000'000;  // microseconds
  std::string format = "table";
};

// The command line was answered by the parser: help, version, or a complaint, already printed.
struct Answered {
  int exit_code = kExitDone;
};

using CommandLine =
    std::variant<Answered, RunCommand, CheckCommand, ExplainCommand, ShowCommand, NewCommand,
                 TestCommand, CompletionsCommand, EvalCommand, OperatorsCommand, SchemaCommand,
                 PluginListCommand, PluginCheckCommand, PluginNewCommand, SimulateCommand,
                 SqlCommand, StatusCommand, TopCommand, TapCommand>;

// `flowrun FILE` is `flowrun run FILE`.
CommandLine parse_command_line(int count, char** arguments);

}  // namespace flowrun
