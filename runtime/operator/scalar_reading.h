#pragma once
// How one scalar becomes a value of each OptionKind: the inner part of option_reading.

#include "runtime/operator/option_reading.h"

namespace flowrun {

// REQUIRES: raw is a scalar or empty; spec's kind is neither list, map, schema nor one_of. The
// error has no position yet; its offset, if any, is in the scalar's text.
Result<OptionValue> read_scalar(const OptionSpec& spec, const RawValue& raw);

}  // namespace flowrun
