#pragma once
// What the functions of time keep from row to row: the session's local time, a compiled pattern, a
// zone.

#include <optional>
#include <string>

#include "runtime/expr/function_registry.h"
#include "runtime/format/datetime.h"

namespace flowrun {

// The session's wall clock, made when it is first asked for. State of scalar_with.
struct SessionClock {
  std::optional<LocalTime> wall;
  LocalTime& at(const CallContext& context) {
    if (!wall) wall.emplace(context.zone);
    return *wall;
  }
};

// A datetime pattern, compiled anew only when its text changes. Errors have the code `data`.
struct PatternCache : SessionClock {
  std::string text;
  std::optional<DateTimePattern> pattern;

  Result<const DateTimePattern*> compile(std::string_view wanted, DateTimePattern::Use use) {
    if (!pattern || text != wanted) {
      auto compiled = DateTimePattern::compile(wanted, use);
      if (!compiled) return Error::data(std::move(compiled.error().message));
      pattern = std::move(*compiled);
      text = wanted;
    }
    return &*pattern;
  }
};

// A zone by name. Errors have the code `data`.
struct ZoneCache {
  std::string name;
  std::optional<LocalTime> wall;

  Result<LocalTime*> find(std::string_view wanted) {
    if (!wall || name != wanted) {
      auto zone = find_time_zone(wanted);
      if (!zone) return Error::data(std::move(zone.error().message));
      wall.emplace(**zone);
      name = wanted;
    }
    return &*wall;
  }
};

}  // namespace flowrun
