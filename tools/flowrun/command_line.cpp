// The only file that knows the command-line library.
#include "tools/flowrun/command_line.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>

#include "runtime/base/suggest.h"
#include "tools/flowrun/completions.h"

namespace flowrun {
namespace {

constexpr double kLeastRate = 0.1, kMostRate = 2'000'000;  // records a second

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
  double watch = 0;
  double every = 1e6;
  double wait = 5e6;
  double run_for = 0;
  double show_for = 0;
  double new_for = 0;
  double memory = 0;
};

const std::map<std::string, double> kDurations = {
    {"us", 1},        {"ms", 1e3},      {"s", 1e6},       {"sec", 1e6},     {"second", 1e6},
    {"seconds", 1e6}, {"m", 60e6},      {"min", 60e6},    {"minute", 60e6}, {"minutes", 60e6},
    {"h", 3600e6},    {"hour", 3600e6}, {"hours", 3600e6}};
const std::map<std::string, double> kSizes = {
    {"b", 1},           {"k", 1024.0},       {"kib", 1024.0},      {"m", 1048576.0},
    {"mib", 1048576.0}, {"g", 1073741824.0}, {"gib", 1073741824.0}};

void add_plugin_option(CLI::App& command, std::vector<std::string>& plugins) {
  command
      .add_option("--plugin", plugins,
                  "load this library: a file with a slash, or a name in FLOWRUN_PLUGIN_PATH")
      ->type_name("PATH")
      ->allow_extra_args(false);
}

void add_pipeline_options(CLI::App& command, PipelineArguments& pipeline) {
  command.add_option("file", pipeline.file, "the pipeline")->required()->type_name("FILE");
  command.add_option("--set", pipeline.set, "change an option, as node.key=value; again for more")
      ->type_name("PATH=VALUE")
      ->allow_extra_args(false);
  command.add_option("--only", pipeline.only, "only these sinks and what they need, by name")
      ->delimiter(',')
      ->type_name("SINK")
      ->allow_extra_args(false);
  add_plugin_option(command, pipeline.plugins);
}

void add_run(CLI::App& app, CommandLine& out, Drafts& drafts) {
  RunCommand& run = drafts.run;
  CLI::App* command = app.add_subcommand("run", "Run a pipeline; `flowrun FILE` does too");
  add_pipeline_options(*command, run.pipeline);
  command->add_option("--epochs", run.epochs, "stop after so many epochs")
      ->check(CLI::PositiveNumber);
  CLI::Option* run_for =
      command->add_option("--for", drafts.run_for, "stop after so long: 20s, 5 minutes")
          ->transform(CLI::AsNumberWithUnit(kDurations, CLI::AsNumberWithUnit::UNIT_REQUIRED))
          ->type_name("DURATION");
  command
      ->add_option("--threads", run.threads, "workers (default: the CPUs granted to the process)")
      ->check(CLI::Range(1, 1024));
  CLI::Option* memory =
      command->add_option("--memory", drafts.memory, "budget for everything that grows: 256MiB")
          ->transform(CLI::AsNumberWithUnit(kSizes, CLI::AsNumberWithUnit::CASE_INSENSITIVE))
          ->type_name("SIZE");
  command
      ->add_option("--capture", run.capture,
                   "write what every sink would be given, epoch by epoch, to this folder instead")
      ->type_name("DIR");
  command->add_option("--progress", run.progress, "append a JSON record of each epoch to this file")
      ->type_name("FILE");
  command
      ->add_option("--listen", run.listen,
                   "serve the HTTP API and the dashboard here: 127.0.0.1:8080")
      ->type_name("ADDRESS");
  command->add_flag("--allow-exec", run.allow_exec,
                    "let `sink: exec` start the programs that the pipeline names");
  command->add_flag("--quiet", run.quiet,
                    "say nothing on standard error but warnings and errors of the run");
  command
      ->add_option_function<std::string>(
          "--log-format", [&run](const std::string& word) { run.json_log = word == "json"; },
          "text or json")
      ->check(CLI::IsMember({"text", "json"}));
  command
      ->add_option("--chunking", run.chunking,
                   "cut the input at random places, by this seed (tests)")
      ->type_name("SEED");
  command->add_flag("--restart-state", run.restart_state,
                    "save and restore all state after every epoch (tests)");
  command->callback([&out, &drafts, run_for, memory] {
    if (run_for->count() > 0) drafts.run.run_for = static_cast<int64_t>(drafts.run_for);
    if (memory->count() > 0) drafts.run.memory = static_cast<int64_t>(drafts.memory);
    out = drafts.run;
  });
}

void add_check(CLI::App& app, CommandLine& out, Drafts& drafts) {
  CheckCommand& check = drafts.check;
  CLI::App* command =
      app.add_subcommand("check", "Say everything that is wrong with pipelines; start nothing");
  command->add_option("files", check.files, "the pipelines")->required()->type_name("FILE");
  command->add_option("--set", check.set, "change an option, as node.key=value")
      ->type_name("PATH=VALUE")
      ->allow_extra_args(false);
  add_plugin_option(*command, check.plugins);
  command
      ->add_option_function<std::string>(
          "--format", [&check](const std::string& word) { check.json = word == "json"; },
          "text or json")
      ->check(CLI::IsMember({"text", "json"}));
  command->add_flag("--connect", check.connect,
                    "open every source and sink too, with the real credentials; read and write "
                    "nothing");
  command->add_flag("--deny-warnings", check.deny_warnings, "refuse what has a warning");
  command->callback([&out, &check] { out = check; });
}

CLI::Option* add_duration(CLI::App& command, const std::string& name, double& value,
                          const std::string& what) {
  return command.add_option(name, value, what)
      ->transform(CLI::AsNumberWithUnit(kDurations, CLI::AsNumberWithUnit::UNIT_REQUIRED))
      ->type_name("DURATION");
}

void add_show(CLI::App& app, CommandLine& out, Drafts& drafts) {
  ShowCommand& show = drafts.show;
  CLI::App* command =
      app.add_subcommand("show", "Show the rows of one node; run only what it needs");
  command->add_option("file", show.pipeline.file, "the pipeline")->required()->type_name("FILE");
  command->add_option("node", show.node, "a node, or NODE.errors, NODE.late, NODE.STEP")
      ->required()
      ->type_name("NODE");
  command->add_option("--rows", show.rows, "so many rows")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  command
      ->add_option_function<std::string>(
          "--truncate",
          [&show](const std::string& word) {
            show.truncate = word == "false" ? -1 : word == "true" ? 20 : std::stoll(word);
          },
          "cut cells to so many characters (default 20); false: do not")
      ->check(CLI::Number | CLI::IsMember({"true", "false"}))
      ->type_name("N|false");
  command->add_flag("--vertical", show.vertical, "a line for each value");
  CLI::Option* run_for = add_duration(*command, "--for", drafts.show_for,
                                      "look for so long; without it until there are rows enough");
  command->add_option("--set", show.pipeline.set, "change an option, as node.key=value")
      ->type_name("PATH=VALUE")
      ->allow_extra_args(false);
  add_plugin_option(*command, show.pipeline.plugins);
  command->callback([&out, &drafts, run_for] {
    if (run_for->count() > 0) drafts.show.run_for = static_cast<int64_t>(drafts.show_for);
    out = drafts.show;
  });
}

void add_new(CLI::App& app, CommandLine& out, Drafts& drafts) {
  NewCommand& begin = drafts.begin;
  CLI::App* command =
      app.add_subcommand("new", "Write a first pipeline from what a source gives, schema and all");
  command->add_option("file", begin.out, "where to write it (default: standard output)")
      ->type_name("FILE");
  command->add_option("--from", begin.from, "HOST:PORT of a TCP server, a file, or a folder")
      ->required()
      ->type_name("PLACE");
  command->add_flag("--schema-only", begin.schema_only, "print the `schema:` block alone");
  CLI::Option* run_for = add_duration(*command, "--for", drafts.new_for,
                                      "listen to a server for so long at most (default 5s)");
  command->callback([&out, &drafts, run_for] {
    if (run_for->count() > 0) drafts.begin.run_for = static_cast<int64_t>(drafts.new_for);
    out = drafts.begin;
  });
}

void add_explain(CLI::App& app, CommandLine& out, Drafts& drafts) {
  ExplainCommand& explain = drafts.explain;
  CLI::App* command = app.add_subcommand(
      "explain", "Show a pipeline's graph, its schemas and modes, and what bounds its state");
  add_pipeline_options(*command, explain.pipeline);
  command->add_option("--schema", explain.schema_of, "only the schema of this node, as a tree")
      ->type_name("NODE");
  command->add_flag("--yaml", explain.yaml,
                    "the file with all that it includes, and where each node comes from");
  command->callback([&out, &explain] { out = explain; });
}

void add_test(CLI::App& app, CommandLine& out, Drafts& drafts) {
  TestCommand& test = drafts.test;
  CLI::App* command = app.add_subcommand(
      "test", "Run the tests of pipelines, x.test.yaml beside x.yaml, in virtual time");
  command->add_option("places", test.places, "tests, pipelines, or folders with tests (default: .)")
      ->type_name("FILE|DIR");
  command->add_flag("--update", test.update,
                    "write what the pipelines give into the tests, and show what changes");
  command->add_flag("--watch", test.watch, "run them again whenever a file changes");
  command->add_option("--junit", test.junit, "write the results as JUnit's XML to this file")
      ->type_name("FILE");
  add_plugin_option(*command, test.plugins);
  command->callback([&out, &test] {
    if (test.places.empty()) test.places = {"."};
    out = test;
  });
}

void add_eval(CLI::App& app, CommandLine& out, Drafts& drafts) {
  EvalCommand& eval = drafts.eval;
  CLI::App* command = app.add_subcommand("eval", "Evaluate expressions");
  command->add_option("expressions", eval.expressions, "Spark SQL expressions")
      ->type_name("EXPRESSION");
  command->add_option("--expressions", eval.expression_file, "a file with one expression a line")
      ->type_name("FILE");
  command->add_option("--schema", eval.schema, "a file with the columns of the input, as DDL")
      ->type_name("FILE");
  command->add_option("--input", eval.input, "a file of rows, one JSON object a line")
      ->type_name("FILE");
  command->add_option("--timezone", eval.timezone, "the session's zone (default UTC)")
      ->type_name("ZONE");
  command
      ->add_option_function<std::string>(
          "--format", [&eval](const std::string& word) { eval.json = word == "json"; },
          "text or json")
      ->check(CLI::IsMember({"text", "json"}));
  add_plugin_option(*command, eval.plugins);
  command->callback([&out, &eval] { out = eval; });
}

void add_reference(CLI::App& app, CommandLine& out, Drafts& drafts) {
  OperatorsCommand& operators = drafts.operators;
  CLI::App* command = app.add_subcommand("operators", "List the operators, or describe one");
  command->add_option("name", operators.name, "an operator, such as window")->type_name("NAME");
  command
      ->add_option("--markdown", operators.markdown, "write every operator's page to this folder")
      ->type_name("DIR");
  add_plugin_option(*command, operators.plugins);
  command->callback([&out, &operators] { out = operators; });
  SchemaCommand& schema = drafts.schema;
  command = app.add_subcommand("schema", "Print the JSON Schema of pipeline files, for editors");
  add_plugin_option(*command, schema.plugins);
  command->callback([&out, &schema] { out = schema; });
}

void add_plugin(CLI::App& app, CommandLine& out, Drafts& drafts) {
  CLI::App* plugin = app.add_subcommand("plugin", "List, check or begin plugins");
  plugin->require_subcommand(1);
  PluginListCommand& list = drafts.plugin_list;
  CLI::App* command = plugin->add_subcommand("list", "What is in plugins");
  command
      ->add_option("plugins", list.plugins,
                   "libraries; without any, those in the folders of FLOWRUN_PLUGIN_PATH")
      ->type_name("PATH");
  command->callback([&out, &list] { out = list; });
  PluginCheckCommand& check = drafts.plugin_check;
  command = plugin->add_subcommand("check", "Try what every operator must hold to on plugins");
  command->add_option("plugins", check.plugins, "libraries")->required()->type_name("PATH");
  command->add_option("--seed", check.seed, "of the rows and of how they are cut")
      ->capture_default_str();
  command->callback([&out, &check] { out = check; });
  PluginNewCommand& begin = drafts.plugin_new;
  command = plugin->add_subcommand("new", "Write a project for a plugin: CMake, code, a test");
  command->add_option("name", begin.name, "the operator's name, a word in lower case")
      ->required()
      ->type_name("NAME");
  command->add_option("--kind", begin.kind, "transform, stateful, source, sink, function or format")
      ->check(CLI::IsMember({"transform", "stateful", "source", "sink", "function", "format"}))
      ->default_val("transform");
  command->add_option("--folder", begin.folder, "where to write it (default: NAME)")
      ->type_name("DIR");
  command->callback([&out, &begin] { out = begin; });
}

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
  stream->add_option("--count", command.count, "end after so many records")
      ->check(CLI::PositiveNumber);
  stream
      ->add_option("--drop-every", command.drop_every,
                   "cut all connections after every so many records")
      ->check(CLI::PositiveNumber);
  if (name != "wikimedia") {
    stream
        ->add_option("--nulls", command.nulls,
                     "share of records in error: every field null but the times")
        ->check(CLI::Range(0.0, 1.0));
  } else {
    stream->add_flag("--lines", command.lines, "a line per event, as plain text over TCP");
    stream->add_flag("--burst", command.burst, "now and then a run of edits on one page");
  }
  if (name != "quotes") {
    stream
        ->add_option("--late", command.late,
                     "share of records that are half a minute to ten minutes old")
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

void add_simulate(CLI::App& app, CommandLine& out, Drafts& drafts) {
  constexpr uint16_t kWatchesPort = 9999, kHeartPort = 10000, kQuotesPort = 10001,
                     kWikimediaPort = 10003;
  constexpr double kErrors = 0.01;
  SimulateCommand& command = drafts.simulate;
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
  add_stream(*simulate, out, command, "wikimedia",
             "Changes of Wikipedia and its sisters, as server-sent events over HTTP",
             kWikimediaPort, 0);
}

void add_run_file(CLI::App& command, std::string& file) {
  command.add_option("file", file, "the pipeline that runs, or the socket of a run")
      ->required()
      ->type_name("FILE");
}

void add_sql(CLI::App& app, CommandLine& out, Drafts& drafts) {
  SqlCommand& sql = drafts.sql;
  CLI::App* command = app.add_subcommand(
      "sql", "Ask a running pipeline about its tables; without a statement, at a prompt");
  add_run_file(*command, sql.file);
  command->add_option("statement", sql.statement, "such as \"select * from counts\"")
      ->type_name("STATEMENT");
  command->add_option("--format", sql.format, "table, json (an object a line) or csv")
      ->check(CLI::IsMember({"table", "json", "csv"}));
  CLI::Option* watch = add_duration(*command, "--watch", drafts.watch, "ask again and again: 1s");
  command->add_option("--rows", sql.rows, "rows of a table that are shown (default 20)")
      ->check(CLI::Range(0, 10'000'000));
  command->add_option("--truncate", sql.truncate,
                      "cut cells of a table: true (20), false or a number");
  command->add_flag("--vertical", sql.vertical, "a line per value");
  command->callback([&out, &drafts, watch] {
    if (watch->count() > 0) drafts.sql.watch = static_cast<int64_t>(drafts.watch);
    out = drafts.sql;
  });
}

void add_looks(CLI::App& app, CommandLine& out, Drafts& drafts) {
  StatusCommand& status = drafts.status;
  CLI::App* command = app.add_subcommand("status", "What runs on this machine, under this user");
  command->add_option("file", status.file, "only this pipeline, or the socket of a run")
      ->type_name("FILE");
  command
      ->add_option_function<std::string>(
          "--format", [&status](const std::string& word) { status.json = word == "json"; },
          "text or json")
      ->check(CLI::IsMember({"text", "json"}));
  command->callback([&out, &status] { out = status; });

  TopCommand& top = drafts.top;
  command = app.add_subcommand("top", "Watch a running pipeline, node by node");
  add_run_file(*command, top.file);
  add_duration(*command, "--every", drafts.every, "how often it is drawn (default 1s)");
  command->add_flag("--once", top.once, "one picture");
  command->callback([&out, &drafts] {
    drafts.top.every = static_cast<int64_t>(drafts.every);
    out = drafts.top;
  });

  TapCommand& tap = drafts.tap;
  command = app.add_subcommand("tap", "Show some of the rows that leave or enter a node");
  add_run_file(*command, tap.file);
  command->add_option("node", tap.node, "the node, or a port of it: readings.errors")
      ->required()
      ->type_name("NODE");
  command->add_flag("--input", tap.input, "what enters the node, not what leaves it");
  command->add_option("--limit", tap.limit, "so many rows (default 20)")
      ->check(CLI::Range(1, 1000));
  add_duration(*command, "--wait", drafts.wait, "for so long at most (default 5s)");
  command->add_option("--format", tap.format, "table, json (an object a line) or csv")
      ->check(CLI::IsMember({"table", "json", "csv"}));
  command->callback([&out, &drafts] {
    drafts.tap.wait = static_cast<int64_t>(drafts.wait);
    out = drafts.tap;
  });
}

std::vector<std::string> command_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; }))
    names.push_back(command->get_name());
  return names;
}

// The values in "TEXT:{text,json}", as the library shows what an option takes.
std::vector<std::string> values_in(const std::string& type_name) {
  std::vector<std::string> values;
  const size_t open = type_name.find('{'), close = type_name.rfind('}');
  if (open == std::string::npos || close == std::string::npos) return values;
  std::string value;
  for (const char c : type_name.substr(open + 1, close - open - 1) + ",") {
    if (c != ',') {
      value += c;
    } else {
      values.push_back(std::move(value));
      value.clear();
    }
  }
  return values;
}

CommandOutline outline_of(const CLI::App& app) {
  CommandOutline outline{app.get_name(), app.get_description(), {}, {}};
  for (const CLI::Option* option : app.get_options()) {
    CommandOutline::Option& made = outline.options.emplace_back();
    for (const std::string& name : option->get_lnames()) made.names.push_back("--" + name);
    for (const std::string& name : option->get_snames()) made.names.push_back("-" + name);
    made.doc = option->get_description();
    made.values = values_in(option->get_type_name());
    const bool takes = option->get_type_size() > 0;
    const bool plain = made.values.empty() && !option->get_type_name().starts_with(':');
    made.takes = !takes  ? ""
                 : plain ? option->get_type_name().substr(0, option->get_type_name().find(':'))
                         : "WORD";
    if (takes && made.takes.empty()) made.takes = "VALUE";
  }
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; }))
    outline.commands.push_back(outline_of(*command));
  return outline;
}

void add_completions(CLI::App& app, CommandLine& out, Drafts& drafts) {
  CompletionsCommand& completions = drafts.completions;
  CLI::App* command = app.add_subcommand(
      "completions", "Print what a shell needs to complete commands, or the manual page");
  command->add_option("shell", completions.shell, "bash, zsh or fish; man: the page of man(1)")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish", "man"}))
      ->type_name("SHELL");
  command->callback([&app, &out, &completions] {
    completions.text = completions.shell == "man"
                           ? manual_page(outline_of(app), FLOWRUN_VERSION)
                           : completion_script(outline_of(app), completions.shell);
    out = completions;
  });
}

bool names_a_file(const std::string& word) {
  return word.ends_with(".yaml") || word.ends_with(".yml") || word.find('/') != std::string::npos;
}

// What is wrong with the first word; empty if nothing.
std::string unknown_command(const CLI::App& app, const std::string& word) {
  const std::vector<std::string> names = command_names(app);
  if (word.starts_with('-') || names_a_file(word) || std::ranges::count(names, word) > 0) return "";
  const std::string hint = did_you_mean(word, names);
  return fmt::format("unknown command `{}`{}", word,
                     hint.empty() ? " — there are " + back_quoted_list(names) +
                                        "; a pipeline is named with its .yaml"
                                  : hint);
}

// The arguments with `run` put in where only a file is named, last first as the parser wants them.
std::vector<std::string> arguments_for(int count, char** arguments) {
  std::vector<std::string> words(arguments + 1, arguments + count);
  if (names_a_file(words.front())) words.insert(words.begin(), "run");
  std::ranges::reverse(words);
  return words;
}

}  // namespace

CommandLine parse_command_line(int count, char** arguments) {
  CommandLine out;
  Drafts drafts;
  CLI::App app("Streaming dataflow with the semantics of Spark Structured Streaming", "flowrun");
  app.set_version_flag("--version", std::string("flowrun ") + FLOWRUN_VERSION);
  app.require_subcommand(1);
  add_run(app, out, drafts);
  add_check(app, out, drafts);
  add_explain(app, out, drafts);
  add_show(app, out, drafts);
  add_new(app, out, drafts);
  add_test(app, out, drafts);
  add_eval(app, out, drafts);
  add_reference(app, out, drafts);
  add_plugin(app, out, drafts);
  add_simulate(app, out, drafts);
  add_sql(app, out, drafts);
  add_looks(app, out, drafts);
  add_completions(app, out, drafts);
  app.footer(
      "Examples:\n"
      "  flowrun pipelines/iot.yaml          run a pipeline\n"
      "  flowrun check pipelines/iot.yaml    say everything that is wrong with it\n"
      "  flowrun operators window            what an operator takes\n"
      "  flowrun simulate watches            a stream to try it on, on port 9999");
  if (count < 2) {
    std::fputs(app.help().c_str(), stderr);
    return Answered{kExitRefused};
  }
  if (const std::string unknown = unknown_command(app, arguments[1]); !unknown.empty()) {
    std::fprintf(stderr, "error: %s\n", unknown.c_str());
    return Answered{kExitRefused};
  }
  try {
    app.parse(arguments_for(count, arguments));
  } catch (const CLI::ParseError& error) {
    return Answered{app.exit(error) == 0 ? kExitDone : kExitRefused};
  }
  return out;
}

}  // namespace flowrun
