// The commands beside pipelines: eval, operators, schema, plugin, simulate.
#include "tools/flowrun/command_options.h"

namespace flowrun {

namespace {

constexpr double kLeastRate = 0.1, kMostRate = 2'000'000;  // records a second

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
  add_format_option(*command, eval.json);
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

}  // namespace

void add_expression_commands(CLI::App& app, CommandLine& out, Drafts& drafts) {
  add_eval(app, out, drafts);
  add_reference(app, out, drafts);
}

void add_plugin_commands(CLI::App& app, CommandLine& out, Drafts& drafts) {
  add_plugin(app, out, drafts);
}

void add_simulate_command(CLI::App& app, CommandLine& out, Drafts& drafts) {
  add_simulate(app, out, drafts);
}

}  // namespace flowrun
