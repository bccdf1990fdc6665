#include "runtime/operator/registry.h"

#include <algorithm>

#include <fmt/format.h>

#include "runtime/base/check.h"
#include "runtime/operator/option_reading.h"
#include "runtime/operator/reader_options.h"

namespace flowrun {

namespace {

std::string spelled(std::string_view name) {
  std::string text(name);
  std::ranges::replace(text, '-', '_');
  return text;
}

// The option of an operator that says how records are written, or null.
OptionSpec* format_option(OperatorSpec& spec) {
  const auto names_format = [](const OptionSpec& option) {
    return option.role == NameRole::record_format || option.role == NameRole::row_format;
  };
  if (names_format(spec.primary)) return &spec.primary;
  const auto found = std::ranges::find_if(spec.options, names_format);
  return found == spec.options.end() ? nullptr : &*found;
}

bool can_stand_in(const OptionSpec& option, const RegisteredFormat& format) {
  return option.role == NameRole::row_format ? format.make_text != nullptr : format.make != nullptr;
}

std::string why_it_cannot(const RegisteredFormat& format) {
  const auto& [can, place] = format.make
                                 ? std::pair("reads", "`parse`, the file source and `tables`")
                                 : std::pair("writes", "sinks");
  return fmt::format("`{}`: that format of {} only {} — it can stand in {}", format.spec.name,
                     format.owner, can, place);
}

// Among options that are there for every format.
Status check_options(const OperatorSpec& format, const std::vector<OptionSpec>& beside,
                     std::string_view owner) {
  for (const OptionSpec& option : beside) {
    const bool clashes =
        !option.only_with &&
        std::ranges::find(format.options, option.name, &OptionSpec::name) != format.options.end();
    if (!clashes) continue;
    return Error::invalid(
        fmt::format("the format `{}` has an option `{}`, which `{}` has for every format — give it "
                    "another name",
                    format.name, option.name, owner));
  }
  return ok_status();
}

Status check_format_of(const OperatorSpec& of, const RegisteredFormat& registered) {
  OperatorSpec spec = of;
  const OperatorSpec& format = registered.spec;
  const OptionSpec* chooses = format_option(spec);
  if (!chooses) return ok_status();
  if (std::ranges::find(chooses->words, format.name) != chooses->words.end())
    return Error::invalid(fmt::format("the format `{}` is known already", format.name));
  if (!can_stand_in(*chooses, registered)) return ok_status();
  return check_options(format, all_options(spec), spec.name);
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

Status Registry::check_format(const RegisteredFormat& format) const {
  for (const Space* space : {&sources_, &operators_, &sinks_}) {
    for (const auto& [name, entry] : *space)
      FLOWRUN_RETURN_IF_ERROR(check_format_of(entry.spec, format));
  }
  return format.make ? check_options(format.spec, table_option_specs(*this), "tables")
                     : ok_status();
}

void Registry::add_format(RegisteredFormat format) {
  FLOWRUN_CHECK(check_format(format), "a format is checked before it is registered");
  for (Space* space : {&sources_, &operators_, &sinks_}) {
    for (auto& [name, entry] : *space) {
      OptionSpec* chooses = format_option(entry.spec);
      if (!chooses) continue;
      if (!can_stand_in(*chooses, format)) {
        chooses->refused_words.emplace_back(format.spec.name, why_it_cannot(format));
        continue;
      }
      chooses->words.push_back(format.spec.name);
      const std::string option_name = chooses->name;  // adding options moves the list
      for (const OptionSpec& option : format.spec.options)
        entry.spec.options.push_back(option.when(option_name, format.spec.name));
    }
  }
  const std::string name = format.spec.name;
  formats_.emplace(name, std::move(format));
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
