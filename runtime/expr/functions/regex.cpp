// Regular expressions in Java's syntax: matching, extracting, replacing, splitting.
#include <algorithm>
#include <array>
#include <vector>

#include "runtime/expr/functions/functions.h"
#include "runtime/expr/java_regex.h"
#include "runtime/expr/scalar.h"
#include "runtime/format/unicode_case.h"

namespace flowrun {

namespace {

using Text = std::string_view;

// The compiled pattern and room for its groups.
struct RegexState : RegexCache {
  std::vector<Text> groups;

  // Compiled anew only when it or its pattern changes.
  Result<const JavaReplacement*> replacement_for(Text text, Text pattern, const JavaRegex& regex) {
    if (!replacement_ || replacement_text_ != text || replaced_pattern_ != pattern) {
      FLOWRUN_TRY(replacement_, JavaReplacement::compile(text, regex));
      replacement_text_ = text;
      replaced_pattern_ = pattern;
    }
    return &*replacement_;
  }

 private:
  std::string replacement_text_;
  std::string replaced_pattern_;
  std::optional<JavaReplacement> replacement_;
};

// Refuses a constant pattern that can never run when the expression is bound. What is malformed
// fails when it is evaluated, as in Spark.
ScalarFunction checked(ScalarFunction function) {
  function.bind =
      [bind = std::move(function.bind)](const Arguments& arguments) -> Result<BoundFunction> {
    if (const auto pattern = arguments.constant_text(1)) {
      auto translated = translate_java_regex(*pattern);
      if (!translated && translated.error().code == ErrorCode::invalid)
        return std::move(translated.error());
    }
    return bind(arguments);
  };
  function.fallible = true;
  return function;
}

Result<bool> matches(RegexState& state, Text text, Text pattern) {
  FLOWRUN_TRY(const JavaRegex* regex, state.get(pattern));
  return regex->matches_somewhere(text);
}

// Compiles, and makes room for the groups up to `group`, or all if there are fewer.
Result<const JavaRegex*> prepare(RegexState& state, Text pattern, int32_t group) {
  FLOWRUN_TRY(const JavaRegex* regex, state.get(pattern));
  state.groups.resize(static_cast<size_t>(std::clamp(group, 0, regex->num_groups())) + 1);
  return regex;
}

// Of the match that was found: as in Spark it does not matter before that there is no such group.
Result<Text> group_of(const RegexState& state, const JavaRegex& regex, int32_t group) {
  if (group < 0 || group > regex.num_groups()) {
    return Error::data("there is no group " + std::to_string(group) + " — the pattern has 0 to " +
                       std::to_string(regex.num_groups()));
  }
  return state.groups[static_cast<size_t>(group)];
}

Result<Text> extract(RegexState& state, Text text, Text pattern, int32_t group) {
  FLOWRUN_TRY(const JavaRegex* regex, prepare(state, pattern, group));
  if (!regex->find(text, 0, state.groups)) return Text{};
  return group_of(state, *regex, group);
}

Result<int32_t> count(RegexState& state, Text text, Text pattern) {
  FLOWRUN_TRY(const JavaRegex* regex, prepare(state, pattern, 0));
  int32_t found = 0;
  for (size_t at = 0; regex->find(text, at, state.groups); ++found) {
    const Text match = state.groups[0];
    at = JavaRegex::after(text, match);
    // Java also finds nothing between the two halves of a character beyond U+FFFF.
    if (match.empty() && at - static_cast<size_t>(match.data() - text.data()) == 4) ++found;
  }
  return found;
}

// Spark takes a group's number and does nothing with it.
Result<int32_t> position(RegexState& state, Text text, Text pattern, int32_t) {
  FLOWRUN_TRY(const JavaRegex* regex, prepare(state, pattern, 0));
  if (!regex->find(text, 0, state.groups)) return 0;
  const auto offset = static_cast<size_t>(state.groups[0].data() - text.data());
  return count_code_points(text.substr(0, offset)) + 1;
}

Result<std::optional<Text>> first_match(RegexState& state, Text text, Text pattern) {
  FLOWRUN_TRY(const JavaRegex* regex, prepare(state, pattern, 0));
  if (!regex->find(text, 0, state.groups)) return std::optional<Text>{};
  return std::optional<Text>{state.groups[0]};
}

// Every match from the character `start` (from 1) on makes way for the replacement.
Status replace(RegexState& state, Text text, Text pattern, Text replacement, int32_t start,
               std::string& out) {
  FLOWRUN_TRY(const JavaRegex* regex, state.get(pattern));
  const JavaReplacement* parts = nullptr;  // looked at when there is something to replace
  state.groups.resize(static_cast<size_t>(regex->num_groups()) + 1);
  const size_t head = start > 1 ? code_point_offset(text, start - 1) : 0;
  out += text.substr(0, head);
  const Text body = text.substr(head);
  if (start > 1 && body.empty()) return {};
  size_t copied = 0;
  for (size_t at = 0; regex->find(body, at, state.groups);
       at = JavaRegex::after(body, state.groups[0])) {
    if (!parts) {
      FLOWRUN_TRY(parts, state.replacement_for(replacement, pattern, *regex));
    }
    const auto begin = static_cast<size_t>(state.groups[0].data() - body.data());
    out += body.substr(copied, begin - copied);
    parts->append(state.groups, out);
    copied = begin + state.groups[0].size();
  }
  out += body.substr(copied);
  return {};
}

// As String.split with the limit; 0 counts as none. An empty pattern parts all characters; the last
// of a limited number has the rest.
void split_characters(Text text, int32_t limit, std::vector<Text>& parts) {
  const int32_t size = count_code_points(text);
  for (int32_t left = limit > size || limit <= 0 ? size : limit; left > 0; --left) {
    const size_t bytes = left == 1 ? text.size() : code_point_size(text[0]);
    parts.push_back(text.substr(0, bytes));
    text.remove_prefix(std::min(bytes, text.size()));
  }
}

Status split(RegexState& state, Text text, Text pattern, int32_t limit, std::vector<Text>& parts) {
  if (pattern.empty() && !text.empty()) {
    split_characters(text, limit, parts);
    return {};
  }
  FLOWRUN_TRY(const JavaRegex* regex, prepare(state, pattern, 0));
  size_t begin = 0;
  for (size_t at = 0; regex->find(text, at, state.groups);
       at = JavaRegex::after(text, state.groups[0])) {
    const Text match = state.groups[0];
    const auto offset = static_cast<size_t>(match.data() - text.data());
    if (limit > 0 && static_cast<int32_t>(parts.size()) >= limit - 1) break;
    if (offset == 0 && match.empty() && begin == 0)
      continue;  // Java drops an empty part at the front
    parts.push_back(text.substr(begin, offset - begin));
    begin = offset + match.size();
  }
  parts.push_back(text.substr(begin));
  return {};
}

// A kernel of text, pattern and a number that fills an array of text per row.
template <class Code>
BindFunction array_function(const Code& code) {
  const Kernel kernel = [code](const CallContext& context,
                               std::span<const Datum> arguments) -> Result<Datum> {
    const Type type = Type::array(Type::string());
    for (const Datum& argument : arguments) {
      if (argument.is_constant_null()) return Datum::null(type);
    }
    const int64_t rows = rows_to_compute(arguments, context.num_rows);
    const NullMask mask = combine_nulls(arguments, rows);
    ArrayBuilder builder(type);
    auto& element = static_cast<StringBuilder&>(builder.element());
    RegexState state;
    std::vector<Text> parts;
    for (int64_t row = 0; row < rows; ++row) {
      if (mask.is_null(row)) {
        builder.append_null();
        continue;
      }
      parts.clear();
      const auto text = [&](size_t i) { return arguments[i].column->string(arguments[i].at(row)); };
      const int32_t number =
          arguments[2].column->values<int32_t>()[static_cast<size_t>(arguments[2].at(row))];
      FLOWRUN_RETURN_IF_ERROR(code(state, text(0), text(1), number, parts));
      for (const Text part : parts) element.append(part);
      builder.append();
    }
    return Datum{builder.finish(), rows_to_compute(arguments, 2) == 1};
  };
  return [kernel](const Arguments& arguments) {
    const std::vector<Type> parameters{Type::string(), Type::string(), Type::integer()};
    return bind_to_signature(arguments, parameters, Type::array(Type::string()), kernel);
  };
}

Status extract_all(RegexState& state, Text text, Text pattern, int32_t group,
                   std::vector<Text>& parts) {
  FLOWRUN_TRY(const JavaRegex* regex, prepare(state, pattern, group));
  for (size_t at = 0; regex->find(text, at, state.groups);
       at = JavaRegex::after(text, state.groups[0])) {
    FLOWRUN_TRY(const Text part, group_of(state, *regex, group));
    parts.push_back(part);
  }
  return {};
}

ScalarFunction replace_function() {
  ScalarFunction function = checked(scalar_with<RegexState, std::string(Text, Text, Text, int32_t)>(
      "regexp_replace",
      "regexp_replace(text, pattern, replacement[, start]): every match replaced; $1 is a group.",
      replace));
  function.bind =
      [bind = std::move(function.bind)](const Arguments& arguments) -> Result<BoundFunction> {
    const auto start = arguments.constant_integer(3);
    if (start && *start < 1) return Error::invalid("regexp_replace starts at character 1 or later");
    return bind(arguments);
  };
  return std::move(function).with_defaults({constant_int(1)});
}

void register_matching(FunctionRegistry& registry) {
  const char* doc = "x RLIKE pattern: does the regular expression match somewhere in x?";
  constexpr std::array<std::pair<const char*, const char*>, 3> kNames{
      {{"rlike", "RLIKE"}, {"regexp", "REGEXP"}, {"regexp_like", "REGEXP_LIKE"}}};
  for (const auto& [name, shown] : kNames) {
    registry.add(
        checked(scalar_with<RegexState, bool(Text, Text)>(name, doc, matches)).shown_as(shown));
  }
  registry.add(checked(scalar_with<RegexState, int32_t(Text, Text)>(
      "regexp_count", "regexp_count(text, pattern): how often it matches.", count)));
  registry.add(checked(scalar_with<RegexState, int32_t(Text, Text, int32_t)>(
                           "regexp_instr",
                           "regexp_instr(text, pattern): where it matches first, from 1; 0 if "
                           "nowhere.",
                           position))
                   .with_defaults({constant_int(0)}));
  registry.add(checked(scalar_with<RegexState, Text(Text, Text)>(
      "regexp_substr", "regexp_substr(text, pattern): the first match; null if none.",
      first_match)));
}

}  // namespace

void register_regex_functions(FunctionRegistry& registry) {
  register_matching(registry);
  registry.add(
      checked(
          scalar_with<RegexState, Text(Text, Text, int32_t)>(
              "regexp_extract",
              "regexp_extract(text, pattern[, group]): a group of the first match; empty if none.",
              extract))
          .with_defaults({constant_int(1)}));
  registry.add(
      checked(ScalarFunction("regexp_extract_all",
                             "regexp_extract_all(text, pattern[, group]): a group of every match.",
                             3, 3, array_function(extract_all)))
          .with_defaults({constant_int(1)}));
  registry.add(replace_function());
  registry.add(
      checked(ScalarFunction(
                  "split",
                  "split(text, pattern[, limit]): the parts between matches, at most `limit`.", 3,
                  3, array_function(split)))
          .with_defaults({constant_int(-1)}));
}

}  // namespace flowrun
