#pragma once
// Time zones by Spark's names, and the clock on the wall in one of them.
//
//   FLOWRUN_TRY(const TimeZone* paris, find_time_zone("Europe/Paris"));
//   LocalTime wall(*paris);
//   int64_t local = wall.to_local(micros);   // microseconds since 1970-01-01 00:00 on that clock
//   int64_t again = wall.to_utc(local);
//
// UTC and fixed offsets need no file; regions are read from the system's tz database (TZDIR, else
// /usr/share/zoneinfo). Before its first rule a region keeps local mean time, to the second; after
// its last the database's rule for the future goes on for ever.

#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/status.h"
#include "runtime/format/civil.h"

namespace flowrun {

// Immutable and thread-safe; zones live as long as the process and may be kept by pointer.
class TimeZone {
 public:
  // A stretch of time with one offset: [begin, end) in microseconds since 1970-01-01T00:00:00Z.
  struct Span {
    int64_t begin = std::numeric_limits<int64_t>::min();
    int64_t end = std::numeric_limits<int64_t>::max();
    int32_t offset = 0;  // seconds east of Greenwich
    bool daylight = false;
    std::string_view abbreviation = "UTC";
  };

  static const TimeZone& utc();
  virtual ~TimeZone() = default;
  TimeZone(const TimeZone&) = delete;
  TimeZone& operator=(const TimeZone&) = delete;

  // The zone's id as java.time spells it: "UTC", "Z", "+01:00", "Europe/Paris".
  [[nodiscard]] const std::string& name() const { return name_; }
  // One offset for all time?
  [[nodiscard]] bool is_fixed() const { return fixed_; }
  [[nodiscard]] bool is_utc() const { return fixed_ && fixed_span_.offset == 0; }
  [[nodiscard]] Span span_at(int64_t micros) const { return fixed_ ? fixed_span_ : lookup(micros); }

 protected:
  // A fixed offset.
  TimeZone(std::string name, int32_t offset, std::string_view abbreviation);
  // A region: lookup is overridden.
  explicit TimeZone(std::string name) : name_(std::move(name)), fixed_(false) {}

 private:
  [[nodiscard]] virtual Span lookup(int64_t micros) const;

  std::string name_;
  bool fixed_ = true;
  Span fixed_span_;
};

// Every form that Spark takes: "UTC", "Z", "+1", "+01:00", "-0130", "GMT+1", "UTC-03:00",
// "Europe/Paris", Java's three letters ("PST"). Errors: `invalid`, naming the zone. Thread-safe; a
// second call is a lookup.
Result<const TimeZone*> find_time_zone(std::string_view name);

// "+01:00", "Z" for none, seconds only when there are some: java.time's id of an offset.
std::string offset_name(int32_t seconds);
// The offset of "Z", "+h", "+hh", "+hhmm", "+hh:mm", "+hhmmss", "+hh:mm:ss" and their negatives up
// to 18 h.
std::optional<int32_t> parse_offset(std::string_view text);

// The local time line of a zone. Remembers the span last used, so rows near each other in time cost
// one comparison. Not thread-safe; make one per call. Times out of the range of int64 saturate.
class LocalTime {
 public:
  explicit LocalTime(const TimeZone& zone) : zone_(&zone), span_(zone.span_at(0)) {}

  [[nodiscard]] const TimeZone& zone() const { return *zone_; }

  const TimeZone::Span& span(int64_t micros) {
    if (micros < span_.begin || micros >= span_.end) [[unlikely]]
      span_ = zone_->span_at(micros);
    return span_;
  }

  int64_t to_local(int64_t micros) {
    return saturating_add(micros, span(micros).offset * kMicrosPerSecond);
  }

  // A local time that a change of clocks skipped moves on by the length of the gap; of two instants
  // with one local time the earlier counts (java.time's rule).
  int64_t to_utc(int64_t local) {
    const int64_t guess = saturating_add(local, -span_.offset * kMicrosPerSecond);
    // No change of clocks is near: an earlier span cannot claim this local time.
    if (zone_->is_fixed() || (guess >= saturating_add(span_.begin, kSafety) && guess < span_.end))
        [[likely]] {
      return guess;
    }
    return search_utc(local);
  }

 private:
  static constexpr int64_t kSafety = 2 * kMicrosPerDay;  // more than any difference of two offsets
  static int64_t saturating_add(int64_t a, int64_t b) {
    int64_t sum = 0;
    if (__builtin_add_overflow(a, b, &sum)) [[unlikely]] {
      return b > 0 ? std::numeric_limits<int64_t>::max() : std::numeric_limits<int64_t>::min();
    }
    return sum;
  }
  int64_t search_utc(int64_t local);

  const TimeZone* zone_;
  TimeZone::Span span_;
};

}  // namespace flowrun
