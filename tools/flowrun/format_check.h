#pragma once
// What `flowrun plugin check` tries of a format that writes.

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/operator/registry.h"

namespace flowrun {

// What is wrong with what it writes of random rows of that schema: without rows, nulls only, at
// offsets, in any chunks, by several writers at a time; and read again, if `options` are those of a
// `parse` and the format reads. REQUIRES: the format writes.
std::vector<std::string> check_writing(const RegisteredFormat& format, const SchemaPtr& schema,
                                       const Options& options, const MakeContext& context,
                                       uint64_t seed);

}  // namespace flowrun
