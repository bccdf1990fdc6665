#include "runtime/operator/registry.h"

#include <algorithm>

#include "runtime/base/check.h"

namespace flowrun {

namespace {

std::string spelled(std::string_view name) {
  std::string text(name);
  std::ranges::replace(text, '-', '_');
  return text;
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
