#pragma once
// What a plugin says of its components, held against the header's rules and made specs of ours.

#include <string>
#include <vector>

#include "runtime/plugin/component.h"

namespace flowrun {

// A use of a component with the columns it can be tried with; empty: not said.
struct TrialExample {
  std::string yaml;
  std::string input;
  std::vector<std::string> records = {};  // texts that a format can read
};

// Everything of the plugin's description that later code relies on is checked: names, kinds, the
// functions that must be there. Errors do not name the plugin.
Result<std::vector<ComponentPtr>> describe_components(const flowrun_plugin& plugin);

std::vector<TrialExample> trial_examples(const Component& component);

// "transform", "scalar function", ...
std::string_view component_kind_name(int32_t kind);

}  // namespace flowrun
