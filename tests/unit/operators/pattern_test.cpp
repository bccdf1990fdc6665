// pattern: cases worked by hand, what is refused, and matches that trying all ways in order finds.
#include <rapidcheck.h>

#include <catch2/catch.hpp>
#include <map>
#include <set>

#include "runtime/operator/harness.h"
#include "tests/unit/operators/bench.h"
#include "tests/unit/pattern_by_hand.h"

using namespace flowrun;
using namespace flowrun::test;

namespace {

constexpr int64_t kSecond = 1'000'000;

struct Row {
  int64_t second;
  std::string key;
  int64_t x;
};

SchemaPtr schema(bool watermarked = true) {
  Field time{.name = "t", .type = Type::timestamp()};
  if (watermarked) time.watermark_delay = 0;
  return Schema::make({time, {"k", Type::string()}, {"x", Type::bigint()}});
}

RecordBatch batch_of(const std::vector<Row>& rows) {
  FixedBuilder<int64_t> times(Type::timestamp());
  StringBuilder keys(Type::string());
  FixedBuilder<int64_t> values(Type::bigint());
  for (const Row& row : rows) {
    times.append(row.second * kSecond);
    keys.append(row.key);
    values.append(row.x);
  }
  return {schema(),
          static_cast<int64_t>(rows.size()),
          {times.finish(), keys.finish(), values.finish()}};
}

std::vector<Row> series(const std::vector<int64_t>& values, int64_t apart = 1) {
  std::vector<Row> rows;
  for (const int64_t value : values)
    rows.push_back({static_cast<int64_t>(rows.size() + 1) * apart, "k", value});
  return rows;
}

Values with(Values options, const Values& more) {
  options.insert(options.end(), more.begin(), more.end());
  return options;
}

const Values kByKey = {{"partition_by", list({"k"})}, {"order_by", list({"t"})}};

// The rows of all epochs, one text each; times in whole seconds.
std::vector<std::string> lines_of(const TrialResult& result) {
  std::vector<std::string> lines;
  for (const TrialOutput& output : result.outputs) {
    if (output.port != 0) continue;
    for (int64_t row = 0; row < output.rows.num_rows(); ++row)
      lines.push_back(text_of(output.rows.slice(row, 1)));
  }
  return lines;
}

// All rows in one epoch, at the end of time.
std::vector<std::string> matches(const Values& options, const std::vector<Row>& rows) {
  Bench bench;
  Trial trial;
  trial.make_stateful = [&] { return bench.stateful("pattern", with(options, kByKey)); };
  trial.inputs = {{schema(), "rows"}};
  trial.plan = {{OutputMode::append}, true};
  trial.epochs = {{.inputs = {batch_of(rows)}, .watermark = kEndOfTime}};
  const auto result = run_trial(trial, {});
  INFO((result ? std::string() : result.error().message));
  REQUIRE(result);
  return lines_of(*result);
}

using Lines = std::vector<std::string>;

std::string refusal(const Values& options, bool watermarked = true) {
  Bench bench;
  auto made = bench.stateful("pattern", options);
  if (!made) return made.error().message;
  const std::vector<InputSchema> inputs{{schema(watermarked), "rows"}};
  const auto bound = (*made)->bind(inputs);
  REQUIRE_FALSE(bound);
  return bound.error().message;
}

// The preferred matches of each key, one after the other, as `k, began, ended, As, Bs, Cs`.
struct Search {
  RowPattern pattern;
  std::function<bool(const std::vector<Row>& rows, const VariablePath& path, size_t variable)>
      condition;
  std::string skip;
  std::optional<int64_t> within;

  [[nodiscard]] std::vector<std::string> run(std::vector<Row> all) const {
    std::ranges::stable_sort(all, {}, &Row::second);
    std::map<std::string, std::vector<Row>> by_key;
    for (const Row& row : all) by_key[row.key].push_back(row);
    std::vector<std::string> lines;
    for (const auto& [key, rows] : by_key) {
      for (size_t start = 0; start < rows.size();)
        start += from({rows.begin() + static_cast<std::ptrdiff_t>(start), rows.end()}, lines);
    }
    std::ranges::sort(lines);
    return lines;
  }

 private:
  // How many rows the search goes on by.
  size_t from(const std::vector<Row>& rows, std::vector<std::string>& lines) const {
    PatternByHand hand([&](const VariablePath& path, size_t variable) {
      if (path.size() == rows.size()) return false;
      if (within && rows[path.size()].second - rows[0].second > *within) return false;
      return condition(rows, path, variable);
    });
    const auto path = hand.best(pattern.root);
    if (!path) return 1;
    std::vector<int64_t> counts(3);
    for (const size_t variable : *path) ++counts[variable];
    lines.push_back(rows[0].key + ", " + std::to_string(rows[0].second) + ", " +
                    std::to_string(rows[path->size() - 1].second));
    for (const int64_t count : counts) lines.back() += ", " + std::to_string(count);
    if (skip == "skip past last row") return path->size();
    size_t rows_on = 0;
    for (size_t i = 0; i < path->size(); ++i) {
      if ((*path)[i] != 1 || skip == "skip to next row") continue;
      rows_on = i;
      if (skip == "skip to first B") break;
    }
    return std::max<size_t>(rows_on, 1);
  }
};

// Conditions that the engine and the search by hand both know.
struct Case {
  std::string pattern;
  std::vector<std::pair<std::string, std::string>> define;
  std::function<bool(const std::vector<Row>& rows, const VariablePath& path, size_t variable)>
      condition;
};

std::optional<int64_t> last_of(const std::vector<Row>& rows, const VariablePath& path, size_t of) {
  std::optional<int64_t> value;
  for (size_t i = 0; i < path.size(); ++i) {
    if (path[i] == of) value = rows[i].x;
  }
  return value;
}

std::vector<Case> cases() {
  const auto by_value = [](const std::vector<Row>& rows, const VariablePath& path,
                           size_t variable) {
    const int64_t x = rows[path.size()].x;
    return variable == 0 ? x < 3 : variable == 1 ? x > 0 : x != 2;
  };
  const auto rising = [](const std::vector<Row>& rows, const VariablePath& path, size_t variable) {
    const int64_t x = rows[path.size()].x;
    const auto a = last_of(rows, path, 0);
    const auto b = last_of(rows, path, 1);
    if (variable == 1) return b ? x > *b : a && x > *a;
    return variable == 0 || (b ? x < *b : false);
  };
  const auto sums = [](const std::vector<Row>& rows, const VariablePath& path, size_t variable) {
    const int64_t x = rows[path.size()].x;
    int64_t of_b = x;
    int64_t of_all = x;
    for (size_t i = 0; i < path.size(); ++i) {
      of_all += rows[i].x;
      if (path[i] == 1) of_b += rows[i].x;
    }
    return variable == 0 ? x > 0 : variable == 1 ? of_b < 5 : of_all > 4;
  };
  const std::vector<std::pair<std::string, std::string>> values = {
      {"A", "A.x < 3"}, {"B", "B.x > 0"}, {"C", "x != 2"}};
  const std::vector<std::pair<std::string, std::string>> rises = {
      {"B", "B.x > LAST(B.x, 1) or (LAST(B.x, 1) is null and B.x > A.x)"}, {"C", "C.x < B.x"}};
  const std::vector<std::pair<std::string, std::string>> totals = {
      {"A", "x > 0"}, {"B", "sum(B.x) < 5"}, {"C", "sum(x) > 4"}};
  return {{"A B* C", values, by_value},
          {"A B*? C", values, by_value},
          {"A (B | C)+? A", values, by_value},
          {"(A B?){1,2} C", values, by_value},
          {"A B+", {values[0], values[1]}, by_value},
          {"A B+ C", rises, rising},
          {"A (B+ C)+", rises, rising},
          {"A B* C", totals, sums},
          {"(A | B)+ C?", totals, sums}};
}

// Epochs of a few rows each; the watermark stands at the last epoch's greatest time less a second.
std::vector<TrialEpoch> epochs_of(const std::vector<Row>& rows, std::vector<Row>& in_time) {
  std::vector<TrialEpoch> epochs;
  int64_t watermark = kNoTime;
  int64_t late = kNoTime;
  for (size_t at = 0; at < rows.size();) {
    const size_t count = std::min(*rc::gen::inRange<size_t>(1, 6), rows.size() - at);
    const std::vector<Row> part(rows.begin() + static_cast<std::ptrdiff_t>(at),
                                rows.begin() + static_cast<std::ptrdiff_t>(at + count));
    epochs.push_back({{batch_of(part)}, watermark, late});
    late = watermark;
    for (const Row& row : part) {
      if (row.second * kSecond > epochs.back().late_watermark) in_time.push_back(row);
      watermark = std::max(watermark, (row.second - 1) * kSecond);
    }
    at += count;
  }
  epochs.push_back({{batch_of({})}, watermark, late});
  epochs.push_back({{batch_of({})}, kEndOfTime, watermark});
  return epochs;
}

}  // namespace

TEST_CASE("five, then six, then three, per key and within a time") {
  const Values options = {
      {"pattern", "A B C"},
      {"define", map({{"A", "x = 5"}, {"B", "B.x = 6"}, {"C", "C.x = 3"}})},
      {"measures", map({{"began", "unix_seconds(A.t)"}, {"ended", "unix_seconds(C.t)"}})},
      {"within", "10 seconds"}};
  CHECK(matches(options, {{1, "a", 5}, {2, "b", 5}, {3, "a", 6}, {4, "b", 3}, {5, "a", 3}}) ==
        Lines{"a, 1, 5"});
  // Ten seconds are within ten seconds, eleven are not.
  CHECK(matches(options, series({5, 6, 3}, 5)) == Lines{"k, 5, 15"});
  CHECK(matches(options, series({5, 6, 3}, 6)).empty());
  // No row may stand between, whatever the order in which they came.
  CHECK(matches(options, series({5, 6, 6, 3})).empty());
  CHECK(matches(options, {{3, "a", 3}, {1, "a", 5}, {2, "a", 6}}) == Lines{"a, 1, 3"});
}

TEST_CASE("a fall is found from where it begins to where it ends") {
  const Values options = {
      {"pattern", "START_ROW PRICE_DOWN+ PRICE_UP"},
      {"define", map({{"PRICE_DOWN",
                       "(LAST(PRICE_DOWN.x, 1) is null and PRICE_DOWN.x < START_ROW.x) or "
                       "PRICE_DOWN.x < LAST(PRICE_DOWN.x, 1)"},
                      {"PRICE_UP", "PRICE_UP.x > LAST(PRICE_DOWN.x, 1)"}})},
      {"measures", map({{"start", "unix_seconds(START_ROW.t)"},
                        {"bottom", "unix_seconds(LAST(PRICE_DOWN.t))"},
                        {"end", "unix_seconds(LAST(PRICE_UP.t))"}})},
      {"after_match", "skip to last PRICE_UP"}};
  CHECK(matches(options, series({12, 17, 19, 21, 25, 18, 15, 14, 24, 25, 19})) ==
        Lines{"k, 5, 8, 9"});
}

TEST_CASE("aggregates in conditions count the row at hand") {
  const Values options = {{"pattern", "A+ B"},
                          {"define", map({{"A", "avg(A.x) < 15"}})},
                          {"measures", map({{"start", "unix_seconds(FIRST(A.t))"},
                                            {"end", "unix_seconds(LAST(A.t))"},
                                            {"mean", "avg(A.x)"}})}};
  CHECK(matches(options, series({12, 17, 13, 16, 25, 2, 4, 10, 15, 25, 25, 30})) ==
        Lines{"k, 1, 4, 14.5", "k, 6, 11, 13.5"});
}

TEST_CASE("greedy takes as many rows as it can, reluctant as few") {
  const Values define = {{"define", map({{"A", "A.x > 10"}, {"B", "B.x < 15"}, {"C", "C.x > 12"}})},
                         {"measures", map({{"last", "C.x"}})}};
  const std::vector<Row> rows = series({10, 11, 12, 13, 14, 16});
  CHECK(matches(with(define, {{"pattern", "A B* C"}}), rows) == Lines{"k, 16"});
  CHECK(matches(with(define, {{"pattern", "A B*? C"}}), rows) == Lines{"k, 13", "k, 16"});
}

TEST_CASE("after a match the search goes on where it is told") {
  const auto sums = [](const std::string& after) {
    return matches({{"pattern", "A+ C"},
                    {"define", map({{"A", "sum(A.x) < 30"}})},
                    {"measures", map({{"total", "sum(A.x)"},
                                      {"began", "unix_seconds(match_start())"},
                                      {"ended", "unix_seconds(match_rowtime())"}})},
                    {"after_match", after}},
                   series({7, 9, 10, 5, 10, 7, 14}));
  };
  CHECK(sums("skip past last row") == Lines{"k, 26, 1, 4", "k, 17, 5, 7"});
  CHECK(sums("AFTER MATCH SKIP TO NEXT ROW") == Lines{"k, 26, 1, 4", "k, 24, 2, 5", "k, 25, 3, 6",
                                                      "k, 22, 4, 7", "k, 17, 5, 7", "k, 7, 6, 7"});
  CHECK(sums("skip to last A") == Lines{"k, 26, 1, 4", "k, 25, 3, 6", "k, 17, 5, 7", "k, 7, 6, 7"});
}

TEST_CASE("a price drop counts within an hour only") {
  const Values options = {
      {"pattern", "A B* C"},
      {"define", map({{"B", "B.x > A.x - 10"}, {"C", "C.x < A.x - 10"}})},
      {"measures", list({"unix_seconds(C.t) / 1200 as at", "A.x - C.x as drop"})},
      {"within", "1 hour"}};
  // Twenty minutes apart.
  CHECK(matches(options, series({20, 17, 18, 11, 14, 9, 15, 14, 24, 1, 19}, 1200)) ==
        Lines{"k, 10.0, 14"});
}

TEST_CASE("alternatives are tried as written, and the classifier names the last row's") {
  const Values options = {
      {"pattern", "A (B | C D) E?"},
      {"define", map({{"A", "x = 0"}, {"B", "x = 2"}, {"C", "x < 3"}, {"E", "x = 9"}})},
      {"measures",
       map({{"kind", "classifier()"}, {"rows", "count(*)"}, {"b", "B.x"}, {"d", "D.x + 1"}})},
      {"within", "1 minute"}};
  CHECK(matches(options, series({0, 2, 8, 0, 1, 4, 0, 1, 7, 9})) ==
        Lines{"k, B, 2, 2, null", "k, D, 3, null, 5", "k, E, 4, null, 8"});
}

TEST_CASE("prev looks at rows before the match, as far back as within") {
  const Values options = {{"pattern", "A"},
                          {"define", map({{"A", "x > PREV(x) and x > PREV(x, 2)"}})},
                          {"measures", map({{"now", "x"},
                                            {"then", "PREV(A.x, 2)"},
                                            {"none", "coalesce(PREV(LAST(A.x, 1)), -1)"}})}};
  CHECK(matches(options, series({1, 2, 3, 2, 4})) == Lines{"k, 3, 1, -1", "k, 4, 3, -1"});
  CHECK(matches(with(options, {{"within", "2 seconds"}}), series({1, 2, 3, 2, 4}, 2)).empty());
  CHECK(matches(with(options, {{"within", "4 seconds"}}), series({1, 2, 3, 2, 4}, 2)).size() == 2);
}

TEST_CASE("rows of one time stand as order_by says, then as they came") {
  const auto run = [](const std::vector<std::string>& order) {
    Bench bench;
    Trial trial;
    trial.make_stateful = [&] {
      return bench.stateful("pattern", {{"pattern", "A B"},
                                        {"order_by", list(order)},
                                        {"measures", map({{"a", "A.x"}, {"b", "B.x"}})}});
    };
    trial.inputs = {{schema(), "rows"}};
    trial.plan = {{OutputMode::append}, true};
    trial.epochs = {{.inputs = {batch_of({{5, "k", 2}, {5, "l", 3}, {5, "k", 1}, {5, "l", 9}})},
                     .watermark = kEndOfTime}};
    const auto result = run_trial(trial, {});
    REQUIRE(result);
    return lines_of(*result);
  };
  CHECK(run({"t"}) == Lines{"2, 3", "1, 9"});
  CHECK(run({"t asc", "x desc"}) == Lines{"9, 3", "2, 1"});
}

TEST_CASE("a match comes out when the watermark makes it certain, and late rows are counted") {
  Bench bench;
  Trial trial;
  trial.make_stateful = [&] {
    return bench.stateful("pattern", with({{"pattern", "A B+"},
                                           {"define", map({{"A", "x = 1"}, {"B", "x = 2"}})},
                                           {"measures", map({{"n", "count(B.*)"}})},
                                           {"within", "5 seconds"}},
                                          kByKey));
  };
  trial.inputs = {{schema(), "rows"}};
  trial.plan = {{OutputMode::append}, true};
  trial.epochs = {{{batch_of({{1, "k", 1}, {3, "k", 2}})}, kNoTime, kNoTime},
                  {{batch_of({{2, "k", 2}})}, 3 * kSecond, kNoTime},
                  {{batch_of({{3, "k", 2}, {1, "z", 1}, {6, "k", 2}})}, 5 * kSecond, 3 * kSecond},
                  {{batch_of({})}, 6 * kSecond, 5 * kSecond}};
  const auto result = run_trial(trial, {});
  REQUIRE(result);
  CHECK(lines_of(*result) == Lines{"k, 3"});
  CHECK(result->outputs.back().epoch == 3);
  CHECK(result->counts.at(Metric::late) == 2);
}

TEST_CASE("what no match can need any more is let go") {
  Bench bench;
  auto made = bench.stateful("pattern", with({{"pattern", "A B"},
                                              {"define", map({{"A", "x > PREV(x)"}})},
                                              {"measures", map({{"b", "B.x"}})},
                                              {"within", "5 seconds"}},
                                             kByKey));
  REQUIRE(made);
  Stateful& pattern = **made;
  const std::vector<InputSchema> inputs{{schema(), "rows"}};
  REQUIRE(pattern.bind(inputs));
  REQUIRE(pattern.plan({.modes = {OutputMode::append}, .evict = true}, 1));
  KeepingEmitter out;
  const std::unique_ptr<Local> local = pattern.make_local();
  Local* const locals[] = {local.get()};
  for (int64_t e = 0; e < 50; ++e) {
    std::vector<Row> rows;
    for (int64_t i = 0; i < 200; ++i)
      rows.push_back({e * 10 + 10, "key " + std::to_string(e) + "." + std::to_string(i), i});
    const Epoch epoch{
        .id = e, .watermark = e * 10 * kSecond, .late_watermark = kNoTime, .context = {}};
    REQUIRE(pattern.absorb(*local, {0, e, batch_of(rows)}, epoch, out));
    REQUIRE(pattern.merge(0, locals, epoch));
    REQUIRE(pattern.evict(0, epoch));
    pattern.forget(0, e);
    pattern.clear(*local);
  }
  CHECK(pattern.state_rows() <= 400);
  CHECK(pattern.state_bytes() < 2'000'000);
  CHECK(pattern.state_bound().bounded);
}

TEST_CASE("times of a match carry the watermark on, within behind") {
  Bench bench;
  const auto make = [&](const Values& more) {
    auto made = bench.stateful("pattern", with(with({{"pattern", "A B"},
                                                     {"measures", map({{"ended", "match_rowtime()"},
                                                                       {"began", "A.t"},
                                                                       {"before", "PREV(A.t)"},
                                                                       {"x", "A.x"}})}},
                                                    kByKey),
                                               more));
    REQUIRE(made);
    return std::move(*made);
  };
  const std::vector<InputSchema> inputs{{schema(), "rows"}};
  const std::unique_ptr<Stateful> bounded = make({{"within", "5 seconds"}});
  const auto ports = bounded->bind(inputs);
  REQUIRE(ports);
  const Schema& output = *(*ports)[0].schema;
  CHECK(output.field(1).watermark_delay == 0);
  CHECK(output.field(2).watermark_delay == 0);
  CHECK_FALSE(output.field(3).watermark_delay);
  CHECK_FALSE(output.field(4).watermark_delay);
  CHECK(bounded->output_watermark(20 * kSecond) == 15 * kSecond);
  CHECK(bounded->output_watermark(kEndOfTime) == kEndOfTime);
  const std::unique_ptr<Stateful> endless = make({});
  const auto others = endless->bind(inputs);
  REQUIRE(others);
  CHECK_FALSE((*others)[0].schema->field(1).watermark_delay);
  CHECK(endless->output_watermark(20 * kSecond) == kNoTime);
}

TEST_CASE("what a pattern cannot do is refused with what would be right") {
  const auto says = [](const Values& more, const std::string& words) {
    Values options;
    for (const auto& [name, value] :
         Values{{"pattern", "A B"}, {"order_by", "t"}, {"measures", map({{"n", "A.x"}})}}) {
      if (std::ranges::none_of(more, [&](const auto& other) { return other.first == name; }))
        options.emplace_back(name, value);
    }
    const std::string message = refusal(with(options, more));
    INFO(message);
    CHECK(message.find(words) != std::string::npos);
  };
  says({{"pattern", "A*"}}, "no row at all");
  says({{"pattern", "A B*"}}, "never certain to have ended");
  says({{"define", map({{"C", "x > 1"}})}}, "no variable `C`, only `A`, `B`");
  says({{"define", map({{"A", "A.y > 1"}})}}, "no column `y`");
  says({{"define", map({{"A", "Q.x > 1"}})}}, "no pattern variable `Q`");
  says({{"define", map({{"A", "x + 1"}})}}, "boolean is needed");
  says({{"define", map({{"B", "sum(A.x * B.x) > 1"}})}}, "of one variable");
  says({{"define", map({{"B", "LAST(A.x + B.x) > 1"}})}}, "of one variable");
  says({{"define", map({{"B", "sum(LAST(B.x)) > 1"}})}}, "cannot stand inside `sum`");
  says({{"define", map({{"B", "LAST(B.x, -1) > 1"}})}}, "plain number");
  says({{"define", map({{"B", "NEXT(B.x) > 1"}})}}, "not come yet");
  says({{"define", map({{"B", "classifier() = 'A'"}})}}, "for measures");
  says({{"measures", map({{"n", "C.x"}})}}, "no pattern variable `C`");
  says({{"measures", map({{"n", "match_number()"}})}}, "not supported");
  says({{"after_match", "skip to first A"}}, "for ever");
  says({{"after_match", "skip to last C"}}, "no variable `C`");
  says({{"after_match", "skip somewhere"}}, "no place to go on");
  says({{"order_by", "t desc"}}, "ascending");
  says({{"order_by", "x"}}, "timestamp is needed");
  CHECK(refusal({{"pattern", "A"}, {"order_by", "t"}, {"measures", map({{"n", "x"}})}}, false)
            .find("needs a watermark") != std::string::npos);
}

TEST_CASE("matches are those that trying all ways in order finds, however the rows come") {
  const std::vector<Case> all = cases();
  for (const Case& entry : all) {
    INFO(entry.pattern);
    CHECK(rc::check([&] {
      Search search;
      search.pattern.variables = {"A", "B", "C"};
      search.pattern.root = parse_row_pattern("A | B | C | (" + entry.pattern + ")")->root.parts[3];
      search.condition = entry.condition;
      search.skip = *rc::gen::element<std::string>("skip past last row", "skip to next row",
                                                   "skip to first B", "skip to last B");
      Values options = {
          {"pattern", entry.pattern},
          {"define", map(entry.define)},
          {"measures",
           map({{"began", "unix_seconds(match_start())"},
                {"ended", "unix_seconds(match_rowtime())"},
                {"a", "count(A.*)"},
                {"b", "count(B.*)"},
                {"c", entry.pattern.find('C') == std::string::npos ? "0" : "count(C.x)"}})},
          {"after_match", search.skip}};
      if (entry.pattern == "A B+" || entry.pattern == "A (B+ C)+" || *rc::gen::inRange(0, 3) > 0) {
        search.within = *rc::gen::inRange<int64_t>(1, 8);
        options.emplace_back("within", std::to_string(*search.within) + " seconds");
      }
      if (entry.pattern == "(A | B)+ C?" && !search.within) {
        search.within = 6;
        options.emplace_back("within", "6 seconds");
      }
      std::vector<Row> rows(*rc::gen::inRange<size_t>(0, 25));
      int64_t second = 1;
      for (Row& row : rows) {
        second += *rc::gen::inRange<int64_t>(0, 2);
        row = {std::max<int64_t>(1, second - *rc::gen::inRange<int64_t>(0, 3)),
               *rc::gen::element<std::string>("k", "l"), *rc::gen::inRange<int64_t>(0, 5)};
      }
      Bench bench;
      Trial trial;
      trial.make_stateful = [&] { return bench.stateful("pattern", with(options, kByKey)); };
      trial.inputs = {{schema(), "rows"}};
      trial.plan = {{OutputMode::append}, true};
      std::vector<Row> in_time;
      trial.epochs = epochs_of(rows, in_time);
      Delivery delivery{.chunks = *rc::gen::inRange<size_t>(1, 4),
                        .workers = *rc::gen::element<size_t>(1, 4),
                        .partitions = *rc::gen::inRange<size_t>(1, 4),
                        .seed = *rc::gen::arbitrary<uint32_t>()};
      if (*rc::gen::inRange(0, 2) == 0)
        delivery.restart_after = *rc::gen::inRange<size_t>(0, trial.epochs.size() - 1);
      const auto result = run_trial(trial, delivery);
      RC_ASSERT(result.has_value());
      std::vector<std::string> found = lines_of(*result);
      std::ranges::sort(found);
      RC_ASSERT(found == search.run(in_time));
    }));
  }
}
