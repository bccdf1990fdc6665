// Reading text by a pattern, in java.time's strict way.
#include <array>
#include <limits>

#include "runtime/format/datetime.h"
#include "runtime/format/datetime_names.h"

namespace flowrun {
namespace {

using Element = DateTimePattern::Element;
using Kind = Element::Kind;
using Sign = Element::Sign;

// Fields as they were read; a field read twice must have one value.
struct Fields {
  enum Name : uint8_t {
    year,
    month,
    day,
    day_of_year,
    hour24,
    clock24,
    hour12,
    clock12,
    am_pm,
    minute,
    second,
    nano,
    era,
    kCount
  };
  std::array<std::optional<int64_t>, kCount> values;
  const TimeZone* zone = nullptr;
  std::optional<int32_t> offset;

  bool put(Name name, int64_t value) {
    if (values[name] && *values[name] != value) return false;
    values[name] = value;
    return true;
  }
  [[nodiscard]] int64_t get(Name name, int64_t otherwise) const {
    return values[name].value_or(otherwise);
  }
  [[nodiscard]] bool has(Name name) const { return values[name].has_value(); }
};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

Fields::Name field_of(char letter) {
  switch (letter) {
    case 'y':
      return Fields::year;
    case 'M':
    case 'L':
      return Fields::month;
    case 'd':
      return Fields::day;
    case 'D':
      return Fields::day_of_year;
    case 'H':
      return Fields::hour24;
    case 'k':
      return Fields::clock24;
    case 'K':
      return Fields::hour12;
    case 'h':
      return Fields::clock12;
    case 'm':
      return Fields::minute;
    default:
      return Fields::second;
  }
}

// Walks elements and text together.
class Matcher {
 public:
  Matcher(const std::vector<Element>& elements, std::string_view text)
      : elements_(elements), text_(text) {}

  std::optional<Fields> match() {
    if (!range(0, elements_.size()) || at_ != text_.size()) return std::nullopt;
    return fields_;
  }

 private:
  bool range(size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) {
      const Element& element = elements_[i];
      if (element.kind == Kind::optional_start) {
        const size_t at = at_;
        const Fields fields = fields_;
        if (!range(i + 1, element.end)) {
          at_ = at;
          fields_ = fields;
        }
        i = element.end;
      } else if (!one(element)) {
        return false;
      }
    }
    return true;
  }

  bool one(const Element& element) {
    switch (element.kind) {
      case Kind::literal:
        return word(element.text);
      case Kind::number:
      case Kind::reduced_year:
        return number(element);
      case Kind::fraction:
        return fraction(element);
      case Kind::month_name:
        return month(element.count == 4);
      case Kind::am_pm:
        return either("AM", "PM", Fields::am_pm, 0);
      case Kind::era: {
        const bool full = element.count == 4;
        return either(era_name(false, full), era_name(true, full), Fields::era, 0);
      }
      case Kind::zone_id:
      case Kind::zone_name:
        return zone();
      case Kind::offset:
        return offset(element);
      case Kind::localized_offset:
        return localized_offset();
      default:
        return true;  // optional_end
    }
  }

  [[nodiscard]] std::string_view rest() const { return text_.substr(at_); }

  bool word(std::string_view expected) {
    if (!starts_with_word(rest(), expected)) return false;
    at_ += expected.size();
    return true;
  }
  bool either(std::string_view first, std::string_view second, Fields::Name name, int64_t value) {
    if (word(first)) return fields_.put(name, value);
    return word(second) && fields_.put(name, value + 1);
  }
  bool month(bool full) {
    const auto match = match_month(rest(), full);
    if (!match) return false;
    at_ += match->size;
    return fields_.put(Fields::month, match->value);
  }

  bool number(const Element& element);
  bool fraction(const Element& element);
  bool zone();
  bool offset(const Element& element);
  bool localized_offset();

  const std::vector<Element>& elements_;
  std::string_view text_;
  size_t at_ = 0;
  Fields fields_;
};

// DateTimeFormatterBuilder.NumberPrinterParser.parse, strict.
bool Matcher::number(const Element& element) {
  bool negative = false;
  bool positive = false;
  if (at_ < text_.size() && (text_[at_] == '+' || text_[at_] == '-')) {
    positive = text_[at_] == '+';
    negative = !positive;
    if (element.sign == Sign::not_negative) return false;
    if (positive && element.sign != Sign::exceeds_pad) return false;
    ++at_;
  }
  size_t digits = 0;
  while (at_ + digits < text_.size() && is_digit(text_[at_ + digits])) ++digits;
  const auto least = static_cast<size_t>(element.min_width);
  const auto behind =
      static_cast<size_t>(element.subsequent_width > 0 ? element.subsequent_width : 0);
  size_t width = std::min(digits, static_cast<size_t>(element.max_width) + behind);
  if (width < least) return false;
  if (behind > 0) width = std::max(least, width > behind ? width - behind : 0);
  if (width > 18) return false;  // beyond any field's range
  int64_t value = 0;
  for (size_t i = 0; i < width; ++i) value = value * 10 + (text_[at_ + i] - '0');
  at_ += width;
  if (negative && value == 0) return false;
  if (element.sign == Sign::exceeds_pad && !negative && positive != (width > least)) return false;
  if (element.kind == Kind::reduced_year) value += 2000;
  return fields_.put(field_of(element.letter), negative ? -value : value);
}

bool Matcher::fraction(const Element& element) {
  int64_t nanos = 0;
  int64_t unit = 1'000'000'000;
  int digits = 0;
  for (; digits < element.max_width && at_ < text_.size() && is_digit(text_[at_]); ++digits) {
    unit /= 10;
    nanos += unit * (text_[at_++] - '0');
  }
  return digits >= element.min_width && fields_.put(Fields::nano, nanos);
}

// The longest run of characters that a zone's name may have and that names one.
bool Matcher::zone() {
  size_t size = 0;
  const std::string_view text = rest();
  while (size < text.size() &&
         (std::isalnum(static_cast<unsigned char>(text[size])) != 0 ||
          std::string_view("/_+-:").find(text[size]) != std::string_view::npos)) {
    ++size;
  }
  for (; size > 0; --size) {
    if (const auto found = find_time_zone(text.substr(0, size)); found) {
      fields_.zone = *found;
      at_ += size;
      return true;
    }
  }
  return false;
}

bool Matcher::offset(const Element& element) {
  const bool z_for_none = element.letter == 'X' || (element.letter == 'Z' && element.count == 5);
  if (z_for_none && (word("Z"))) {
    fields_.offset = 0;
    return true;
  }
  const int style = element.letter == 'Z' ? (element.count == 5 ? 5 : 2) : element.count;
  const bool colons = style == 3 || style == 5;
  const std::string_view text = rest();
  // The longest form that the letters allow, down to the shortest.
  const size_t hours = 3;
  const size_t minutes = colons ? 6 : 5;
  const size_t seconds = colons ? 9 : 7;
  const std::array<size_t, 3> forms{style > 3 ? seconds : 0, minutes, style == 1 ? hours : 0};
  for (const size_t size : forms) {
    if (size == 0 || text.size() < size) continue;
    if (const auto parsed = parse_offset(text.substr(0, size)); parsed) {
      fields_.offset = *parsed;
      at_ += size;
      return true;
    }
  }
  return false;
}

bool Matcher::localized_offset() {
  if (!word("GMT")) return false;
  const std::string_view text = rest();
  size_t size = 0;
  if (!text.empty() && (text[0] == '+' || text[0] == '-')) size = 1;
  while (size > 0 && size < text.size() && (is_digit(text[size]) || text[size] == ':')) ++size;
  if (size == 0) {
    fields_.offset = 0;
    return true;
  }
  std::string padded(text.substr(0, size));
  if (padded.find(':') == 2 || padded.size() == 2) padded.insert(padded.begin() + 1, '0');
  const auto parsed = parse_offset(padded);
  if (!parsed) return false;
  fields_.offset = *parsed;
  at_ += size;
  return true;
}

// The day that the fields name; absent ones as Spark has it: 1970, January, the 1st.
std::optional<int64_t> resolve_date(const Fields& fields) {
  int64_t year = fields.get(Fields::year, 1970);
  if (fields.get(Fields::era, 1) == 0) year = 1 - year;
  if (year < -999'999'999 || year > 999'999'999) return std::nullopt;
  if (fields.has(Fields::era) && fields.has(Fields::year) && *fields.values[Fields::year] < 1) {
    return std::nullopt;
  }
  const int64_t month = fields.get(Fields::month, 1);
  const int64_t day = fields.get(Fields::day, 1);
  const bool by_month = fields.has(Fields::month) && fields.has(Fields::day);
  if (month < 1 || month > 12 || day < 1 || day > 31) return std::nullopt;
  if (fields.has(Fields::day_of_year) && fields.has(Fields::year)) {
    const int64_t of_year = *fields.values[Fields::day_of_year];
    if (of_year < 1 || of_year > (is_leap_year(year) ? 366 : 365)) return std::nullopt;
    const int64_t days = days_from_civil(year, 1, 1) + of_year - 1;
    const CivilDate date = civil_from_days(days);
    if (!by_month || (date.month == month && date.day == day)) return days;
    return std::nullopt;
  }
  if (!is_valid_date(year, static_cast<int>(month), static_cast<int>(day))) return std::nullopt;
  return days_from_civil(year, static_cast<int>(month), static_cast<int>(day));
}

bool in_range(const Fields& fields, Fields::Name name, int64_t least, int64_t most) {
  return !fields.has(name) || (*fields.values[name] >= least && *fields.values[name] <= most);
}

// The hour of the day; the different ways to name it must agree.
std::optional<int64_t> resolve_hour(const Fields& fields) {
  if (!in_range(fields, Fields::hour24, 0, 23) || !in_range(fields, Fields::clock24, 1, 24) ||
      !in_range(fields, Fields::hour12, 0, 11) || !in_range(fields, Fields::clock12, 1, 12)) {
    return std::nullopt;
  }
  std::optional<int64_t> hour;
  const auto agree = [&](int64_t value) {
    if (hour && *hour != value) return false;
    hour = value;
    return true;
  };
  if (fields.has(Fields::hour24)) hour = fields.values[Fields::hour24];
  if (fields.has(Fields::clock24) && !agree(*fields.values[Fields::clock24] % 24))
    return std::nullopt;
  std::optional<int64_t> half = fields.values[Fields::hour12];
  if (fields.has(Fields::clock12)) {
    const int64_t value = *fields.values[Fields::clock12] % 12;
    if (half && *half != value) return std::nullopt;
    half = value;
  }
  const int64_t afternoon = fields.get(Fields::am_pm, hour ? *hour / 12 : 0);
  if (hour && fields.has(Fields::am_pm) && *hour / 12 != afternoon) return std::nullopt;
  if (half && !agree(*half + 12 * afternoon)) return std::nullopt;
  if (hour) return hour;
  return fields.get(Fields::am_pm, 0) * 12;
}

// Microseconds since midnight.
std::optional<int64_t> resolve_time(const Fields& fields) {
  const auto hour = resolve_hour(fields);
  if (!hour || !in_range(fields, Fields::minute, 0, 59) ||
      !in_range(fields, Fields::second, 0, 59)) {
    return std::nullopt;
  }
  return *hour * kMicrosPerHour + fields.get(Fields::minute, 0) * kMicrosPerMinute +
         fields.get(Fields::second, 0) * kMicrosPerSecond + fields.get(Fields::nano, 0) / 1000;
}

}  // namespace

std::optional<int64_t> DateTimePattern::parse_timestamp(std::string_view text,
                                                        LocalTime& wall) const {
  const auto fields = Matcher(elements_, text).match();
  if (!fields) return std::nullopt;
  const auto days = resolve_date(*fields);
  const auto in_day = resolve_time(*fields);
  if (!days || !in_day) return std::nullopt;
  int64_t local = 0;
  if (__builtin_mul_overflow(*days, kMicrosPerDay, &local) ||
      __builtin_add_overflow(local, *in_day, &local)) {
    return std::nullopt;
  }
  if (fields->zone != nullptr && fields->zone != &wall.zone())
    return LocalTime(*fields->zone).to_utc(local);
  if (fields->zone == nullptr && fields->offset) {
    return local - *fields->offset * kMicrosPerSecond;
  }
  return wall.to_utc(local);
}

std::optional<int32_t> DateTimePattern::parse_date(std::string_view text) const {
  const auto fields = Matcher(elements_, text).match();
  if (!fields || !resolve_time(*fields)) return std::nullopt;
  const auto days = resolve_date(*fields);
  if (!days || *days != static_cast<int32_t>(*days)) return std::nullopt;
  return static_cast<int32_t>(*days);
}

}  // namespace flowrun
