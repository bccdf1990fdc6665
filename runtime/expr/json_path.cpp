#include "runtime/expr/json_path.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>

#include "runtime/format/json_writer.h"
#include "runtime/format/number.h"

namespace flowrun {

bool JsonPathFinder::parse(std::string_view path, std::vector<Step>& steps) {
  if (!path.starts_with('$')) return false;
  path.remove_prefix(1);
  while (!path.empty()) {
    if (path[0] == '.') {
      const size_t end = std::min(path.find_first_of(".[", 1), path.size());
      const std::string_view name = path.substr(1, end - 1);
      if (name.empty()) return false;
      steps.push_back({name == "*" ? Step::Kind::any_field : Step::Kind::name, std::string(name)});
      path.remove_prefix(end);
      continue;
    }
    const size_t close = path.starts_with("['") ? path.find("']", 2) : path.find(']');
    if (path[0] != '[' || close == std::string_view::npos) return false;
    if (path.starts_with("['")) {
      const std::string_view name = path.substr(2, close - 2);
      if (name.empty()) return false;
      steps.push_back({name == "*" ? Step::Kind::any_field : Step::Kind::name, std::string(name)});
      path.remove_prefix(close + 2);
      continue;
    }
    const std::string_view inside = path.substr(1, close - 1);
    Step step{Step::Kind::any_element};
    if (inside != "*") {
      step.kind = Step::Kind::index;
      const auto [end, error] =
          std::from_chars(inside.data(), inside.data() + inside.size(), step.index);
      if (error != std::errc{} || end != inside.data() + inside.size() || step.index < 0)
        return false;
    }
    steps.push_back(std::move(step));
    path.remove_prefix(close + 1);
  }
  return true;
}

bool JsonPathFinder::find(std::string_view text, std::string_view path, std::string& out) {
  if (path_ != path || path_.empty()) {
    path_ = path;
    steps_.clear();
    path_valid_ = parse(path, steps_);
  }
  if (!path_valid_) return false;
  out_ = &out;
  broken_ = false;
  tokens_.reset(text);
  return advance() && tokens_.current() != JsonToken::end_of_text && walk(steps_, Style::raw) &&
         !broken_;
}

bool JsonPathFinder::advance() {
  broken_ = broken_ || !tokens_.next();
  return !broken_;
}

// A comma, unless the value is the first of its array or object, or stands alone.
void JsonPathFinder::separate() {
  if (!out_->empty() && out_->back() != '[' && out_->back() != '{' && out_->back() != ':')
    *out_ += ',';
}

// The value at the current token as compact JSON.
bool JsonPathFinder::copy() {
  separate();
  switch (tokens_.current()) {
    case JsonToken::start_object:
      *out_ += '{';
      while (advance() && tokens_.current() != JsonToken::end_object) {
        separate();
        append_json_string(tokens_.name() != nullptr ? *tokens_.name() : "", *out_);
        *out_ += ':';
        if (!advance() || !copy()) return false;
      }
      *out_ += '}';
      return !broken_;
    case JsonToken::start_array:
      *out_ += '[';
      while (advance() && tokens_.current() != JsonToken::end_array) {
        if (!copy()) return false;
      }
      *out_ += ']';
      return !broken_;
    case JsonToken::string:
      broken_ = !tokens_.read_string();
      append_json_string(tokens_.text(), *out_);
      return !broken_;
    case JsonToken::integer:
      *out_ += tokens_.text();
      return true;
    case JsonToken::decimal:
      append_double(std::strtod(tokens_.text().c_str(), nullptr), *out_);
      return true;
    case JsonToken::not_finite:
      append_json_string(tokens_.text(), *out_);
      return true;
    case JsonToken::true_:
      *out_ += "true";
      return true;
    case JsonToken::false_:
      *out_ += "false";
      return true;
    case JsonToken::null:
      *out_ += "null";
      return true;
    default:
      broken_ = true;
      return false;
  }
}

bool JsonPathFinder::walk(Steps steps, Style style) {
  const JsonToken token = tokens_.current();
  if (steps.empty()) {
    if (token == JsonToken::string && style == Style::raw) {
      broken_ = !tokens_.read_string();
      *out_ += tokens_.text();
      return !broken_;
    }
    if (token == JsonToken::start_array && style == Style::flat) {
      bool found = false;
      while (advance() && tokens_.current() != JsonToken::end_array)
        found = walk(steps, style) || found;
      return found;
    }
    return copy();
  }
  if (token == JsonToken::start_object) return walk_object(steps, style);
  if (token == JsonToken::start_array) return walk_array(steps, style);
  return false;
}

bool JsonPathFinder::walk_object(Steps steps, Style style) {
  const Step& step = steps[0];
  bool found = false;
  while (advance() && tokens_.current() != JsonToken::end_object) {
    const bool by_name =
        step.kind == Step::Kind::name && tokens_.name() != nullptr && *tokens_.name() == step.name;
    const bool wanted = !found && (step.kind == Step::Kind::any_field || by_name);
    if (!advance()) return false;
    if (wanted && !(by_name && tokens_.current() == JsonToken::null)) {
      found = walk(steps.subspan(1), style);
      if (found || broken_) continue;
    }
    broken_ = broken_ || !tokens_.skip_children();
  }
  return found;
}

bool JsonPathFinder::walk_array(Steps steps, Style style) {
  const Step& step = steps[0];
  const Steps rest = steps.subspan(1);
  const bool next_any = !rest.empty() && rest[0].kind == Step::Kind::any_element;
  if (step.kind == Step::Kind::any_element && next_any) {
    // [*][*]: the inner arrays dissolve.
    separate();
    *out_ += '[';
    bool found = false;
    while (advance() && tokens_.current() != JsonToken::end_array)
      found = walk(rest.subspan(1), Style::flat) || found;
    *out_ += ']';
    return found;
  }
  if (step.kind == Step::Kind::any_element)
    return walk_elements(rest, style, style != Style::quoted);
  if (step.kind == Step::Kind::index)
    return walk_index(step, rest, next_any ? Style::quoted : style);
  broken_ = !tokens_.skip_children();
  return false;
}

// [*]: every element; with `dissolve` a lone result stands without the array around it.
bool JsonPathFinder::walk_elements(Steps rest, Style style, bool dissolve) {
  const size_t before = out_->size();
  separate();
  const size_t begin = out_->size();
  *out_ += '[';
  int found = 0;
  const Style inner = dissolve && style == Style::flat ? Style::flat : Style::quoted;
  while (advance() && tokens_.current() != JsonToken::end_array) {
    if (walk(rest, inner)) ++found;
  }
  *out_ += ']';
  if (dissolve && found == 1) {
    out_->pop_back();
    out_->erase(begin, 1);
  }
  if (dissolve && found == 0) out_->resize(before);
  return found > 0;
}

bool JsonPathFinder::walk_index(const Step& step, Steps rest, Style style) {
  int64_t at = 0;
  bool found = false;
  while (advance() && tokens_.current() != JsonToken::end_array) {
    if (at++ == step.index) {
      found = walk(rest, style);
      if (found) continue;
    }
    broken_ = broken_ || !tokens_.skip_children();
  }
  return found;
}

}  // namespace flowrun
