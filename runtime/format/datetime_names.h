#pragma once
// English names of months, days, quarters, eras and zones, as java.time has them.

#include <optional>
#include <string>
#include <string_view>

#include "runtime/format/time_zone.h"

namespace flowrun {

// month 1 to 12: "Feb" or, in full, "February".
std::string_view month_name(int month, bool full);
// day 1 (Monday) to 7.
std::string_view day_name(int day, bool full);
// "Q1", "1st quarter".
std::string_view quarter_name(int quarter, bool full);
// "AD", "Anno Domini"; "BC", "Before Christ".
std::string_view era_name(bool current, bool full);

// "CET", "PDT"; a zone without an abbreviation has its name.
std::string zone_short_name(const TimeZone& zone, const TimeZone::Span& span);
// "Central European Summer Time" where the name is known, else the zone's id.
std::string zone_full_name(const TimeZone& zone, const TimeZone::Span& span);

// The month whose name, without regard to case, begins `text`; its length comes back too.
struct NameMatch {
  int value;
  size_t size;
};
std::optional<NameMatch> match_month(std::string_view text, bool full);
// Does `text` begin with `word`, without regard to ASCII case?
bool starts_with_word(std::string_view text, std::string_view word);

}  // namespace flowrun
