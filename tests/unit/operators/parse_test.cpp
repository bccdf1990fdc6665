// What becomes of corrupt records in parse.
#include <catch2/catch.hpp>

#include "tests/unit/operators/bench.h"

using namespace flowrun;
using namespace flowrun::test;

namespace {

const std::vector<std::optional<std::string>> kRecords = {
    R"({"a":1,"b":"x"})", R"({"a":"no","b":"y"})", "broken", std::nullopt, R"({"a":4})"};

struct Parsed {
  KeepingEmitter out;
  Status status;
  std::string ddl;
};

Parsed parse(Values values, const ColumnSet& wanted = {}) {
  Bench bench;
  values.insert(values.begin(),
                {{"parse", "json"}, {"schema", map({{"a", "bigint"}, {"b", "string"}})}});
  auto made = bench.transform("parse", values);
  REQUIRE(made.has_value());
  Transform& transform = **made;
  const RecordBatch lines =
      batch({{"value", strings(kRecords)}, {"id", bigints({10, 11, 12, 13, 14})}});
  const RecordBatch input(lines.schema(), lines.num_rows(), lines.columns(),
                          std::make_shared<const Origin>(Origin{"in.jsonl", 101}));
  const std::vector<InputSchema> inputs = {{input.schema(), "lines"}};
  const auto ports = transform.bind(inputs);
  REQUIRE(ports.has_value());
  Parsed parsed;
  parsed.ddl = (*ports)[0].schema->ddl();
  if (!wanted.empty()) transform.narrow(wanted);
  const auto scratch = transform.make_scratch();
  parsed.status = transform.apply(input, Epoch{}, scratch.get(), parsed.out);
  return parsed;
}

}  // namespace

TEST_CASE("parse keeps corrupt records as far as they can be read, and offers them as errors") {
  Parsed parsed = parse({});
  REQUIRE(parsed.status.has_value());
  CHECK(text_of(parsed.out.batches[0][0]) == "1, x; null, y; null, null; null, null; 4, null");
  CHECK(parsed.out.counts[Metric::rejected] == 2);
  const RecordBatch& errors = parsed.out.batches[1][0];
  REQUIRE(errors.num_rows() == 2);
  CHECK(errors.column(0)->string(0) == "in.jsonl");
  CHECK(errors.column(1)->string(0) == "line 102");
  CHECK(errors.column(3)->string(1) == "broken");
}

TEST_CASE("parse leaves corrupt records out when they are dropped or routed") {
  for (const char* how : {"drop", "route"}) {
    Parsed parsed = parse({{"on_error", how}});
    REQUIRE(parsed.status.has_value());
    CHECK(text_of(parsed.out.batches[0][0]) == "1, x; null, null; 4, null");
  }
}

TEST_CASE("parse fails on the first corrupt record when told so") {
  const Parsed parsed = parse({{"on_error", "fail"}});
  REQUIRE(!parsed.status.has_value());
  CHECK(parsed.status.error().code == ErrorCode::data);
  CHECK(parsed.status.error().message.find("malformed") != std::string::npos);
}

TEST_CASE("parse keeps columns of the input and can make one struct") {
  Parsed parsed = parse({{"keep_columns", list({"id"})}, {"as", "r"}, {"on_error", "drop"}});
  REQUIRE(parsed.status.has_value());
  CHECK(parsed.ddl == "id BIGINT,r STRUCT<a: BIGINT, b: STRING>");
  const RecordBatch& rows = parsed.out.batches[0][0];
  REQUIRE(rows.num_rows() == 3);
  CHECK(rows.column(0)->values<int64_t>()[1] == 13);
  CHECK(rows.column(1)->is_null(1));
  CHECK(rows.column(1)->child(1)->string(0) == "x");
}

TEST_CASE("parse adds the raw text of corrupt records as a column") {
  Parsed parsed = parse({{"corrupt_record", "raw"}});
  CHECK(parsed.ddl == "a BIGINT,b STRING,raw STRING");
  const Column& raw = *parsed.out.batches[0][0].column(2);
  CHECK(raw.is_null(0));
  CHECK(raw.string(1) == R"({"a":"no","b":"y"})");
}

TEST_CASE("parse refuses what no record can hold") {
  Bench bench;
  auto made = bench.transform("parse", {{"parse", "csv"}, {"schema", map({{"a", "array<int>"}})}});
  REQUIRE(made.has_value());
  const std::vector<InputSchema> inputs = {{Schema::make({{"value", Type::string()}}), "lines"}};
  CHECK(!(*made)->bind(inputs).has_value());
}
