#pragma once
// ${env:X}, ${env:X:-default} and ${file:path} in scalars, after parsing. `$${env:X}` stands for
// itself without the first dollar sign; other text with a dollar sign is left alone.

#include "runtime/config/load.h"

namespace flowrun {

// Replaces in all scalars below `value`, not in keys. Errors are appended, with the place of the
// scalar.
void interpolate(RawValue& value, const LoadOptions& options, Diagnostics& diagnostics);

}  // namespace flowrun
