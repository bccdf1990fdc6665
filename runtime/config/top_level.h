#pragma once
// The top level of a pipeline file: which keys it has, what they take.

#include "runtime/config/document.h"

namespace flowrun {

// Of the keys that are options of the run; `nodes`, `chain`, `tables`, `connections` and `include`
// are structure and not among them.
std::vector<OptionSpec> top_level_specs();
// The names of those.
const std::vector<std::string>& structure_keys();

// Of `serve:`, by which results are served over HTTP.
std::vector<OptionSpec> serve_specs();

// Fills the plan's fields that come from the top level, but not its nodes and tables.
void read_top_level(const Document& document, Plan& plan, Diagnostics& diagnostics);
// False if a table is wrong.
bool read_tables(const Document& document, const Registry& registry, Plan& plan,
                 LoadedPlan& loaded);

}  // namespace flowrun
