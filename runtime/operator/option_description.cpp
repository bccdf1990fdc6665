// What an option takes, in words: for messages and the reference.

#include "runtime/operator/option_reading.h"

namespace flowrun {

namespace {

std::string bounds(const OptionSpec& spec) {
  const auto least = spec.least ? std::to_string(*spec.least) : "";
  const auto most = spec.most ? std::to_string(*spec.most) : "";
  if (spec.least && spec.most) return " from " + least + " to " + most;
  if (spec.least) return " of at least " + least;
  if (spec.most) return " of at most " + most;
  return "";
}

std::string words(const OptionSpec& spec) {
  std::string text;
  for (size_t i = 0; i < spec.words.size(); ++i) {
    if (i > 0) text += i + 1 == spec.words.size() ? " or " : ", ";
    text += "`" + spec.words[i] + "`";
  }
  return text;
}

// "a column" -> "columns".
std::string plural(const OptionSpec& item) {
  switch (item.kind) {
    case OptionKind::column:
      return "columns";
    case OptionKind::expression:
      return "expressions";
    case OptionKind::text:
      return "texts";
    case OptionKind::path:
      return "paths";
    case OptionKind::data_type:
      return "types";
    case OptionKind::integer:
      return "whole numbers";
    case OptionKind::any_scalar:
      return "values";
    case OptionKind::list:
      return "lists of " + plural(item.items.front());
    default:
      return "values, each " + describe_option(item);
  }
}

std::string alternatives(const OptionSpec& spec) {
  std::string text;
  for (size_t i = 0; i < spec.alternatives.size(); ++i) {
    if (i > 0) text += ", or ";
    text += describe_option(spec.alternatives[i]);
  }
  return text;
}

// "`certificate`, `key` and `client_ca`".
std::string names(const std::vector<OptionSpec>& options) {
  std::string text;
  for (size_t i = 0; i < options.size(); ++i) {
    if (i > 0) text += i + 1 == options.size() ? " and " : ", ";
    text += "`" + options[i].name + "`";
  }
  return text;
}

std::string duration(const OptionSpec& spec) {
  std::string text = "a duration";
  if (spec.least && *spec.least > 0) text += " above zero";
  if (spec.least && *spec.least == 0) text += ", not negative,";
  return text + " such as `10 seconds`";
}

}  // namespace

std::string describe_option(const OptionSpec& spec) {
  switch (spec.kind) {
    case OptionKind::text:
      return "a text";
    case OptionKind::word:
      return words(spec);
    case OptionKind::integer:
      return "a whole number" + bounds(spec);
    case OptionKind::number:
      return "a number";
    case OptionKind::boolean:
      return "`true` or `false`";
    case OptionKind::duration:
      return duration(spec);
    case OptionKind::bytes:
      return "a size such as `64 KiB` or `10 MiB`";
    case OptionKind::rows:
      return "a count, or `false`";
    case OptionKind::path:
      return "a path";
    case OptionKind::expression:
      return "an expression";
    case OptionKind::column:
      return "a column's name";
    case OptionKind::data_type:
      return "a type such as `bigint` or `array<string>`";
    case OptionKind::schema:
      return "a mapping of column to type, or DDL such as `\"id bigint, name string\"`";
    case OptionKind::any_scalar:
      return "a text, a number, `true` or `false`";
    case OptionKind::list:
      return "a list of " + plural(spec.items.front());
    case OptionKind::map:
      return "a mapping of names to " + plural(spec.items.front());
    case OptionKind::one_of:
      return alternatives(spec);
    case OptionKind::group:
      return "a mapping with " + names(spec.items);
  }
  return "";
}

}  // namespace flowrun
