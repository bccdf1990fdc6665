#pragma once
// An instant as programs read it, whatever the pipeline's zone.

#include <cstdint>
#include <string>

namespace flowrun {

// Microseconds since 1970 as "2026-03-01T14:03:05.120Z": always UTC, always three digits.
std::string utc_text(int64_t microseconds);

}  // namespace flowrun
