#pragma once
// Spark's datetime patterns, "yyyy-MM-dd HH:mm:ss[.SSS]": compiled once, then used on every row.
//
//   FLOWRUN_TRY(auto pattern, DateTimePattern::compile("d/M/yyyy H:mm",
//   DateTimePattern::Use::parse)); std::optional<int64_t> micros =
//   pattern.parse_timestamp("12/1/2010 8:26", wall);
//
// The letters are those of java.time.format.DateTimeFormatter as Spark 3 and later restricts them:
//   y year (u too, inside)   M L month   d day   D day of year   Q q quarter   E day of week
//   (format only) F aligned day of week in month (format only)   a AM or PM   H k K h hour   m
//   minute   s second S fraction   G era   V zone id   z zone name   O X x Z offset   '' a quote
//   'text'   [optional]
// Week-based letters (Y w W u e c) and A B n N p are refused, as is every other letter. Names are
// English. Parsing is strict: dd takes exactly two digits, and a day that does not exist is no
// date.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/status.h"
#include "runtime/format/time_zone.h"

namespace flowrun {

// Immutable and thread-safe.
class DateTimePattern {
 public:
  // What the pattern is for: some letters can be written but not read.
  enum class Use : uint8_t { format, parse };

  // Errors: `invalid`, naming the letter.
  static Result<DateTimePattern> compile(std::string_view pattern, Use use);

  // Appends the local time of `wall` at `micros`.
  void format(int64_t micros, LocalTime& wall, std::string& out) const;
  // As format for the midnight that begins a day; zone letters print `zone`.
  void format_date(int32_t days, const TimeZone& zone, std::string& out) const;

  // The whole text must match. Fields that the pattern lacks: 1970, January, the 1st, 00:00:00; a
  // time is local to `wall` unless the text names a zone.
  [[nodiscard]] std::optional<int64_t> parse_timestamp(std::string_view text,
                                                       LocalTime& wall) const;
  [[nodiscard]] std::optional<int32_t> parse_date(std::string_view text) const;

  // One thing that a pattern is made of. Public for the printer and the parser in their .cpp files.
  struct Element {
    enum class Kind : uint8_t {
      literal,
      optional_start,  // `end` is the index of its optional_end
      optional_end,
      number,
      reduced_year,  // yy: 2000 to 2099
      fraction,
      month_name,
      day_of_week_name,
      quarter_name,
      am_pm,
      era,
      zone_id,
      zone_name,
      offset,            // X, x, Z: `style` is the letter
      localized_offset,  // O, ZZZZ: GMT+1
    };
    enum class Sign : uint8_t { normal, not_negative, exceeds_pad };

    Kind kind = Kind::literal;
    char letter = 0;
    int count = 0;
    Sign sign = Sign::normal;
    int min_width = 1;
    int max_width = 19;
    // Digits that the adjacent fixed-width numbers behind this one need; -1: this one is fixed
    // itself.
    int subsequent_width = 0;
    size_t end = 0;
    std::string text = {};  // of a literal
  };

 private:
  std::vector<Element> elements_;
  bool has_era_ = false;
};

}  // namespace flowrun
