// Functions of real numbers. Out of their domain they give NaN or null as Java's Math does in
// Spark.
#include <cmath>
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

}  // namespace

void register_math_functions(FunctionRegistry& registry) {
  register_powers(registry);
  register_constants(registry);
}

}  // namespace flowrun
