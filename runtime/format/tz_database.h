#pragma once
// Reads a region from the system's tz database: TZif files (RFC 8536), whose 64-bit block gives the
// changes of the past and whose footer, a POSIX TZ rule, those of the future. Used by time_zone.cpp
// alone.
//
// A library would be preferred; date/tz.h ignores the footer, so that summer ends for ever in 2037,
// and reads the whole database's directory first.

#include <memory>
#include <string>

#include "runtime/format/time_zone.h"

namespace flowrun {

// Null if there is no such region or its file is broken.
std::unique_ptr<const TimeZone> read_tz_region(const std::string& name);

}  // namespace flowrun
