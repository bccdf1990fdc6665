#include "tools/flowrun/prompt.h"

#include <editline/readline.h>
#include <rapidjson/document.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <iostream>
#include <memory>

#include "runtime/columnar/type.h"

namespace flowrun {

namespace {

constexpr int kHistoryLines = 1000;

// What the line editor's callbacks see.
std::vector<std::string>& completions() {
  static std::vector<std::string> words;
  return words;
}

// Called with 0 first, then until it gives null; the text is the editor's to free.
char* next_completion(const char* text, int state) {
  static size_t at = 0;
  if (state == 0) at = 0;
  const size_t length = std::strlen(text);
  while (at < completions().size()) {
    const std::string& word = completions()[at++];
    if (word.size() >= length && names_equal(std::string_view(word).substr(0, length), text))
      return strdup(word.c_str());
  }
  return nullptr;
}

char** complete(const char* text, int, int) {
  rl_attempted_completion_over = 1;
  return rl_completion_matches(text, next_completion);
}

std::string history_file() {
  const char* home = std::getenv("HOME");
  if (!home || !*home) return "";
  const std::filesystem::path folder = std::filesystem::path(home) / ".local/state/flowrun";
  std::error_code ignored;
  std::filesystem::create_directories(folder, ignored);
  return (folder / "sql_history").string();
}

std::string trimmed(std::string text) {
  const size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string::npos) return "";
  return text.substr(begin, text.find_last_not_of(" \t\r\n;") + 1 - begin);
}

}  // namespace

Prompt::Prompt(std::vector<std::string> words) : terminal_(isatty(STDIN_FILENO) == 1) {
  if (!terminal_) return;
  completions() = std::move(words);
  rl_initialize();
  rl_attempted_completion_function = complete;
  static char word_breaks[] = " \t\n(),=<>+-*/%";
  rl_completer_word_break_characters = word_breaks;
  using_history();
  stifle_history(kHistoryLines);
  history_ = history_file();
  if (!history_.empty()) read_history(history_.c_str());
}

Prompt::~Prompt() {
  if (terminal_ && !history_.empty()) write_history(history_.c_str());
}

std::optional<std::string> Prompt::line(const char* prompt) {
  if (!terminal_) {
    std::string text;
    if (!std::getline(std::cin, text)) return std::nullopt;
    return text;
  }
  const std::unique_ptr<char, void (*)(void*)> text(readline(prompt), std::free);
  if (!text) return std::nullopt;
  return std::string(text.get());
}

std::optional<std::string> Prompt::read() {
  std::string statement;
  while (auto text = line(statement.empty() ? "sql> " : "...> ")) {
    std::string word = trimmed(*text);
    if (statement.empty() && (word == "exit" || word == "quit" || word == "\\q"))
      return std::nullopt;
    const bool goes_on = text->ends_with('\\') || (!terminal_ && !text->ends_with(';'));
    if (text->ends_with('\\')) text->pop_back();
    statement += *text + "\n";
    if (goes_on) continue;
    statement = trimmed(statement);
    if (statement.empty()) continue;
    if (terminal_) add_history(statement.c_str());
    return statement;
  }
  statement = trimmed(statement);
  return statement.empty() ? std::nullopt : std::optional(statement);
}

std::vector<std::string> texts_in(const std::string& json, const char* key) {
  rapidjson::Document document;
  document.Parse(json.data(), json.size());
  std::vector<std::string> texts;
  if (document.HasParseError() || !document.IsObject() || !document.HasMember(key)) return texts;
  for (const auto& item : document[key].GetArray()) texts.emplace_back(item.GetString());
  return texts;
}

}  // namespace flowrun
