// flowrun completions: generated from the definition of the command line.
#include "tools/flowrun/completions.h"

#include <fmt/format.h>

#include <algorithm>

#include "tools/flowrun/commands.h"
#include "tools/flowrun/terminal.h"

namespace flowrun {
namespace {

// A command with the words that lead to it: "plugin new".
struct Place {
  std::string words;
  const CommandOutline* command;
};

void collect(const CommandOutline& command, const std::string& words, std::vector<Place>& places) {
  places.push_back({words, &command});
  for (const CommandOutline& below : command.commands)
    collect(below, words.empty() ? below.name : words + " " + below.name, places);
}

std::vector<Place> places_of(const CommandOutline& program) {
  std::vector<Place> places;
  collect(program, "", places);
  return places;
}

std::string join(const std::vector<std::string>& words, std::string_view between) {
  std::string text;
  for (const std::string& word : words) {
    if (!text.empty()) text += between;
    text += word;
  }
  return text;
}

// Commands and options that may come next.
std::vector<std::string> words_after(const CommandOutline& command) {
  std::vector<std::string> words;
  for (const CommandOutline& below : command.commands) words.push_back(below.name);
  for (const CommandOutline::Option& option : command.options) {
    words.insert(words.end(), option.names.begin(), option.names.end());
    if (option.names.empty()) words.insert(words.end(), option.values.begin(), option.values.end());
  }
  return words;
}

bool takes_files(const CommandOutline::Option& option) {
  for (const std::string_view word : {"FILE", "DIR", "PATH", "PLACE"}) {
    if (option.takes.find(word) != std::string::npos) return option.takes != "PATH=VALUE";
  }
  return false;
}

// In single quotes, for every shell.
std::string quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

std::string bash_script(const CommandOutline& program) {
  std::string commands, words, values;
  for (const Place& place : places_of(program)) {
    const std::string key = place.words.empty() ? "-" : place.words;
    if (!place.words.empty()) commands += fmt::format("        {}) ;;\n", quoted(key));
    words += fmt::format("    {}) words={} ;;\n", quoted(key),
                         quoted(join(words_after(*place.command), " ")));
    for (const CommandOutline::Option& option : place.command->options) {
      if (option.names.empty() || option.takes.empty()) continue;
      std::vector<std::string> patterns;
      for (const std::string& name : option.names) patterns.push_back(quoted(key + " " + name));
      const std::string answer = !option.values.empty()
                                     ? fmt::format("COMPREPLY=($(compgen -W {} -- \"$word\"))",
                                                   quoted(join(option.values, " ")))
                                 : takes_files(option) ? "COMPREPLY=($(compgen -f -- \"$word\"))"
                                                       : "COMPREPLY=()";
      values += fmt::format("    {}) {}; return ;;\n", join(patterns, "|"), answer);
    }
  }
  return fmt::format(R"(# Completion of flowrun for bash; made by `flowrun completions bash`.
_flowrun() {{
  local word="${{COMP_WORDS[COMP_CWORD]}}" before="${{COMP_WORDS[COMP_CWORD-1]}}" place="-" next i words
  for ((i = 1; i < COMP_CWORD; i++)); do
    next="${{COMP_WORDS[i]}}"
    [ "$place" = "-" ] || next="$place $next"
    case "$next" in
{0}        *) continue ;;
    esac
    place="$next"
  done
  case "$place $before" in
{2}  esac
  case "$place" in
{1}  esac
  COMPREPLY=($(compgen -W "$words" -- "$word") $(compgen -f -- "$word"))
}}
complete -o filenames -F _flowrun flowrun
)",
                     commands, words, values);
}

std::string zsh_script(const CommandOutline& program) {
  std::string cases;
  for (const Place& place : places_of(program)) {
    std::string lines;
    for (const CommandOutline& below : place.command->commands)
      lines += fmt::format("        {}\n", quoted(below.name + ":" + below.doc));
    for (const CommandOutline::Option& option : place.command->options) {
      for (const std::string& name : option.names)
        lines += fmt::format("        {}\n", quoted(name + ":" + option.doc));
      if (!option.names.empty()) continue;
      for (const std::string& value : option.values)
        lines += fmt::format("        {}\n", quoted(value + ":" + option.doc));
    }
    cases += fmt::format("    {}) entries=(\n{}      ) ;;\n",
                         quoted(place.words.empty() ? "-" : place.words), lines);
  }
  std::string known;
  for (const Place& place : places_of(program)) {
    if (!place.words.empty()) known += fmt::format("      {}) ;;\n", quoted(place.words));
  }
  return fmt::format(R"(#compdef flowrun
# Completion of flowrun for zsh; made by `flowrun completions zsh`.
_flowrun() {{
  local place="-" next
  local -a entries
  for next in "${{(@)words[2,CURRENT-1]}}"; do
    [ "$place" = "-" ] || next="$place $next"
    case "$next" in
{0}      *) continue ;;
    esac
    place="$next"
  done
  case "$place" in
{1}  esac
  _describe -t commands flowrun entries
  _files
}}
if [ "$funcstack[1]" = "_flowrun" ]; then _flowrun "$@"; else compdef _flowrun flowrun; fi
)",
                     known, cases);
}

std::string fish_script(const CommandOutline& program) {
  std::string text = "# Completion of flowrun for fish; made by `flowrun completions fish`.\n";
  for (const Place& place : places_of(program)) {
    std::vector<std::string> below;
    for (const CommandOutline& command : place.command->commands) below.push_back(command.name);
    std::string condition;
    size_t at = 0;
    for (; at < place.words.size();
         at = std::min(place.words.find(' ', at), place.words.size()) + 1) {
      const std::string word = place.words.substr(at, place.words.find(' ', at) - at);
      condition += (condition.empty() ? "" : "; and ") + ("__fish_seen_subcommand_from " + word);
    }
    if (!below.empty())
      condition += (condition.empty() ? "" : "; and ") +
                   ("not __fish_seen_subcommand_from " + join(below, " "));
    const std::string when = condition.empty() ? "" : " -n " + quoted(condition);
    for (const CommandOutline& command : place.command->commands)
      text += fmt::format("complete -c flowrun{} -a {} -d {}\n", when, command.name,
                          quoted(command.doc));
    for (const CommandOutline::Option& option : place.command->options) {
      std::string line = "complete -c flowrun" + when;
      for (const std::string& name : option.names)
        line += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
      if (option.names.empty() && option.values.empty()) continue;
      if (!option.values.empty())
        line += (option.names.empty() ? " -a " : " -x -a ") + quoted(join(option.values, " "));
      else if (!option.takes.empty())
        line += takes_files(option) ? " -r" : " -x";
      text += line + " -d " + quoted(option.doc) + "\n";
    }
  }
  return text;
}

// A line may not begin with a dot or a quote, and a hyphen is one.
std::string roff(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '-' || c == '\\') out += '\\';
    out += c == '\\' ? std::string("e") : c == '`' ? std::string("\\(aq") : std::string(1, c);
  }
  if (out.starts_with('.') || out.starts_with('\'')) out = "\\&" + out;
  return out;
}

void append_manual(const CommandOutline& command, const std::string& words, std::string& out) {
  std::string synopsis = "flowrun " + words;
  for (const CommandOutline::Option& option : command.options) {
    if (option.names.empty()) synopsis += " " + option.takes;
  }
  out += fmt::format(".SS {}\n{}\n", roff(synopsis), roff(command.doc + "."));
  for (const CommandOutline::Option& option : command.options) {
    const std::string name = option.names.empty() ? option.takes : join(option.names, ", ");
    const std::string value = option.names.empty() || option.takes.empty() ? ""
                              : option.values.empty()                      ? " " + option.takes
                                                      : " " + join(option.values, "|");
    out += fmt::format(".TP\n\\fB{}\\fR{}\n{}\n", roff(name), roff(value), roff(option.doc));
  }
  for (const CommandOutline& below : command.commands)
    append_manual(below, words + " " + below.name, out);
}

}  // namespace

std::string completion_script(const CommandOutline& program, std::string_view shell) {
  if (shell == "bash") return bash_script(program);
  return shell == "zsh" ? zsh_script(program) : fish_script(program);
}

std::string manual_page(const CommandOutline& program, std::string_view version) {
  std::string out = fmt::format(
      ".TH FLOWRUN 1 \"\" \"flowrun {}\" \"User Commands\"\n.SH NAME\nflowrun \\- {}\n"
      ".SH SYNOPSIS\n.B flowrun\n.I FILE\n.br\n.B flowrun\n.I COMMAND\n[options]\n"
      ".SH DESCRIPTION\nRuns pipelines written in YAML with the semantics of Spark Structured "
      "Streaming.\n.SH COMMANDS\n",
      roff(version), roff(program.doc));
  for (const CommandOutline& command : program.commands) append_manual(command, command.name, out);
  out +=
      ".SH EXIT STATUS\n.TP\n0\nDone, or stopped by a signal after the epoch was committed.\n"
      ".TP\n1\nFailed while running, or a test failed.\n"
      ".TP\n2\nThe command line, a pipeline or a test is wrong: nothing was started.\n"
      ".SH ENVIRONMENT\n.TP\nFLOWRUN_PLUGIN_PATH\nFolders in which plugins are looked for by "
      "name.\n.TP\nNO_COLOR\nIf set, no colours.\n";
  return out;
}

int execute(const CompletionsCommand& command) {
  Terminal terminal(Terminal::standard());
  const Status written = terminal.write(command.text);
  if (written) return kExitDone;
  terminal.line(written.error().message);
  return kExitFailed;
}

}  // namespace flowrun
