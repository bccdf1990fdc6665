// Every transform and stateful operator that is built in, held to the contract of runtime/operator.
#include <catch2/catch.hpp>

#include <algorithm>
#include <random>

#include "runtime/columnar/random_columns.h"
#include "runtime/operator/contract.h"
#include "tests/unit/operators/bench.h"

using namespace flowrun;
using namespace flowrun::test;

namespace {

constexpr int64_t kSecond = 1'000'000;
constexpr int64_t kRows = 60;

enum class Input : uint8_t {
  plain,        // no watermark
  watermarked,  // `t` carries one
};

// One way to use an operator.
struct Entry {
  std::string name;
  Values options;
  Input input = Input::plain;
  std::vector<OutputMode> modes = {OutputMode::update, OutputMode::complete};  // stateful only
};

const Values kCounts = {{"agg", map({{"n", "count(*)"}, {"least", "min(v)"}, {"sum", "sum(x)"}})}};

Values with(Values options, const Values& more) {
  options.insert(options.end(), more.begin(), more.end());
  return options;
}

// To add an operator, add a line: a name and options over the columns of columns() below.
std::vector<Entry> entries() {
  using enum OutputMode;
  const RawValue sets = RawValue::list({list({"k", "v"}), list({"k"}), list({})});
  return {
      {"select", {{"select", list({"k", "v + 1 as w", "tags", "x * 2"})}}},
      {"select", {{"select", list({"*", "explode(tags) as tag"})}}},
      {"with_columns", {{"with_columns", map({{"w", "v + 1"}, {"k", "upper(k)"}})}}},
      {"filter", {{"filter", "v > 0 and k is not null"}}},
      {"drop", {{"drop", list({"k", "nothing"})}}},
      {"rename", {{"rename", map({{"k", "key"}, {"nothing", "more"}})}}},
      {"parse",
       {{"parse", "json"},
        {"schema", map({{"a", "bigint"}})},
        {"column", "k"},
        {"keep_columns", list({"v"})}}},
      {"parse",
       {{"parse", "csv"}, {"schema", map({{"a", "string"}})}, {"column", "k"}, {"as", "r"}}},
      {"dropna", {{"dropna", "any"}}},
      {"dropna", {{"dropna", "all"}, {"subset", list({"k", "x"})}}},
      {"fillna", {{"fillna", map({{"k", "none"}, {"x", "0.5"}})}}},
      {"explode", {{"explode", "tags"}, {"as", list({"tag"})}}},
      {"explode", {{"explode", "m"}, {"outer", "true"}, {"position", "true"}}},
      {"watermark", {{"watermark", "t"}, {"delay", "10 seconds"}}},
      {"parse",
       {{"parse", "json"},
        {"column", "line"},
        {"schema", map({{"a", "bigint"}, {"b", "string"}, {"c", "array<double>"}})}}},
      {"static_join", {{"static_join", "table"}, {"on", list({"k"})}, {"how", "left"}}},

      {"group_by", with({{"group_by", list({"k"})}}, kCounts)},
      {"group_by", {{"group_by", list({})}, {"agg", "count"}}},
      {"group_by",
       {{"group_by", list({"k", "v % 2 as odd"})},
        {"agg",
         map({{"all", "collect_list(v)"}, {"head", "first(x)"}, {"kinds", "count(distinct v)"}})}}},
      {"cube", with({{"cube", list({"k", "v"})}}, kCounts)},
      {"rollup", with({{"rollup", list({"k", "v"})}}, kCounts)},
      {"grouping_sets", with({{"grouping_sets", sets}}, kCounts)},
      {"window", with({{"window", "10 seconds"}, {"slide", "5 seconds"}, {"on", "t"}}, kCounts)},
      {"window",
       with({{"window", "10 seconds"}, {"on", "t"}, {"group_by", list({"k"})}}, kCounts),
       Input::watermarked,
       {append, update}},
      {"session",
       with({{"session", "5 seconds"}, {"on", "t"}, {"group_by", list({"k"})}}, kCounts),
       Input::watermarked,
       {append}},
      {"session",
       with({{"session", "5 seconds"}, {"on", "t"}, {"group_by", list({"k"})}}, kCounts),
       Input::plain,
       {complete}},
      {"dedup", {{"dedup", list({"k", "v"})}}, Input::plain, {append}},
      {"dedup", {{"dedup", list({"k", "t"})}}, Input::watermarked, {append}},
      {"dedup",
       {{"dedup", list({"k"})}, {"within_watermark", "true"}},
       Input::watermarked,
       {append}},
      {"pattern",
       {{"pattern", "A (B | C)* D"},
        {"partition_by", list({"k"})},
        {"order_by", list({"t", "v desc"})},
        {"define", map({{"A", "v is not null"}, {"B", "B.v > PREV(v)"}, {"D", "D.v < A.v"}})},
        {"measures",
         map({{"n", "count(*)"}, {"tags", "LAST(B.tags)"}, {"line", "FIRST(line, 1)"}})},
        {"within", "15 seconds"}},
       Input::watermarked,
       {append}},
      {"pattern",
       {{"pattern", "A B{1,3}?"},
        {"order_by", list({"t"})},
        {"define", map({{"B", "B.x > avg(x)"}})},
        {"measures", map({{"k", "upper(A.k)"}, {"m", "B.m"}, {"total", "sum(B.v)"}})},
        {"after_match", "skip to next row"}},
       Input::watermarked,
       {append}},
      {"sort", {{"sort", list({"v desc", "k"})}}, Input::plain, {complete}},
      {"limit", {{"limit", "7"}}, Input::plain, {append}},
      {"stream_join", {{"stream_join", "inner"}, {"on", list({"k"})}}, Input::plain, {append}},
      {"stream_join",
       {{"stream_join", "left"},
        {"condition",
         "left.k = right.k and right.t between left.t - interval 5 seconds and left.t"}},
       Input::watermarked,
       {append}},
  };
}

SchemaPtr columns(Input input) {
  const std::optional<int64_t> delay =
      input == Input::watermarked ? std::optional<int64_t>(10 * kSecond) : std::nullopt;
  return Schema::make({{"k", Type::string()},
                       {"v", Type::bigint()},
                       {"x", Type::double_()},
                       {.name = "t", .type = Type::timestamp(), .watermark_delay = delay},
                       {"tags", Type::array(Type::string())},
                       {"m", Type::map(Type::string(), Type::integer())},
                       {"line", Type::string()}});
}

ColumnPtr times(int64_t from, std::mt19937_64& random) {
  FixedBuilder<int64_t> builder(Type::timestamp());
  for (int64_t i = 0; i < kRows; ++i) {
    random() % 9 == 0 ? builder.append_null()
                      : builder.append(from + static_cast<int64_t>(random() % 40) * kSecond / 2);
  }
  return builder.finish();
}

ColumnPtr lines(std::mt19937_64& random) {
  static const std::vector<std::optional<std::string>> kLines = {
      R"({"a": 1, "b": "x", "c": [0.5, 1e3]})",
      R"({"a": "one", "b": null})",
      "{}",
      "no json",
      std::nullopt,
      "",
      R"({"a": 9223372036854775808, "c": [1, "x"]})",
      R"({"b": "text that is longer than twelve bytes", "a": -1})"};
  std::vector<std::optional<std::string>> values;
  for (int64_t i = 0; i < kRows; ++i) values.push_back(kLines[random() % kLines.size()]);
  return strings(values);
}

RecordBatch rows(const SchemaPtr& schema, int64_t from, std::mt19937_64& random) {
  std::vector<ColumnPtr> values = random_batch(schema, kRows, random).columns();
  values[3] = times(from, random);
  values[6] = lines(random);
  return {schema, kRows, std::move(values)};
}

// A small static table of keys that occur in the rows.
class KeyTable final : public StaticTable {
 public:
  [[nodiscard]] const std::string& name() const override { return name_; }
  Result<SchemaPtr> schema() override { return rows_.schema(); }
  Result<RecordBatch> load() override { return rows_; }
  Result<bool> changed() override { return false; }

 private:
  std::string name_ = "table";
  RecordBatch rows_ =
      batch({{"k", strings({"a", "B", "a", std::nullopt})}, {"label", bigints({1, 2, 3, 4})}});
};

// Three epochs, the watermark a minute on in each.
Trial trial_of(const Entry& entry, Bench& bench, uint64_t seed) {
  std::mt19937_64 random(seed);
  const RegisteredOperator* found = bench.registry().find_operator(entry.name);
  const bool sides = found->spec.inputs == InputShape::sides;
  Trial trial;
  if (found->make_transform) {
    trial.make_transform = [&] { return bench.transform(entry.name, entry.options); };
  } else {
    trial.make_stateful = [&] { return bench.stateful(entry.name, entry.options); };
  }
  const SchemaPtr schema = columns(entry.input);
  trial.inputs.push_back({schema, sides ? "left" : "rows"});
  if (sides) trial.inputs.push_back({schema, "right"});
  const bool evict = entry.input == Input::watermarked;
  for (int64_t e = 0; e < 3; ++e) {
    TrialEpoch epoch;
    for (size_t port = 0; port < trial.inputs.size(); ++port) {
      epoch.inputs.push_back(rows(schema, e * 10 * kSecond, random));
    }
    if (evict) epoch.watermark = e * 8 * kSecond;
    if (evict && e > 0) epoch.late_watermark = (e - 1) * 8 * kSecond;
    trial.epochs.push_back(std::move(epoch));
  }
  trial.plan = {entry.modes, evict};
  return trial;
}

}  // namespace

TEST_CASE("every operator holds to the contract") {
  Bench bench;
  bench.static_tables["table"] = std::make_unique<KeyTable>();
  for (const Entry& entry : entries()) {
    if (!bench.registry().find_operator(entry.name)) continue;
    for (const uint64_t seed : {1, 2}) {
      INFO(entry.name << " " << raw_options(entry.options).items[0].shown() << ", seed " << seed);
      for (const std::string& complaint : check_contract(trial_of(entry, bench, seed), seed)) {
        FAIL_CHECK(complaint);
      }
    }
  }
}

TEST_CASE("every operator has a line in the table above") {
  const Bench bench;
  const std::vector<Entry> table = entries();
  for (const RegisteredOperator* found : bench.registry().all()) {
    if (!found->make_transform && !found->make_stateful) continue;
    INFO(found->spec.name << " has no entry in tests/unit/operators/harness_test.cpp");
    CHECK(std::ranges::any_of(table,
                              [&](const Entry& entry) { return entry.name == found->spec.name; }));
  }
}
