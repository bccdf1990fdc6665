// The commands that take a pipeline: run, check, explain, show, new, test.
#include "tools/flowrun/command_options.h"

namespace flowrun {

namespace {

const std::map<std::string, double> kSizes = {
    {"b", 1},           {"k", 1024.0},       {"kib", 1024.0},      {"m", 1048576.0},
    {"mib", 1048576.0}, {"g", 1073741824.0}, {"gib", 1073741824.0}};

void add_run(CLI::App& app, CommandLine& out, Drafts& drafts) {
  RunCommand& run = drafts.run;
  CLI::App* command = app.add_subcommand("run", "Run a pipeline; `flowrun FILE` does too");
  add_pipeline_options(*command, run.pipeline);
  command->add_option("--epochs", run.epochs, "stop after so many epochs")
      ->check(CLI::PositiveNumber);
  add_duration(*command, "--for", run.run_for, "stop after so long: 20s, 5 minutes");
  command
      ->add_option("--threads", run.threads, "workers (default: the CPUs granted to the process)")
      ->check(CLI::Range(1, 1024));
  command
      ->add_option_function<double>(
          "--memory", [&run](double bytes) { run.memory = static_cast<int64_t>(bytes); },
          "budget for everything that grows: 256MiB")
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
  command->callback([&out, &run] { out = run; });
}

void add_check(CLI::App& app, CommandLine& out, Drafts& drafts) {
  CheckCommand& check = drafts.check;
  CLI::App* command =
      app.add_subcommand("check", "Say everything that is wrong with pipelines; start nothing");
  command->add_option("files", check.files, "the pipelines")->required()->type_name("FILE");
  add_set_option(*command, check.set);
  add_plugin_option(*command, check.plugins);
  add_format_option(*command, check.json);
  command->add_flag("--connect", check.connect,
                    "open every source and sink too, with the real credentials; read and write "
                    "nothing");
  command->add_flag("--deny-warnings", check.deny_warnings, "refuse what has a warning");
  command->callback([&out, &check] { out = check; });
}

void add_show(CLI::App& app, CommandLine& out, Drafts& drafts) {
  ShowCommand& show = drafts.show;
  CLI::App* command =
      app.add_subcommand("show", "Show the rows of one node; run only what it needs");
  add_pipeline_file(*command, show.pipeline);
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
  add_duration(*command, "--for", show.run_for,
               "look for so long; without it until there are rows enough");
  add_set_option(*command, show.pipeline.set);
  add_plugin_option(*command, show.pipeline.plugins);
  command->callback([&out, &show] { out = show; });
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
  add_duration(*command, "--for", begin.run_for,
               "listen to a server for so long at most (default 5s)");
  command->callback([&out, &begin] { out = begin; });
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

}  // namespace

void add_pipeline_commands(CLI::App& app, CommandLine& out, Drafts& drafts) {
  add_run(app, out, drafts);
  add_check(app, out, drafts);
  add_explain(app, out, drafts);
  add_show(app, out, drafts);
  add_new(app, out, drafts);
  add_test(app, out, drafts);
}

}  // namespace flowrun
