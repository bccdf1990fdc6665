#include "runtime/config/overrides.h"

#include <algorithm>
#include <charconv>

#include "runtime/base/suggest.h"

namespace flowrun {

namespace {

std::vector<std::string> split_path(std::string_view path) {
  std::vector<std::string> words;
  while (true) {
    const size_t dot = path.find('.');
    words.emplace_back(path.substr(0, dot));
    if (dot == std::string_view::npos) return words;
    path.remove_prefix(dot + 1);
  }
}

RawValue read_value(const std::string& text, const Position& position, const LoadOptions& options,
                    LoadedPlan& loaded) {
  constexpr std::string_view kYamlBegins = "[{\"'";
  if (!text.empty() && kYamlBegins.find(text[0]) != std::string_view::npos) {
    const std::string moved = std::string(static_cast<size_t>(position.line - 1), '\n') +
                              std::string(static_cast<size_t>(position.column - 1), ' ') + text;
    Result<std::string> clean = clean_yaml_text(moved, position.file, options.limits);
    if (clean) return read_yaml(*clean, position.file, loaded.diagnostics, options.limits);
    loaded.diagnostics.push_back(make_diagnostic(std::move(clean.error())));
    return {};
  }
  RawValue value = RawValue::scalar(text);
  value.position = position;
  value.position.length = static_cast<int32_t>(text.size());
  return value;
}

// The entry of a map, made if it is absent; of a list the item of that number. Null if there is
// none.
RawValue* step_into(RawValue& value, const std::string& word, const Position& position) {
  if (value.kind == RawValue::Kind::list) {
    size_t index = 0;
    const auto [end, failure] = std::from_chars(word.data(), word.data() + word.size(), index);
    const bool valid =
        failure == std::errc() && end == word.data() + word.size() && index < value.items.size();
    return valid ? &value.items[index] : nullptr;
  }
  if (value.kind == RawValue::Kind::empty) value = RawValue::map({});
  if (value.kind != RawValue::Kind::map) return nullptr;
  const auto found = std::ranges::find(value.keys, word, &RawValue::Key::text);
  if (found != value.keys.end())
    return &value.items[static_cast<size_t>(found - value.keys.begin())];
  value.keys.push_back({word, position, false});
  value.items.emplace_back();
  return &value.items.back();
}

// Where the path starts: a node, one of the blocks, or a top-level key.
RawValue* start_of(Document& document, const std::vector<std::string>& words, size_t& next) {
  next = 1;
  if (words.size() > 1) {
    const auto node = std::ranges::find(document.nodes.keys, words[0], &RawValue::Key::text);
    if (node != document.nodes.keys.end()) {
      return &document.nodes.items[static_cast<size_t>(node - document.nodes.keys.begin())];
    }
    if (words[0] == "nodes") return &document.nodes;
    if (words[0] == "tables") return &document.tables;
    if (words[0] == "connections") return &document.connections;
    if (words[0] == "chain") return &document.chain;
  }
  next = 0;
  return &document.top;
}

// `position`: of the set's first byte.
void apply(Document& document, const std::string& set, Position position,
           const LoadOptions& options, LoadedPlan& loaded) {
  const auto report = [&](std::string message) {
    loaded.diagnostics.push_back({Diagnostic::Severity::error, std::move(message), "", position});
  };
  const size_t equals = set.find('=');
  if (equals == 0 || equals == std::string::npos)
    return report("this sets nothing — write `--set node.key=value`");
  const std::vector<std::string> words = split_path(std::string_view(set).substr(0, equals));
  size_t next = 0;
  RawValue* target = start_of(document, words, next);
  if (next == 0 && words.size() > 1 && words[0] != "serve" && !document.top.find(words[0])) {
    std::vector<std::string> nodes;
    for (const RawValue::Key& key : document.nodes.keys) nodes.push_back(key.text);
    return report("there is no node " + back_quoted(words[0]) + did_you_mean(words[0], nodes));
  }
  for (; target && next < words.size(); ++next) target = step_into(*target, words[next], position);
  if (!target) return report("the path leads to nothing that can be set — write `node.key=value`");
  position.column += static_cast<int32_t>(equals) + 1;
  *target = read_value(set.substr(equals + 1), position, options, loaded);
}

}  // namespace

void apply_overrides(Document& document, const LoadOptions& options, LoadedPlan& loaded) {
  const auto file = std::make_shared<const std::string>("--set");
  std::string text;
  int32_t line = 0;
  for (const std::string& set : options.sets) {
    text += set + "\n";
    apply(document, set, {file, ++line, 1, 0}, options, loaded);
  }
  if (line > 0) loaded.sources.add(*file, std::move(text));
}

}  // namespace flowrun
