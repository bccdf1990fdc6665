#pragma once
// Reference: what an operator is and takes, as text for the terminal and as a page. All of it comes
// from specs.

#include <string>

#include "runtime/operator/registry.h"

namespace flowrun {

// One line per operator, by kind.
std::string operator_list(const Registry& registry);
// For the terminal, 100 columns.
std::string operator_reference(const OperatorSpec& spec);
// The same of a record format of a plugin, which `parse` and `format` take by its name.
std::string format_reference(const RegisteredFormat& format);
// Markdown, for docs/operators/KIND/NAME.md.
std::string operator_page(const OperatorSpec& spec);
// "source", "transform", "stateful", "sink".
std::string_view operator_kind_name(OperatorKind kind);

// An example as a whole pipeline file: it may be written as the body of `nodes:`.
std::string example_pipeline(const Example& example);

}  // namespace flowrun
