#include "runtime/format/time_zone.h"

#include <array>
#include <cctype>
#include <map>
#include <mutex>

#include "runtime/format/tz_database.h"

namespace flowrun {
namespace {

// java.time.ZoneId.SHORT_IDS.
constexpr std::array<std::pair<std::string_view, std::string_view>, 28> kShortIds{{
    {"ACT", "Australia/Darwin"},
    {"AET", "Australia/Sydney"},
    {"AGT", "America/Argentina/Buenos_Aires"},
    {"ART", "Africa/Cairo"},
    {"AST", "America/Anchorage"},
    {"BET", "America/Sao_Paulo"},
    {"BST", "Asia/Dhaka"},
    {"CAT", "Africa/Harare"},
    {"CNT", "America/St_Johns"},
    {"CST", "America/Chicago"},
    {"CTT", "Asia/Shanghai"},
    {"EAT", "Africa/Addis_Ababa"},
    {"ECT", "Europe/Paris"},
    {"EST", "-05:00"},
    {"HST", "-10:00"},
    {"IET", "America/Indiana/Indianapolis"},
    {"IST", "Asia/Kolkata"},
    {"JST", "Asia/Tokyo"},
    {"MIT", "Pacific/Apia"},
    {"MST", "-07:00"},
    {"NET", "Asia/Yerevan"},
    {"NST", "Pacific/Auckland"},
    {"PLT", "Asia/Karachi"},
    {"PNT", "America/Phoenix"},
    {"PRT", "America/Puerto_Rico"},
    {"PST", "America/Los_Angeles"},
    {"SST", "Pacific/Guadalcanal"},
    {"VST", "Asia/Ho_Chi_Minh"},
}};

constexpr int32_t kMaxOffset = 18 * 3600;

class FixedZone final : public TimeZone {
 public:
  FixedZone(std::string name, int32_t offset, std::string_view abbreviation)
      : TimeZone(std::move(name), offset, abbreviation) {}
};

// The zones met so far; entries are never removed, so pointers to them stay good.
class ZoneTable {
 public:
  Result<const TimeZone*> find(std::string_view name) {
    const std::lock_guard lock(mutex_);
    if (auto known = zones_.find(name); known != zones_.end()) return known->second.get();
    FLOWRUN_TRY(auto zone, make(name));
    return zones_.emplace(std::string(name), std::move(zone)).first->second.get();
  }

 private:
  static Result<std::unique_ptr<const TimeZone>> make(std::string_view name);

  std::mutex mutex_;
  std::map<std::string, std::unique_ptr<const TimeZone>, std::less<>> zones_;
};

std::unique_ptr<const TimeZone> fixed_zone(std::string name, int32_t offset) {
  return std::make_unique<FixedZone>(std::move(name), offset, "");
}

// Spark took "+h:mm" and "+hh:m" before java.time did not: both get their zero.
std::string pad_offset(std::string_view name) {
  std::string text(name);
  const auto is_digit = [&](size_t i) {
    return i < text.size() && text[i] >= '0' && text[i] <= '9';
  };
  const size_t sign = text.find_first_of("+-");
  if (sign == std::string::npos) return text;
  if (is_digit(sign + 1) && sign + 2 < text.size() && text[sign + 2] == ':') {
    text.insert(sign + 1, "0");
  }
  const size_t size = text.size();
  if (size >= 5 && is_digit(size - 1) && text[size - 2] == ':' && is_digit(size - 3) &&
      is_digit(size - 4) && (text[size - 5] == '+' || text[size - 5] == '-')) {
    text.insert(size - 1, "0");
  }
  return text;
}

Result<std::unique_ptr<const TimeZone>> ZoneTable::make(std::string_view name) {
  std::string id = pad_offset(name);
  for (const auto& [short_id, full] : kShortIds) {
    if (id == short_id) id = full;
  }
  const auto unknown = [&] {
    return Error::invalid("unknown time zone `" + std::string(name) +
                          "` — write UTC, an offset such as +01:00, or a region such as "
                          "Europe/Paris");
  };
  if (id.empty()) return unknown();
  if (id == "Z" || id[0] == '+' || id[0] == '-') {
    const auto offset = parse_offset(id);
    if (!offset) return unknown();
    return fixed_zone(offset_name(*offset), *offset);
  }
  for (const std::string_view prefix : {"UTC", "GMT", "UT"}) {
    if (!id.starts_with(prefix)) continue;
    const std::string_view rest = std::string_view(id).substr(prefix.size());
    if (rest.empty()) return std::unique_ptr<const TimeZone>(new FixedZone(id, 0, prefix));
    if (rest[0] != '+' && rest[0] != '-') continue;
    const auto offset = parse_offset(rest);
    if (!offset) return unknown();
    return fixed_zone(std::string(prefix) + (*offset == 0 ? "" : offset_name(*offset)), *offset);
  }
  if (auto region = read_tz_region(id)) return region;
  return unknown();
}

int two_digits(std::string_view text, size_t at) {
  return (text[at] - '0') * 10 + (text[at + 1] - '0');
}

}  // namespace

TimeZone::TimeZone(std::string name, int32_t offset, std::string_view abbreviation)
    : name_(std::move(name)) {
  fixed_span_.offset = offset;
  fixed_span_.abbreviation = abbreviation.empty() ? std::string_view(name_) : abbreviation;
}

TimeZone::Span TimeZone::lookup(int64_t) const { return fixed_span_; }

const TimeZone& TimeZone::utc() {
  static const FixedZone zone("UTC", 0, "UTC");
  return zone;
}

Result<const TimeZone*> find_time_zone(std::string_view name) {
  if (name == "UTC") return &TimeZone::utc();
  static ZoneTable table;
  return table.find(name);
}

std::string offset_name(int32_t seconds) {
  if (seconds == 0) return "Z";
  const int32_t size = seconds < 0 ? -seconds : seconds;
  std::string name(1, seconds < 0 ? '-' : '+');
  const auto append = [&](int32_t value) {
    name += static_cast<char>('0' + value / 10);
    name += static_cast<char>('0' + value % 10);
  };
  append(size / 3600);
  name += ':';
  append(size / 60 % 60);
  if (size % 60 != 0) {
    name += ':';
    append(size % 60);
  }
  return name;
}

std::optional<int32_t> parse_offset(std::string_view text) {
  if (text == "Z") return 0;
  if (text.size() < 2 || (text[0] != '+' && text[0] != '-')) return std::nullopt;
  std::string digits;
  const std::string_view rest = text.substr(1);
  const bool colons = rest.find(':') != std::string_view::npos;
  if (colons) {
    if ((rest.size() != 5 && rest.size() != 8) || rest[2] != ':') return std::nullopt;
    if (rest.size() == 8 && rest[5] != ':') return std::nullopt;
  } else if (rest.size() > 2 && rest.size() % 2 != 0) {
    return std::nullopt;
  }
  for (size_t i = 0; i < rest.size(); ++i) {
    if (colons && (i == 2 || i == 5)) continue;
    if (rest[i] < '0' || rest[i] > '9') return std::nullopt;
    digits += rest[i];
  }
  if (digits.size() == 1) digits.insert(0, "0");
  if (digits.size() > 6) return std::nullopt;
  digits.resize(6, '0');
  const int minutes = two_digits(digits, 2);
  const int seconds = two_digits(digits, 4);
  const int32_t total = two_digits(digits, 0) * 3600 + minutes * 60 + seconds;
  if (minutes > 59 || seconds > 59 || total > kMaxOffset) return std::nullopt;
  return text[0] == '-' ? -total : total;
}

int64_t LocalTime::search_utc(int64_t local) {
  TimeZone::Span span = zone_->span_at(saturating_add(local, -kSafety));
  for (;;) {
    const int64_t micros = saturating_add(local, -span.offset * kMicrosPerSecond);
    if (micros < span.end || span.end == std::numeric_limits<int64_t>::max()) {
      span_ = span;
      return micros;
    }
    const TimeZone::Span next = zone_->span_at(span.end);
    // In the gap between the two: the offset before it moves the time on.
    if (saturating_add(local, -next.offset * kMicrosPerSecond) < next.begin) return micros;
    span = next;
  }
}

}  // namespace flowrun
