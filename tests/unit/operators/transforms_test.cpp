// The stateless transforms, one by one. What Spark answers is in the conformance cases.
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "tests/support/json_rows.h"
#include "tests/unit/operators/bench.h"

using namespace flowrun;
using namespace flowrun::test;

namespace {

struct Outcome {
  std::string text;  // rows of the main port
  SchemaPtr schema;
  KeepingEmitter emitter;
};

InputSchema input_of(const SchemaPtr& schema) { return {schema, "input"}; }

Outcome run(Bench& bench, const std::string& name, const Values& values, const RecordBatch& rows) {
  auto made = bench.transform(name, values);
  if (!made) FAIL(made.error().message);
  const InputSchema input = input_of(rows.schema());
  const auto ports = (*made)->bind({&input, 1});
  if (!ports) FAIL(ports.error().message);
  Outcome output;
  output.schema = ports->front().schema;
  REQUIRE((*made)->open());
  const auto scratch = (*made)->make_scratch();
  Epoch epoch;
  const Status applied = (*made)->apply(rows, epoch, scratch.get(), output.emitter);
  if (!applied) FAIL(applied.error().message);
  for (const RecordBatch& batch : output.emitter.batches[0]) {
    output.text += (output.text.empty() ? "" : "; ") + text_of(batch);
  }
  return output;
}

std::string refusal(Bench& bench, const std::string& name, const Values& values,
                    const RecordBatch& rows) {
  auto made = bench.transform(name, values);
  if (!made) return made.error().message;
  const InputSchema input = input_of(rows.schema());
  const auto ports = (*made)->bind({&input, 1});
  REQUIRE_FALSE(ports);
  return ports.error().message;
}

RecordBatch people() {
  return rows_from_json("id int, name string, x double", R"({"id": 1, "name": "ada", "x": 1.5}
{"id": 2, "name": null, "x": "NaN"}
{"id": 3, "name": "eve"}
{"id": null, "name": null}
)");
}

RecordBatch lists() {
  return rows_from_json("id int, a array<string>, m map<string,int>",
                        R"({"id": 1, "a": ["x", null], "m": {"k": 1, "l": 2}}
{"id": 2, "a": [], "m": {}}
{"id": 3, "a": null, "m": null}
{"id": 4, "a": ["y"], "m": {"z": null}}
)");
}

}  // namespace

TEST_CASE("select gives what is named, in that order, with Spark's names") {
  Bench bench;
  const Outcome output = run(bench, "select", {{"select", list({"name as who", "id + 1", "*"})}},
                             people().slice(0, 1));
  CHECK(output.text == "ada, 2, 1, ada, 1.5");
  CHECK(output.schema->ddl() == "who STRING,`(id + 1)` INT,id INT,name STRING,x DOUBLE");
}

TEST_CASE("two generators in a select give every pair") {
  Bench bench;
  const Outcome output =
      run(bench, "select", {{"select", list({"id", "explode(a)", "explode(m)"})}}, lists());
  CHECK(output.text == "1, x, k, 1; 1, x, l, 2; 1, null, k, 1; 1, null, l, 2; 4, y, z, null");
}

TEST_CASE("stack and inline are generators too") {
  Bench bench;
  CHECK(run(bench, "select", {{"select", list({"stack(2, id, name, id * 10) as (n, s)"})}},
            people().slice(0, 2))
            .text == "1, ada; 10, null; 2, null; 20, null");
  const RecordBatch structs =
      rows_from_json("ss array<struct<u: int, v: string>>", R"({"ss": [{"u": 1, "v": "a"}, null]}
)");
  CHECK(run(bench, "select", {{"select", list({"inline(ss)"})}}, structs).text ==
        "1, a; null, null");
}

TEST_CASE("with_columns replaces in place without regard to case and sees only what was before") {
  Bench bench;
  const Outcome output =
      run(bench, "with_columns", {{"with_columns", map({{"ID", "id + 1"}, {"y", "id * 10"}})}},
          people().slice(0, 1));
  CHECK(output.text == "2, ada, 1.5, 10");
  CHECK(output.schema->names() == std::vector<std::string>{"ID", "name", "x", "y"});
  CHECK_THAT(
      refusal(bench, "with_columns", {{"with_columns", map({{"z", "1"}, {"Z", "2"}})}}, people()),
      Catch::Contains("twice"));
}

TEST_CASE("filter keeps what is true, and passes a batch on that stays whole") {
  Bench bench;
  CHECK(run(bench, "filter", {{"filter", "id > 1"}}, people()).text ==
        "2, null, NaN; 3, eve, null");
  CHECK(run(bench, "filter", {{"filter", "id > 100"}}, people()).text.empty());
  const RecordBatch rows = people();
  const Outcome whole = run(bench, "filter", {{"filter", "true"}}, rows);
  CHECK(whole.emitter.batches.at(0).at(0).column(1) == rows.column(1));
  CHECK_THAT(refusal(bench, "filter", {{"filter", "id + 1"}}, rows),
             Catch::Contains("boolean") && Catch::Contains("(id + 1)"));
}

TEST_CASE("dropna looks at all columns or some, for any, all or so many") {
  Bench bench;
  CHECK(run(bench, "dropna", {{"dropna", "any"}}, people()).text == "1, ada, 1.5");
  CHECK(run(bench, "dropna", {{"dropna", "all"}}, people()).text ==
        "1, ada, 1.5; 2, null, NaN; 3, eve, null");
  CHECK(run(bench, "dropna", {{"dropna", "any"}, {"subset", list({"ID"})}}, people()).text ==
        "1, ada, 1.5; 2, null, NaN; 3, eve, null");
  CHECK(run(bench, "dropna", {{"dropna", "all"}, {"thresh", "2"}}, people()).text ==
        "1, ada, 1.5; 3, eve, null");
  CHECK(run(bench, "dropna", {{"dropna", "any"}, {"thresh", "9"}}, people()).text.empty());
  const RecordBatch rows = people().slice(0, 1);
  CHECK(run(bench, "dropna", {{"dropna", "any"}}, rows).emitter.batches.at(0).at(0).column(1) ==
        rows.column(1));
  CHECK_THAT(refusal(bench, "dropna", {{"dropna", "any"}, {"subset", list({"nam"})}}, people()),
             Catch::Contains("did you mean `name`"));
}

TEST_CASE("dropna as an expression is true for the rows that it keeps") {
  Bench bench;
  for (const Values& values : {Values{{"dropna", "any"}}, Values{{"dropna", "all"}},
                               Values{{"dropna", "any"}, {"thresh", "2"}}}) {
    auto made = bench.transform("dropna", values);
    REQUIRE(made);
    const RecordBatch rows = people();
    const InputSchema input = input_of(rows.schema());
    REQUIRE((*made)->bind({&input, 1}));
    const std::vector<ExpressionPtr> conjuncts = (*made)->conjuncts();
    REQUIRE(conjuncts.size() == 1);
    const auto verdict = conjuncts[0]->evaluate(rows, {});
    REQUIRE(verdict);
    std::vector<int32_t> kept;
    for (int32_t row = 0; row < rows.num_rows(); ++row) {
      if ((*verdict)->boolean(row)) kept.push_back(row);
    }
    CHECK(text_of(rows.take(kept)) == run(bench, "dropna", values, rows).text);
  }
}

TEST_CASE("fillna fills columns of the value's kind, or each with its own") {
  Bench bench;
  CHECK(run(bench, "fillna", {{"fillna", "7"}}, people()).text ==
        "1, ada, 1.5; 2, null, 7.0; 3, eve, 7.0; 7, null, 7.0");
  CHECK(run(bench, "fillna", {{"fillna", "a text of more than twelve bytes"}}, people().slice(1, 2))
            .text == "2, a text of more than twelve bytes, NaN; 3, eve, null");
  CHECK(run(bench, "fillna", {{"fillna", map({{"id", "1.9"}, {"NAME", "none"}})}},
            people().slice(3, 1))
            .text == "1, none, null");
  CHECK(
      run(bench, "fillna", {{"fillna", "0"}, {"subset", list({"x", "name"})}}, people().slice(3, 1))
          .text == "null, null, 0.0");
  CHECK_FALSE(
      bench.transform("fillna", {{"fillna", map({{"id", "1"}})}, {"subset", list({"id"})}}));
}

TEST_CASE("drop and rename ignore names that are not there, and say so") {
  Bench bench;
  CHECK(run(bench, "drop", {{"drop", list({"ID", "nobody"})}}, people()).schema->names() ==
        std::vector<std::string>{"name", "x"});
  CHECK(
      run(bench, "rename", {{"rename", map({{"id", "a"}, {"a", "b"}, {"Name", "Who"}})}}, people())
          .schema->names() == std::vector<std::string>{"b", "Who", "x"});
  auto drop = bench.transform("drop", {{"drop", list({"nme"})}});
  REQUIRE(drop);
  const RecordBatch rows = people();
  const InputSchema input = input_of(rows.schema());
  REQUIRE((*drop)->bind({&input, 1}));
  REQUIRE((*drop)->warnings().size() == 1);
  CHECK_THAT((*drop)->warnings()[0], Catch::Contains("did you mean `name`"));
}

TEST_CASE("explode gives a row per element or entry, and with outer one for none") {
  Bench bench;
  const RecordBatch rows = lists();
  CHECK(run(bench, "select", {{"select", list({"explode(a)"})}}, rows).text == "x; null; y");
  const Outcome array =
      run(bench, "explode",
          {{"explode", "a"}, {"as", "w"}, {"outer", "true"}, {"position", "true"}}, rows);
  CHECK(array.schema->names() == std::vector<std::string>{"id", "a", "m", "pos", "w"});
  const RecordBatch& first = array.emitter.batches.at(0).at(0);
  CHECK(
      text_of(first.slice(1, 4)) ==
      "1, [x, null], {k -> 1, l -> 2}, 1, null; 2, [], {}, null, null; 3, null, null, null, null; "
      "4, [y], {z -> null}, 0, y");
  CHECK(run(bench, "explode", {{"explode", "m"}}, rows).schema->names() ==
        std::vector<std::string>{"id", "a", "m", "key", "value"});
  CHECK_THAT(refusal(bench, "explode", {{"explode", "m"}, {"as", "one"}}, rows),
             Catch::Contains("two columns"));
  CHECK_THAT(refusal(bench, "explode", {{"explode", "id"}}, rows),
             Catch::Contains("array") && Catch::Contains("map"));
}

TEST_CASE("a watermark observes the greatest time that is not too far ahead") {
  Bench bench;
  const RecordBatch rows =
      rows_from_json("t timestamp, k string", R"({"t": "1970-01-01T00:00:10.000000Z"}
{"t": "1970-01-01T01:00:00.000000Z"}
{"t": null}
)");
  const Outcome output =
      run(bench, "watermark", {{"watermark", "T"}, {"delay", "10 seconds"}}, rows);
  CHECK(output.emitter.observed == 3'600'000'000);
  CHECK(output.schema->field(0).watermark_delay == 10'000'000);
  Outcome bounded =
      run(bench, "watermark",
          {{"watermark", "t"}, {"delay", "10 seconds"}, {"max_future", "1 minute"}}, rows);
  CHECK(bounded.emitter.observed == 10'000'000);
  CHECK(bounded.emitter.counts[Metric::far_future] == 1);
  CHECK(bounded.emitter.batches[0].at(0).num_rows() == 3);
  CHECK_THAT(refusal(bench, "watermark", {{"watermark", "k"}, {"delay", "10 seconds"}}, rows),
             Catch::Contains("timestamp"));
}

TEST_CASE("the watermark follows a bare column through select, with_columns and rename") {
  Bench bench;
  const SchemaPtr schema = Schema::make(
      {{"t", Type::timestamp(), true, "orders", 5}, {"k", Type::string(), true, "orders"}});
  const RecordBatch rows(schema, 1,
                         {null_column(Type::timestamp(), 1), null_column(Type::string(), 1)});
  const Outcome selected =
      run(bench, "select", {{"select", list({"t as at", "k", "cast(t as string) as h"})}}, rows);
  CHECK(selected.schema->field(0).watermark_delay == 5);
  CHECK(selected.schema->field(0).qualifier.empty());
  CHECK(selected.schema->field(1).qualifier == "orders");
  CHECK_FALSE(selected.schema->field(2).watermark_delay);
  CHECK(run(bench, "rename", {{"rename", map({{"t", "at"}})}}, rows)
            .schema->field(0)
            .watermark_delay == 5);
  CHECK(run(bench, "with_columns", {{"with_columns", map({{"t2", "t"}})}}, rows)
            .schema->field(2)
            .watermark_delay == 5);
}

TEST_CASE("columns that nobody reads stay absent") {
  Bench bench;
  auto made = bench.transform("filter", {{"filter", "id > 1"}});
  REQUIRE(made);
  const RecordBatch rows = people();
  const InputSchema input = input_of(rows.schema());
  REQUIRE((*made)->bind({&input, 1}));
  CHECK((*made)->read_columns({false, true, false}, 3) == ColumnSet{true, true, false});
  (*made)->narrow({false, true, false});
  const RecordBatch narrowed(rows.schema(), rows.num_rows(),
                             {rows.column(0), rows.column(1), nullptr});
  KeepingEmitter out;
  const auto scratch = (*made)->make_scratch();
  REQUIRE((*made)->apply(narrowed, Epoch{}, scratch.get(), out));
  CHECK(text_of(out.batches[0].at(0)) == "absent, null, absent; absent, eve, absent");
}
