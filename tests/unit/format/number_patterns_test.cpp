// Numbers by patterns: DecimalFormat, NumberPattern and JavaFormat, with Spark's answers.
#include <array>
#include <catch2/catch.hpp>
#include <limits>

#include "runtime/format/decimal_format.h"
#include "runtime/format/java_format.h"
#include "runtime/format/number_pattern.h"

using namespace flowrun;

namespace {

std::string formatted(std::string_view pattern, double value) {
  std::string out;
  DecimalFormat::compile(pattern)->append_double(value, out);
  return out;
}

std::string written(std::string_view pattern, Decimal128 value, int scale = 0) {
  std::string out;
  NumberPattern::compile(pattern)->format(value, scale, out);
  return out;
}

// The unscaled value, or -1 where the text does not match.
int64_t parsed(std::string_view pattern, std::string_view text) {
  return static_cast<int64_t>(NumberPattern::compile(pattern)->parse(text).value_or(-1));
}

template <class... Arguments>
std::string printed(std::string_view pattern, Arguments... arguments) {
  const std::array<FormatArgument, sizeof...(Arguments)> values{FormatArgument(arguments)...};
  const auto format = JavaFormat::compile(pattern);
  if (!format) return "error";
  std::string out;
  return format->append(values, out) ? out : "error";
}

}  // namespace

TEST_CASE("a decimal format writes as java.text.DecimalFormat does") {
  CHECK(formatted("#,##0.00", 1234567.891) == "1,234,567.89");
  CHECK(formatted("##################.###", 12332.123456) == "12332.123");
  CHECK(formatted("0.00E0", 1234.5) == "1.23E3");
  CHECK(formatted("#.##%", 0.255) == "25.5%");
  CHECK(formatted("$#,##0.00;($#,##0.00)", -1234.567) == "($1,234.57)");
  CHECK(formatted("00000000.0", 1234.5) == "00001234.5");
  CHECK(formatted("#,####.##", 1234567.891) == "123,4567.89");
  CHECK(formatted("'x'#", 123.456) == "x123");
  CHECK(formatted("0", -0.0) == "-0");
  CHECK(formatted("0", std::numeric_limits<double>::quiet_NaN()) == "NaN");
  CHECK(formatted("0", -std::numeric_limits<double>::infinity()) == "-∞");
  CHECK_FALSE(DecimalFormat::compile("0.0.0"));
  CHECK_FALSE(DecimalFormat::compile("0#"));
}

TEST_CASE("a decimal format rounds half to even by the exact value") {
  CHECK(formatted("0", 0.5) == "0");
  CHECK(formatted("0", 1.5) == "2");
  CHECK(formatted("0.00", 0.125) == "0.12");
  CHECK(formatted("0.00", 0.135) == "0.14");  // stands for a little more than that
  CHECK(formatted("0.00", 1.005) == "1.00");  // for a little less
  CHECK(formatted("0.0", 99.95) == "100.0");
}

TEST_CASE("a number pattern reads what matches it and nothing else") {
  CHECK(NumberPattern::compile("$9,999.99")->type() == Type::decimal(6, 2));
  CHECK(parsed("9,999.99", "1,234.5") == 123450);
  CHECK(parsed("99,999.9S", "12,454.8-") == -124548);
  CHECK(parsed("9PR", "<1>") == -1);
  CHECK(parsed("MI9", "-5") == -5);
  CHECK(parsed("9.9", ".5") == 5);
  CHECK(parsed("000", "012") == 12);
  CHECK(parsed("999", " 5") == 5);
  CHECK_FALSE(NumberPattern::compile("000")->parse("12"));
  CHECK_FALSE(NumberPattern::compile("9,9")->parse("12"));
  CHECK_FALSE(NumberPattern::compile("999")->parse(""));
  CHECK_FALSE(NumberPattern::compile("9PR")->parse("<1"));
  for (const char* wrong : {"", "x", "9$", "9.9.9", ",9", "9,,9", "9.9,9", "S9S", "PR"})
    CHECK_FALSE(NumberPattern::compile(wrong));
}

TEST_CASE("a number pattern writes numbers in as many places as it has") {
  CHECK(written("999", 5) == "  5");
  CHECK(written("999", 1234) == "###");
  CHECK(written("9", 0) == " ");
  CHECK(written("0", 0) == "0");
  CHECK(written("9.9", 5, 1) == "0.5");
  CHECK(written("S9.9", -5, 1) == " -.5");
  CHECK(written("S999", 5) == "  +5");
  CHECK(written("999MI", 5) == "  5 ");
  CHECK(written("MI999", -5) == "  -5");
  CHECK(written("999PR", -5) == "  <5>");
  CHECK(written("999PR", 5) == "  5  ");
  CHECK(written("99,999", 454) == "   454");
  CHECK(written("9,999,999", 1234567) == "1,234,567");
  CHECK(written("S00000000D00", -250, 2) == "-00000002.50");
  CHECK(written("999999999D99", 1, 2) == "        0.01");
}

TEST_CASE("a Java format takes the flags, widths and conversions of java.util.Formatter") {
  CHECK(printed("%05d|%-6s|%6s", int32_t{3}, FormatText{"l"}, FormatText{"👩"}) ==
        "00003|l     |    👩");
  CHECK(printed("%+d|% d|%(d|%,d|%08d", 7, 7, -7, 1234567, -7) == "+7| 7|(7)|1,234,567|-0000007");
  CHECK(printed("%x|%X|%#x|%o", int8_t{-1}, int16_t{-1}, -7, int64_t{8}) ==
        "ff|FFFF|0xfffffff9|10");
  CHECK(printed("%.0f|%.0f|%.2f", 0.5, 2.5, 1.005) == "1|3|1.01");
  CHECK(printed("%e|%.3E|%g|%g", 12345.678, 0.5, 0.0001, 0.00001) ==
        "1.234568e+04|5.000E-01|0.000100000|1.00000e-05");
  CHECK(printed("%(,.2f|%010.2f|%a", -1234567.891, -2.5, 1.5) ==
        "(1,234,567.89)|-000002.50|0x1.8p0");
  CHECK(printed("%b|%B|%.2b|%5b", true, FormatText{"x"}, true, std::monostate()) ==
        "true|TRUE|tr|false");
  CHECK(printed("%c|%5c|%%|%-5%|%n", 65, 66) == "A|    B|%|%    |\n");
  CHECK(printed("%1$s %1$s %s %<s %s", FormatText{"a"}, FormatText{"b"}) == "a a a a b");
  CHECK(printed("%5d|%.2f|%s", std::monostate(), std::monostate(), std::monostate()) ==
        " null|nu|null");
  CHECK(printed("%s %s", 1.0e10, 0.1F) == "1.0E10 0.1");
}

TEST_CASE("a Java format fails where Java throws") {
  CHECK(printed("%d", FormatText{"x"}) == "error");
  CHECK(printed("%d", 1.5) == "error");
  CHECK(printed("%f", 1) == "error");
  CHECK(printed("%c", FormatText{"a"}) == "error");
  CHECK(printed("%s %s", FormatText{"a"}) == "error");
  for (const char* wrong : {"%", "%q", "%-d", "%05s", "%0$s", "%+ d", "%.2d", "%-05d"})
    CHECK(printed(wrong, 1) == "error");
}
