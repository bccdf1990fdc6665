#pragma once
// Formats of plugins: readers and writers made from a component.

#include <memory>

#include "runtime/operator/row_text.h"
#include "runtime/plugin/made_operator.h"

namespace flowrun {

// What it is able to do, and by what; of owner `plugin NAME`.
RegisteredFormat plugin_format(const ComponentPtr& component);

// A format's own options of all that the operator has: those of other formats are none of its
// business, and one of those is refused where every built-in format would take it.
Result<Options> format_options(const Component& component, const Options& all);

Result<MakeRecordReader> make_plugin_format(const ComponentPtr& component, const SchemaPtr& schema,
                                            const Options& options, const MakeContext& context);
Result<std::unique_ptr<RowText>> make_plugin_text(const ComponentPtr& component,
                                                  const SchemaPtr& schema, const Options& options,
                                                  const MakeContext& context);

}  // namespace flowrun
