#include <catch2/catch.hpp>

#include "runtime/columnar/builder.h"
#include "runtime/expr/cast.h"
#include "runtime/format/text.h"
#include "runtime/state/bound_aggregate.h"
#include "tests/unit/sql/sql_asking.h"

using namespace flowrun;

namespace {

// For slow machines.
SqlOptions patient() {
  SqlOptions options;
  options.time_limit = 120'000'000;
  return options;
}

constexpr const char* kColumns =
    "gt string, x double, n int, big bigint, active boolean, price decimal(10,2), at timestamp, "
    "name string, s struct<a: int, b: string>, tags array<string>";

// Rows with nulls here and there, so that every function has something to leave out.
SqlTable samples() {
  std::string lines;
  for (int i = 0; i < 60; ++i) {
    const std::string text = std::to_string(i);
    lines += R"({"gt":")" + std::string(i % 3 == 0 ? "sit" : "stand") + "\"";
    if (i % 7 != 3) lines += ",\"x\":" + std::to_string((i * 37) % 50) + ".25";
    if (i % 5 != 4) lines += ",\"n\":" + std::to_string(i % 9);
    if (i % 11 != 5) lines += ",\"big\":" + std::to_string(i * 1'000'000'007LL);
    if (i % 4 != 1) lines += std::string(",\"active\":") + (i % 3 == 0 ? "true" : "false");
    if (i % 6 != 2) lines += ",\"price\":\"" + std::to_string(i % 8) + ".10\"";
    lines += ",\"at\":\"2026-03-01 10:00:" + std::string(i < 10 ? "0" : "") + text + ".5\"";
    lines += ",\"name\":\"user " + std::to_string(i % 13) + "\"";
    if (i % 8 != 7) lines += ",\"s\":{\"a\":" + std::to_string(i % 10) + ",\"b\":\"é\"}";
    lines += ",\"tags\":[\"t" + std::to_string(i % 2) + "\"]}\n";
  }
  return table("t", kColumns, lines);
}

SqlTable without_rows() {
  SqlTable none = samples();
  none.batches.clear();
  return none;
}

SqlTable only_nulls() { return table("t", kColumns, "{}\n{}\n{}\n"); }

// As SQL shows it: a boolean is a number, a decimal a double, NaN null.
std::string shown(const ColumnPtr& column) {
  const TypeId id = column->type().id();
  if (column->is_null(0)) return "null";
  if (id == TypeId::boolean) return column->boolean(0) ? "1" : "0";
  const ColumnPtr cell =
      id == TypeId::decimal ? *cast(column, Type::double_(), TimeZone::utc()) : column;
  std::string text;
  append_text(*cell, 0, TimeZone::utc(), text);
  return text == "NaN" ? "null" : text;
}

// What the pipeline's own aggregates give for all rows as one group; nothing if they refuse.
std::optional<std::string> directly(const std::string& call, const SqlTable& source) {
  const ExpressionEnvironment environment{&functions(), "UTC"};
  const auto bound = Binder(Scope{source.schema}, environment).bind_aggregate(call, {}, false);
  if (!bound) return std::nullopt;
  const auto aggregate = BoundAggregate::bind(bound->calls.at(0), functions());
  REQUIRE(aggregate);
  const auto states = aggregate->make_states();
  states->resize(1);
  int64_t sequence = 0;
  for (const RecordBatch& batch : source.batches) {
    const std::vector<uint32_t> groups(static_cast<size_t>(batch.num_rows()));
    if (!aggregate->update(*states, groups, batch, {}, sequence++)) return std::nullopt;
  }
  const std::vector<uint32_t> only{0};
  const auto result = states->result(only);
  REQUIRE(result);
  return shown(*result);
}

std::string by_sql(const std::string& call, const SqlTable& source) {
  const auto result =
      Sql(functions(), "UTC").run("select " + call + " from t", {source}, patient());
  return result ? shown(result->rows.column(0)) : "error: " + result.error().message;
}

// Calls of one function, of which it takes some.
std::vector<std::string> calls(const std::string& name) {
  std::vector<std::string> all;
  for (const char* arguments : {"x",
                                "n",
                                "big",
                                "active",
                                "price",
                                "at",
                                "name",
                                "s",
                                "tags",
                                "n > 3",
                                "price * 2",
                                "s.a",
                                "x, n",
                                "name, x",
                                "s, at",
                                "at, price",
                                "active, big",
                                "x, 0.5",
                                "n, 50",
                                "x, 0.05",
                                "x, array(0.1, 0.9)",
                                "x, 0.5, 100",
                                "name, true",
                                "name, ', '",
                                "*"}) {
    all.push_back(name + "(" + arguments + ")");
    if (std::string(arguments) != "*") all.push_back(name + "(distinct " + arguments + ")");
  }
  for (const char* order :
       {"(0.3) within group (order by x)", "(0.3) within group (order by price desc)",
        "(name, '-') within group (order by at desc, name asc nulls last)"})
    all.push_back(name + order);
  return all;
}

Result<SqlResult> ask(std::string_view statement) {
  return Sql(functions(), "UTC").run(statement, {samples()}, patient());
}
std::string rows(std::string_view statement) { return lines_of(ask(statement)); }
std::string error(std::string_view statement) {
  const auto result = ask(statement);
  return result ? "no error" : point_into(statement, result.error());
}

SqlTable large(int64_t num_rows) {
  FixedBuilder<int64_t> number(Type::bigint());
  FixedBuilder<double> x(Type::double_());
  StringBuilder name(Type::string());
  for (int64_t i = 0; i < num_rows; ++i) {
    number.append(i);
    x.append(static_cast<double>(i % 1000));
    name.append("the name of user number " + std::to_string(i % 5));
  }
  const SchemaPtr schema =
      Schema::make({{"i", Type::bigint()}, {"x", Type::double_()}, {"name", Type::string()}});
  return {"large",
          schema,
          {RecordBatch(schema, num_rows, {number.finish(), x.finish(), name.finish()})}};
}

}  // namespace

TEST_CASE("every aggregate function answers in SQL as it does in a pipeline") {
  for (const std::string& name : functions().aggregate_names()) {
    size_t taken = 0;
    for (const SqlTable& source : {samples(), without_rows(), only_nulls()}) {
      for (const std::string& call : calls(name)) {
        const auto expected = directly(call, source);
        if (!expected) continue;
        ++taken;
        INFO(call << " of " << source.batches.size() << " batches");
        CHECK(by_sql(call, source) == *expected);
      }
    }
    INFO(name << ": no call above is one that it takes");
    CHECK(taken > 0);
  }
}

TEST_CASE("aggregate functions answer for each group") {
  CHECK(rows("select gt, stddev(n), count(*), max_by(name, x), sum(price) from t group by gt "
             "order by gt") ==
        "\"sit\",2.449489742783178,20,\"user 1\",68.0\n"
        "\"stand\",2.57077244573337,40,\"user 4\",113.0\n");
  CHECK(rows("select gt, percentile(n, 0.5), bool_or(active), collect_set(active) from t "
             "group by gt order by gt") == "\"sit\",3.0,1,[true]\n\"stand\",4.0,0,[false]\n");
  // Groups with nothing in them but nulls, and none at all.
  CHECK(rows("select n, sum(x), collect_list(x), count_if(x > 1) from t "
             "where n = 3 and x is null group by n") == "3,null,[],0\n");
  CHECK(rows("select gt, sum(x), collect_list(x) from t where n > 99 group by gt").empty());
  CHECK(rows("select sum(x), avg(price), collect_list(x), max(s), count(*) from t where n > 99") ==
        "null,null,[],null,0\n");
}

TEST_CASE("aggregate functions stand wherever SQLite lets them stand") {
  CHECK(rows("select gt from t group by gt having median(n) > 3 order by median(n) desc") ==
        "\"stand\"\n");
  CHECK(rows("select round(avg(price), 2), upper(max(gt)), size(collect_set(n)) from t") ==
        "3.62,\"STAND\",9\n");
  CHECK(rows("select `median`(n), MAX(n) from t") == "4.0,8\n");
  CHECK(rows("select max(n) filter (where n < 5), sum(x) filter (where n > 99) from t") ==
        "4,null\n");
  CHECK(rows("select name from t where x = (select max(x) from t) order by name limit 1") ==
        "\"user 1\"\n");
  CHECK(rows("with sums(total) as (select sum(n) from t group by gt) "
             "select max(a.total - b.total) from sums a, sums b") == "90\n");
  CHECK(rows("with mode(i) as (select 1) select i from mode") == "1\n");
  CHECK(rows("select a.gt, sum(b.price) from t a join t as b on a.at = b.at group by a.gt") ==
        "\"sit\",68.0\n\"stand\",113.0\n");
  const auto named =
      ask("select  Max( n ), percentile_cont(0.5) within group (order by x desc) "
          "from t");
  REQUIRE(named);
  CHECK(
      named->rows.schema()->names() ==
      std::vector<std::string>{"Max( n )", "percentile_cont(0.5) within group (order by x desc)"});
}

TEST_CASE("DISTINCT, IGNORE NULLS and the order of arguments are the call's") {
  CHECK(rows("select count(distinct n), count(distinct gt, active), sum(distinct n) from t") ==
        "9,2,36\n");
  CHECK(rows("select first(x), first(x) ignore nulls, last(active, true) from t where n = 3") ==
        "null,44.25,1\n");
  CHECK(rows("select max_by(n, x), min_by(x, at) from t where n in (1, 2) and x < 30") ==
        "2,24.25\n");
  // With two arguments these two are no aggregates.
  CHECK(rows("select min(n, 2), max(n, 2) from t where name = 'user 3' and n > 0 limit 1") ==
        "2,3\n");
}

TEST_CASE("over a window SQLite's own aggregate functions answer") {
  CHECK(rows("select sum(n) over (order by at), first_value(n) over (order by at), "
             "max(n) over w, count(*) over () from t where n is not null window w as "
             "(order by at rows 1 preceding) limit 3") == "0,0,0,48\n1,0,1,48\n3,0,2,48\n");
  CHECK(error("select stddev(n) over () from t").find("no function `stddev` over a window") !=
        std::string::npos);
}

TEST_CASE("an aggregate function that fails names itself and its place") {
  CHECK(error("select gt,\n  stddev(s) from t group by gt") ==
        "2:3: error: stddev: takes numbers, got struct<a:int,b:string>\n"
        "    stddev(s) from t group by gt\n    ^");
  CHECK(error("select percentile(x, n) from t").find("1:8: error: percentile: takes a constant") ==
        0);
  CHECK(error("select stddev(x, n) from t").find("1:8: error: stddev: takes 1 argument, got 2") ==
        0);
  CHECK(error("select percentile_cont(0.5) from t").find("needs WITHIN GROUP") !=
        std::string::npos);
  CHECK(error("select stddev(sum(x)) from t").find("misuse of aggregate function sum()") !=
        std::string::npos);
  // As deep as this SQLite refuses, after no longer than it takes to read.
  std::string deep;
  for (int i = 0; i < 50'000; ++i) deep += "max(";
  CHECK(error("select " + deep + std::string(50'000, ')')) != "no error");
  CHECK(error("select max(v) from (select case n when 1 then 'a' else 2 end as v from t)")
            .find("1:8: error: max: `v` has values of several types") == 0);
}

TEST_CASE("an argument has the type that its values have where the statement does not tell") {
  CHECK(rows("select sum(v) from (select case n when 1 then 1 else 2.5 end as v from t)") ==
        "141.0\n");
  CHECK(rows("select collect_set(v) from (select n > 3 as v from t where n > 3)") == "[1]\n");
  // Of the table's decimal(10,2) this `price` has only the name.
  CHECK(rows("select max(price), sum(price) from (select 1.005 as price from t limit 2)") ==
        "1.005,2.01\n");
  CHECK(rows("select sum(active), max(active) from (select big as active from t where n = 2)") ==
        "136000000952,56000000392\n");
}

TEST_CASE("a large group can be ended while rows are absorbed and its result is made") {
  const SqlTable source = large(300'000);
  int64_t asked = 0;
  int64_t last = -1;  // cancelled when asked this often
  SqlOptions options = patient();
  options.cancelled = [&] { return ++asked >= last && last > 0; };
  const Sql sql(functions(), "UTC");
  REQUIRE(sql.run("select stddev(x), max(name) from large", {source}, options));
  // The last times are those between chunks; somewhere before are those of the first absorption.
  const int64_t all = asked;
  for (last = all; last > 0; last -= 31) {
    asked = 0;
    const auto result = sql.run("select stddev(x), max(name) from large", {source}, options);
    REQUIRE(!result);
    CHECK(result.error().code == ErrorCode::cancelled);
    CHECK(result.error().message == "cancelled");
  }
}

TEST_CASE("what aggregate functions collect is bounded") {
  SqlOptions options = patient();
  options.max_memory = 1 << 20;
  const auto run = [&](std::string_view statement) {
    return Sql(functions(), "UTC").run(statement, {large(50'000)}, options);
  };
  const auto result = run("select collect_list(name) from large");
  REQUIRE(!result);
  CHECK(point_into("select collect_list(name) from large", result.error())
            .find("1:8: error: collect_list: what it collects takes more than 1 MiB") == 0);
  // Group by group there is room.
  CHECK(run("select x, count(distinct name), max(name) from large group by x"));
}

TEST_CASE("of many rows no more is kept than the function needs") {
  SqlOptions options = patient();
  options.max_memory = 40 << 20;
  const auto run = [&, source = large(600'000)](std::string_view statement) {
    return Sql(functions(), "UTC").run(statement, {source}, options);
  };
  CHECK(lines_of(run("select sum(x), avg(i), max(name), bool_and(i >= 0), sum(distinct x) "
                     "from large")) ==
        "2.997E8,299999.5,\"the name of user number 4\",1,499500.0\n");
  // By then it is too late for another type.
  CHECK(lines_of(run("select sum(v) from (select case when i < 500000 then 1 else 0.5 end as v "
                     "from large)")) ==
        "error: sum: `v` is bigint in many rows, then double — cast it to double");
  CHECK(lines_of(run("select bool_or(v) from (select case when i < 500000 then 1 else 2 end as v "
                     "from large)")) == "error: bool_or: takes a boolean, got whole numbers");
}

TEST_CASE("aggregate functions are known where names are completed") {
  const auto words = Sql(functions(), "UTC").words({});
  for (const std::string& name : functions().aggregate_names())
    CHECK(std::ranges::count(words, name) == 1);
}

TEST_CASE("the example of docs/sql.md is answered") {
  const std::string page = read_whole_file("docs/sql.md");
  const size_t begin = page.find("```sql\n") + 7;
  const std::string statement = page.substr(begin, page.find("```", begin) - begin);
  const SqlTable readings = table("readings", "gt string, user string, x double",
                                  R"({"gt":"sit","user":"ann","x":0.5}
{"gt":"stand","user":"bob","x":1.5}
{"gt":"sit","user":"eve","x":2.5})");
  CHECK(lines_of(Sql(functions(), "UTC").run(statement, {readings}, patient())) ==
        "\"sit\",1.4142135623730951,2,1.5,\"eve\",1,\"eve, ann\"\n"
        "\"stand\",null,1,1.5,\"bob\",1,\"bob\"\n");
}
