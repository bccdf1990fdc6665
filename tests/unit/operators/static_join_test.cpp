#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "tests/support/json_rows.h"
#include "tests/unit/operators/bench.h"

using namespace flowrun;
using namespace flowrun::test;

namespace {

// A table whose rows a test may change.
class RowsTable final : public StaticTable {
 public:
  RowsTable(std::string name, RecordBatch first) : rows(std::move(first)), name_(std::move(name)) {}
  [[nodiscard]] const std::string& name() const override { return name_; }
  [[nodiscard]] Result<SchemaPtr> schema() override { return rows.schema(); }
  [[nodiscard]] Result<RecordBatch> load() override {
    ++loads;
    is_changed = false;
    return rows;
  }
  [[nodiscard]] Result<bool> changed() override { return is_changed; }
  [[nodiscard]] std::optional<int64_t> refresh() const override { return pace; }

  RecordBatch rows;
  int loads = 0;
  bool is_changed = false;
  std::optional<int64_t> pace;

 private:
  std::string name_;
};

RecordBatch users() {
  return rows_from_json("User string, Name string, level int",
                        R"({"User": "a", "Name": "Ada", "level": 1}
{"User": "b", "Name": "Bob", "level": 2}
{"User": "b", "Name": "Ben", "level": 3}
{"User": null, "Name": "Nobody", "level": 4}
)");
}

RecordBatch readings() {
  return rows_from_json("id int, user string", R"({"id": 1, "user": "b"}
{"id": 2, "user": null}
{"id": 3, "user": "z"}
{"id": 4, "user": "a"}
)");
}

struct Joined {
  Joined() {
    auto made = std::make_unique<RowsTable>("users", users());
    table = made.get();
    bench.static_tables["users"] = std::move(made);
    bench.context.table_names = {"users"};
  }
  // Binds the join; rows as text after `schema` is known.
  std::string run(const Values& values, const RecordBatch& rows = readings()) {
    bind(values, rows);
    return apply(rows, 0);
  }
  void bind(const Values& values, const RecordBatch& rows = readings()) {
    Values all = values;
    all.emplace_back("static_join", "users");
    auto made = bench.transform("static_join", all);
    if (!made) FAIL(made.error().message);
    join = std::move(*made);
    const InputSchema input{rows.schema(), "readings"};
    const auto ports = join->bind({&input, 1});
    if (!ports) FAIL(ports.error().message);
    schema = ports->front().schema;
    REQUIRE(join->open());
  }
  std::string apply(const RecordBatch& rows, EpochId epoch, int64_t now = 0) {
    KeepingEmitter out;
    Epoch of;
    of.id = epoch;
    of.context.now = now;
    const Status applied = join->apply(rows, of, nullptr, out);
    if (!applied) FAIL(applied.error().message);
    std::string text;
    for (const RecordBatch& batch : out.batches[0])
      text += (text.empty() ? "" : "; ") + text_of(batch);
    return text;
  }
  std::string refusal(const Values& values) {
    Values all = values;
    all.emplace_back("static_join", "users");
    auto made = bench.transform("static_join", all);
    if (!made) return made.error().message;
    const RecordBatch rows = readings();
    const InputSchema input{rows.schema(), "readings"};
    const auto ports = (*made)->bind({&input, 1});
    REQUIRE_FALSE(ports);
    return ports.error().message;
  }

  Bench bench;
  RowsTable* table = nullptr;
  std::unique_ptr<Transform> join;
  SchemaPtr schema;
};

const Value kUser = list({"USER"});

}  // namespace

TEST_CASE("a join on columns gives the keys once, first, in the stream's spelling") {
  Joined joined;
  CHECK(joined.run({{"on", kUser}}) == "b, 1, Bob, 2; b, 1, Ben, 3; a, 4, Ada, 1");
  CHECK(joined.schema->ddl() == "user STRING,id INT,Name STRING,level INT");
  CHECK(joined.schema->field(1).qualifier == "readings");
  CHECK(joined.schema->field(2).qualifier == "users");
}

TEST_CASE("left, left_semi and left_anti keep rows as their names say") {
  Joined joined;
  CHECK(joined.run({{"on", kUser}, {"how", "left"}}) ==
        "b, 1, Bob, 2; b, 1, Ben, 3; null, 2, null, null; z, 3, null, null; a, 4, Ada, 1");
  CHECK(joined.run({{"on", kUser}, {"how", "left_semi"}}) == "b, 1; a, 4");
  CHECK(joined.run({{"on", kUser}, {"how", "left_anti"}}) == "null, 2; z, 3");
}

TEST_CASE("a condition keeps the columns of both sides, told apart by their names") {
  Joined joined;
  CHECK(joined.run({{"condition", "readings.user = users.User and level > 1"}, {"how", "left"}}) ==
        "1, b, b, Bob, 2; 1, b, b, Ben, 3; 2, null, null, null, null; 3, z, null, null, null; 4, "
        "a, null, null, null");
  CHECK(joined.schema->ddl() == "id INT,user STRING,User STRING,Name STRING,level INT");
  CHECK(joined.run({{"condition", "readings.user <=> users.User"}, {"how", "left_semi"}}) ==
        "1, b; 2, null; 4, a");
  CHECK_THAT(joined.refusal({{"condition", "`user` = Name"}}), Catch::Contains("ambiguous"));
}

TEST_CASE("a condition without an equality tries every row, and so does none that is true") {
  Joined joined;
  CHECK(
      joined.run({{"condition", "id between level and level + 1"}}) ==
      "1, b, a, Ada, 1; 2, null, a, Ada, 1; 2, null, b, Bob, 2; 3, z, b, Bob, 2; 3, z, b, Ben, 3; "
      "4, a, b, Ben, 3; 4, a, null, Nobody, 4");
  CHECK(joined.run({{"condition", "id > 1000"}, {"how", "left_anti"}}) ==
        "1, b; 2, null; 3, z; 4, a");
}

TEST_CASE("keys of different types are compared as Spark's = does") {
  Joined joined;
  joined.table->rows = rows_from_json("id double, what string", R"({"id": 1.0, "what": "one"}
{"id": 2.5, "what": "half"}
{"id": 4.0, "what": "four"}
)");
  CHECK(joined.run({{"on", list({"id"})}}) == "1, b, one; 4, a, four");
  CHECK(joined.schema->ddl() == "id INT,user STRING,what STRING");
}

TEST_CASE("an empty table matches nothing") {
  Joined joined;
  joined.table->rows = users().slice(0, 0);
  CHECK(joined.run({{"on", kUser}}).empty());
  CHECK(joined.run({{"condition", "id > level"}, {"how", "left_anti"}}) ==
        "1, b; 2, null; 3, z; 4, a");
}

TEST_CASE("many matches come in batches and lose nothing") {
  Joined joined;
  std::vector<std::optional<int64_t>> numbers(5000);
  for (size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<int64_t>(i % 2);
  joined.table->rows = batch({{"k", bigints(numbers)}});
  const RecordBatch rows = batch({{"k", bigints(std::vector<std::optional<int64_t>>(100, 1))}});
  joined.bind({{"on", list({"k"})}}, rows);
  KeepingEmitter out;
  REQUIRE(joined.join->apply(rows, Epoch{}, nullptr, out));
  int64_t found = 0;
  for (const RecordBatch& part : out.batches[0]) found += part.num_rows();
  CHECK(found == 100 * 2500);
  CHECK(out.batches[0].size() > 1);
}

TEST_CASE("rows that each match once are passed on without a copy") {
  Joined joined;
  const RecordBatch rows = readings().slice(3, 1);
  joined.bind({{"on", kUser}}, rows);
  KeepingEmitter out;
  REQUIRE(joined.join->apply(rows, Epoch{}, nullptr, out));
  CHECK(out.batches[0].at(0).column(1) == rows.column(0));
}

TEST_CASE("a table that changed is read again between epochs, at its pace") {
  Joined joined;
  joined.table->pace = 60'000'000;
  joined.bind({{"on", kUser}, {"how", "left_semi"}});
  CHECK(joined.apply(readings(), 1, 100'000'000) == "b, 1; a, 4");
  joined.table->rows = users().slice(0, 1);
  joined.table->is_changed = true;
  CHECK(joined.apply(readings(), 2, 130'000'000) == "b, 1; a, 4");
  CHECK(joined.apply(readings(), 3, 170'000'000) == "a, 4");
  CHECK(joined.apply(readings(), 2, 170'000'000) == "b, 1; a, 4");
  CHECK(joined.table->loads == 2);
}

TEST_CASE("joins that cannot be are refused with the reason") {
  Joined joined;
  CHECK_THAT(joined.refusal({{"on", kUser}, {"how", "right"}}),
             Catch::Contains("right") && Catch::Contains("not supported"));
  CHECK_THAT(joined.refusal({{"on", kUser}, {"how", "full"}}),
             Catch::Contains("full") && Catch::Contains("not supported"));
  CHECK_THAT(joined.refusal({{"on", list({"id"})}}), Catch::Contains("the table `users`"));
  CHECK_THAT(joined.refusal({}), Catch::Contains("on: ["));
  joined.bench.static_tables.clear();
  CHECK_THAT(joined.refusal({{"on", kUser}}), Catch::Contains("no table `users`"));
}
