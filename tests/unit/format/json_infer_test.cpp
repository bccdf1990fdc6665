#include "runtime/format/json_infer.h"

#include <catch2/catch.hpp>

using namespace flowrun;

namespace {

std::string inferred(std::string_view text, const JsonInferOptions& options = {}) {
  const auto type = infer_json_type(text, options);
  return type ? type->ddl() : "error";
}

}  // namespace

TEST_CASE("the type of a JSON text is the one that Spark infers") {
  CHECK(inferred(R"({"b":1,"a":2.5})") == "STRUCT<a: DOUBLE, b: BIGINT>");
  CHECK(inferred(R"({"c":null,"d":[],"e":{},"f":[null],"g":""})") ==
        "STRUCT<c: STRING, d: ARRAY<STRING>, f: ARRAY<STRING>, g: STRING>");
  CHECK(inferred(R"([{"b":1},{"a":true}])") == "ARRAY<STRUCT<a: BOOLEAN, b: BIGINT>>");
  CHECK(inferred(R"([{"a":1},{"a":"x"}])") == "ARRAY<STRUCT<a: STRING>>");
  CHECK(inferred(R"([{"a":1},{"a":null}])") == "ARRAY<STRUCT<a: BIGINT>>");
  CHECK(inferred("[1, 2.5]") == "ARRAY<DOUBLE>");
  CHECK(inferred("12345678901234567890") == "DECIMAL(20,0)");
  CHECK(inferred("9223372036854775807") == "BIGINT");
  CHECK(inferred("") == "STRING");
  CHECK(inferred("null") == "STRING");
  CHECK(inferred("{bad") == "error");
}

TEST_CASE("options say how JSON numbers are taken") {
  CHECK(inferred(R"({"a":1})", {.read = {}, .primitives_as_string = true}) == "STRUCT<a: STRING>");
  CHECK(inferred(R"({"a":1.25})", {.read = {}, .prefers_decimal = true}) ==
        "STRUCT<a: DECIMAL(3,2)>");
}
