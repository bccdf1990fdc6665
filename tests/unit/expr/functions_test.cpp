// Functions that no conformance case shows, with Spark's answers for tests/conformance/expressions.
#include <catch2/catch.hpp>

#include "runtime/expr/evaluate_text.h"
#include "runtime/expr/function_registry.h"
#include "tests/unit/spark_answers.h"

using namespace flowrun;

namespace {

struct Fixture {
  Fixture() { register_all_functions(functions); }

  // "name type value" of the expression in row `row` (from 0); "error" where it is refused or
  // fails.
  std::string answer(const std::string& expression, rapidjson::SizeType row = 0) {
    const rapidjson::Document got =
        parse_answer(evaluate_text(expression, input, {&functions}, EvaluationContext{}));
    if (got.HasMember("error") || got.HasMember("runtime_error")) return "error";
    return std::string(got["name"].GetString()) + " | " + got["type"].GetString() + " | " +
           as_json(got["values"][row]);
  }

  FunctionRegistry functions;
  RecordBatch input =
      read_input(std::string(FLOWRUN_SOURCE_DIR) + "/tests/conformance/expressions/");
};

}  // namespace

TEST_CASE("arrays_zip fills shorter arrays up with nulls") {
  Fixture f;
  CHECK(f.answer("arrays_zip(ints, strs)") ==
        R"(arrays_zip(ints, strs) | array<struct<ints:int,strs:string>> | )"
        R"([{"ints":"1","strs":"a"},{"ints":"2","strs":"b"},{"ints":"3","strs":null}])");
  CHECK(f.answer("arrays_zip(ints, array(1))", 1) ==
        R"(arrays_zip(ints, array(1)) | array<struct<ints:int,1:int>> | [{"ints":null,"1":"1"}])");
  CHECK(f.answer("arrays_zip(ints)", 4) == "arrays_zip(ints) | array<struct<ints:int>> | null");
  CHECK(f.answer("arrays_zip(id, ints)") == "error");
}

TEST_CASE("a text or an array that would take the machine's memory fails instead") {
  Fixture f;
  for (const char* expression :
       {"repeat('abc', 2000000000)", "space(2000000000)", "lpad('x', 2000000000, 'y')",
        "rpad(bin, 2000000000, bin)", "array_repeat('abc', 2147483647)",
        "format_number(d, 2147483647)", "sequence(1, 2000000000)"}) {
    INFO(expression);
    CHECK(f.answer(expression) == "error");
  }
  CHECK(f.answer("length(repeat('abc', 1000000))") ==
        "length(repeat(abc, 1000000)) | int | \"3000000\"");
}

TEST_CASE("a comment has an end") {
  Fixture f;
  CHECK(f.answer("1 /* one */ + /* two */ 2") == "(1 + 2) | int | \"3\"");
  CHECK(f.answer("1 /* 2") == "error");
}

TEST_CASE("numbers are rounded to any number of places") {
  Fixture f;
  CHECK(f.answer("round(i, -2147483648)") == "round(i, -2147483648) | int | \"0\"");
  CHECK(f.answer("round(d, 2147483647)") == "round(d, 2147483647) | double | \"1.5\"");
}

TEST_CASE("parts of an interval may be left out") {
  Fixture f;
  CHECK(f.answer("make_dt_interval(1)") ==
        R"(make_dt_interval(1, 0, 0, 0.000000) | interval day to second | )"
        R"("INTERVAL '1 00:00:00' DAY TO SECOND")");
  CHECK(f.answer("make_interval(1, 2, 3)") ==
        R"(make_interval(1, 2, 3, 0, 0, 0, 0.000000) | interval | "1 years 2 months 21 days")");
  CHECK(f.answer("make_ym_interval(178956970, 8)") == "error");
  CHECK(f.answer("make_dt_interval(1, null)") ==
        "make_dt_interval(1, NULL, 0, 0.000000) | interval day to second | null");
}

TEST_CASE("to_char follows the type of what it is given") {
  Fixture f;
  CHECK(f.answer("to_varchar(454, '999')") == R"(to_char(454, 999) | string | "454")");
  CHECK(f.answer("to_char(bin, 'hex')") == R"(hex(bin) | string | "68656C6C6F")");
  CHECK(f.answer("to_char(d, '999.99')", 9) == "to_char(d, 999.99) | string | null");
  CHECK(f.answer("to_char(bin, 'x')") == "error");
  CHECK(f.answer("to_number('5', null)") == "to_number(5, NULL) | decimal(10,0) | null");
}

TEST_CASE("to_binary fails where try_to_binary is null") {
  Fixture f;
  CHECK(f.answer("to_binary('4142')") == R"(to_binary(4142) | binary | "QUI=")");
  CHECK(f.answer("to_binary('zz', 'hex')") == "error");
  CHECK(f.answer("try_to_binary('zz', 'hex')") == "try_to_binary(zz, hex) | binary | null");
  CHECK(f.answer("try_to_binary('a', 'base64')") == "try_to_binary(a, base64) | binary | null");
  CHECK(f.answer("to_binary('abc', 'xx')") == "error");
}

TEST_CASE("mask keeps the kinds of characters that have no mask") {
  Fixture f;
  CHECK(f.answer("mask('AbCD123-@$#', null)") ==
        R"(mask(AbCD123-@$#, NULL, x, n, NULL) | string | "AxCDnnn-@$#")");
  CHECK(f.answer("mask('ǅǈªⅫ٣', 'U', 'l', 'd', 'o')") ==
        R"(mask(ǅǈªⅫ٣, U, l, d, o) | string | "ooood")");
  CHECK(f.answer("mask('a', 'QQ')") == "error");
  CHECK(f.answer("mask(s, s2)") == "error");
}

TEST_CASE("names of days and months are English and short") {
  Fixture f;
  CHECK(f.answer("monthname(dt)") == R"(monthname(dt) | string | "Feb")");
  CHECK(f.answer("dayname('2024-01-01')") == R"(dayname(2024-01-01) | string | "Mon")");
  CHECK(f.answer("unix_timestamp()") ==
        R"(unix_timestamp(current_timestamp(), yyyy-MM-dd HH:mm:ss) | bigint | "0")");
}
