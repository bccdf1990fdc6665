// Functions of real numbers. Out of their domain they give NaN or null as Java's Math does in
// Spark.
#include <bit>
#include <cmath>
#include <limits>
#include <numbers>

#include "runtime/expr/functions/functions.h"
#include "runtime/expr/scalar.h"

namespace flowrun {

namespace {

// A logarithm is null where its argument is not above `bound`.
template <class Code>
auto above(double bound, Code code) {
  return [=](double x) { return x <= bound ? std::nullopt : std::optional<double>(code(x)); };
}

void register_powers(FunctionRegistry& registry) {
  registry.add(scalar<double(double)>("sqrt", "sqrt(x): the square root of x; NaN below zero.",
                                      [](double x) { return std::sqrt(x); })
                   .shown_as("SQRT"));
  registry.add(scalar<double(double)>("cbrt", "cbrt(x): the cube root of x.", [](double x) {
                 return std::cbrt(x);
               }).shown_as("CBRT"));
  registry.add(scalar<double(double)>("exp", "exp(x): e to the power of x.", [](double x) {
                 return std::exp(x);
               }).shown_as("EXP"));
  registry.add(
      scalar<double(double)>("expm1", "expm1(x): exp(x) - 1, exact for small x.", [](double x) {
        return std::expm1(x);
      }).shown_as("EXPM1"));
  registry.add(
      scalar<double(double)>("ln", "ln(x): the natural logarithm of x; null unless x is positive.",
                             above(0, [](double x) { return std::log(x); })));
  registry.add(scalar<double(double)>(
                   "log10", "log10(x): the logarithm of x to base 10; null unless x is positive.",
                   above(0, [](double x) { return std::log10(x); }))
                   .shown_as("LOG10"));
  registry.add(scalar<double(double)>(
                   "log2", "log2(x): the logarithm of x to base 2; null unless x is positive.",
                   above(0, [](double x) { return std::log2(x); }))
                   .shown_as("LOG2"));
  registry.add(scalar<double(double)>("log1p",
                                      "log1p(x): ln(1 + x), exact for small x; null unless x > -1.",
                                      above(-1, [](double x) { return std::log1p(x); }))
                   .shown_as("LOG1P"));
}

void register_constants(FunctionRegistry& registry) {
  registry.add(
      scalar<double()>("pi", "pi(): the ratio of a circle's circumference to its diameter.", [] {
        return std::numbers::pi;
      }).shown_as("PI"));
  registry.add(
      scalar<double()>("e", "e(): Euler's number.", [] { return std::numbers::e; }).shown_as("E"));
}

template <class Code>
void add_real(FunctionRegistry& registry, const char* name, const char* shown, const char* doc,
              Code code) {
  registry.add(scalar<double(double)>(name, doc, code).shown_as(shown));
}

void register_angles(FunctionRegistry& registry) {
  add_real(registry, "sin", "SIN", "sin(x): the sine of an angle in radians.",
           [](double x) { return std::sin(x); });
  add_real(registry, "cos", "COS", "cos(x): the cosine.", [](double x) { return std::cos(x); });
  add_real(registry, "tan", "TAN", "tan(x): the tangent.", [](double x) { return std::tan(x); });
  add_real(registry, "cot", "COT", "cot(x): the cotangent.",
           [](double x) { return 1 / std::tan(x); });
  add_real(registry, "sec", "SEC", "sec(x): the secant.", [](double x) { return 1 / std::cos(x); });
  add_real(registry, "csc", "CSC", "csc(x): the cosecant.",
           [](double x) { return 1 / std::sin(x); });
  add_real(registry, "asin", "ASIN", "asin(x): the angle of a sine.",
           [](double x) { return std::asin(x); });
  add_real(registry, "acos", "ACOS", "acos(x): the angle of a cosine.",
           [](double x) { return std::acos(x); });
  add_real(registry, "atan", "ATAN", "atan(x): the angle of a tangent.",
           [](double x) { return std::atan(x); });
  add_real(registry, "sinh", "SINH", "sinh(x): the hyperbolic sine.",
           [](double x) { return std::sinh(x); });
  add_real(registry, "cosh", "COSH", "cosh(x): the hyperbolic cosine.",
           [](double x) { return std::cosh(x); });
  add_real(registry, "tanh", "TANH", "tanh(x): the hyperbolic tangent.",
           [](double x) { return std::tanh(x); });
  add_real(registry, "asinh", "ASINH", "asinh(x): the inverse of sinh.",
           [](double x) { return std::asinh(x); });
  add_real(registry, "acosh", "ACOSH", "acosh(x): the inverse of cosh.",
           [](double x) { return std::acosh(x); });
  add_real(registry, "atanh", "ATANH", "atanh(x): the inverse of tanh.",
           [](double x) { return std::atanh(x); });
  constexpr double kDegrees = 180;
  add_real(registry, "radians", "RADIANS", "radians(x): degrees in radians.",
           [](double x) { return x / kDegrees * std::numbers::pi; });
  add_real(registry, "degrees", "DEGREES", "degrees(x): radians in degrees.",
           [](double x) { return x * kDegrees / std::numbers::pi; });
  registry.add(scalar<double(double, double)>(
                   "atan2", "atan2(y, x): the angle of a point.",
                   [](double y, double x) { return std::atan2(y + 0.0, x + 0.0); })
                   .shown_as("ATAN2"));
  registry.add(scalar<double(double, double)>("hypot", "hypot(a, b): the length of a hypotenuse.",
                                              [](double a, double b) { return std::hypot(a, b); })
                   .shown_as("HYPOT"));
}

// Java's pow: NaN wins over 1, and 1 to an infinite power is NaN.
double java_power(double base, double exponent) {
  if (std::isnan(exponent) || (std::isinf(exponent) && std::abs(base) == 1)) {
    return std::numeric_limits<double>::quiet_NaN();
  }
  return std::pow(base, exponent);
}

std::optional<double> logarithm(double base, double x) {
  if (base <= 0 || x <= 0) return std::nullopt;
  return std::log(x) / std::log(base);
}

std::optional<int64_t> factorial(int32_t n) {
  constexpr int32_t kGreatest = 20;
  if (n < 0 || n > kGreatest) return std::nullopt;
  int64_t product = 1;
  for (int32_t i = 2; i <= n; ++i) product *= i;
  return product;
}

void append_binary(int64_t value, std::string& out) {
  const auto bits = static_cast<uint64_t>(value);
  for (int i = bits == 0 ? 0 : 63 - std::countl_zero(bits); i >= 0; --i)
    out += (bits >> i & 1) != 0 ? '1' : '0';
}

int digit_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'z') return c - 'a' + 10;
  return c >= 'A' && c <= 'Z' ? c - 'A' + 10 : 99;
}

// Hive's conv: digits up to the first that is none; what exceeds 64 bits becomes all ones.
bool convert_base(std::string_view text, int32_t from, int32_t to, std::string& out) {
  constexpr int32_t kLargestBase = 36;
  const int32_t to_size = to < 0 ? -to : to;
  if (from < 2 || from > kLargestBase || to_size < 2 || to_size > kLargestBase) return false;
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  if (text.empty()) return false;
  bool negative = text[0] == '-';
  if (negative) text.remove_prefix(1);
  uint64_t value = 0;
  for (const char c : text) {
    const int digit = digit_of(c);
    if (digit >= from) break;
    if (__builtin_mul_overflow(value, static_cast<uint64_t>(from), &value) ||
        __builtin_add_overflow(value, static_cast<uint64_t>(digit), &value)) {
      value = ~uint64_t{0};
      break;
    }
  }
  if (negative && to > 0) value = static_cast<int64_t>(value) < 0 ? ~uint64_t{0} : 0 - value;
  if (to < 0 && static_cast<int64_t>(value) < 0) {
    value = 0 - value;
    negative = true;
  }
  std::string digits;
  const auto base = static_cast<uint64_t>(to_size);
  do {
    digits += "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"[value % base];
    value /= base;
  } while (value != 0);
  if (negative && to < 0) out += '-';
  out.append(digits.rbegin(), digits.rend());
  return true;
}

std::optional<int64_t> width_bucket(double x, double low, double high, int64_t buckets) {
  if (buckets <= 0 || buckets == std::numeric_limits<int64_t>::max() || std::isnan(x) ||
      low == high || !std::isfinite(low) || !std::isfinite(high)) {
    return std::nullopt;
  }
  const bool rising = low < high;
  if (rising ? x < low : x > low) return 0;
  if (rising ? x >= high : x <= high) return buckets + 1;
  const double scaled = rising ? static_cast<double>(buckets) * (x - low) / (high - low)
                               : static_cast<double>(buckets) * (low - x) / (low - high);
  return static_cast<int64_t>(scaled) + 1;
}

void register_numbers(FunctionRegistry& registry) {
  registry.add(
      scalar<double(double, double)>("pow", "pow(x, y): x to the power of y.", java_power));
  registry.add(
      scalar<double(double, double)>("power", "power(x, y): x to the power of y.", java_power)
          .shown_as("POWER"));
  registry.add(
      overloads(
          "log",
          "log([base,] x): the logarithm of x, natural without a base; null where there is none.",
          {scalar<double(double, double)>("", "", logarithm),
           scalar<double(double)>("", "", above(0, [](double x) { return std::log(x); }))})
          .named_by([](std::span<const std::string> arguments) {
            if (arguments.size() == 1) return "LOG(E(), " + arguments[0] + ")";
            return "LOG(" + arguments[0] + ", " + arguments[1] + ")";
          }));
  registry.add(scalar<int64_t(int32_t)>(
      "factorial", "factorial(n): 1 * 2 * ... * n for n from 0 to 20, else null.", factorial));
  registry.add(
      scalar<std::string(int64_t)>("bin", "bin(n): the bits of a whole number.", append_binary));
  registry.add(scalar<std::string(std::string_view, int32_t, int32_t)>(
      "conv", "conv(digits, from, to): a number's digits in another base.", convert_base));
  registry.add(scalar<int64_t(double, double, double, int64_t)>(
      "width_bucket", "width_bucket(x, low, high, n): which of n equal buckets x falls into.",
      width_bucket));
}

}  // namespace

void register_math_functions(FunctionRegistry& registry) {
  register_powers(registry);
  register_constants(registry);
  register_angles(registry);
  register_numbers(registry);
}

}  // namespace flowrun
