#pragma once
// A value of any type as text, as Spark's cast to string writes it, or as its show() does.
//
//   std::string out;
//   append_text(*column, row, zone, out);   // {1, [x, null], {k -> 1.0E10}}
//
// A null is written as a word, at the top too: who casts, asks is_null first.

#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/columnar/column.h"
#include "runtime/format/datetime.h"
#include "runtime/format/number.h"

namespace flowrun {

enum class TextStyle : uint8_t {
  cast,  // null, binary as its bytes, small decimals with an exponent
  show,  // NULL, binary as [01 AF], decimals plain
};

void append_text(const Column& column, int64_t row, const TimeZone& zone, std::string& out,
                 TextStyle style = TextStyle::cast);

// A decimal as Java's BigDecimal.toString does: 1E-7 where more than six zeros would follow the
// point.
void append_decimal_scientific(Decimal128 value, int scale, std::string& out);

// "1 years 2 months 3 days 4 hours 5.5 seconds"
void append_interval(const CalendarInterval& value, std::string& out);
// "INTERVAL '1-2' YEAR TO MONTH". REQUIRES: a year-month interval type; months.
void append_year_month(const Type& type, int32_t months, std::string& out);
// "INTERVAL '1 02:03:04.5' DAY TO SECOND". REQUIRES: a day-time interval type; microseconds.
void append_day_time(const Type& type, int64_t micros, std::string& out);

}  // namespace flowrun
