#include "runtime/expr/function_registry.h"

#include <algorithm>

#include "runtime/columnar/type.h"
#include "runtime/expr/cast.h"
#include "runtime/expr/scalar.h"

namespace flowrun {

std::optional<std::string> Arguments::constant_text(size_t i) const {
  if (i >= constants.size() || !constants[i] || constants[i]->is_null(0)) return std::nullopt;
  if (!constants[i]->type().is_string_like()) return std::nullopt;
  return std::string(constants[i]->string(0));
}

std::optional<int32_t> Arguments::constant_integer(size_t i) const {
  if (i >= constants.size() || !constants[i] || constants[i]->is_null(0)) return std::nullopt;
  if (!constants[i]->type().is_numeric()) return std::nullopt;
  const auto number = cast(constants[i], Type::integer(), TimeZone::utc());
  if (!number || (*number)->is_null(0)) return std::nullopt;
  return (*number)->values<int32_t>()[0];
}

ScalarFunction&& ScalarFunction::without_casts(std::vector<Type> leading) && {
  bind = [types = std::move(leading),
          next = std::move(bind)](const Arguments& arguments) -> Result<BoundFunction> {
    for (size_t i = 0; i < std::min(types.size(), arguments.size()); ++i) {
      const Type& type = arguments.types[i];
      const bool whole = types[i].id() == TypeId::bigint && type.is_integral();
      if (!whole && type.id() != TypeId::null && type.id() != types[i].id())
        return wrong_argument(arguments, i, types[i].simple_string());
    }
    return next(arguments);
  };
  return std::move(*this);
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
