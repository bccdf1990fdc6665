#pragma once
// --set node.key=value: changes a document before it is interpolated and checked.

#include "runtime/config/document.h"

namespace flowrun {

// Applies options.sets in order; what cannot be applied is an error. A path's first word is a
// node's name if it has more words behind it and such a node exists, else a top-level key. A number
// steps into a list.
void apply_overrides(Document& document, const LoadOptions& options, LoadedPlan& loaded);

}  // namespace flowrun
