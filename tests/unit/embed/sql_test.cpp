#include <cstring>

#include "tests/unit/embed/host.h"

using namespace host;

namespace {

using Line = std::tuple<std::string>;
using Count = std::tuple<std::string, int64_t>;

const std::string kTables =
    "tables:\n"
    "  people: { file: data/users.csv, format: csv, header: true, sep: \";\", infer_schema: true "
    "}\n"
    "nodes:\n"
    "  in: { source: push, schema: \"value STRING\" }\n"
    "  read:\n"
    "    from: in\n"
    "    parse: json\n"
    "    schema: \"word STRING, price DECIMAL(10,2), at TIMESTAMP, parts ARRAY<INT>, place "
    "STRUCT<x: INT, y: STRING>\"\n"
    "  kept: { from: read, sink: memory, table: kept }\n"
    "  counts: { from: read, group_by: [word], agg: count }\n"
    "  table: { from: counts, sink: memory, table: counts, mode: complete }\n";

flowrun::Engine with_rows() {
  auto engine = loaded(kTables);
  REQUIRE(engine.start());
  auto in = engine.push_rows<Line>("in");
  REQUIRE(in);
  const std::string line =
      R"({"word":"b","price":"1.50","at":"2026-03-01 10:00:00","parts":[1,2],"place":{"x":7,"y":"a"}})";
  const std::vector<Line> lines{{line}, {R"({"word":"a"})"}, {line}};
  auto ticket = in->push(lines);
  REQUIRE(ticket);
  REQUIRE(ticket->wait(kPatience));
  return engine;
}

template <class Row>
std::vector<Row> rows_of_answer(const flowrun::Engine& engine, const std::string& statement) {
  auto rows = engine.sql_rows<Row>(statement);
  INFO(rows.status().text());
  REQUIRE(rows);
  return std::move(*rows);
}

const std::string kEndless =
    "with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) from n";

}  // namespace

TEST_CASE("SQL asks the live tables of an engine while it runs, and the static ones") {
  auto engine = with_rows();
  CHECK(rows_of_answer<Count>(engine, "select word, count from counts where count > 1") ==
        std::vector<Count>{{"b", 2}});
  CHECK(rows_of_answer<Count>(engine,
                              "select LastName word, count(*) count from people where User = 'a' "
                              "group by LastName")
            .size() == 1);
  CHECK(engine.state() == flowrun::State::running);
}

TEST_CASE("an answer has the types of the tables") {
  auto engine = with_rows();
  auto answer = engine.sql("select *, place.x from kept where word = 'b'");
  INFO(answer.status().text());
  REQUIRE(answer);
  CHECK(answer->num_rows == 2);
  std::vector<std::string> formats;
  for (int64_t i = 0; i < answer->schema.num_columns(); ++i)
    formats.emplace_back(answer->schema.format(i));
  CHECK(formats == std::vector<std::string>{"vu", "d:10,2", "tsu:UTC", "+l", "+s", "i"});
  REQUIRE(answer->batches.size() == 1);
  const ArrowArray& price = *answer->batches[0].array().children[1];
  int64_t low = 0;
  std::memcpy(&low, price.buffers[1], sizeof(low));
  CHECK(low == 150);
}

TEST_CASE("a statement that is wrong, too long or cancelled says so") {
  auto engine = with_rows();
  const auto wrong = engine.sql("select word,\n  cout from counts");
  REQUIRE(!wrong);
  CHECK(wrong.status().code() == flowrun::Code::invalid);
  CHECK(wrong.status().text().find("did you mean `count`") != std::string::npos);
  CHECK(wrong.status().line() == 2);
  CHECK(wrong.status().column() == 3);
  flowrun::SqlOptions options;
  options.time_limit = 50ms;
  CHECK(engine.sql(kEndless, options).status().code() == flowrun::Code::cancelled);
  options.time_limit = flowrun::Wait(0);
  options.cancelled = [] { return true; };
  CHECK(engine.sql(kEndless, options).status().code() == flowrun::Code::cancelled);
  options.cancelled = nullptr;
  options.max_rows = 1;
  auto limited = engine.sql("select * from kept", options);
  REQUIRE(limited);
  CHECK(limited->num_rows == 1);
  CHECK(limited->more);
}
