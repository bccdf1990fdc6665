#include "runtime/format/decimal.h"

#include <rapidcheck.h>
#include <catch2/catch.hpp>
#include <fstream>
#include <limits>
#include <sstream>

using namespace flowrun;

namespace {

std::string text(std::optional<Decimal128> value, int scale) {
  if (!value) return "null";
  std::string out;
  append_decimal(*value, scale, out);
  return out;
}

std::string cast_text(std::string_view from, int precision, int scale) {
  return text(parse_decimal(from, precision, scale), scale);
}

Type read_type(const std::string& word) {
  const size_t comma = word.find(',');
  return Type::decimal(std::stoi(word), std::stoi(word.substr(comma + 1)));
}

struct Operation {
  Type (*type)(const Type&, const Type&);
  std::optional<Decimal128> (*compute)(Decimal128, int, Decimal128, int, const Type&);
};

Operation operation(char symbol) {
  switch (symbol) {
    case '+':
      return {decimal_add_type, add_decimals};
    case '-':
      return {decimal_add_type, subtract_decimals};
    case '*':
      return {decimal_multiply_type, multiply_decimals};
    case '/':
      return {decimal_divide_type, divide_decimals};
    default:
      return {decimal_remainder_type, remainder_of_decimals};
  }
}

}  // namespace

TEST_CASE("decimal arithmetic has Spark's types and results") {
  // Made by make_decimal_vectors.py.
  std::ifstream vectors(FLOWRUN_SOURCE_DIR "/tests/unit/format/decimal_vectors.txt");
  int lines = 0;
  for (std::string line; std::getline(vectors, line); ++lines) {
    std::istringstream words(line);
    std::string symbol, a, a_type, b, b_type, type, expected;
    words >> symbol >> a >> a_type >> b >> b_type >> type >> expected;
    CAPTURE(line);
    const Type ta = read_type(a_type);
    const Type tb = read_type(b_type);
    const Operation op = operation(symbol[0]);
    const Type result = op.type(ta, tb);
    REQUIRE(result == read_type(type));
    const auto value_a = parse_decimal(a, ta.precision(), ta.scale());
    const auto value_b = parse_decimal(b, tb.precision(), tb.scale());
    REQUIRE(value_a);
    REQUIRE(value_b);
    CHECK(text(op.compute(*value_a, ta.scale(), *value_b, tb.scale(), result), result.scale()) ==
          expected);
  }
  CHECK(lines == 400);
}

TEST_CASE("small decimals add and multiply as 64-bit integers do") {
  CHECK(rc::check("sum and product", [](int32_t a, int32_t b) {
    const Type wide = Type::decimal(38, 4);
    RC_ASSERT(add_decimals(a, 2, b, 2, wide) == (Decimal128{a} + b) * 100);
    RC_ASSERT(multiply_decimals(a, 2, b, 2, wide) == Decimal128{a} * b);
    RC_ASSERT(compare_decimals(a, 0, b, 0) == (a < b ? -1 : a > b ? 1 : 0));
  }));
}

TEST_CASE("a decimal printed reads back") {
  CHECK(rc::check("text and back", [](int64_t high, int64_t low) {
    const int scale = *rc::gen::inRange(0, 39);
    const Decimal128 value = (Decimal128{high} * low) % decimal_power(38);
    RC_ASSERT(parse_decimal(text(value, scale), 38, scale) == value);
  }));
  CHECK(text(0, 2) == "0.00");
  CHECK(text(-5, 2) == "-0.05");
  CHECK(text(1, 10) == "0.0000000001");
}

TEST_CASE("text becomes a decimal, rounded half away from zero") {
  CHECK(cast_text("1.005", 10, 2) == "1.01");
  CHECK(cast_text("-1.005", 10, 2) == "-1.01");
  CHECK(cast_text(" +1.5E-3 ", 10, 3) == "0.002");
  CHECK(cast_text("1e3", 10, 2) == "1000.00");
  CHECK(cast_text("5.", 10, 2) == "5.00");
  CHECK(cast_text(".5", 10, 2) == "0.50");
  CHECK(cast_text("0.004", 10, 2) == "0.00");
  CHECK(cast_text("0.005", 10, 2) == "0.01");
  CHECK(cast_text("0e99999", 10, 2) == "0.00");
  CHECK(cast_text("99999999999999999999999999999999999999", 38, 0) ==
        "99999999999999999999999999999999999999");
  for (const char* bad :
       {"", ".", "1.2.3", "NaN", "1e", "99999999.995", "100000000", "1e40", "1d", "--1"}) {
    CAPTURE(bad);
    CHECK(cast_text(bad, 10, 2) == "null");
  }
}

TEST_CASE("decimals of different scales compare exactly") {
  CHECK(compare_decimals(15, 1, 150, 2) == 0);
  CHECK(compare_decimals(15, 1, 149, 2) > 0);
  const Decimal128 huge = decimal_power(38) - 1;
  CHECK(compare_decimals(huge, 0, 1, 38) > 0);
  CHECK(compare_decimals(-huge, 0, 1, 38) < 0);
  CHECK(compare_decimals(1, 38, huge, 0) < 0);
}

TEST_CASE("doubles and decimals convert as in Spark") {
  CHECK(text(decimal_from_double(0.1, 38, 20), 20) == "0.10000000000000000000");
  CHECK(text(decimal_from_double(2.5, 1, 0), 0) == "3");
  CHECK(text(decimal_from_double(1e39, 38, 0), 0) == "null");
  CHECK(text(decimal_from_double(std::numeric_limits<double>::quiet_NaN(), 38, 0), 0) == "null");
  CHECK(decimal_to_double(123456, 3) == 123.456);
  CHECK(decimal_to_double(*parse_decimal("12345678901234567890.123456789", 38, 10), 10) ==
        12345678901234567890.123456789);
  CHECK(decimal_to_float(*parse_decimal("99999999.99", 10, 2), 2) == 1e8F);
  CHECK(rc::check("double to decimal and back", [](int32_t whole, uint16_t thousandths) {
    const double value = whole + (thousandths % 1000) / 1000.0;
    const auto decimal = decimal_from_double(value, 38, 15);
    RC_ASSERT(decimal.has_value());
    RC_ASSERT(decimal_to_double(*decimal, 15) == value);
  }));
}

TEST_CASE("rescaling rounds and overflows to nothing") {
  CHECK(rescale_decimal(255, 2, 10, 1) == Decimal128{26});
  CHECK(rescale_decimal(-125, 2, 10, 1) == Decimal128{-13});
  CHECK(rescale_decimal(999, 2, 2, 1) == std::nullopt);
  CHECK(rescale_decimal(decimal_power(37), 0, 38, 10) == std::nullopt);
  CHECK(divide_decimals_integrally(7, 0, -25, 1) == -2);
}
