#pragma once
// OperatorSpec: the only description of an operator's options. Checking, JSON Schema, help and the
// reference pages are generated from it; every example in it is checked in CI.

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "runtime/operator/options.h"

namespace flowrun {

// What a name given as an option's text stands for beyond the operator; checked across the whole
// file.
enum class NameRole : uint8_t {
  none,
  static_table,   // one of `tables:`, and uses it
  live_table,     // a table that the node fills: no other node may fill one of that name
  record_format,  // how records that are read are written: formats of plugins are added to its
                  // words
  row_format,     // how rows are written: the same, of those that write
};

// Written with the builders of operator/option_specs.h, so that a spec reads like a table.
struct OptionSpec {
  std::string name;
  OptionKind kind = OptionKind::text;
  std::string doc;
  bool required = false;
  std::string default_text = {};        // as YAML would write it; empty: none
  std::vector<std::string> words = {};  // word: what is allowed
  // list, map: exactly one, the spec of an item; group: the options inside, without roles
  std::vector<OptionSpec> items = {};
  std::vector<OptionSpec> alternatives = {};  // one_of
  bool secret = false;                        // never echoed
  std::optional<int64_t> least = {};          // integer, duration, bytes: bounds, both inclusive
  std::optional<int64_t> most = {};
  NameRole role = NameRole::none;
  // The option makes sense only where the option named first has the value named second: {"format",
  // "csv"}.
  std::optional<std::pair<std::string, std::string>> only_with = {};
  // word: what exists but cannot stand here, each with what is said of it.
  std::vector<std::pair<std::string, std::string>> refused_words = {};

  // Each gives back a changed copy, for chaining: integer("port", "...").between(1, 65535).
  [[nodiscard]] OptionSpec with_default(std::string text) const;
  [[nodiscard]] OptionSpec between(int64_t lowest, int64_t highest) const;
  [[nodiscard]] OptionSpec at_least(int64_t lowest) const;
  [[nodiscard]] OptionSpec naming(NameRole what) const;
  [[nodiscard]] OptionSpec when(std::string option, std::string value) const;
};

// How many inputs `from` gives and in what form.
enum class InputShape : uint8_t {
  none,   // a source
  one,    // `from: a`, or `from: [a, b]`, which the engine makes a union
  sides,  // `from: { left: a, right: b }`
};

enum class OperatorKind : uint8_t { source, transform, stateful, sink };

struct Example {
  std::string title;
  std::string yaml;  // a whole pipeline file, or the body of `nodes:`; checked in CI
};

struct OperatorSpec {
  std::string name;  // the key in YAML: "dropna"; for sources and sinks the word: "socket"
  OperatorKind kind = OperatorKind::transform;
  std::string summary;   // one line
  std::string doc = {};  // more, as Markdown; guarantees and limits
  OptionSpec primary =
      {};  // value of the operator key (its name is the operator's); unused by sources, sinks
  std::vector<OptionSpec> options = {};
  std::vector<std::string> ports = {};  // output ports beside the main one: "errors", "late"
  InputShape inputs = InputShape::one;
  std::vector<Example> examples = {};
};

}  // namespace flowrun
