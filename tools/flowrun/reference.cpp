// flowrun operators and flowrun schema: what the operators' specs say.

#include <fmt/format.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "operators/register_all.h"
#include "runtime/base/suggest.h"
#include "runtime/config/json_schema.h"
#include "runtime/config/reference.h"
#include "runtime/embed/host_ports.h"
#include "runtime/plugin/plugin_set.h"
#include "runtime/state/aggregate_functions.h"
#include "tools/flowrun/commands.h"
#include "tools/flowrun/plugin_path.h"
#include "tools/flowrun/terminal.h"

namespace flowrun {
namespace {

// The operators built in and those of plugins.
struct Known {
  Registry registry;
  FunctionRegistry functions;

  Known() {
    register_all_operators(registry);
    register_host_operators(registry, nullptr);
    register_all_functions(functions);
    register_aggregate_functions(functions);
  }
  Status load(const std::vector<std::string>& names) {
    PluginSet plugins(registry, functions, plugin_path());
    for (const std::string& name : names) FLOWRUN_RETURN_IF_ERROR(plugins.load(name, ""));
    return ok_status();
  }
};

int refuse(Terminal& terminal, const Status& status) {
  terminal.line(status.error().message);
  return kExitRefused;
}

int print(Terminal& terminal, const std::string& text) {
  const Status written = terminal.write(text.ends_with('\n') ? text : text + "\n");
  if (written) return kExitDone;
  terminal.line(written.error().message);
  return kExitFailed;
}

Status write_file(const std::filesystem::path& path, const std::string& text) {
  std::error_code error;
  std::filesystem::create_directories(path.parent_path(), error);
  std::ofstream file(path, std::ios::binary);
  file << text;
  if (!file.flush()) return Error::from_errno("cannot write " + path.string(), errno);
  return ok_status();
}

// FOLDER/KIND/NAME.md for each operator, and FOLDER/README.md that lists them.
Status write_pages(const Registry& registry, const std::filesystem::path& folder) {
  std::string index =
      "# Operators\n\nGenerated from the operators' specs by `flowrun operators --markdown`.\n";
  std::string_view last_kind;
  for (const RegisteredOperator* entry : registry.all()) {
    const OperatorSpec& spec = entry->spec;
    const std::string_view kind = operator_kind_name(spec.kind);
    if (kind != last_kind) index += fmt::format("\n## {}\n\n", kind);
    last_kind = kind;
    index += fmt::format("- [{0}]({1}/{0}.md): {2}\n", spec.name, kind, spec.summary);
    FLOWRUN_RETURN_IF_ERROR(write_file(folder / kind / (spec.name + ".md"), operator_page(spec)));
  }
  return write_file(folder / "README.md", index);
}

int describe(Terminal& terminal, const Registry& registry, const std::string& name) {
  std::string text;
  std::vector<std::string> names;
  for (const RegisteredOperator* entry : registry.all()) {
    names.push_back(entry->spec.name);
    if (entry->spec.name == name)
      text += (text.empty() ? "" : "\n") + operator_reference(entry->spec);
  }
  if (const RegisteredFormat* format = registry.find_format(name))
    text += (text.empty() ? "" : "\n") + format_reference(*format);
  if (!text.empty()) return print(terminal, text);
  terminal.line(fmt::format("no operator `{}`{}; `flowrun operators` lists them", name,
                            did_you_mean(name, names)));
  return kExitRefused;
}

}  // namespace

int execute(const OperatorsCommand& command) {
  Terminal terminal(Terminal::standard());
  Known known;
  if (Status loaded = known.load(command.plugins); !loaded) return refuse(terminal, loaded);
  const Registry& registry = known.registry;
  if (!command.markdown.empty()) {
    const Status written = write_pages(registry, command.markdown);
    if (written) return kExitDone;
    terminal.line(written.error().message);
    return kExitFailed;
  }
  if (command.name.empty()) return print(terminal, operator_list(registry));
  return describe(terminal, registry, command.name);
}

int execute(const SchemaCommand& command) {
  Terminal terminal(Terminal::standard());
  Known known;
  if (Status loaded = known.load(command.plugins); !loaded) return refuse(terminal, loaded);
  return print(terminal, pipeline_json_schema(known.registry));
}

}  // namespace flowrun
