#include "runtime/operator/option_reading.h"

#include <algorithm>
#include <iterator>
#include <map>

#include "runtime/base/suggest.h"
#include "runtime/operator/option_specs.h"
#include "runtime/operator/scalar_reading.h"
#include "runtime/operator/spark_words.h"

namespace flowrun {

namespace {

// An error found inside a scalar, at its place in the file.
Error placed(Error error, const RawValue& raw) {
  OptionValue where;
  where.position = raw.position;
  where.quoted = raw.quoted;
  where.interpolated = raw.interpolated;
  where.marks = raw.marks;
  return where.place(std::move(error));
}

Error wrong_shape(const OptionSpec& spec, const RawValue& raw) {
  return Error::invalid(back_quoted(spec.name) + " cannot be " + raw.shown() + " — write " +
                        describe_option(spec))
      .at(raw.position);
}

OptionValue container(OptionKind kind, const RawValue& raw) {
  OptionValue value;
  value.kind = kind;
  value.position = raw.position;
  return value;
}

OptionValue read_list(const OptionSpec& spec, const RawValue& raw, Errors& errors) {
  OptionValue value = container(OptionKind::list, raw);
  if (raw.kind == RawValue::Kind::list) {
    for (const RawValue& item : raw.items)
      value.items.push_back(read_option(spec.items.front(), item, errors));
  } else if (raw.kind == RawValue::Kind::empty) {
    errors.push_back(wrong_shape(spec, raw));
  } else {
    value.items.push_back(read_option(spec.items.front(), raw, errors));
  }
  return value;
}

OptionValue read_map(const OptionSpec& spec, const RawValue& raw, Errors& errors) {
  OptionValue value = container(OptionKind::map, raw);
  if (raw.kind != RawValue::Kind::map) {
    errors.push_back(wrong_shape(spec, raw));
    return value;
  }
  for (size_t i = 0; i < raw.items.size(); ++i) {
    OptionSpec item = spec.items.front();
    item.name = raw.keys[i].text;
    RawValue given = raw.items[i];
    if (!given.position.known()) given.position = raw.keys[i].position;
    value.keys.emplace_back(raw.keys[i].text, raw.keys[i].position);
    value.items.push_back(read_option(item, given, errors));
  }
  return value;
}

OptionValue read_group(const OptionSpec& spec, const RawValue& raw, Errors& errors) {
  OptionValue value = container(OptionKind::group, raw);
  if (raw.kind != RawValue::Kind::map) {
    errors.push_back(wrong_shape(spec, raw));
    return value;
  }
  std::vector<OptionSpec> inside = spec.items;
  for (OptionSpec& option : inside) option.secret = option.secret || spec.secret;
  const Options options = read_options(inside, raw, back_quoted(spec.name), errors);
  for (const auto& [name, option] : options.values()) {
    const auto key = std::ranges::find(raw.keys, name, &RawValue::Key::text);
    value.keys.emplace_back(name, key == raw.keys.end() ? raw.position : key->position);
    value.items.push_back(option);
  }
  return value;
}

OptionValue read_schema_map(const RawValue& raw, Errors& errors) {
  OptionValue value = container(OptionKind::schema, raw);
  std::vector<Field> fields;
  for (size_t i = 0; i < raw.items.size(); ++i) {
    OptionSpec type = option::data_type(raw.keys[i].text, "");
    const OptionValue item = read_option(type, raw.items[i], errors);
    fields.push_back({.name = raw.keys[i].text, .type = item.type});
    value.keys.emplace_back(raw.keys[i].text, raw.keys[i].position);
    value.items.push_back(item);
  }
  value.schema = Schema::make(std::move(fields));
  return value;
}

OptionValue read_schema(const OptionSpec& spec, const RawValue& raw, Errors& errors) {
  if (raw.kind == RawValue::Kind::map) return read_schema_map(raw, errors);
  OptionValue value = container(OptionKind::schema, raw);
  value.schema = Schema::make({});
  if (raw.kind != RawValue::Kind::scalar || raw.text.empty()) {
    errors.push_back(wrong_shape(spec, raw));
    return value;
  }
  value.text = raw.text;
  auto schema = parse_schema(raw.text);
  if (schema) {
    value.schema = *schema;
  } else {
    errors.push_back(placed(std::move(schema.error()), raw));
  }
  return value;
}

// Whether the alternative is of the shape that was written, right or wrong inside.
bool same_shape(const OptionSpec& spec, const RawValue& raw) {
  switch (raw.kind) {
    case RawValue::Kind::list:
      return spec.kind == OptionKind::list;
    case RawValue::Kind::map:
      return spec.kind == OptionKind::map || spec.kind == OptionKind::group ||
             spec.kind == OptionKind::schema;
    default:
      return spec.kind != OptionKind::list && spec.kind != OptionKind::map &&
             spec.kind != OptionKind::group;
  }
}

OptionValue read_one_of(const OptionSpec& spec, const RawValue& raw, Errors& errors) {
  Errors of_same_shape;
  size_t num_same_shape = 0;
  for (OptionSpec alternative : spec.alternatives) {
    alternative.name = spec.name;
    alternative.secret = spec.secret;
    Errors found;
    OptionValue value = read_option(alternative, raw, found);
    if (found.empty()) return value;
    if (same_shape(alternative, raw)) {
      ++num_same_shape;
      of_same_shape = std::move(found);
    }
  }
  if (num_same_shape == 1 && raw.kind != RawValue::Kind::scalar) {
    std::ranges::move(of_same_shape, std::back_inserter(errors));
  } else {
    errors.push_back(wrong_shape(spec, raw));
  }
  return container(OptionKind::one_of, raw);
}

std::vector<std::string> names_of(std::span<const OptionSpec> specs) {
  std::vector<std::string> names;
  for (const OptionSpec& spec : specs) names.push_back(spec.name);
  return names;
}

// The value that the option `name` will have, as text; null if it is not written and has no
// default.
const std::string* text_of(std::string_view name, std::span<const OptionSpec> specs,
                           const RawValue& map) {
  const RawValue* written = map.find(name);
  if (written && written->kind == RawValue::Kind::scalar) return &written->text;
  const auto spec = std::ranges::find(specs, name, &OptionSpec::name);
  return spec == specs.end() || spec->default_text.empty() ? nullptr : &spec->default_text;
}

bool is_companion(const OptionSpec& spec, std::span<const OptionSpec> specs, const RawValue& map) {
  if (!spec.only_with) return true;
  const std::string* text = text_of(spec.only_with->first, specs, map);
  return text && *text == spec.only_with->second;
}

// Of several options of one name, which belong to several formats, the one that has a meaning here.
std::vector<OptionSpec> one_of_each_name(std::span<const OptionSpec> specs, const RawValue& map) {
  std::vector<OptionSpec> chosen;
  std::map<std::string_view, size_t> place;
  for (const OptionSpec& spec : specs) {
    const auto [found, is_first] = place.try_emplace(spec.name, chosen.size());
    if (is_first) {
      chosen.push_back(spec);
    } else if (is_companion(spec, specs, map)) {
      chosen[found->second] = spec;
    }
  }
  return chosen;
}

void check_companion(const OptionSpec& spec, const RawValue& map, const Options& options,
                     Errors& errors) {
  const RawValue* raw = map.find(spec.name);
  if (!spec.only_with || !raw) return;
  const auto& [name, wanted] = *spec.only_with;
  const OptionValue* companion = options.find(name);
  if (!companion || companion->text == wanted) return;
  errors.push_back(Error::invalid("`" + spec.name + "` belongs to `" + name + ": " + wanted +
                                  "`, and here it is `" + name + ": " + companion->text +
                                  "` — remove it")
                       .at(raw->position));
}

void report_unknown_keys(const std::vector<std::string>& names, std::span<const std::string> beside,
                         const RawValue& map, std::string_view owner, Errors& errors) {
  std::vector<std::string> known = names;
  known.insert(known.end(), beside.begin(), beside.end());
  for (const RawValue::Key& key : map.keys) {
    if (std::ranges::find(names, key.text) != names.end()) continue;
    std::string hint = suggest_word(key.text, known);
    if (hint.empty())
      hint = " — it has " + (known.empty() ? "no options" : back_quoted_list(known));
    errors.push_back(
        Error::invalid("unknown option `" + key.text + "` of " + std::string(owner) + hint)
            .at(key.position));
  }
}

}  // namespace

OptionValue read_option(const OptionSpec& spec, const RawValue& raw, Errors& errors) {
  switch (spec.kind) {
    case OptionKind::list:
      return read_list(spec, raw, errors);
    case OptionKind::map:
      return read_map(spec, raw, errors);
    case OptionKind::group:
      return read_group(spec, raw, errors);
    case OptionKind::schema:
      return read_schema(spec, raw, errors);
    case OptionKind::one_of:
      return read_one_of(spec, raw, errors);
    default:
      break;
  }
  const bool is_scalar = raw.kind == RawValue::Kind::scalar || raw.kind == RawValue::Kind::empty;
  if (!is_scalar) {
    errors.push_back(wrong_shape(spec, raw));
    return container(spec.kind, raw);
  }
  Result<OptionValue> value = read_scalar(spec, raw);
  if (value) return std::move(*value);
  errors.push_back(placed(std::move(value.error()), raw));
  return container(spec.kind, raw);
}

std::vector<OptionSpec> all_options(const OperatorSpec& spec) {
  using namespace option;
  std::vector<OptionSpec> options = spec.options;
  const auto lacks = [&](std::string_view name) {
    return std::ranges::find(options, name, &OptionSpec::name) == options.end();
  };
  if (spec.kind == OperatorKind::sink) {
    if (lacks("mode")) {
      options.push_back(word("mode", {"append", "update", "complete"},
                             "which rows of the result the sink is given")
                            .with_default("append"));
    }
    if (lacks("every")) {
      options.push_back(
          duration("every", "a pace of the sink's own, slower than the trigger").at_least(1));
    }
  }
  if (spec.kind == OperatorKind::source && lacks("idle")) {
    options.push_back(
        duration("idle", "so long without rows, and it holds no watermark back").at_least(1));
  }
  if (spec.kind == OperatorKind::stateful && lacks("partitions")) {
    constexpr int64_t kMostPartitions = 1024;
    options.push_back(integer("partitions",
                              "in how many parts, by key, the workers' rows are merged; one per "
                              "worker without it, and one where there is no key")
                          .between(1, kMostPartitions));
  }
  const bool has_errors = std::ranges::find(spec.ports, "errors") != spec.ports.end();
  if (has_errors && lacks("on_error")) {
    options.push_back(
        word("on_error", {"keep", "drop", "fail", "route"},
             "what becomes of a corrupt record; `keep` unless the port `errors` is read"));
  }
  return options;
}

Options read_options(std::span<const OptionSpec> specs, const RawValue& map, std::string_view owner,
                     Errors& errors, std::span<const std::string> beside) {
  Options options;
  const std::vector<OptionSpec> chosen = one_of_each_name(specs, map);
  const std::vector<std::string> names = names_of(chosen);
  report_unknown_keys(names, beside, map, owner, errors);
  for (const OptionSpec& spec : chosen) {
    const RawValue* written = map.find(spec.name);
    if (written && !(written->kind == RawValue::Kind::empty && !spec.default_text.empty())) {
      options.set(spec.name, read_option(spec, *written, errors));
    } else if (!spec.default_text.empty()) {
      RawValue standard = RawValue::scalar(spec.default_text);
      options.set(spec.name, read_option(spec, standard, errors));
    } else if (spec.required && is_companion(spec, specs, map)) {
      errors.push_back(Error::invalid(std::string(owner) + " needs `" + spec.name + "` — write " +
                                      describe_option(spec) +
                                      (spec.doc.empty() ? "" : ": " + spec.doc))
                           .at(map.position));
    }
  }
  for (const OptionSpec& spec : chosen) check_companion(spec, map, options, errors);
  return options;
}

Options read_operator_options(const OperatorSpec& spec, const RawValue& map, Errors& errors,
                              std::span<const std::string> beside) {
  std::vector<OptionSpec> specs = all_options(spec);
  std::string owner = spec.name;
  if (spec.kind == OperatorKind::source) owner = "source " + spec.name;
  if (spec.kind == OperatorKind::sink) owner = "sink " + spec.name;
  if (spec.kind == OperatorKind::transform || spec.kind == OperatorKind::stateful) {
    OptionSpec primary = spec.primary;
    primary.name = spec.name;
    specs.insert(specs.begin(), std::move(primary));
  }
  return read_options(specs, map, owner, errors, beside);
}

Result<Options> make_options(const OperatorSpec& spec, const RawValue& map) {
  Errors errors;
  Options options = read_operator_options(spec, map, errors);
  if (!errors.empty()) return std::move(errors.front());
  return options;
}

}  // namespace flowrun
