#include "runtime/plugin/describe.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "runtime/operator/option_specs.h"
#include "runtime/plugin/call.h"

namespace flowrun {

namespace {

constexpr uint64_t kMaxItems = 10'000;
constexpr int kMaxDepth = 16;

bool is_word(std::string_view name) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; };
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  if (name.empty() || digit(name[0])) return false;
  return std::ranges::all_of(name, [&](char c) { return letter(c) || digit(c); });
}

// The structs of an array of pointers, as far as this host knows them.
template <class T>
Result<std::vector<T>> structs_of(const T* const* list, uint64_t count, std::string_view what) {
  std::vector<T> structs;
  if (count > kMaxItems || (count > 0 && !list))
    return Error::invalid(fmt::format("its list of {} is missing or too long", what));
  for (uint64_t i = 0; i < count; ++i) {
    if (!list[i]) return Error::invalid(fmt::format("number {} of its {} is null", i, what));
    structs.push_back(known_part<T>(list[i]));
  }
  return structs;
}

Result<std::vector<std::string>> words_of(const char* const* list, uint64_t count,
                                          std::string_view what) {
  std::vector<std::string> words;
  if (count > kMaxItems || (count > 0 && !list))
    return Error::invalid(fmt::format("its list of {} is missing or too long", what));
  for (uint64_t i = 0; i < count; ++i) {
    if (!list[i]) return Error::invalid(fmt::format("number {} of its {} is null", i, what));
    words.emplace_back(list[i]);
  }
  return words;
}

Result<OptionSpec> option_of(const flowrun_option_spec& raw, int depth);

Result<OptionSpec> option_at(const flowrun_option_spec* raw, int depth, std::string_view what) {
  if (!raw) return Error::invalid(fmt::format("an option has no {}", what));
  return option_of(known_part<flowrun_option_spec>(raw), depth);
}

Result<std::vector<OptionSpec>> alternatives_of(const flowrun_option_spec& raw, int depth) {
  std::vector<OptionSpec> alternatives;
  FLOWRUN_TRY(const auto list,
              structs_of(raw.alternatives, raw.num_alternatives, "option's alternatives"));
  for (const flowrun_option_spec& item : list) {
    FLOWRUN_TRY(OptionSpec spec, option_of(item, depth + 1));
    alternatives.push_back(std::move(spec));
  }
  return alternatives;
}

Result<OptionSpec> option_of_kind(const flowrun_option_spec& raw, int depth) {
  const std::string name = string_of(raw.name);
  const std::string doc = string_of(raw.doc);
  switch (raw.kind) {
    case FLOWRUN_OPTION_TEXT:
      return option::text(name, doc);
    case FLOWRUN_OPTION_WORD: {
      FLOWRUN_TRY(std::vector<std::string> words, words_of(raw.words, raw.num_words, "words"));
      return option::word(name, std::move(words), doc);
    }
    case FLOWRUN_OPTION_INTEGER:
      return option::integer(name, doc);
    case FLOWRUN_OPTION_NUMBER:
      return option::number(name, doc);
    case FLOWRUN_OPTION_BOOLEAN:
      return option::boolean(name, doc);
    case FLOWRUN_OPTION_DURATION:
      return option::duration(name, doc);
    case FLOWRUN_OPTION_BYTES:
      return option::bytes(name, doc);
    case FLOWRUN_OPTION_PATH:
      return option::path(name, doc);
    case FLOWRUN_OPTION_COLUMN:
      return option::column(name, doc);
    case FLOWRUN_OPTION_DATA_TYPE:
      return option::data_type(name, doc);
    case FLOWRUN_OPTION_SCHEMA:
      return option::schema(name, doc);
    case FLOWRUN_OPTION_LIST: {
      FLOWRUN_TRY(OptionSpec item, option_at(raw.item, depth + 1, "item"));
      return option::list_of(std::move(item), name, doc);
    }
    case FLOWRUN_OPTION_MAP: {
      FLOWRUN_TRY(OptionSpec item, option_at(raw.item, depth + 1, "item"));
      return option::map_of(std::move(item), name, doc);
    }
    case FLOWRUN_OPTION_ONE_OF: {
      FLOWRUN_TRY(std::vector<OptionSpec> alternatives, alternatives_of(raw, depth));
      if (alternatives.empty())
        return Error::invalid(fmt::format("its option `{}` has no alternatives", name));
      return option::one_of(name, doc, std::move(alternatives));
    }
    default:
      return Error::invalid(fmt::format(
          "its option `{}` has the kind {}, which this flowrun does not know", name, raw.kind));
  }
}

Result<OptionSpec> option_of(const flowrun_option_spec& raw, int depth) {
  if (depth > kMaxDepth) return Error::invalid("its options are nested too deeply");
  FLOWRUN_TRY(OptionSpec spec, option_of_kind(raw, depth));
  spec.required = (raw.flags & FLOWRUN_OPTION_REQUIRED) != 0;
  spec.secret = (raw.flags & FLOWRUN_OPTION_SECRET) != 0;
  spec.default_text = string_of(raw.default_text);
  if ((raw.flags & FLOWRUN_OPTION_HAS_LEAST) != 0) spec.least = raw.least;
  if ((raw.flags & FLOWRUN_OPTION_HAS_MOST) != 0) spec.most = raw.most;
  if (raw.when_option && raw.when_value) spec.only_with = {raw.when_option, raw.when_value};
  return spec;
}

Result<OperatorKind> operator_kind(int32_t kind) {
  switch (kind) {
    case FLOWRUN_KIND_SCALAR:
    case FLOWRUN_KIND_AGGREGATE:
    case FLOWRUN_KIND_FORMAT:
    case FLOWRUN_KIND_TRANSFORM:
      return OperatorKind::transform;
    case FLOWRUN_KIND_STATEFUL:
      return OperatorKind::stateful;
    case FLOWRUN_KIND_SOURCE:
      return OperatorKind::source;
    case FLOWRUN_KIND_SINK:
      return OperatorKind::sink;
    default:
      return Error::invalid(
          fmt::format("a component is of kind {}, which this flowrun does not know", kind));
  }
}

Status add_options(const flowrun_spec& raw, OperatorSpec& spec) {
  FLOWRUN_TRY(const auto options, structs_of(raw.options, raw.num_options, "options"));
  for (const flowrun_option_spec& option : options) {
    FLOWRUN_TRY(OptionSpec made, option_of(option, 0));
    if (!is_word(made.name))
      return Error::invalid(
          fmt::format("`{}` is no name for an option of `{}` — write a word in "
                      "lower case",
                      made.name, spec.name));
    spec.options.push_back(std::move(made));
  }
  if (raw.primary) {
    FLOWRUN_TRY(spec.primary, option_at(raw.primary, 0, "primary value"));
    spec.primary.name = spec.name;
  } else {
    spec.primary = option::text(spec.name, "");
  }
  return ok_status();
}

Result<OperatorSpec> spec_of(const flowrun_component& component) {
  if (!component.spec) return Error::invalid("a component has no spec");
  const auto raw = known_part<flowrun_spec>(component.spec);
  OperatorSpec spec;
  FLOWRUN_TRY(spec.kind, operator_kind(component.kind));
  spec.name = string_of(raw.name);
  if (!is_word(spec.name)) {
    return Error::invalid(fmt::format(
        "`{}` is no name for a component — write a word in lower case, such as `zscore`",
        spec.name));
  }
  spec.summary = string_of(raw.summary);
  spec.doc = string_of(raw.doc);
  FLOWRUN_RETURN_IF_ERROR(add_options(raw, spec));
  FLOWRUN_TRY(spec.ports, words_of(raw.ports, raw.num_ports, "ports"));
  FLOWRUN_TRY(const auto examples, structs_of(raw.examples, raw.num_examples, "examples"));
  for (const flowrun_example& example : examples)
    spec.examples.push_back({string_of(example.title), string_of(example.yaml)});
  if (spec.kind == OperatorKind::source) spec.inputs = InputShape::none;
  return spec;
}

// A function of a table that must be there.
struct Needed {
  template <class Function>
  Needed(const char* its_name, Function function) : name(its_name), present(function != nullptr) {}
  const char* name;
  bool present;
};

// All of what it does, be it reading, writing or both.
std::vector<Needed> needed_of_format(const flowrun_format& table) {
  std::vector<Needed> needed = {{"make", table.make}, {"destroy", table.destroy}};
  const bool writes = table.make_writer || table.destroy_writer || table.write;
  const bool reads = table.make_reader || table.destroy_reader || table.read;
  if (reads || !writes) {
    needed.insert(needed.end(), {{"bind", table.bind},
                                 {"make_reader", table.make_reader},
                                 {"destroy_reader", table.destroy_reader},
                                 {"read", table.read}});
  }
  if (writes) {
    needed.insert(needed.end(), {{"make_writer", table.make_writer},
                                 {"destroy_writer", table.destroy_writer},
                                 {"write", table.write}});
  }
  return needed;
}

std::vector<Needed> needed_functions(const Component& component) {
  switch (component.raw.kind) {
    case FLOWRUN_KIND_TRANSFORM: {
      const auto table = component.table<flowrun_transform>();
      return {{"make", table.make},
              {"destroy", table.destroy},
              {"bind", table.bind},
              {"apply", table.apply}};
    }
    case FLOWRUN_KIND_STATEFUL: {
      const auto table = component.table<flowrun_stateful>();
      return {{"make", table.make},      {"destroy", table.destroy},
              {"bind", table.bind},      {"make_local", table.make_local},
              {"absorb", table.absorb},  {"destroy_local", table.destroy_local},
              {"close", table.close},    {"snapshot", table.snapshot},
              {"restore", table.restore}};
    }
    case FLOWRUN_KIND_SOURCE: {
      const auto table = component.table<flowrun_source>();
      return {{"make", table.make}, {"destroy", table.destroy}, {"bind", table.bind},
              {"open", table.open}, {"read", table.read},       {"cancel", table.cancel}};
    }
    case FLOWRUN_KIND_SINK: {
      const auto table = component.table<flowrun_sink>();
      return {{"make", table.make}, {"destroy", table.destroy}, {"bind", table.bind},
              {"open", table.open}, {"write", table.write},     {"commit", table.commit}};
    }
    case FLOWRUN_KIND_AGGREGATE: {
      const auto table = component.table<flowrun_aggregate>();
      return {{"make_states", table.make_states},
              {"destroy_states", table.destroy_states},
              {"resize", table.resize},
              {"update", table.update},
              {"merge", table.merge},
              {"result_of", table.result_of},
              {"keep", table.keep},
              {"save", table.save},
              {"load", table.load}};
    }
    case FLOWRUN_KIND_FORMAT:
      return needed_of_format(component.table<flowrun_format>());
    default:
      return {};
  }
}

// It becomes part of a path.
Status check_extension(const std::string& format, const flowrun_format& table) {
  const std::string extension = string_of(table.extension);
  const auto fits = [](unsigned char c) { return std::isalnum(c) != 0; };
  if (!table.extension || (!extension.empty() && std::ranges::all_of(extension, fits)))
    return ok_status();
  return Error::invalid(fmt::format(
      "`{}` is no extension for the files of the format `{}` — write letters and digits", extension,
      format));
}

Status check_table(const Component& component) {
  if (!component.raw.table) return Error::invalid(fmt::format("`{}` has no table", component.name));
  for (const Needed& needed : needed_functions(component)) {
    if (needed.present) continue;
    return Error::invalid(fmt::format("the {} `{}` has no function `{}`",
                                      component_kind_name(component.raw.kind), component.name,
                                      needed.name));
  }
  return component.raw.kind == FLOWRUN_KIND_FORMAT
             ? check_extension(component.name, component.table<flowrun_format>())
             : ok_status();
}

}  // namespace

Result<std::vector<ComponentPtr>> describe_components(const flowrun_plugin& plugin) {
  if (!plugin.name || !is_word(plugin.name))
    return Error::invalid("it has no name — give it a word in lower case");
  FLOWRUN_TRY(const auto list, structs_of(plugin.components, plugin.num_components, "components"));
  if (list.empty()) return Error::invalid("there is no component in it");
  std::vector<ComponentPtr> components;
  for (const flowrun_component& raw : list) {
    auto component = std::make_shared<Component>();
    component->plugin = plugin.name;
    component->raw = raw;
    FLOWRUN_TRY(component->spec, spec_of(raw));
    component->name = component->spec.name;
    FLOWRUN_RETURN_IF_ERROR(check_table(*component));
    components.push_back(std::move(component));
  }
  return components;
}

std::vector<TrialExample> trial_examples(const Component& component) {
  const auto raw = known_part<flowrun_spec>(component.raw.spec);
  std::vector<TrialExample> examples;
  for (uint64_t i = 0; i < raw.num_examples; ++i) {
    const auto example = known_part<flowrun_example>(raw.examples[i]);
    if (!example.input) continue;
    TrialExample trial{string_of(example.yaml), example.input};
    for (uint64_t r = 0; example.records && r < example.num_records; ++r)
      trial.records.push_back(string_of(example.records[r]));
    examples.push_back(std::move(trial));
  }
  return examples;
}

std::string_view component_kind_name(int32_t kind) {
  switch (kind) {
    case FLOWRUN_KIND_TRANSFORM:
      return "transform";
    case FLOWRUN_KIND_STATEFUL:
      return "stateful operator";
    case FLOWRUN_KIND_SOURCE:
      return "source";
    case FLOWRUN_KIND_SINK:
      return "sink";
    case FLOWRUN_KIND_SCALAR:
      return "scalar function";
    case FLOWRUN_KIND_AGGREGATE:
      return "aggregate function";
    case FLOWRUN_KIND_FORMAT:
      return "format";
    default:
      return "component";
  }
}

}  // namespace flowrun
