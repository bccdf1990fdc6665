#include "tools/flowrun/command_line.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "runtime/base/suggest.h"
#include "tools/flowrun/command_options.h"
#include "tools/flowrun/completions.h"

namespace flowrun {
namespace {

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
  add_pipeline_commands(app, out, drafts);
  add_expression_commands(app, out, drafts);
  add_plugin_commands(app, out, drafts);
  add_simulate_command(app, out, drafts);
  add_look_commands(app, out, drafts);
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
