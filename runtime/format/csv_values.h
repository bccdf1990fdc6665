#pragma once
// Scalars as Java reads them from text, which is how Spark reads CSV. Private to the CSV reader and
// its inference.

#include <fast_float/fast_float.h>

#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <string_view>

#include "runtime/columnar/type.h"
#include "runtime/format/csv_options.h"

namespace flowrun {

// Integer.parseInt and its kin: digits with an optional sign.
template <class T>
std::optional<T> csv_integer(std::string_view text) {
  if (text.starts_with('+')) {
    text.remove_prefix(1);
    if (text.starts_with('-')) return std::nullopt;
  }
  T value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// Double.parseDouble: white space around, a sign, a type letter behind; NaN and Infinity as words.
// (Its hexadecimal form, 0x1p3, is not read.)
template <class T>
std::optional<T> java_floating(std::string_view text) {
  const auto blank = [](char c) { return static_cast<unsigned char>(c) <= ' '; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  constexpr T kInfinity = std::numeric_limits<T>::infinity();
  if (text == "NaN") return std::numeric_limits<T>::quiet_NaN();
  if (text == "Infinity") return negative ? -kInfinity : kInfinity;
  if (text.empty() || (text[0] != '.' && (text[0] < '0' || text[0] > '9'))) return std::nullopt;
  const char last = static_cast<char>(text.back() | 0x20);
  if (last == 'f' || last == 'd') text.remove_suffix(1);
  T value = 0;
  const auto [end, error] = fast_float::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc::invalid_argument || end != text.data() + text.size()) return std::nullopt;
  return negative ? -value : value;
}

template <class T>
std::optional<T> csv_floating(std::string_view text, const CsvReadOptions& options) {
  constexpr T kInfinity = std::numeric_limits<T>::infinity();
  if (text == options.nan_value) return std::numeric_limits<T>::quiet_NaN();
  if (text == options.negative_inf) return -kInfinity;
  if (text == options.positive_inf) return kInfinity;
  return java_floating<T>(text);
}

inline std::optional<bool> csv_boolean(std::string_view text) {
  if (names_equal(text, "true")) return true;
  if (names_equal(text, "false")) return false;
  return std::nullopt;
}

}  // namespace flowrun
