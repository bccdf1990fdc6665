#pragma once
// How the commands' options are declared: what several of them share, and where each group of them
// is. With the .cpp files beside it the only place that knows the command-line library.

#include <CLI/CLI.hpp>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "tools/flowrun/command_line.h"

namespace flowrun {

// Everything that options may write to; lives as long as the parse.
struct Drafts {
  RunCommand run;
  CheckCommand check;
  ExplainCommand explain;
  ShowCommand show;
  NewCommand begin;
  TestCommand test;
  CompletionsCommand completions;
  EvalCommand eval;
  OperatorsCommand operators;
  SchemaCommand schema;
  PluginListCommand plugin_list;
  PluginCheckCommand plugin_check;
  PluginNewCommand plugin_new;
  SimulateCommand simulate;
  SqlCommand sql;
  StatusCommand status;
  TopCommand top;
  TapCommand tap;
};

// A group of commands each. The drafts and the result outlive the parse; the result is set by the
// command that was typed.
void add_pipeline_commands(CLI::App& app, CommandLine& out, Drafts& drafts);    // run ... test
void add_expression_commands(CLI::App& app, CommandLine& out, Drafts& drafts);  // eval, operators
void add_plugin_commands(CLI::App& app, CommandLine& out, Drafts& drafts);
void add_simulate_command(CLI::App& app, CommandLine& out, Drafts& drafts);
void add_look_commands(CLI::App& app, CommandLine& out, Drafts& drafts);  // sql ... tap

// Options of several commands.
void add_plugin_option(CLI::App& command, std::vector<std::string>& plugins);
void add_set_option(CLI::App& command, std::vector<std::string>& set);
void add_pipeline_file(CLI::App& command, PipelineArguments& pipeline);
void add_pipeline_options(CLI::App& command, PipelineArguments& pipeline);
void add_run_file(CLI::App& command, std::string& file);
void add_format_option(CLI::App& command, bool& json);                 // text or json
void add_table_format_option(CLI::App& command, std::string& format);  // table, json or csv
// In microseconds; only with a unit.
void add_duration(CLI::App& command, const std::string& name, std::function<void(int64_t)> take,
                  const std::string& what);
// `value` is an int64_t or an optional one; untouched if the option is not given.
template <class Value>
void add_duration(CLI::App& command, const std::string& name, Value& value,
                  const std::string& what) {
  add_duration(command, name,
               std::function<void(int64_t)>([&value](int64_t given) { value = given; }), what);
}

}  // namespace flowrun
