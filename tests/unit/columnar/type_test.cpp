#include "runtime/columnar/type.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

using namespace flowrun;

TEST_CASE("types are read in any case and written as Spark writes them") {
  const auto type = parse_type("STRUCT<a: Int, `b c`: array<map<string,DECIMAL(12, 3)>>>");
  REQUIRE(type);
  CHECK(type->ddl() == "STRUCT<a: INT, `b c`: ARRAY<MAP<STRING, DECIMAL(12,3)>>>");
  CHECK(type->simple_string() == "struct<a:int,b c:array<map<string,decimal(12,3)>>>");
}

TEST_CASE("an unknown type is an error that suggests the nearest and knows its place") {
  const auto type = parse_type("array<strng>");
  REQUIRE(!type);
  CHECK(type.error().message.find("did you mean `string`") != std::string::npos);
  CHECK(type.error().offset == 6);
}

TEST_CASE("a schema reads DDL with and without colons") {
  const auto schema =
      parse_schema("gt STRING, n: bigint NOT NULL COMMENT 'it''s', w struct<start:timestamp>");
  INFO((schema ? std::string() : schema.error().message));
  REQUIRE(schema);
  CHECK((*schema)->ddl() == "gt STRING,n BIGINT NOT NULL,w STRUCT<start: TIMESTAMP>");
}

TEST_CASE("a schema prints as Spark's printSchema") {
  const auto schema = parse_schema(
      "id int NOT NULL, s struct<a: smallint, b: array<map<string, struct<c: tinyint>>>>, t "
      "timestamp, x decimal(10,2)");
  REQUIRE(schema);
  CHECK((*schema)->tree_string() == R"(root
 |-- id: integer (nullable = false)
 |-- s: struct (nullable = true)
 |    |-- a: short (nullable = true)
 |    |-- b: array (nullable = true)
 |    |    |-- element: map (containsNull = true)
 |    |    |    |-- key: string
 |    |    |    |-- value: struct (valueContainsNull = true)
 |    |    |    |    |-- c: byte (nullable = true)
 |-- t: timestamp (nullable = true)
 |-- x: decimal(10,2) (nullable = true)
)");
}

TEST_CASE("names are found without regard to case, and a near one is suggested") {
  const auto schema = parse_schema("Model string, gt string, GT int");
  REQUIRE(schema);
  CHECK((*schema)->find("MODEL").value() == 0);
  CHECK((*schema)->find_all("gt") == std::vector<size_t>{1, 2});
  CHECK((*schema)->find("gt").error().message.find("ambiguous") != std::string::npos);
  CHECK((*schema)->find("modle").error().message.find("did you mean `Model`?") !=
        std::string::npos);
}

TEST_CASE("types are equal by shape and by the names of struct fields") {
  const auto type = [](std::string_view text) { return parse_type(text).value(); };
  CHECK(type("struct<a: int>") == type("STRUCT<a INT NOT NULL>"));
  CHECK(!(type("struct<a: int>") == type("struct<b: int>")));
  CHECK(!(type("decimal(10,2)") == type("decimal(10,3)")));
  CHECK(type("decimal") == type("decimal(10,0)"));
  CHECK(type("interval day to second").ddl() == "INTERVAL DAY TO SECOND");
}

TEST_CASE("every schema of Spark's answers is read and written back") {
  size_t found = 0;
  const std::string root = FLOWRUN_SOURCE_DIR "/tests/conformance";
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
    if (entry.path().filename() != "schema.ddl" ||
        entry.path().parent_path().filename() == "expressions")
      continue;
    std::ifstream file(entry.path());
    std::string text;
    std::getline(file, text);
    INFO(entry.path().string());
    const auto schema = parse_schema(text);
    REQUIRE(schema);
    CHECK((*schema)->ddl() == text);
    ++found;
  }
  CHECK(found > 100);
}
