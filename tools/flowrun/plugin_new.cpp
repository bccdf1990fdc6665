// flowrun plugin new: a project that builds, with code to change and a test that passes.

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <fstream>

#include "tools/flowrun/commands.h"
#include "tools/flowrun/plugin_templates.h"
#include "tools/flowrun/terminal.h"

namespace flowrun {
namespace {

namespace fs = std::filesystem;

bool is_word(std::string_view name) {
  return !name.empty() && name[0] >= 'a' && name[0] <= 'z' && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
}

// "top_words": "TopWords".
std::string class_name(std::string_view name) {
  std::string text;
  bool begins = true;
  for (const char c : name) {
    if (c != '_') text += begins && c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    begins = c == '_';
  }
  return text;
}

std::string filled(std::string_view text, std::string_view name) {
  std::string out;
  const std::string type = class_name(name);
  while (!text.empty()) {
    const size_t at = std::min(text.find('@'), text.size());
    out += text.substr(0, at);
    text.remove_prefix(at);
    if (text.starts_with("@name@")) {
      out += name;
      text.remove_prefix(6);
    } else if (text.starts_with("@Class@")) {
      out += type;
      text.remove_prefix(7);
    } else if (!text.empty()) {
      out += '@';
      text.remove_prefix(1);
    }
  }
  return out;
}

Status write_new(const fs::path& path, const std::string& text) {
  std::error_code error;
  fs::create_directories(path.parent_path(), error);
  if (fs::exists(path, error)) {
    return Error::invalid(path.string() + " is there already — name another `--folder`");
  }
  std::ofstream file(path, std::ios::binary);
  file << text;
  if (!file.flush()) return Error::from_errno("cannot write " + path.string(), errno);
  return ok_status();
}

Status write_project(const PluginNewCommand& command, const fs::path& folder) {
  const PluginTemplate& code = plugin_template(command.kind);
  const auto write = [&](const std::string& file, std::string_view text) {
    return write_new(folder / file, filled(text, command.name));
  };
  FLOWRUN_RETURN_IF_ERROR(write("CMakeLists.txt", kPluginCMake));
  FLOWRUN_RETURN_IF_ERROR(write(command.name + ".cpp", code.code));
  FLOWRUN_RETURN_IF_ERROR(write("test/pipeline.yaml", code.pipeline));
  FLOWRUN_RETURN_IF_ERROR(write("test/input.jsonl", kPluginInput));
  FLOWRUN_RETURN_IF_ERROR(write("test/expected.jsonl", code.expected));
  return write("test/compare.cmake", kPluginCompare);
}

}  // namespace

int execute(const PluginNewCommand& command) {
  Terminal terminal(Terminal::standard());
  if (!is_word(command.name)) {
    terminal.line(fmt::format(
        "`{}` is no name for an operator — write a word in lower case, such as top_words",
        command.name));
    return kExitRefused;
  }
  const fs::path folder = command.folder.empty() ? command.name : command.folder;
  if (Status written = write_project(command, folder); !written) {
    terminal.line(written.error().message);
    return written.error().code == ErrorCode::invalid ? kExitRefused : kExitFailed;
  }
  terminal.line(
      fmt::format("{0}: a {1} `{2}`; build and test it with\n"
                  "  cmake -S {0} -B {0}/build && cmake --build {0}/build && ctest "
                  "--test-dir {0}/build --output-on-failure",
                  folder.string(), command.kind, command.name));
  return kExitDone;
}

}  // namespace flowrun
