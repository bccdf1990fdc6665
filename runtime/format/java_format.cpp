#include "runtime/format/java_format.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "runtime/format/decimal_digits.h"
#include "runtime/format/number.h"
#include "runtime/format/unicode_case.h"
#include "runtime/format/utf8.h"

namespace flowrun {

namespace {

using Part = JavaFormat::Part;

constexpr int kDefaultPrecision = 6;
constexpr std::string_view kFlags = "-#+ 0,(";

Error wrong(const Part& part, std::string_view why) {
  return Error::data(fmt::format("the format specifier `{}` {}", part.text, why));
}

// Characters as Java counts them: those beyond U+FFFF are two.
int java_length(std::string_view text) {
  int length = 0;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    length += (byte & 0xc0) == 0x80 ? 0 : byte >= 0xf0 ? 2 : 1;
  }
  return length;
}

// The first `length` of them; half of a pair is a question mark.
std::string java_prefix(std::string_view text, int length) {
  size_t at = 0;
  while (at < text.size()) {
    const size_t size = std::min(code_point_size(text[at]), text.size() - at);
    const int units = size == 4 ? 2 : 1;
    if (units > length) break;
    length -= units;
    at += size;
  }
  std::string prefix(text.substr(0, at));
  if (length > 0 && at < text.size()) prefix += '?';
  return prefix;
}

void append_justified(const Part& part, std::string_view text, std::string& out) {
  const int missing = part.width - java_length(text);
  const std::string padding(static_cast<size_t>(std::max(missing, 0)), ' ');
  if (!part.has('-')) out += padding;
  out += text;
  if (part.has('-')) out += padding;
}

void append_text(const Part& part, std::string_view text, std::string& out) {
  std::string shown = part.precision >= 0 ? java_prefix(text, part.precision) : std::string(text);
  if (part.upper) {
    std::string upper;
    append_upper(shown, upper);
    shown = std::move(upper);
  }
  append_justified(part, shown, out);
}

// A number from its parts: sign, zeros up to the width, parentheses around a negative one.
void append_number(const Part& part, bool negative, std::string_view prefix, std::string_view body,
                   std::string& out) {
  std::string text;
  if (negative) {
    text = part.has('(') ? "(" : "-";
  } else if (part.has('+')) {
    text = "+";
  } else if (part.has(' ')) {
    text = " ";
  }
  text += prefix;
  const bool closed = negative && part.has('(');
  if (part.has('0')) {
    const int missing = part.width - static_cast<int>(text.size() + body.size()) - (closed ? 1 : 0);
    text.append(static_cast<size_t>(std::max(missing, 0)), '0');
  }
  text += body;
  if (closed) text += ')';
  append_justified(part, text, out);
}

void append_decimal_integer(const Part& part, int64_t value, std::string& out) {
  const uint64_t size = value < 0 ? 0 - static_cast<uint64_t>(value) : static_cast<uint64_t>(value);
  append_number(part, value < 0, "", grouped_digits(std::to_string(size), part.has(',') ? 3 : 0),
                out);
}

// Negative numbers show the bits of their type.
template <class T>
void append_bits(const Part& part, T value, std::string& out) {
  const auto bits = static_cast<std::make_unsigned_t<T>>(value);
  const bool octal = part.conversion == 'o';
  const std::string digits = octal        ? fmt::format("{:o}", bits)
                             : part.upper ? fmt::format("{:X}", bits)
                                          : fmt::format("{:x}", bits);
  const char* prefix = !part.has('#') ? "" : octal ? "0" : part.upper ? "0X" : "0x";
  append_number(part, false, prefix, digits, out);
}

// Digits with a point behind the first and an exponent of two digits or more.
std::string scientific(DecimalDigits number, int precision, bool upper) {
  number.round_significant(precision + 1, DecimalDigits::Rounding::half_up);
  const int exponent = number.zero() ? 0 : number.point() - 1;
  std::string digits = number.zero() ? "0" : number.digits();
  digits.resize(static_cast<size_t>(precision) + 1, '0');
  if (precision > 0) digits.insert(1, 1, '.');
  return fmt::format("{}{}{}{:02}", digits, upper ? 'E' : 'e', exponent < 0 ? '-' : '+',
                     std::abs(exponent));
}

std::string plain(const Part& part, DecimalDigits number, int precision) {
  number.round(precision, DecimalDigits::Rounding::half_up);
  std::string whole = number.whole();
  if (whole.empty()) whole = "0";
  whole = grouped_digits(whole, part.has(',') ? 3 : 0);
  return precision > 0 ? whole + "." + number.fraction(precision) : whole;
}

// As many digits in all as the precision says, plain from 0.0001 up to where they end.
std::string general(const Part& part, DecimalDigits number) {
  const int precision = part.precision < 0 ? kDefaultPrecision : std::max(part.precision, 1);
  number.round_significant(precision, DecimalDigits::Rounding::half_up);
  const int exponent = number.zero() ? 0 : number.point() - 1;
  if (exponent < -4 || exponent >= precision) return scientific(number, precision - 1, part.upper);
  return plain(part, number, precision - 1 - exponent);
}

// C's hexadecimal notation, but for the exponent's plus sign and a fraction that is always there.
std::string hexadecimal(const Part& part, double value) {
  constexpr size_t kMost = 1200;
  std::string text(kMost, '\0');
  const int places = part.precision == 0 ? 1 : part.precision;
  const int size = places < 0 ? std::snprintf(text.data(), kMost, "%a", std::fabs(value))
                              : std::snprintf(text.data(), kMost, "%.*a", std::min(places, 1000),
                                              std::fabs(value));
  text.resize(static_cast<size_t>(size));
  std::erase(text, '+');
  const size_t p = text.find('p');
  if (text.find('.') == std::string::npos) text.insert(p, ".0");
  if (part.upper)
    std::ranges::transform(text, text.begin(), [](char c) {
      return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    });
  return text.substr(2);
}

void append_floating(const Part& part, double value, std::string& out) {
  if (!std::isfinite(value)) {
    Part spaced = part;
    std::erase(spaced.flags, '0');
    const bool negative = value < 0;
    const char* nan = part.upper ? "NAN" : "NaN";
    const char* infinity = part.upper ? "INFINITY" : "Infinity";
    if (std::isnan(value)) return append_justified(spaced, nan, out);
    return append_number(spaced, negative, "", infinity, out);
  }
  const bool negative = std::signbit(value);
  const int precision = part.precision < 0 ? kDefaultPrecision : part.precision;
  if (part.conversion == 'a') {
    return append_number(part, negative, part.upper ? "0X" : "0x", hexadecimal(part, value), out);
  }
  const DecimalDigits number = DecimalDigits::of_double(value);
  std::string body = part.conversion == 'f'   ? plain(part, number, precision)
                     : part.conversion == 'e' ? scientific(number, precision, part.upper)
                                              : general(part, number);
  if (part.has('#') && body.find('.') == std::string::npos) {
    body.insert(std::min(body.find_first_not_of("0123456789,"), body.size()), 1, '.');
  }
  append_number(part, negative, "", body, out);
}

std::string text_of(const FormatArgument& argument) {
  return std::visit(
      [](const auto& value) -> std::string {
        using T = std::decay_t<decltype(value)>;
        std::string text;
        if constexpr (std::is_same_v<T, std::monostate>) {
          text = "null";
        } else if constexpr (std::is_same_v<T, bool>) {
          text = value ? "true" : "false";
        } else if constexpr (std::is_same_v<T, double>) {
          append_double(value, text);
        } else if constexpr (std::is_same_v<T, float>) {
          append_float(value, text);
        } else if constexpr (std::is_same_v<T, FormatText>) {
          text = value.text;
        } else {
          append_integer(value, text);
        }
        return text;
      },
      argument);
}

Status append_character(const Part& part, int64_t code, std::string& out) {
  if (code < 0 || code > 0x10ffff) return wrong(part, "was given a number that is no character");
  std::string text;
  append_code_point(static_cast<uint32_t>(code), text);
  append_text(part, text, out);
  return {};
}

Status append_argument(const Part& part, const FormatArgument& argument, std::string& out) {
  if (part.conversion == 'b') {
    const bool* truth = std::get_if<bool>(&argument);
    const bool null = std::holds_alternative<std::monostate>(argument);
    append_text(part, (truth != nullptr ? *truth : !null) ? "true" : "false", out);
    return {};
  }
  if (part.conversion == 's' || std::holds_alternative<std::monostate>(argument)) {
    append_text(part, text_of(argument), out);
    return {};
  }
  return std::visit(
      [&](const auto& value) -> Status {
        using T = std::decay_t<decltype(value)>;
        const std::string_view kind(&part.conversion, 1);
        if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) {
          if (kind == "d") return append_decimal_integer(part, value, out), Status();
          if (kind == "x" || kind == "o") return append_bits(part, value, out), Status();
          if (kind == "c" && sizeof(T) <= sizeof(int32_t))
            return append_character(part, value, out);
        } else if constexpr (std::is_floating_point_v<T>) {
          if (std::string_view("efga").find(part.conversion) != std::string_view::npos)
            return append_floating(part, value, out), Status();
        }
        return wrong(part, "does not take an argument of this type");
      },
      argument);
}

// Which flags a conversion takes.
std::string_view flags_of(char conversion) {
  switch (conversion) {
    case 'd':
      return "-+ 0,(";
    case 'x':
    case 'o':
      return "-#0";
    case 'e':
      return "-#+ 0(";
    case 'f':
      return kFlags;
    case 'g':
      return "-+ 0,(";
    case 'a':
      return "-#+ 0";
    case 'n':
      return "";
    default:
      return "-";
  }
}

Status check_part(const Part& part) {
  for (size_t i = 0; i < part.flags.size(); ++i) {
    if (flags_of(part.conversion).find(part.flags[i]) == std::string_view::npos)
      return wrong(part, fmt::format("has the flag `{}`, which it does not take", part.flags[i]));
    if (part.flags.find(part.flags[i], i + 1) != std::string::npos)
      return wrong(part, "has a flag twice");
  }
  if ((part.has('-') && part.has('0')) || (part.has('+') && part.has(' ')))
    return wrong(part, "has flags that exclude each other");
  if ((part.has('-') || part.has('0')) && part.width < 0) return wrong(part, "lacks a width");
  if (part.conversion == 'n' && part.width >= 0) return wrong(part, "takes no width");
  if (part.precision >= 0 &&
      std::string_view("dxoc%n").find(part.conversion) != std::string_view::npos)
    return wrong(part, "takes no precision");
  return {};
}

// Reads digits; -1 if there are none.
int read_number(std::string_view pattern, size_t& at) {
  constexpr int kMost = 100'000'000;
  if (at >= pattern.size() || pattern[at] < '0' || pattern[at] > '9') return -1;
  int number = 0;
  for (; at < pattern.size() && pattern[at] >= '0' && pattern[at] <= '9'; ++at)
    number = std::min(number * 10 + (pattern[at] - '0'), kMost);
  return number;
}

Result<Part> read_part(std::string_view pattern, size_t& at) {
  const size_t begin = at++;
  Part part;
  const size_t behind_percent = at;
  const int first = pattern.substr(at).starts_with('0') ? -1 : read_number(pattern, at);
  if (first >= 0 && at < pattern.size() && pattern[at] == '$') {
    part.index = first;
    ++at;
  } else {
    at = behind_percent;
  }
  for (; at < pattern.size() &&
         (kFlags.find(pattern[at]) != std::string_view::npos || pattern[at] == '<');
       ++at) {
    if (pattern[at] == '<') {
      part.previous = true;
    } else {
      part.flags += pattern[at];
    }
  }
  part.width = read_number(pattern, at);
  bool broken = false;
  if (at < pattern.size() && pattern[at] == '.') {
    part.precision = read_number(pattern, ++at);
    broken = part.precision < 0;
  }
  const char letter = at < pattern.size() ? pattern[at++] : '\0';
  part.text = std::string(pattern.substr(begin, at - begin));
  part.upper = std::string_view("SBCXEGA").find(letter) != std::string_view::npos && letter != '\0';
  part.conversion = part.upper ? static_cast<char>(letter - 'A' + 'a') : letter;
  if (broken || letter == '\0' ||
      std::string_view("sbcdxoefga%n").find(part.conversion) == std::string_view::npos)
    return wrong(part, "is not understood — a conversion is one of s b c d x o e f g a n %");
  FLOWRUN_RETURN_IF_ERROR(check_part(part));
  return part;
}

}  // namespace

Result<JavaFormat> JavaFormat::compile(std::string_view pattern) {
  JavaFormat format;
  for (size_t at = 0; at < pattern.size();) {
    if (pattern[at] == '%') {
      FLOWRUN_TRY(Part part, read_part(pattern, at));
      format.parts_.push_back(std::move(part));
      continue;
    }
    const size_t end = std::min(pattern.find('%', at), pattern.size());
    format.parts_.push_back(Part{.text = std::string(pattern.substr(at, end - at))});
    at = end;
  }
  return format;
}

Status JavaFormat::append(std::span<const FormatArgument> arguments, std::string& out) const {
  size_t next = 0;
  size_t last = arguments.size();
  for (const Part& part : parts_) {
    if (part.conversion == 0) {
      out += part.text;
    } else if (part.conversion == 'n') {
      out += '\n';
    } else if (part.conversion == '%') {
      append_justified(part, "%", out);
    } else {
      const size_t index = part.previous    ? last
                           : part.index > 0 ? static_cast<size_t>(part.index) - 1
                                            : next++;
      if (index >= arguments.size()) return wrong(part, "has no argument");
      last = index;
      FLOWRUN_RETURN_IF_ERROR(append_argument(part, arguments[index], out));
    }
  }
  return {};
}

}  // namespace flowrun
