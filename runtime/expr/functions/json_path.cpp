// The rules, and their oddities, are those of Spark's GetJsonObject.
#include "runtime/expr/functions/json_path.h"

#include <charconv>

#include "runtime/format/json_writer.h"
#include "runtime/format/number.h"
#include "runtime/format/text_values.h"

namespace flowrun {
namespace {

using Step = JsonPath::Step;
using Kind = Step::Kind;

// [0], [*], ['name'] or ['*']; the bracket stands at the front.
bool take_bracket(std::string_view& text, std::vector<Step>& steps) {
  text.remove_prefix(1);
  if (text.starts_with("*]")) {
    text.remove_prefix(2);
    steps.push_back({Kind::any_index, "", 0});
    return true;
  }
  if (text.starts_with('\'')) {
    const size_t end = text.find('\'', 1);
    if (end == std::string_view::npos || end == 1 || !text.substr(end + 1).starts_with(']'))
      return false;
    const std::string_view name = text.substr(1, end - 1);
    if (name.find('?') != std::string_view::npos) return false;
    steps.push_back({name == "*" ? Kind::any_name : Kind::name, std::string(name), 0});
    text.remove_prefix(end + 2);
    return true;
  }
  int64_t index = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), index);
  if (error != std::errc() || index < 0 || stop == text.data() + text.size() || *stop != ']')
    return false;
  text.remove_prefix(static_cast<size_t>(stop - text.data()) + 1);
  steps.push_back({Kind::index, "", index});
  return true;
}

// .name or .*; the dot stands at the front.
bool take_name(std::string_view& text, std::vector<Step>& steps) {
  text.remove_prefix(1);
  const size_t size = std::min(text.find_first_of(".["), text.size());
  if (size == 0) return false;
  const std::string_view name = text.substr(0, size);
  steps.push_back({name == "*" ? Kind::any_name : Kind::name, std::string(name), 0});
  text.remove_prefix(size);
  return true;
}

// A scalar at which the tokens stand.
bool append_scalar(JsonTokens& tokens, std::string& out) {
  switch (tokens.current()) {
    case JsonToken::string:
      if (!tokens.read_string()) return false;
      append_json_string(tokens.text(), out);
      return true;
    case JsonToken::integer:
      out += tokens.text();
      return true;
    case JsonToken::decimal:
      append_double(json_double(tokens.text()), out);
      return true;
    case JsonToken::not_finite:
      append_json_string(tokens.text(), out);
      return true;
    case JsonToken::true_:
      out += "true";
      return true;
    case JsonToken::false_:
      out += "false";
      return true;
    case JsonToken::null:
      out += "null";
      return true;
    default:
      return false;
  }
}

}  // namespace

std::optional<JsonPath> JsonPath::compile(std::string_view text) {
  if (!text.starts_with('$')) return std::nullopt;
  text.remove_prefix(1);
  JsonPath path;
  while (!text.empty()) {
    const bool taken = text[0] == '[' ? take_bracket(text, path.steps_)
                                      : text[0] == '.' && take_name(text, path.steps_);
    if (!taken) return std::nullopt;
  }
  return path;
}

bool append_json_tokens(JsonTokens& tokens, std::string& out) {
  size_t depth = 0;
  bool comma = false;
  while (true) {
    const JsonToken token = tokens.current();
    const bool closes = token == JsonToken::end_object || token == JsonToken::end_array;
    if (comma && !closes) out += ',';
    comma = true;
    switch (token) {
      case JsonToken::start_object:
      case JsonToken::start_array:
        out += token == JsonToken::start_object ? '{' : '[';
        ++depth;
        comma = false;
        break;
      case JsonToken::end_object:
      case JsonToken::end_array:
        out += token == JsonToken::end_object ? '}' : ']';
        --depth;
        break;
      case JsonToken::field_name:
        append_json_string(*tokens.name(), out);
        out += ':';
        comma = false;
        break;
      default:
        if (!append_scalar(tokens, out)) return false;
    }
    if (depth == 0) return true;
    if (!tokens.next()) return false;
  }
}

bool JsonPathFinder::next() {
  if (!tokens_.next()) broken_ = true;
  return !broken_ && tokens_.current() != JsonToken::end_of_text;
}

bool JsonPathFinder::find(std::string_view text, const JsonPath& path, std::string& out) {
  tokens_.reset(text);
  broken_ = false;
  const size_t before = out.size();
  Target target{&out};
  const bool found = next() && value(path.steps(), Style::raw, target);
  if (found && !broken_) return true;
  out.resize(before);
  return false;
}

// Everything that the steps lead to from the current value, which is read to its end.
bool JsonPathFinder::value(Steps steps, Style style, Target& target) {
  if (steps.empty()) return whole(style, target);
  const Kind kind = steps[0].kind;
  const bool named = kind == Kind::name || kind == Kind::any_name;
  if (tokens_.current() == JsonToken::start_object && named) return member(steps, style, target);
  if (tokens_.current() == JsonToken::start_array && kind == Kind::index)
    return element(steps, style, target);
  if (tokens_.current() == JsonToken::start_array && kind == Kind::any_index) {
    return every_element(steps.subspan(1), style, target);
  }
  if (!tokens_.skip_children()) broken_ = true;
  return false;
}

bool JsonPathFinder::whole(Style style, Target& target) {
  if (style == Style::raw && tokens_.current() == JsonToken::string) {
    if (!tokens_.read_string()) {
      broken_ = true;
      return false;
    }
    target.separate();
    *target.text += tokens_.text();
    return true;
  }
  if (style == Style::flatten && tokens_.current() == JsonToken::start_array) {
    bool found = false;
    while (next() && tokens_.current() != JsonToken::end_array)
      found = value({}, style, target) || found;
    return found;
  }
  target.separate();
  if (!append_json_tokens(tokens_, *target.text)) broken_ = true;
  return !broken_;
}

// The first member that matches and holds something.
bool JsonPathFinder::member(Steps steps, Style style, Target& target) {
  bool found = false;
  while (next() && tokens_.current() != JsonToken::end_object) {
    const bool wanted =
        !found && (steps[0].kind == Kind::any_name || *tokens_.name() == steps[0].name);
    if (!next()) return false;
    if (wanted && (steps[0].kind == Kind::any_name || tokens_.current() != JsonToken::null)) {
      found = value(steps.subspan(1), style, target);
    } else if (!tokens_.skip_children()) {
      broken_ = true;
    }
  }
  return found && !broken_;
}

bool JsonPathFinder::element(Steps steps, Style style, Target& target) {
  const bool many = steps.size() > 1 && steps[1].kind == Kind::any_index;
  bool found = false;
  for (int64_t i = 0; next() && tokens_.current() != JsonToken::end_array; ++i) {
    if (i == steps[0].index) {
      found = value(steps.subspan(1), many ? Style::quoted : style, target);
    } else if (!tokens_.skip_children()) {
      broken_ = true;
    }
  }
  return found && !broken_;
}

// `steps` are those behind the [*].
bool JsonPathFinder::every_element(Steps steps, Style style, Target& target) {
  const bool flatten = !steps.empty() && steps[0].kind == Kind::any_index;
  std::string matches;
  Target inner{&matches, true};
  int64_t count = 0;
  const Style inner_style = flatten ? Style::flatten : style == Style::raw ? Style::quoted : style;
  const Steps rest = flatten ? steps.subspan(1) : steps;
  while (next() && tokens_.current() != JsonToken::end_array)
    count += value(rest, inner_style, inner) ? 1 : 0;
  if (broken_) return false;
  // A single match loses its brackets, unless the style asks for them.
  const bool bare = count == 1 && !flatten && style != Style::quoted;
  if (count == 0 && !flatten && style != Style::quoted) return false;
  target.separate();
  *target.text += bare ? matches : "[" + matches + "]";
  return count > 0;
}

}  // namespace flowrun
