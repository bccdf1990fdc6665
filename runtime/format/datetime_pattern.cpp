// Compiling and printing; reading is in datetime_parser.cpp.
#include "runtime/format/datetime_pattern.h"

#include <algorithm>

#include "runtime/format/datetime_names.h"

namespace flowrun {
namespace {

using Element = DateTimePattern::Element;
using Kind = Element::Kind;
using Sign = Element::Sign;

constexpr std::string_view kWeekLetters = "YWwuec";
constexpr std::string_view kRefusedLetters = "ABnNp";
constexpr std::string_view kRefusedForParsing = "EFqQ";
constexpr std::string_view kNarrowLetters = "GMLEQq";  // five of them are the narrow form
constexpr int kMaxYearLetters = 6;

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

Error bad_letter(char letter, std::string_view pattern, std::string_view why) {
  return Error::invalid("letter `" + std::string(1, letter) + "` " + std::string(why) + ", in `" +
                        std::string(pattern) + "`");
}

// Turns the pattern's text into elements, as java.time.format.DateTimeFormatterBuilder does.
class Compiler {
 public:
  Compiler(std::string_view pattern, DateTimePattern::Use use)
      : pattern_(pattern), parsing_(use == DateTimePattern::Use::parse) {}

  Result<std::vector<Element>> compile() {
    for (size_t at = 0; at < pattern_.size();) {
      const char c = pattern_[at];
      if (is_letter(c)) {
        size_t end = at;
        while (end < pattern_.size() && pattern_[end] == c) ++end;
        FLOWRUN_RETURN_IF_ERROR(add_letter(c, static_cast<int>(end - at)));
        at = end;
      } else if (c == '\'') {
        FLOWRUN_TRY(at, add_quoted(at));
      } else if (c == '[') {
        open_.push_back(elements_.size());
        add(Element{.kind = Kind::optional_start});
        ++at;
      } else if (c == ']') {
        if (open_.empty()) return bad("has a ] without its [");
        elements_[open_.back()].end = elements_.size();
        open_.pop_back();
        add(Element{.kind = Kind::optional_end});
        ++at;
      } else if (c == '{' || c == '}' || c == '#') {
        return bad("has a reserved character — quote it: '" + std::string(1, c) + "'");
      } else {
        add_literal(std::string(1, c));
        ++at;
      }
    }
    close_open_sections();
    return std::move(elements_);
  }

 private:
  Error bad(const std::string& why) const {
    return Error::invalid("the datetime pattern `" + std::string(pattern_) + "` " + why);
  }
  void close_open_sections() {
    for (; !open_.empty(); open_.pop_back()) {
      elements_[open_.back()].end = elements_.size();
      elements_.push_back(Element{.kind = Kind::optional_end});
    }
  }

  // Anything but a number ends a run of adjacent numbers.
  void add(Element element) {
    elements_.push_back(std::move(element));
    adjacent_ = kNone;
  }
  void add_literal(std::string text) {
    add(Element{.kind = Kind::literal, .text = std::move(text)});
  }

  // A number behind a number: the first gives up the digits that the fixed ones behind it need.
  void add_number(Element element) {
    const bool fixed = element.min_width == element.max_width && element.sign == Sign::not_negative;
    if (adjacent_ == kNone) {
      adjacent_ = elements_.size();
    } else if (fixed) {
      elements_[adjacent_].subsequent_width += element.max_width;
      element.subsequent_width = -1;
    } else {
      elements_[adjacent_].subsequent_width = -1;
      adjacent_ = elements_.size();
    }
    elements_.push_back(std::move(element));
  }

  Result<size_t> add_quoted(size_t at) {
    std::string text;
    for (size_t i = at + 1; i < pattern_.size(); ++i) {
      if (pattern_[i] != '\'') {
        text += pattern_[i];
      } else if (i + 1 < pattern_.size() && pattern_[i + 1] == '\'') {
        text += pattern_[i++];
      } else {
        add_literal(text.empty() ? "'" : std::move(text));
        return i + 1;
      }
    }
    return bad("ends inside a quoted text — close the quote");
  }

  Status add_letter(char letter, int count);
  Status add_number_letter(char letter, int count);
  Status add_text_letter(char letter, int count);
  Status add_zone_letter(char letter, int count);

  static constexpr size_t kNone = static_cast<size_t>(-1);
  std::string_view pattern_;
  bool parsing_;
  std::vector<Element> elements_;
  std::vector<size_t> open_;
  size_t adjacent_ = kNone;
};

Status Compiler::add_letter(char letter, int count) {
  if (kWeekLetters.find(letter) != std::string_view::npos) {
    return bad_letter(letter, pattern_,
                      "is week-based and not supported — use the function extract instead");
  }
  if (kRefusedLetters.find(letter) != std::string_view::npos) {
    return bad_letter(letter, pattern_, "is not supported in datetime patterns");
  }
  if (parsing_ && kRefusedForParsing.find(letter) != std::string_view::npos) {
    return bad_letter(letter, pattern_, "can be written but not read");
  }
  if ((kNarrowLetters.find(letter) != std::string_view::npos && count >= 5) ||
      (letter == 'y' && count > kMaxYearLetters)) {
    return bad_letter(letter, pattern_, "is repeated too often");
  }
  if (std::string_view("yDdFHhKkmsS").find(letter) != std::string_view::npos ||
      (std::string_view("MLQq").find(letter) != std::string_view::npos && count <= 2)) {
    return add_number_letter(letter, count);
  }
  if (std::string_view("MLQqEGa").find(letter) != std::string_view::npos) {
    return add_text_letter(letter, count);
  }
  if (std::string_view("VzOXxZ").find(letter) != std::string_view::npos) {
    return add_zone_letter(letter, count);
  }
  return bad_letter(letter, pattern_,
                    "means nothing in datetime patterns — quote it if it is text");
}

Status Compiler::add_number_letter(char letter, int count) {
  Element element{.kind = Kind::number, .letter = letter, .count = count, .min_width = count};
  if (letter == 'y') {
    if (count == 2) {
      element.kind = Kind::reduced_year;
      element.sign = Sign::not_negative;
      element.max_width = 2;
    } else if (count > 3) {
      element.sign = Sign::exceeds_pad;
    }
  } else if (letter == 'S') {
    if (count > 9) return bad_letter(letter, pattern_, "is repeated too often");
    element.kind = Kind::fraction;
    element.sign = Sign::not_negative;
    // Read, it takes from one digit to as many as there are letters.
    element.min_width = parsing_ ? 1 : count;
    element.max_width = count;
    if (element.min_width != element.max_width) {
      add(std::move(element));
      return {};
    }
  } else {
    const int most = letter == 'D' ? 3 : letter == 'F' ? 1 : 2;
    if (count > most) return bad_letter(letter, pattern_, "is repeated too often");
    if (count > 1) {
      element.sign = Sign::not_negative;
      element.max_width = letter == 'D' ? 3 : count;
    }
  }
  add_number(std::move(element));
  return {};
}

Status Compiler::add_text_letter(char letter, int count) {
  Element element{.letter = letter, .count = count};
  switch (letter) {
    case 'M':
    case 'L':
      element.kind = Kind::month_name;
      break;
    case 'Q':
    case 'q':
      element.kind = Kind::quarter_name;
      break;
    case 'E':
      element.kind = Kind::day_of_week_name;
      break;
    case 'G':
      element.kind = Kind::era;
      break;
    default:
      if (count > 1) return bad_letter(letter, pattern_, "is repeated too often");
      element.kind = Kind::am_pm;
  }
  add(std::move(element));
  return {};
}

Status Compiler::add_zone_letter(char letter, int count) {
  Element element{.kind = Kind::offset, .letter = letter, .count = count};
  const int most = letter == 'V' ? 2 : letter == 'z' || letter == 'O' ? 4 : 5;
  if (count > most) return bad_letter(letter, pattern_, "is repeated too often");
  if (letter == 'V') {
    if (count != 2) return bad_letter(letter, pattern_, "must stand twice: VV");
    element.kind = Kind::zone_id;
  } else if (letter == 'z') {
    element.kind = Kind::zone_name;
  } else if (letter == 'O') {
    if (count != 1 && count != 4) {
      return bad_letter(letter, pattern_, "must stand once or four times");
    }
    element.kind = Kind::localized_offset;
  } else if (letter == 'Z' && count == 4) {
    element.kind = Kind::localized_offset;
  }
  add(std::move(element));
  return {};
}

// What is printed: a local time, taken apart once per row.
struct Moment {
  CivilDate date{};
  CivilTime time{};
  int64_t days = 0;
  TimeZone::Span span{};
};

int64_t number_of(const Element& element, const Moment& moment, bool has_era) {
  switch (element.letter) {
    case 'y':
      return has_era && moment.date.year <= 0 ? 1 - moment.date.year : moment.date.year;
    case 'M':
    case 'L':
      return moment.date.month;
    case 'Q':
    case 'q':
      return (moment.date.month + 2) / 3;
    case 'd':
      return moment.date.day;
    case 'D':
      return day_of_year(moment.days);
    case 'F':
      return (moment.date.day - 1) % 7 + 1;
    case 'H':
      return moment.time.hour;
    case 'k':
      return moment.time.hour == 0 ? 24 : moment.time.hour;
    case 'K':
      return moment.time.hour % 12;
    case 'h':
      return moment.time.hour % 12 == 0 ? 12 : moment.time.hour % 12;
    case 'm':
      return moment.time.minute;
    default:
      return moment.time.second;
  }
}

void append_padded(int64_t value, int width, std::string& out) {
  const std::string digits = std::to_string(value);
  const auto least = static_cast<size_t>(width);
  if (digits.size() < least) out.append(least - digits.size(), '0');
  out += digits;
}

void append_number(const Element& element, int64_t value, std::string& out) {
  const int64_t size = value < 0 ? -value : value;
  if (element.kind == Kind::reduced_year) {
    append_padded(size % 100, 2, out);
    return;
  }
  if (value < 0) {
    out += '-';
  } else if (element.sign == Sign::exceeds_pad &&
             std::to_string(size).size() > static_cast<size_t>(element.min_width)) {
    out += '+';
  }
  append_padded(size, element.min_width, out);
}

void append_fraction_digits(int micros, int width, std::string& out) {
  std::string digits;
  append_padded(micros, 6, digits);
  digits.resize(static_cast<size_t>(width), '0');
  out += digits;
}

// X, x and Z in their lengths.
void append_offset(const Element& element, int32_t offset, std::string& out) {
  const bool z_for_none = element.letter == 'X' || (element.letter == 'Z' && element.count == 5);
  const int style = element.letter == 'Z' ? (element.count == 5 ? 5 : 2) : element.count;
  const int32_t size = offset < 0 ? -offset : offset;
  const int hours = size / 3600;
  const int minutes = size / 60 % 60;
  const int seconds = size % 60;
  const bool with_minutes = style > 1 || minutes != 0;
  const bool with_seconds = style > 3 && seconds != 0;
  if (hours == 0 && (!with_minutes || minutes == 0) && !with_seconds) {
    if (z_for_none) {
      out += 'Z';
      return;
    }
  }
  const bool none = hours == 0 && minutes == 0 && !with_seconds;
  out += offset < 0 && !none ? '-' : '+';
  append_padded(hours, 2, out);
  const bool colons = style == 3 || style == 5;
  if (with_minutes) {
    if (colons) out += ':';
    append_padded(minutes, 2, out);
  }
  if (with_seconds) {
    if (colons) out += ':';
    append_padded(seconds, 2, out);
  }
}

// GMT, GMT+1, GMT+1:30 or in full GMT+01:30.
void append_localized_offset(const Element& element, int32_t offset, std::string& out) {
  out += "GMT";
  if (offset == 0) return;
  const bool full = element.count == 4;
  const int32_t size = offset < 0 ? -offset : offset;
  out += offset < 0 ? '-' : '+';
  append_padded(size / 3600, full ? 2 : 1, out);
  if (full || size % 3600 != 0) {
    out += ':';
    append_padded(size / 60 % 60, 2, out);
  }
  if (size % 60 != 0) {
    out += ':';
    append_padded(size % 60, 2, out);
  }
}

void append_text(const Element& element, const Moment& moment, std::string& out) {
  const bool full = element.count == 4;
  switch (element.kind) {
    case Kind::month_name:
      out += month_name(moment.date.month, full);
      break;
    case Kind::day_of_week_name:
      out += day_name(iso_day_of_week(moment.days), full);
      break;
    case Kind::quarter_name:
      out += quarter_name((moment.date.month + 2) / 3, full);
      break;
    case Kind::am_pm:
      out += moment.time.hour < 12 ? "AM" : "PM";
      break;
    default:
      out += era_name(moment.date.year > 0, full);
      break;
  }
}

void append_element(const Element& element, const Moment& moment, const TimeZone& zone,
                    bool has_era, std::string& out) {
  switch (element.kind) {
    case Kind::literal:
      out += element.text;
      break;
    case Kind::optional_start:
    case Kind::optional_end:
      break;
    case Kind::number:
    case Kind::reduced_year:
      append_number(element, number_of(element, moment, has_era), out);
      break;
    case Kind::fraction:
      append_fraction_digits(moment.time.micros, element.count, out);
      break;
    case Kind::zone_id:
      out += zone.name();
      break;
    case Kind::zone_name:
      out += element.count == 4 ? zone_full_name(zone, moment.span)
                                : zone_short_name(zone, moment.span);
      break;
    case Kind::offset:
      append_offset(element, moment.span.offset, out);
      break;
    case Kind::localized_offset:
      append_localized_offset(element, moment.span.offset, out);
      break;
    default:
      append_text(element, moment, out);
  }
}

Moment moment_of(int64_t local, const TimeZone::Span& span) {
  Moment moment;
  moment.days = floor_div(local, kMicrosPerDay);
  moment.date = civil_from_days(moment.days);
  moment.time = civil_time(floor_mod(local, kMicrosPerDay));
  moment.span = span;
  return moment;
}

}  // namespace

Result<DateTimePattern> DateTimePattern::compile(std::string_view pattern, Use use) {
  DateTimePattern compiled;
  FLOWRUN_TRY(compiled.elements_, Compiler(pattern, use).compile());
  compiled.has_era_ = std::any_of(compiled.elements_.begin(), compiled.elements_.end(),
                                  [](const Element& element) { return element.kind == Kind::era; });
  return compiled;
}

void DateTimePattern::format(int64_t micros, LocalTime& wall, std::string& out) const {
  const Moment moment = moment_of(wall.to_local(micros), wall.span(micros));
  for (const Element& element : elements_)
    append_element(element, moment, wall.zone(), has_era_, out);
}

void DateTimePattern::format_date(int32_t days, const TimeZone& zone, std::string& out) const {
  Moment moment;
  moment.days = days;
  moment.date = civil_from_days(days);
  moment.span = zone.span_at(0);
  for (const Element& element : elements_) append_element(element, moment, zone, has_era_, out);
}

}  // namespace flowrun
