#include "runtime/sql/sql.h"

#include <catch2/catch.hpp>
#include <chrono>
#include <thread>

#include "runtime/columnar/builder.h"
#include "runtime/format/show.h"
#include "tests/unit/sql/sql_asking.h"

using namespace flowrun;

namespace {

std::vector<SqlTable> tables() {
  return {
      table(
          "per_window", "window struct<start: timestamp, end: timestamp>, gt string, count bigint",
          R"({"window":{"start":"2026-03-01 10:00:00","end":"2026-03-01 10:00:10"},"gt":"sit","count":3}
{"window":{"start":"2026-03-01 10:00:10","end":"2026-03-01 10:00:20"},"gt":"stand","count":5}
{"window":{"start":"2026-03-01 10:00:05","end":"2026-03-01 10:00:15"},"gt":null,"count":4})"),
      table("Users", "name string, gender string, age int, active boolean",
            R"({"name":"ann","gender":"F","age":31,"active":true}
{"name":"Bob","gender":"M","age":7,"active":false}
{"name":"eve","gender":"F"})"),
      table(
          "things",
          "id int, tags array<string>, scores map<string, double>, price decimal(10,2), at "
          "timestamp, day date, Index bigint, deep struct<a: struct<b: struct<c: int>>>",
          R"({"id":1,"tags":["a","b"],"scores":{"x":1.5},"price":"10.50","at":"2026-03-01 10:17:00.25","day":"2026-03-01","Index":7,"deep":{"a":{"b":{"c":42}}}}
{"id":2,"tags":[],"scores":{},"price":"-0.05","at":"2025-12-31 23:59:59","day":"2025-12-31","Index":8})"),
  };
}

Result<SqlResult> ask(std::string_view statement, SqlOptions options = {}) {
  return Sql(functions(), "UTC").run(statement, tables(), options);
}

std::string rows(std::string_view statement) {
  INFO(statement);
  return lines_of(ask(statement));
}

std::string error(std::string_view statement) {
  const auto result = ask(statement);
  return result ? "no error" : point_into(statement, result.error());
}

}  // namespace

TEST_CASE("a select over a live table gives its rows with their types") {
  const auto result = ask("select * from per_window order by count");
  REQUIRE(result);
  CHECK(result->rows.schema()->ddl() ==
        "window STRUCT<start: TIMESTAMP, end: TIMESTAMP>,gt STRING,count BIGINT");
  CHECK(show_frame(result->rows, {.truncate = -1}) ==
        "+------------------------------------------+-----+-----+\n"
        "|window                                    |gt   |count|\n"
        "+------------------------------------------+-----+-----+\n"
        "|{2026-03-01 10:00:00, 2026-03-01 10:00:10}|sit  |3    |\n"
        "|{2026-03-01 10:00:05, 2026-03-01 10:00:15}|NULL |4    |\n"
        "|{2026-03-01 10:00:10, 2026-03-01 10:00:20}|stand|5    |\n"
        "+------------------------------------------+-----+-----+\n\n");
}

TEST_CASE("cells print as Spark shows them, whatever their type") {
  const std::string folder = "tests/conformance/show";
  size_t compared = 0;
  for (const std::string& name : files_ending(folder, ".ddl")) {
    const std::string options = read_whole_file(folder + "/" + name + ".yaml");
    const bool plain = options.find("sink: show") != std::string::npos &&
                       options.find("rows: 20\n") != std::string::npos &&
                       options.find("truncate: 20\n") != std::string::npos &&
                       options.find("vertical: true") == std::string::npos;
    if (!plain || name == "decimals" || name == "doubles") continue;  // docs/sql.md says why
    const RecordBatch cells = rows_from_json(read_whole_file(folder + "/" + name + ".ddl"),
                                             read_whole_file(folder + "/" + name + ".jsonl"));
    const SqlTable source{"t", cells.schema(), {cells}};
    const auto result = Sql(functions(), "UTC").run("select * from t", {source}, {});
    INFO(name);
    REQUIRE(result);
    CHECK(show_frame(result->rows, {}) == read_whole_file(folder + "/" + name + ".txt"));
    ++compared;
  }
  CHECK(compared > 5);
}

TEST_CASE("fields of structs are reached with a dot, with the table's name and its alias too") {
  CHECK(rows("select window.start, count from per_window order by 1 limit 1") ==
        "\"2026-03-01T10:00:00.000Z\",3\n");
  CHECK(
      rows("select p.window.end from per_window p where p.window.start > '2026-03-01 10:00:06'") ==
      "\"2026-03-01T10:00:20.000Z\"\n");
  CHECK(rows("select deep.a.b.c, things.deep.a.b.c from things where id = 1") == "42,42\n");
  CHECK(rows("select deep.a.b.c from things where deep.a.b.c is null") == "null\n");
  const auto result = ask("select window.start, window.end as till from per_window");
  REQUIRE(result);
  CHECK(result->rows.schema()->names() == std::vector<std::string>{"start", "till"});
}

TEST_CASE("what a result keeps of a struct can be sorted, grouped and joined by") {
  CHECK(rows("select count(*) from (select window from per_window group by window)") == "3\n");
  CHECK(rows("select max(window) from per_window") ==
        "{\"start\":\"2026-03-01T10:00:10.000Z\",\"end\":\"2026-03-01T10:00:20.000Z\"}\n");
  CHECK(rows("select a.count from per_window a join per_window b on a.window = b.window "
             "order by a.window desc") == "5\n4\n3\n");
}

TEST_CASE("Spark's habits: LIKE minds case, a slash gives doubles, names do not mind case") {
  CHECK(rows("select NAME from uSERS where name like 'b%'").empty());
  CHECK(rows("select NAME from uSERS where name like 'B%'") == "\"Bob\"\n");
  CHECK(rows("select 7 / 2, 1 / 0") == "3.5,null\n");
  CHECK(rows("select count / 2 from per_window order by count limit 1") == "1.5\n");
  CHECK(rows("select \"text\", 'it''s', 'tab\\there'") == "\"text\",\"it's\",\"tab\\there\"\n");
  CHECK(rows("select `name` from Users where age is null") == "\"eve\"\n");
  CHECK(rows("select index from things order by index desc") == "8\n7\n");
  CHECK(rows("select 1 where null <=> null") == "1\n");
  CHECK(rows("select name from users where name rlike '^[a-z]+$' order by name") ==
        "\"ann\"\n\"eve\"\n");
  CHECK(rows("select timestamp'2026-03-01 10:00:00', date '2026-3-1'") ==
        "\"2026-03-01 10:00:00\",\"2026-03-01\"\n");
}

TEST_CASE("flowrun's functions and casts see the types of what they are given") {
  CHECK(rows("select date_trunc('hour', at) from things where id = 1") ==
        "\"2026-03-01 10:00:00\"\n");
  CHECK(rows("select size(tags), element_at(tags, 1), to_json(scores) from things where id = 1") ==
        "2,\"a\",\"{\\\"x\\\":1.5}\"\n");
  CHECK(rows("select upper(name), length(name), left(name, 1) from users where age = 7") ==
        "\"BOB\",3,\"B\"\n");
  CHECK(rows("select round(2.567, 1), split('a b', ' ')") == "2.6,[\"a\",\"b\"]\n");
  CHECK(rows("select cast('12' as int) + 1, cast(price as string), cast(id as decimal(5,1)) from "
             "things where id = 1") == "13,\"10.50\",1.0\n");
  CHECK(rows("select hour(at), year(day) from things order by id") == "10,2026\n23,2025\n");
  CHECK(rows("select coalesce(gt, 'none') from per_window where count = 4") == "\"none\"\n");
}

TEST_CASE("words with a parenthesis behind them stay operators") {
  CHECK(rows("select name from users where age in (7, 8)") == "\"Bob\"\n");
  CHECK(
      rows("select name from users where age > 1 and (age < 8 or (age > 99)) and not (age = 3)") ==
      "\"Bob\"\n");
  CHECK(rows("select name from users where age between (6) and (8) and name like ('B%')") ==
        "\"Bob\"\n");
  CHECK(rows("select 1 where exists (select 1 from users) and not exists (select 1 where 1 = 0)") ==
        "1\n");
}

TEST_CASE("columns keep their names and their types") {
  const auto result = ask("select active, price, 1 + 1, avg(id), upper('a') from users, things");
  REQUIRE(result);
  CHECK(result->rows.schema()->names() ==
        std::vector<std::string>{"active", "price", "1 + 1", "avg(id)", "upper('a')"});
  const auto divided = ask("select  id/2 , tags from things");
  REQUIRE(divided);
  CHECK(divided->rows.schema()->ddl() == "`id/2` DOUBLE,tags ARRAY<STRING>");
}

TEST_CASE("errors say what would be right and point into the statement") {
  CHECK(error("select nam from users") ==
        "1:8: error: no column `nam` — did you mean `name`?\n  select nam from users\n"
        "         ^");
  CHECK(error("select 1\nfrom user") == "error: no table `user` — did you mean `Users`?");
  CHECK(error("select a / 2 frm users").find("1:18: error: near \"users\"") == 0);
  CHECK(error("select uper(name) from users").find("no function `uper` — did you mean `upper`?") !=
        std::string::npos);
  CHECK(
      error("select stdev(age) from users").find("no function `stdev` — did you mean `stddev`?") !=
      std::string::npos);
  CHECK(error("select tags[0] from things").find("element_at") != std::string::npos);
  CHECK(error("select 1; select 2").find("one statement at a time") != std::string::npos);
  CHECK(error("  ").find("there is no statement") != std::string::npos);
  CHECK(error("select 'open").find("a quote is not closed") != std::string::npos);
  CHECK(error("select cast(1 as nonsense)").find("1:18: error:") == 0);
}

TEST_CASE("nothing but questions is answered") {
  for (const char* statement :
       {"create table x (a int)", "insert into users values (1)", "delete from users",
        "drop table users", "pragma table_info(users)", "attach 'x.db' as x", "vacuum", "begin",
        "select load_extension('x')", "update users set name = 'x'", "explain select 1"}) {
    INFO(statement);
    CHECK(!ask(statement));
  }
}

TEST_CASE("a statement that takes too long is ended, and one that is cancelled too") {
  SqlOptions options;
  options.time_limit = 50'000;
  const std::string endless =
      "with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) from n";
  auto result = ask(endless, options);
  REQUIRE(!result);
  CHECK(result.error().code == ErrorCode::cancelled);
  CHECK(result.error().message.find("longer than 50 ms") != std::string::npos);

  std::atomic<bool> cancelled = false;
  options.time_limit = 60'000'000;
  options.cancelled = [&] { return cancelled.load(); };
  std::thread canceller([&] { cancelled = true; });
  result = ask(endless, options);
  canceller.join();
  REQUIRE(!result);
  CHECK(result.error().message == "cancelled");
}

TEST_CASE("results are limited") {
  SqlOptions options;
  options.max_rows = 2;
  const auto result = ask("select * from users", options);
  REQUIRE(result);
  CHECK(result->rows.num_rows() == 2);
  CHECK(result->more);
  CHECK(!ask("select * from users limit 2", options)->more);
}

TEST_CASE("tables can be listed and described") {
  CHECK(rows("show tables;").find("\"Users\",\"live\"") != std::string::npos);
  CHECK(rows("describe users").find("\"active\",\"boolean\",null") != std::string::npos);
  CHECK(rows("desc usrs").find("did you mean `Users`?") != std::string::npos);
}

TEST_CASE("a table that is loaded when it is named is not loaded before") {
  int loads = 0;
  SqlTable lazy = table("lazy", "n int", R"({"n":1})");
  lazy.load = [&loads, batches = std::move(lazy.batches)]() -> Result<std::vector<RecordBatch>> {
    ++loads;
    return batches;
  };
  const Sql sql(functions(), "UTC");
  CHECK(sql.run("select 1", {lazy}, {}));
  CHECK(loads == 0);
  CHECK(sql.run("select n from lazy", {lazy}, {})->rows.num_rows() == 1);
  CHECK(loads == 1);
  lazy.load = []() -> Result<std::vector<RecordBatch>> { return Error::io("no such file"); };
  CHECK(sql.run("select n from lazy", {lazy}, {}).error().message == "no such file");
}

// Row by row the join would look at ten thousand million pairs, and the limit would end it.
TEST_CASE("a join of two tables of 100,000 rows goes by their keys") {
  constexpr int64_t kRows = 100'000;
  StringBuilder keys(Type::string());
  FixedBuilder<int64_t> values(Type::bigint());
  for (int64_t i = 0; i < kRows; ++i) {
    keys.append("key number " + std::to_string(i));
    values.append(i);
  }
  const SchemaPtr schema = Schema::make({{"k", Type::string()}, {"v", Type::bigint()}});
  const std::vector<SqlTable> large = {
      {"large", schema, {RecordBatch(schema, kRows, {keys.finish(), values.finish()})}}};
  const Sql sql(functions(), "UTC");
  SqlOptions patient;
  patient.time_limit = 120'000'000;
  const auto first_number = [&](std::string_view statement) {
    const auto result = sql.run(statement, large, patient);
    REQUIRE(result);
    return result->rows.column(0)->values<int64_t>()[0];
  };
  CHECK(first_number("select v from large where k = 'key number 77777'") == 77777);
  CHECK(first_number("select v from large where v = 99999") == 99999);
  CHECK(first_number("select count(*) from large a join large b on a.k = b.k") == kRows);
}

// The lines of docs/sql.md's list, in its order.
TEST_CASE("what differs from Spark SQL is what docs/sql.md says") {
  // Over a window there are SQLite's aggregate functions.
  CHECK(rows("select sum(age) over (order by age rows unbounded preceding) as s from users "
             "where age > 0 order by s") == "7\n38\n");
  CHECK(error("select collect_list(age) over () from users").find("over a window") !=
        std::string::npos);
  // What is not grouped by has the value of some row.
  CHECK(rows("select name is null, max(age) from users") == "0,31\n");
  // Booleans are numbers to aggregate functions, and 1 and 0 are booleans.
  CHECK(rows("select sum(age > 10), count_if(age > 10), bool_and(age > 10) from users") ==
        "1,1,0\n");
  // Behind a subquery an aggregate function sees what SQLite holds.
  CHECK(rows("select collect_list(a) from (select active as a from users where age > 0)") ==
        "[1,0]\n");
  CHECK(rows("select collect_list(a) from (select at as a from things where id = 1)") ==
        "[\"2026-03-01 10:17:00.25\"]\n");
  // Comparisons and functions that give booleans give 1 and 0; columns stay booleans.
  CHECK(rows("select active, age > 10 from users where age = 31") == "true,1\n");
  // Decimals are computed as doubles, exact to 15 digits.
  CHECK(rows("select price, price * 2 from things where id = 1") == "10.50,21.0\n");
  // NaN is NULL.
  CHECK(rows("select cast('NaN' as double)") == "null\n");
  // Dates and timestamps are text outside of functions.
  CHECK(rows("select max(at), at > '2026' from things where id = 1") ==
        "\"2026-03-01 10:17:00.25\",1\n");
  // % is of whole numbers; mod is Spark's.
  CHECK(rows("select 5.5 % 2, mod(5.5, 2)") == "1.0,1.5\n");
  // No brackets, lambdas, intervals, generators.
  CHECK(error("select transform(tags, x -> x) from things").find("error") != std::string::npos);
  CHECK(error("select interval 5 minutes").find("error") != std::string::npos);
  CHECK(error("select 7 div 2 from users").find("error") != std::string::npos);
  CHECK(error("select explode(tags) from things").find("error") != std::string::npos);
  // Columns without a name keep the text of the expression.
  CHECK(ask("select count(*) from users")->rows.schema()->names()[0] == "count(*)");
  // Text and numbers do not compare as equal unless a column's type says so.
  CHECK(rows("select 'a' = 1, '1' = 1") == "0,0\n");
  // Of columns with the same name the second is called name_2.
  RecordBatch twins = rows_from_json("a int, b int", R"({"a":1,"b":2})");
  twins = twins.with_schema(Schema::make({{"a", Type::integer()}, {"A", Type::integer()}}));
  const auto both = Sql(functions(), "UTC")
                        .run("select a, A_2 from twins", {{"twins", twins.schema(), {twins}}}, {});
  REQUIRE(both);
  CHECK(both->rows.column(1)->values<int32_t>()[0] == 2);
  // A struct is opened by naming its fields.
  CHECK(error("select window.* from per_window").find("error") != std::string::npos);
}
