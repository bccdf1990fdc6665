#pragma once
// All operators that are built in.

#include "runtime/operator/registry.h"

namespace flowrun {

// Sources and sinks register as register_NAME_source and register_NAME_sink, the others as
// register_NAME.
void register_all_operators(Registry& registry);

}  // namespace flowrun
