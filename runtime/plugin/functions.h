#pragma once
// Functions of plugins, as the registry of functions has them.

#include <memory>

#include "runtime/expr/function_registry.h"
#include "runtime/plugin/component.h"

namespace flowrun {

// Errors (a type that cannot be read, a signature without code) do not name the plugin.
Result<ScalarFunction> make_plugin_scalar(const ComponentPtr& component);
Result<std::shared_ptr<const AggregateFunction>> make_plugin_aggregate(
    const ComponentPtr& component);

}  // namespace flowrun
