#pragma once
// Scalars of JSON from raw bytes, strictly by the grammar: nothing here reads what is not plain
// JSON. Private to the fast path of the JSON reader.

#include <fast_float/fast_float.h>

#include <cstdint>
#include <cstring>
#include <limits>
#include <string>
#include <string_view>

#include "runtime/format/utf8.h"

namespace flowrun::json_scan {

inline bool is_digit(char c) { return static_cast<unsigned char>(c - '0') < 10; }
inline bool is_space(char c) { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }
// May stand right behind a number or a word.
inline bool is_delimiter(char c) { return c == ',' || c == '}' || c == ']' || is_space(c); }

// Eight digits at once (Johnny Lee's method, as in simdjson and fast_float).
inline bool eight_digits(const char* at, uint64_t& value) {
  uint64_t chars;
  std::memcpy(&chars, at, 8);
  if (((chars & 0xf0f0f0f0f0f0f0f0) | (((chars + 0x0606060606060606) & 0xf0f0f0f0f0f0f0f0) >> 4)) !=
      0x3333333333333333) {
    return false;
  }
  chars = (chars & 0x0f0f0f0f0f0f0f0f) * 2561 >> 8;
  chars = (chars & 0x00ff00ff00ff00ff) * 6553601 >> 16;
  value = (chars & 0x0000ffff0000ffff) * 42949672960001 >> 32;
  return true;
}

// Appends the digits at `at` to `value` (which wraps) and returns the place behind them.
inline const char* take_digits(const char* at, uint64_t& value) {
  uint64_t eight;
  while (eight_digits(at, eight)) {
    value = value * 100'000'000 + eight;
    at += 8;
  }
  for (; is_digit(*at); ++at) value = value * 10 + static_cast<uint64_t>(*at - '0');
  return at;
}

// An integer that fits; null if it is not one.
inline const char* integer(const char* at, int64_t& value) {
  const bool negative = *at == '-';
  const char* const start = at + (negative ? 1 : 0);
  uint64_t digits = 0;
  const char* const end = take_digits(start, digits);
  const auto count = end - start;
  constexpr uint64_t kMax = std::numeric_limits<int64_t>::max();
  if (count == 0 || count > 19 || (*start == '0' && count > 1) || !is_delimiter(*end))
    return nullptr;
  if (digits > kMax + (negative ? 1 : 0)) return nullptr;
  value = static_cast<int64_t>(negative ? -digits : digits);
  return end;
}

// A number as far as the grammar goes: mantissa * 10^exponent.
struct Number {
  const char* end = nullptr;  // null: no number
  uint64_t mantissa = 0;
  int64_t exponent = 0;
  int64_t num_digits = 0;
  bool negative = false;
  bool whole = true;  // neither point nor exponent
};

inline Number number(const char* at) {
  Number out;
  out.negative = *at == '-';
  const char* const start = at + (out.negative ? 1 : 0);
  const char* end = take_digits(start, out.mantissa);
  out.num_digits = end - start;
  if (out.num_digits == 0 || (*start == '0' && out.num_digits > 1)) return out;
  if (*end == '.') {
    const char* const fraction = end + 1;
    end = take_digits(fraction, out.mantissa);
    if (end == fraction) return out;
    out.exponent = fraction - end;
    out.num_digits += end - fraction;
    out.whole = false;
  }
  if (*end == 'e' || *end == 'E') {
    const char* exponent = end + 1;
    const bool minus = *exponent == '-';
    if (*exponent == '-' || *exponent == '+') ++exponent;
    uint64_t power = 0;
    end = take_digits(exponent, power);
    if (end == exponent || end - exponent > 6) return out;
    out.exponent += minus ? -static_cast<int64_t>(power) : static_cast<int64_t>(power);
    out.whole = false;
  }
  if (is_delimiter(*end)) out.end = end;
  return out;
}

inline const char* double_value(const char* at, double& value) {
  const Number parsed = number(at);
  if (!parsed.end) return nullptr;
  constexpr int64_t kSafeDigits = 19;  // that a 64-bit mantissa surely holds
  constexpr int64_t kMaxDigits = 500;
  if (parsed.num_digits > kSafeDigits) {
    if (parsed.num_digits > kMaxDigits) return nullptr;
    fast_float::from_chars(at, parsed.end, value);
    return parsed.end;
  }
  if (parsed.mantissa == 0) {
    value = parsed.negative && !parsed.whole ? -0.0 : 0.0;
    return parsed.end;
  }
  constexpr uint64_t kExact = uint64_t{1} << 53;
  static constexpr double kPowers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                       1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                       1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
  if (parsed.mantissa <= kExact && parsed.exponent >= -22 && parsed.exponent <= 22) {
    value = static_cast<double>(parsed.mantissa);
    value =
        parsed.exponent < 0 ? value / kPowers[-parsed.exponent] : value * kPowers[parsed.exponent];
    if (parsed.negative) value = -value;
    return parsed.end;
  }
  const auto rounded = fast_float::compute_float<fast_float::binary_format<double>>(
      parsed.exponent, parsed.mantissa);
  if (rounded.power2 < 0) {
    fast_float::from_chars(at, parsed.end, value);
  } else {
    fast_float::to_float(parsed.negative, rounded, value);
  }
  return parsed.end;
}

template <size_t N>
inline const char* word(const char* at, const char (&text)[N]) {
  return std::memcmp(at, text, N - 1) == 0 && is_delimiter(at[N - 1]) ? at + N - 1 : nullptr;
}

// Decodes the escapes of a string's content. False: one of them is not plain (a lone surrogate
// counts so).
inline bool unescape(std::string_view content, std::string& out) {
  out.clear();
  SurrogateJoiner joiner(out);
  for (size_t i = 0; i < content.size();) {
    const size_t plain = content.find('\\', i);
    if (plain != i) {
      joiner.flush();
      out.append(content.substr(i, plain == std::string_view::npos ? plain : plain - i));
      if (plain == std::string_view::npos) break;
    }
    i = plain + 1;
    if (i == content.size()) return false;
    const char c = content[i++];
    constexpr std::string_view kPlain = "\"\\/bfnrt";
    constexpr std::string_view kMeaning = "\"\\/\b\f\n\r\t";
    if (const size_t found = kPlain.find(c); found != std::string_view::npos) {
      joiner.append(static_cast<uint16_t>(kMeaning[found]));
      continue;
    }
    if (c != 'u' || content.size() - i < 4) return false;
    uint32_t unit = 0;
    for (const char hex : content.substr(i, 4)) {
      const char lower = static_cast<char>(hex | 0x20);
      if (!is_digit(hex) && (lower < 'a' || lower > 'f')) return false;
      unit = unit * 16 + static_cast<uint32_t>(is_digit(hex) ? hex - '0' : lower - 'a' + 10);
    }
    joiner.append(static_cast<uint16_t>(unit));
    i += 4;
  }
  joiner.flush();
  return !joiner.saw_lone_surrogate();
}

}  // namespace flowrun::json_scan
