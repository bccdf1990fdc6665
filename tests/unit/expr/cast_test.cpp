#include "runtime/expr/cast.h"

#include <rapidcheck.h>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

#include "runtime/columnar/builder.h"
#include "runtime/format/text.h"

using namespace flowrun;

namespace {

template <class T>
ColumnPtr column_of(const Type& type, std::initializer_list<T> values) {
  FixedBuilder<T> builder(type);
  for (const T value : values) builder.append(value);
  builder.append_null();
  return builder.finish();
}

ColumnPtr doubles(std::initializer_list<double> values) {
  return column_of<double>(Type::double_(), values);
}
ColumnPtr bigints(std::initializer_list<int64_t> values) {
  return column_of<int64_t>(Type::bigint(), values);
}

ColumnPtr texts(std::initializer_list<std::string_view> values) {
  StringBuilder builder(Type::string());
  for (const std::string_view value : values) builder.append(value);
  builder.append_null();
  return builder.finish();
}

// The rows as text, joined by blanks; every input above ends with a null.
std::string rows(const Result<ColumnPtr>& column) {
  if (!column) return column.error().message;
  std::string out;
  for (int64_t i = 0; i < (*column)->size(); ++i) {
    if (i > 0) out += ' ';
    append_text(**column, i, TimeZone::utc(), out);
  }
  return out;
}

std::string cast_rows_to(const ColumnPtr& column, std::string_view type) {
  return rows(cast(column, *parse_type(type), TimeZone::utc()));
}
std::string try_rows(const ColumnPtr& column, std::string_view type) {
  return rows(try_cast(column, *parse_type(type), TimeZone::utc()));
}

constexpr double kInfinity = std::numeric_limits<double>::infinity();

}  // namespace

TEST_CASE("integers wrap when they narrow; TRY_CAST gives null") {
  const ColumnPtr column = bigints({128, -129, 300, std::numeric_limits<int64_t>::max()});
  CHECK(cast_rows_to(column, "tinyint") == "-128 127 44 -1 null");
  CHECK(cast_rows_to(column, "int") == "128 -129 300 -1 null");
  CHECK(try_rows(column, "tinyint") == "null null null null null");
}

TEST_CASE("doubles saturate to int and bigint, and wrap from int to smaller types") {
  const ColumnPtr column = doubles({1.9, -1.9, 1e20, -kInfinity, std::nan(""), 300.7, 1e10});
  CHECK(cast_rows_to(column, "int") == "1 -1 2147483647 -2147483648 0 300 2147483647 null");
  CHECK(cast_rows_to(column, "bigint") ==
        "1 -1 9223372036854775807 -9223372036854775808 0 300 10000000000 null");
  CHECK(cast_rows_to(column, "tinyint") == "1 -1 -1 0 0 44 -1 null");
  CHECK(try_rows(column, "int") == "1 -1 null null null 300 null null");
}

TEST_CASE("text becomes a number with a fraction cut off, but without an exponent") {
  const ColumnPtr column =
      texts({" 1 ", "+1", "1.9", ".", "-", "1e2", "2147483648", "-2147483648", "1_0", ""});
  CHECK(cast_rows_to(column, "int") == "1 1 1 0 null null null -2147483648 null null null");
  CHECK(try_rows(column, "int") == "1 1 null null null null null -2147483648 null null null");
}

TEST_CASE("text becomes a double as Java reads it") {
  const ColumnPtr column = texts({"1.", ".5", ".", "1E+5", " 1.5 ", "1d", "0x1p3", "nan", "-INF",
                                  "infinit", "1e309", "1e-400", "0.1e0001", "1,5", "d"});
  CHECK(cast_rows_to(column, "double") ==
        "1.0 0.5 null 100000.0 1.5 1.0 8.0 NaN -Infinity null Infinity 0.0 1.0 null null null");
  CHECK(cast_rows_to(texts({"0.1", "1e39", "16777217"}), "float") ==
        "0.1 Infinity 1.6777216E7 null");
}

TEST_CASE("words become booleans") {
  CHECK(cast_rows_to(texts({"TRUE", " y ", "1", "No", "f", "on", "2", ""}), "boolean") ==
        "true true true false false null null null null");
  CHECK(cast_rows_to(doubles({0.0, -0.0, 0.1, std::nan("")}), "boolean") ==
        "false false true true null");
}

TEST_CASE("numbers become timestamps as seconds") {
  const ColumnPtr column = doubles({1424686735.175822, -2.5, 1e19, std::nan(""), kInfinity});
  CHECK(cast_rows_to(column, "timestamp") ==
        "2015-02-23 10:18:55.175822 1969-12-31 23:59:57.5 +294247-01-10 04:00:54.775807 null null "
        "null");
  CHECK(cast_rows_to(bigints({1, std::numeric_limits<int64_t>::min()}), "timestamp") ==
        "1970-01-01 00:00:01 -290308-12-21 19:59:05.224192 null");
}

TEST_CASE("doubles become timestamps with the microseconds that Java computes") {
  CHECK(rc::check("one row at a time", [](int64_t nanos) {
    const double seconds = static_cast<double>(nanos) / 1000000000;
    const auto column = cast(doubles({seconds}), Type::timestamp(), TimeZone::utc());
    RC_ASSERT((*column)->values<int64_t>()[0] == static_cast<int64_t>(seconds * 1000000));
  }));
}

TEST_CASE("timestamps become numbers, or null where these are too small") {
  const ColumnPtr column = column_of<int64_t>(Type::timestamp(), {-1, 4102444800000000});
  CHECK(cast_rows_to(column, "bigint") == "-1 4102444800 null");
  CHECK(cast_rows_to(column, "int") == "-1 null null");
  CHECK(cast_rows_to(column, "double") == "-1.0E-6 4.1024448E9 null");
  CHECK(cast_rows_to(column, "date") == "1969-12-31 2100-01-01 null");
}

TEST_CASE("decimals keep their value or become null") {
  const ColumnPtr column = *cast(texts({"1.005", "300.5", "99999999999.0", "-0.05"}),
                                 Type::decimal(20, 3), TimeZone::utc());
  CHECK(cast_rows_to(column, "decimal(5,2)") == "1.01 300.50 null -0.05 null");
  CHECK(cast_rows_to(column, "int") == "1 300 1215752191 0 null");
  CHECK(cast_rows_to(column, "double") == "1.005 300.5 9.9999999999E10 -0.05 null");
  CHECK(try_rows(column, "int") == "1 300 null 0 null");
}

TEST_CASE("arrays, maps and structs are cast part by part, slices too") {
  ArrayBuilder builder(Type::array(Type::string()));
  auto& element = static_cast<StringBuilder&>(builder.element());
  for (const char* text : {"1", "x", "3"}) {
    element.append(text);
    element.append("7");
    builder.append();
  }
  const ColumnPtr arrays = builder.finish();
  CHECK(cast_rows_to(arrays, "array<int>") == "[1, 7] [null, 7] [3, 7]");
  CHECK(cast_rows_to(arrays->slice(1, 2), "array<double>") == "[null, 7.0] [3.0, 7.0]");
  CHECK(cast_rows_to(arrays->slice(2, 1), "string") == "[3, 7]");
}

TEST_CASE("intervals are numbers of their last unit") {
  const ColumnPtr column = bigints({3});
  CHECK(cast_rows_to(column, "interval day") == "INTERVAL '3' DAY null");
  const ColumnPtr days = *cast(column, *parse_type("interval day"), TimeZone::utc());
  CHECK(cast_rows_to(days, "bigint") == "3 null");
  CHECK(cast_rows_to(texts({"1-2"}), "interval year to month") ==
        "INTERVAL '1-2' YEAR TO MONTH null");
  CHECK_FALSE(cast(texts({"nonsense"}), *parse_type("interval day"), TimeZone::utc()));
  CHECK(cast_rows_to(bigints({int64_t{1} << 60}), "interval day")
            .starts_with("a number is too large"));
}

TEST_CASE("what Spark cannot cast is known beforehand") {
  const auto castable = [](std::string_view from, std::string_view to) {
    return can_cast(*parse_type(from), *parse_type(to));
  };
  CHECK(castable("int", "timestamp"));
  CHECK(castable("date", "int"));
  CHECK(castable("struct<a:int,b:string>", "struct<x:bigint,y:string>"));
  CHECK(castable("map<string,int>", "map<string,double>"));
  CHECK(castable("array<int>", "string"));
  CHECK_FALSE(castable("int", "date"));
  CHECK_FALSE(castable("double", "binary"));
  CHECK_FALSE(castable("binary", "int"));
  CHECK_FALSE(castable("array<int>", "int"));
  CHECK_FALSE(castable("struct<a:int,b:string>", "struct<a:int>"));
  CHECK_FALSE(castable("map<string,int>", "map<int,int>"));
  CHECK_FALSE(castable("boolean", "date"));
}
