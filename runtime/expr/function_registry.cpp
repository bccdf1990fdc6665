#include "runtime/expr/function_registry.h"

#include <algorithm>

#include "runtime/columnar/type.h"

namespace flowrun {

std::optional<std::string> Arguments::constant_text(size_t i) const {
  if (i >= constants.size() || !constants[i] || constants[i]->is_null(0)) return std::nullopt;
  if (!constants[i]->type().is_string_like()) return std::nullopt;
  return std::string(constants[i]->string(0));
}

void FunctionRegistry::add(ScalarFunction function) {
  const auto entry = std::make_shared<const ScalarFunction>(std::move(function));
  for (const std::string& name : entry->names) scalars_[name] = entry;
}

void FunctionRegistry::add(std::shared_ptr<const AggregateFunction> function,
                           const std::vector<std::string>& aliases) {
  for (const std::string& alias : aliases) aggregates_[lower_name(alias)] = function;
  const std::string name = function->name();
  aggregates_[name] = std::move(function);
}

const ScalarFunction* FunctionRegistry::find_scalar(std::string_view name) const {
  const auto found = scalars_.find(lower_name(name));
  return found == scalars_.end() ? nullptr : found->second.get();
}

const AggregateFunction* FunctionRegistry::find_aggregate(std::string_view name) const {
  const auto found = aggregates_.find(lower_name(name));
  return found == aggregates_.end() ? nullptr : found->second.get();
}

std::vector<std::string> FunctionRegistry::aggregate_names() const {
  std::vector<std::string> names;
  for (const auto& [name, function] : aggregates_) names.push_back(name);
  std::ranges::sort(names);
  return names;
}

std::vector<std::string> FunctionRegistry::names() const {
  std::vector<std::string> names = aggregate_names();
  for (const auto& [name, function] : scalars_) names.push_back(name);
  std::ranges::sort(names);
  names.erase(std::ranges::unique(names).begin(), names.end());
  return names;
}

}  // namespace flowrun
