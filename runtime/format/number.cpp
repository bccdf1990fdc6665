#include "runtime/format/number.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string_view>
#include <system_error>

namespace flowrun {

namespace {

constexpr size_t kLongestNumber = 64;
constexpr int kPlainExponent = 7;  // numbers below 10^7 and from 10^-3 on have no exponent
constexpr int kPlainFraction = -3;

// 0.d1d2d3... times a power of ten, split.
struct Digits {
  char digits[kLongestNumber];
  int count = 0;
  int exponent = 0;  // of the first digit: d1.d2d3... x 10^exponent
};

// Below this, two digits may be nearer than the shortest one, and Java writes two (4.9E-324).
template <class T>
constexpr T kCoarse = sizeof(T) == 4 ? static_cast<T>(1e-43) : static_cast<T>(1e-322);

template <class T>
Digits shortest_digits(T magnitude) {
  char text[kLongestNumber];
  auto end = std::to_chars(text, text + sizeof text, magnitude, std::chars_format::scientific).ptr;
  if (magnitude < kCoarse<T> && text[1] == 'e') {
    end = std::to_chars(text, text + sizeof text, magnitude, std::chars_format::scientific, 1).ptr;
  }
  Digits result;
  const char* at = text;
  for (; at < end && *at != 'e'; ++at) {
    if (*at != '.') result.digits[result.count++] = *at;
  }
  ++at;
  if (*at == '+') ++at;
  std::from_chars(at, end, result.exponent);
  return result;
}

void append_plain(const Digits& number, std::string& out) {
  if (number.exponent < 0) {
    out += "0.";
    out.append(static_cast<size_t>(-number.exponent - 1), '0');
    out.append(number.digits, static_cast<size_t>(number.count));
    return;
  }
  const int whole = number.exponent + 1;
  out.append(number.digits, static_cast<size_t>(std::min(whole, number.count)));
  if (number.count < whole) out.append(static_cast<size_t>(whole - number.count), '0');
  out += '.';
  if (number.count > whole) {
    out.append(number.digits + whole, static_cast<size_t>(number.count - whole));
  } else {
    out += '0';
  }
}

void append_scientific(const Digits& number, std::string& out) {
  out += number.digits[0];
  out += '.';
  if (number.count > 1) {
    out.append(number.digits + 1, static_cast<size_t>(number.count - 1));
  } else {
    out += '0';
  }
  out += 'E';
  append_integer(number.exponent, out);
}

template <class T>
void append_floating(T value, std::string& out) {
  if (std::isnan(value)) {
    out += "NaN";
    return;
  }
  if (std::signbit(value)) out += '-';
  const T magnitude = std::abs(value);
  if (std::isinf(magnitude)) {
    out += "Infinity";
  } else if (magnitude < static_cast<T>(1e7) && magnitude == std::trunc(magnitude)) {
    append_integer(static_cast<int64_t>(magnitude), out);
    out += ".0";
  } else {
    const Digits number = shortest_digits(magnitude);
    const bool plain = number.exponent >= kPlainFraction && number.exponent < kPlainExponent;
    plain ? append_plain(number, out) : append_scientific(number, out);
  }
}

}  // namespace

void append_integer(int64_t value, std::string& out) {
  char text[kLongestNumber];
  out.append(text, std::to_chars(text, text + sizeof text, value).ptr);
}

void append_double(double value, std::string& out) { append_floating(value, out); }

void append_float(float value, std::string& out) { append_floating(value, out); }

}  // namespace flowrun
