#include "runtime/format/datetime_names.h"

#include <array>

namespace flowrun {
namespace {

constexpr std::array<std::string_view, 12> kMonths{"January",   "February", "March",    "April",
                                                   "May",       "June",     "July",     "August",
                                                   "September", "October",  "November", "December"};
constexpr std::array<std::string_view, 7> kDays{"Monday", "Tuesday",  "Wednesday", "Thursday",
                                                "Friday", "Saturday", "Sunday"};
constexpr std::array<std::string_view, 4> kQuarters{"1st quarter", "2nd quarter", "3rd quarter",
                                                    "4th quarter"};
constexpr std::array<std::string_view, 4> kShortQuarters{"Q1", "Q2", "Q3", "Q4"};

// Abbreviations that are unambiguous within the part of the world their zones' names begin with.
struct ZoneName {
  std::string_view region;
  std::string_view abbreviation;
  std::string_view full;
};
constexpr std::array<ZoneName, 18> kZoneNames{{
    {"", "UTC", "Coordinated Universal Time"},
    {"", "GMT", "Greenwich Mean Time"},
    {"", "CET", "Central European Standard Time"},
    {"", "CEST", "Central European Summer Time"},
    {"", "EET", "Eastern European Standard Time"},
    {"", "EEST", "Eastern European Summer Time"},
    {"", "WET", "Western European Standard Time"},
    {"", "WEST", "Western European Summer Time"},
    {"Europe/London", "BST", "British Summer Time"},
    {"America/", "EST", "Eastern Standard Time"},
    {"America/", "EDT", "Eastern Daylight Time"},
    {"America/", "CST", "Central Standard Time"},
    {"America/", "CDT", "Central Daylight Time"},
    {"America/", "MST", "Mountain Standard Time"},
    {"America/", "MDT", "Mountain Daylight Time"},
    {"America/", "PST", "Pacific Standard Time"},
    {"America/", "PDT", "Pacific Daylight Time"},
    {"", "JST", "Japan Standard Time"},
}};

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

}  // namespace

std::string_view month_name(int month, bool full) {
  const std::string_view name = kMonths[static_cast<size_t>(month - 1)];
  return full ? name : name.substr(0, 3);
}

std::string_view day_name(int day, bool full) {
  const std::string_view name = kDays[static_cast<size_t>(day - 1)];
  return full ? name : name.substr(0, 3);
}

std::string_view quarter_name(int quarter, bool full) {
  return (full ? kQuarters : kShortQuarters)[static_cast<size_t>(quarter - 1)];
}

std::string_view era_name(bool current, bool full) {
  if (full) return current ? "Anno Domini" : "Before Christ";
  return current ? "AD" : "BC";
}

std::string zone_short_name(const TimeZone& zone, const TimeZone::Span& span) {
  const std::string_view name = span.abbreviation;
  // The database writes zones without a name of their own as "+03".
  if (name.empty() || name[0] == '+' || name[0] == '-') return zone.name();
  return std::string(name);
}

std::string zone_full_name(const TimeZone& zone, const TimeZone::Span& span) {
  for (const ZoneName& entry : kZoneNames) {
    if (entry.abbreviation == span.abbreviation && zone.name().starts_with(entry.region)) {
      return std::string(entry.full);
    }
  }
  return zone.name();
}

bool starts_with_word(std::string_view text, std::string_view word) {
  if (text.size() < word.size()) return false;
  for (size_t i = 0; i < word.size(); ++i) {
    if (lower(text[i]) != lower(word[i])) return false;
  }
  return true;
}

std::optional<NameMatch> match_month(std::string_view text, bool full) {
  for (int month = 1; month <= 12; ++month) {
    const std::string_view name = month_name(month, full);
    if (starts_with_word(text, name)) return NameMatch{month, name.size()};
  }
  return std::nullopt;
}

}  // namespace flowrun
