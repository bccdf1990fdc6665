#include "runtime/operator/registry.h"

#include <algorithm>

#include <fmt/format.h>

#include "runtime/base/check.h"
#include "runtime/operator/option_reading.h"

namespace flowrun {

namespace {

std::string spelled(std::string_view name) {
  std::string text(name);
  std::ranges::replace(text, '-', '_');
  return text;
}

bool names_format(const OptionSpec& option) { return option.role == NameRole::record_format; }

// The option of an operator that says how records are written, or null.
OptionSpec* format_option(OperatorSpec& spec) {
  if (names_format(spec.primary)) return &spec.primary;
  const auto found = std::ranges::find_if(spec.options, names_format);
  return found == spec.options.end() ? nullptr : &*found;
}

Status check_format_of(const OperatorSpec& of, const OperatorSpec& format) {
  OperatorSpec spec = of;
  const OptionSpec* chooses = format_option(spec);
  if (!chooses) return ok_status();
  if (std::ranges::find(chooses->words, format.name) != chooses->words.end())
    return Error::invalid(fmt::format("the format `{}` is known already", format.name));
  for (const OptionSpec& option : all_options(spec)) {
    const bool clashes =
        !option.only_with &&
        std::ranges::find(format.options, option.name, &OptionSpec::name) != format.options.end();
    if (!clashes) continue;
    return Error::invalid(
        fmt::format("the format `{}` has an option `{}`, which `{}` has for every format — give it "
                    "another name",
                    format.name, option.name, spec.name));
  }
  return ok_status();
}

}  // namespace

std::string_view output_mode_name(OutputMode mode) {
  switch (mode) {
    case OutputMode::append:
      return "append";
    case OutputMode::update:
      return "update";
    case OutputMode::complete:
      return "complete";
  }
  return "";
}

const RegisteredFormat* plugged_format(std::string_view name, const MakeContext& context) {
  return context.format ? context.format(name) : nullptr;
}

void Registry::add(Space& space, RegisteredOperator entry) {
  const std::string name = entry.spec.name;
  FLOWRUN_CHECK(space.emplace(name, std::move(entry)).second, "an operator is registered once");
}

void Registry::add_source(OperatorSpec spec, MakeSource make) {
  spec.kind = OperatorKind::source;
  spec.inputs = InputShape::none;
  add(sources_, {std::move(spec), std::move(make), {}, {}, {}});
}

void Registry::add_transform(OperatorSpec spec, MakeTransform make) {
  spec.kind = OperatorKind::transform;
  add(operators_, {std::move(spec), {}, std::move(make), {}, {}});
}

void Registry::add_stateful(OperatorSpec spec, MakeStateful make) {
  spec.kind = OperatorKind::stateful;
  add(operators_, {std::move(spec), {}, {}, std::move(make), {}});
}

void Registry::add_sink(OperatorSpec spec, MakeSink make) {
  spec.kind = OperatorKind::sink;
  add(sinks_, {std::move(spec), {}, {}, {}, std::move(make)});
}

Status Registry::check_format(const OperatorSpec& spec) const {
  for (const Space* space : {&sources_, &operators_, &sinks_}) {
    for (const auto& [name, entry] : *space)
      FLOWRUN_RETURN_IF_ERROR(check_format_of(entry.spec, spec));
  }
  return ok_status();
}

void Registry::add_format(OperatorSpec spec, MakeFormat make) {
  FLOWRUN_CHECK(check_format(spec), "a format is checked before it is registered");
  for (Space* space : {&sources_, &operators_, &sinks_}) {
    for (auto& [name, entry] : *space) {
      OptionSpec* chooses = format_option(entry.spec);
      if (!chooses) continue;
      chooses->words.push_back(spec.name);
      const std::string option_name = chooses->name;  // adding options moves the list
      for (const OptionSpec& option : spec.options)
        entry.spec.options.push_back(option.when(option_name, spec.name));
    }
  }
  const std::string name = spec.name;
  formats_.emplace(name, RegisteredFormat{std::move(spec), std::move(make)});
}

const RegisteredFormat* Registry::find_format(std::string_view name) const {
  const auto found = formats_.find(name);
  return found == formats_.end() ? nullptr : &found->second;
}

const RegisteredOperator* Registry::find_source(std::string_view name) const {
  const auto found = sources_.find(spelled(name));
  return found == sources_.end() ? nullptr : &found->second;
}

const RegisteredOperator* Registry::find_sink(std::string_view name) const {
  const auto found = sinks_.find(spelled(name));
  return found == sinks_.end() ? nullptr : &found->second;
}

const RegisteredOperator* Registry::find_operator(std::string_view name) const {
  const auto found = operators_.find(spelled(name));
  return found == operators_.end() ? nullptr : &found->second;
}

std::vector<const RegisteredOperator*> Registry::all() const {
  std::vector<const RegisteredOperator*> entries;
  for (const Space* space : {&sources_, &operators_, &sinks_}) {
    for (const auto& [name, entry] : *space) entries.push_back(&entry);
  }
  return entries;
}

}  // namespace flowrun
