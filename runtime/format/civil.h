#pragma once
// Civil date arithmetic in the proleptic Gregorian calendar, years counted astronomically (0 is 1
// BC).
//
//   civil_from_days(16489)          // {2015, 2, 23}
//   days_from_civil(2015, 2, 23)    // 16489
//
// The algorithms are Howard Hinnant's ("chrono-Compatible Low-Level Date Algorithms").

#include <cstdint>

namespace flowrun {

inline constexpr int64_t kMicrosPerMilli = 1000;
inline constexpr int64_t kMicrosPerSecond = 1'000'000;
inline constexpr int64_t kMicrosPerMinute = 60 * kMicrosPerSecond;
inline constexpr int64_t kMicrosPerHour = 60 * kMicrosPerMinute;
inline constexpr int64_t kMicrosPerDay = 24 * kMicrosPerHour;
inline constexpr int64_t kSecondsPerDay = 86'400;

struct CivilDate {
  int64_t year;
  int month;  // 1 to 12
  int day;    // 1 to 31
  friend bool operator==(const CivilDate&, const CivilDate&) = default;
};

// The time of a day, taken apart.
struct CivilTime {
  int hour;
  int minute;
  int second;
  int micros;
};

// Division that rounds towards minus infinity. REQUIRES: divisor > 0.
constexpr int64_t floor_div(int64_t value, int64_t divisor) {
  const int64_t quotient = value / divisor;
  return quotient - (value % divisor < 0 ? 1 : 0);
}
constexpr int64_t floor_mod(int64_t value, int64_t divisor) {
  const int64_t rest = value % divisor;
  return rest < 0 ? rest + divisor : rest;
}

// Days since 1970-01-01. REQUIRES: |year| < 2^40.
constexpr int64_t days_from_civil(int64_t year, int month, int day) {
  const int64_t y = month <= 2 ? year - 1 : year;
  const int64_t era = floor_div(y, 400);
  const int64_t year_of_era = y - era * 400;
  const int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
  const int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146097 + day_of_era - 719468;
}

constexpr CivilDate civil_from_days(int64_t days) {
  const int64_t shifted = days + 719468;
  const int64_t era = floor_div(shifted, 146097);
  const int64_t day_of_era = shifted - era * 146097;
  const int64_t year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const int64_t day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const auto shifted_month = static_cast<int>((5 * day_of_year + 2) / 153);
  const int day = static_cast<int>(day_of_year - (153 * shifted_month + 2) / 5 + 1);
  const int month = shifted_month < 10 ? shifted_month + 3 : shifted_month - 9;
  return {year_of_era + era * 400 + (month <= 2 ? 1 : 0), month, day};
}

constexpr bool is_leap_year(int64_t year) {
  return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

constexpr int days_in_month(int64_t year, int month) {
  constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  return month == 2 && is_leap_year(year) ? 29 : kDays[month - 1];
}

constexpr bool is_valid_date(int64_t year, int month, int day) {
  return month >= 1 && month <= 12 && day >= 1 && day <= days_in_month(year, month);
}

// Monday is 1, Sunday 7.
constexpr int iso_day_of_week(int64_t days) { return static_cast<int>(floor_mod(days + 3, 7)) + 1; }

// 1 to 366.
constexpr int day_of_year(int64_t days) {
  return static_cast<int>(days - days_from_civil(civil_from_days(days).year, 1, 1)) + 1;
}

// The year to which the ISO week of a day belongs; week 1 is the one with the year's first
// Thursday.
constexpr int64_t iso_week_year(int64_t days) {
  return civil_from_days(days + 4 - iso_day_of_week(days)).year;
}
constexpr int iso_week(int64_t days) {
  return (day_of_year(days + 4 - iso_day_of_week(days)) - 1) / 7 + 1;
}

// The day `months` later; the day of the month is cut to the length of that month.
constexpr int64_t add_months(int64_t days, int64_t months) {
  const CivilDate date = civil_from_days(days);
  const int64_t month0 = date.year * 12 + date.month - 1 + months;
  const int64_t year = floor_div(month0, 12);
  const int month = static_cast<int>(floor_mod(month0, 12)) + 1;
  const int last = days_in_month(year, month);
  return days_from_civil(year, month, date.day < last ? date.day : last);
}

// `micros` since midnight, in [0, kMicrosPerDay).
constexpr CivilTime civil_time(int64_t micros) {
  return {static_cast<int>(micros / kMicrosPerHour),
          static_cast<int>(micros / kMicrosPerMinute % 60),
          static_cast<int>(micros / kMicrosPerSecond % 60),
          static_cast<int>(micros % kMicrosPerSecond)};
}

}  // namespace flowrun
