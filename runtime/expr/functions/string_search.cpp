// Text: searching, replacing and taking apart, without regular expressions.
#include <algorithm>
#include <limits>
#include <vector>

#include "runtime/expr/functions/functions.h"
#include "runtime/expr/functions/text_cut.h"
#include "runtime/expr/scalar.h"
#include "runtime/format/unicode_case.h"

namespace flowrun {

namespace {

using Text = std::string_view;

// The position, in characters from 1, of `part` from the character `from` (from 0) on; 0 if there
// is none.
int32_t position_of(Text text, Text part, int64_t from) {
  if (part.empty()) return 1;
  const size_t begin = code_point_offset(text, from);
  const size_t found = text.find(part, begin);
  if (found == Text::npos) return 0;
  return count_code_points(text.substr(0, found)) + 1;
}

int32_t locate(Text part, Text text, int32_t start) {
  return start <= 0 ? 0 : position_of(text, part, start - 1);
}

void replace_all(Text text, Text search, Text replacement, std::string& out) {
  if (search.empty()) {
    out += text;
    return;
  }
  for (size_t at = 0;;) {
    const size_t found = text.find(search, at);
    out += text.substr(at, found - at);
    if (found == Text::npos) return;
    out += replacement;
    at = found + search.size();
  }
}

// One character becomes another, or goes.
struct Translation {
  std::string from;
  std::string to;
  std::vector<std::pair<uint32_t, std::string>> map;

  void prepare(Text new_from, Text new_to) {
    if (from == new_from && to == new_to) return;
    from = new_from;
    to = new_to;
    map.clear();
    while (!new_from.empty()) {
      const uint32_t code_point = take_code_point(new_from);
      const size_t size = new_to.empty() ? 0 : std::min(code_point_size(new_to[0]), new_to.size());
      if (find(code_point) == nullptr) map.emplace_back(code_point, new_to.substr(0, size));
      new_to.remove_prefix(size);
    }
  }
  [[nodiscard]] const std::string* find(uint32_t code_point) const {
    for (const auto& [from_point, target] : map) {
      if (from_point == code_point) return &target;
    }
    return nullptr;
  }
};

void translate(Translation& translation, Text text, Text from, Text to, std::string& out) {
  translation.prepare(from, to);
  while (!text.empty()) {
    const Text before = text;
    const std::string* target = translation.find(take_code_point(text));
    if (target != nullptr) {
      out += *target;
    } else {
      out += before.substr(0, before.size() - text.size());
    }
  }
}

// Everything before the n-th separator, or behind the n-th from the end.
Text substring_index(Text text, Text separator, int32_t n) {
  if (n == 0 || separator.empty()) return {};
  size_t at = n > 0 ? 0 : text.size();
  for (int64_t left = n; left != 0; left += n > 0 ? -1 : 1) {
    if (n > 0) {
      const size_t found = text.find(separator, at);
      if (found == Text::npos) return text;
      if (left == 1) return text.substr(0, found);
      at = found + 1;
    } else {
      if (at < separator.size()) return text;
      const size_t found = text.rfind(separator, at - separator.size());
      if (found == Text::npos) return text;
      if (left == -1) return text.substr(found + separator.size());
      at = found + separator.size() - 1;
    }
  }
  return text;
}

Result<Text> split_part(Text text, Text separator, int32_t n) {
  if (n == 0) return Error::data("split_part has no part 0 — count from 1, or from -1 at the end");
  if (separator.empty()) return n == 1 || n == -1 ? text : Text{};
  std::vector<Text> parts;
  for (size_t at = 0;;) {
    const size_t found = text.find(separator, at);
    parts.push_back(text.substr(at, found - at));
    if (found == Text::npos) break;
    at = found + separator.size();
  }
  const auto size = static_cast<int64_t>(parts.size());
  const int64_t index = n > 0 ? n - 1 : size + n;
  return index >= 0 && index < size ? parts[static_cast<size_t>(index)] : Text{};
}

int32_t find_in_set(Text word, Text set) {
  if (word.find(',') != Text::npos) return 0;
  int32_t index = 1;
  for (size_t at = 0;; ++index) {
    const size_t comma = set.find(',', at);
    if (set.substr(at, comma - at) == word) return index;
    if (comma == Text::npos) return 0;
    at = comma + 1;
  }
}

int32_t saturating_add(int32_t a, int32_t b) {
  constexpr std::numeric_limits<int32_t> kLimits;
  return static_cast<int32_t>(std::clamp<int64_t>(int64_t{a} + b, kLimits.min(), kLimits.max()));
}

// `length` characters from `position` on make way for `replacement`.
void overlay(Text text, Text replacement, int32_t position, int32_t length, std::string& out) {
  const int32_t size = length >= 0 ? length : count_code_points(replacement);
  out += cut_text(text, 1, saturating_add(position, -1));
  out += replacement;
  out += cut_text(text, saturating_add(position, size), kCutToTheEnd);
}

void overlay_bytes(Binary binary, Binary replacement, int32_t position, int32_t length,
                   std::string& out) {
  const int32_t size = length >= 0 ? length : static_cast<int32_t>(replacement.bytes.size());
  out += cut_bytes(binary.bytes, 1, saturating_add(position, -1));
  out += replacement.bytes;
  out += cut_bytes(binary.bytes, saturating_add(position, size), kCutToTheEnd);
}

std::vector<uint32_t> code_points(Text text) {
  std::vector<uint32_t> points;
  while (!text.empty()) points.push_back(take_code_point(text));
  return points;
}

// Edits (insert, delete, replace) between two texts.
int32_t levenshtein(Text a, Text b) {
  const std::vector<uint32_t> left = code_points(a);
  const std::vector<uint32_t> right = code_points(b);
  std::vector<int32_t> costs(right.size() + 1);
  for (size_t j = 0; j < costs.size(); ++j) costs[j] = static_cast<int32_t>(j);
  for (size_t i = 1; i <= left.size(); ++i) {
    int32_t diagonal = costs[0];
    costs[0] = static_cast<int32_t>(i);
    for (size_t j = 1; j <= right.size(); ++j) {
      const int32_t replaced = diagonal + (left[i - 1] == right[j - 1] ? 0 : 1);
      diagonal = costs[j];
      costs[j] = std::min({costs[j] + 1, costs[j - 1] + 1, replaced});
    }
  }
  return costs.back();
}

template <class Code>
ScalarFunction test_function(const char* name, std::string doc, Code code) {
  return overloads(name, std::move(doc),
                   {scalar<bool(Text, Text)>("", "", code),
                    scalar<bool(Binary, Binary)>(
                        "", "", [code](Binary a, Binary b) { return code(a.bytes, b.bytes); })});
}

// The n-th of the texts behind the first argument; null if there is none.
Result<Datum> pick_text(const CallContext& context, std::span<const Datum> arguments,
                        const Type& type) {
  const int64_t rows = rows_to_compute(arguments, context.num_rows);
  const auto builder = make_builder(type);
  const Datum& index = arguments[0];
  for (int64_t row = 0; row < rows; ++row) {
    const int32_t n = index.is_null(row)
                          ? 0
                          : index.column->values<int32_t>()[static_cast<size_t>(index.at(row))];
    if (n < 1 || static_cast<size_t>(n) >= arguments.size()) {
      builder->append_null();
    } else {
      const Datum& chosen = arguments[static_cast<size_t>(n)];
      builder->append_row(*chosen.column, chosen.at(row));
    }
  }
  return Datum{builder->finish(), rows_to_compute(arguments, 2) == 1};
}

Result<BoundFunction> bind_elt(const Arguments& arguments) {
  const bool binary = std::all_of(arguments.types.begin() + 1, arguments.types.end(),
                                  [](const Type& type) { return type.id() == TypeId::binary; });
  const Type type = binary ? Type::binary() : Type::string();
  BoundFunction bound{
      .arguments = {arguments.size(), type},
      .result = type,
      .kernel = [type](const CallContext& context,
                       std::span<const Datum> rows) { return pick_text(context, rows, type); },
      .adds_nulls = true};
  if (!arguments.types[0].is_numeric() && arguments.types[0].id() != TypeId::string &&
      arguments.types[0].id() != TypeId::null) {
    return wrong_argument(arguments, 0, "int");
  }
  bound.arguments[0] = Type::integer();
  return bound;
}

void register_positions(FunctionRegistry& registry) {
  registry.add(scalar<int32_t(Text, Text)>(
      "instr", "instr(text, part): where the part stands first, from 1; 0 if nowhere.",
      [](Text text, Text part) { return position_of(text, part, 0); }));
  registry.add(
      scalar<int32_t(Text, Text, int32_t)>(
          {"locate", "position"},
          "locate(part, text[, start]): where the part stands first from a start on; 0 if nowhere.",
          locate)
          .with_defaults({constant_int(1)}));
  registry.add(scalar<int32_t(Text, Text)>(
      "find_in_set", "find_in_set(word, set): the word's place in a list with commas; 0 if none.",
      find_in_set));
  registry.add(test_function("contains", "contains(text, part): does the part stand in the text?",
                             [](Text text, Text part) { return text.find(part) != Text::npos; }));
  registry.add(test_function("startswith", "startswith(text, part): does the text begin so?",
                             [](Text text, Text part) { return text.starts_with(part); }));
  registry.add(test_function("endswith", "endswith(text, part): does the text end so?",
                             [](Text text, Text part) { return text.ends_with(part); }));
}

}  // namespace

void register_string_search_functions(FunctionRegistry& registry) {
  register_positions(registry);
  registry.add(scalar<std::string(Text, Text, Text)>(
                   "replace", "replace(text, search[, replacement]): every occurrence replaced.",
                   replace_all)
                   .with_defaults({constant_text("")}));
  registry.add(scalar_with<Translation, std::string(Text, Text, Text)>(
      "translate",
      "translate(text, from, to): each character of `from` becomes its counterpart in `to`, or "
      "goes.",
      translate));
  registry.add(scalar<Text(Text, Text, int32_t)>("substring_index",
                                                 "substring_index(text, separator, n): all before "
                                                 "the n-th separator, from the end if negative.",
                                                 substring_index));
  registry.add(scalar<Text(Text, Text, int32_t)>(
                   "split_part",
                   "split_part(text, separator, n): the n-th part, from the end if negative.",
                   split_part)
                   .may_fail());
  registry.add(
      overloads(
          "overlay",
          "overlay(text PLACING replacement FROM position [FOR length]): characters replaced.",
          {scalar<std::string(Text, Text, int32_t, int32_t)>("", "", overlay),
           scalar<BinaryText(Binary, Binary, int32_t, int32_t)>("", "", overlay_bytes)})
          .with_defaults({constant_int(-1)}));
  registry.add(overloads(
      "levenshtein",
      "levenshtein(a, b[, limit]): edits between two texts; -1 if there are more than a limit.",
      {scalar<int32_t(Text, Text)>("", "", levenshtein),
       scalar<int32_t(Text, Text, int32_t)>("", "", [](Text a, Text b, int32_t limit) {
         const int32_t edits = levenshtein(a, b);
         return edits > limit ? -1 : edits;
       })}));
  registry.add(
      ScalarFunction("elt", "elt(n, x, ...): the n-th of the texts behind; null if there is none.",
                     2, ScalarFunction::kAnyNumber, BindFunction(bind_elt)));
}

}  // namespace flowrun
