#include "runtime/columnar/type.h"

#include <catch2/catch.hpp>

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
  const auto schema = parse_schema("gt STRING, n: bigint NOT NULL COMMENT 'it''s', w struct<start:timestamp>");
  INFO((schema ? std::string() : schema.error().message));
  REQUIRE(schema);
  CHECK((*schema)->ddl() == "gt STRING,n BIGINT NOT NULL,w STRUCT<start: TIMESTAMP>");
}
