#pragma once
// What keys of a map must be: not null, and each once.

#include <span>

#include "runtime/base/status.h"
#include "runtime/columnar/column.h"

namespace flowrun {

// The keys at `places` of `keys` (-1 is a null), or rows [begin, end): those of one map. Error
// code: `data`.
Status check_map_keys(const Column& keys, std::span<const int32_t> places);
Status check_map_keys(const Column& keys, int64_t begin, int64_t end);

}  // namespace flowrun
