// stream_join: against a brute-force join of the same rows, and what it refuses and warns of.
#include <rapidcheck.h>
#include <catch2/catch.hpp>

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include "runtime/operator/harness.h"
#include "tests/unit/operators/bench.h"

using namespace flowrun;
using namespace flowrun::test;

namespace {

constexpr int64_t kSecond = 1'000'000;
constexpr int64_t kMillisecond = 1'000;
constexpr int64_t kBefore = 3 * kSecond;  // right.t is at most so long before left.t
constexpr int64_t kAfter = 5 * kSecond;   // or behind it
constexpr const char* kCondition =
    "left.k = right.k and right.t between left.t - interval 3 seconds and left.t + interval 5 "
    "seconds and left.v + right.v > 2 and left.v <> 7 and right.v <> 8";

SchemaPtr side_schema(bool watermarked = true) {
  return Schema::make({{"id", Type::bigint()},
                       {"k", Type::string()},
                       {.name = "t",
                        .type = Type::timestamp(),
                        .watermark_delay = watermarked ? std::optional<int64_t>(0) : std::nullopt},
                       {"v", Type::bigint()}});
}

struct Row {
  int64_t id;
  std::optional<std::string> k;
  std::optional<int64_t> t;
  std::optional<int64_t> v;
};
using Rows = std::vector<Row>;

RecordBatch batch_of(const Rows& rows) {
  std::vector<std::optional<int64_t>> ids, times, values;
  std::vector<std::optional<std::string>> keys;
  for (const Row& row : rows) {
    ids.emplace_back(row.id);
    keys.push_back(row.k);
    times.push_back(row.t);
    values.push_back(row.v);
  }
  return {side_schema(), std::ssize(rows),
          std::vector{bigints(ids), strings(keys), column<int64_t>(Type::timestamp(), times),
                      bigints(values)}};
}

struct EpochRows {
  std::array<Rows, 2> sides;
  int64_t watermark = 0;
  int64_t late_watermark = 0;
};

std::vector<EpochRows> random_epochs(std::mt19937_64& random) {
  static const std::vector<std::string> kKeys{"a", "b", "a key of more than twelve bytes"};
  std::vector<EpochRows> epochs(5);
  int64_t id = 0;
  for (size_t e = 0; e < epochs.size(); ++e) {
    const auto start = static_cast<int64_t>(e) * 4 * kSecond;
    for (Rows& rows : epochs[e].sides) {
      const size_t count = random() % 25;
      for (size_t i = 0; i < count; ++i) {
        Row row{id++, kKeys[random() % kKeys.size()],
                start + static_cast<int64_t>(random() % 40) * kSecond / 4, random() % 9};
        if (random() % 10 == 0) row.k.reset();
        if (random() % 12 == 0) row.t.reset();
        if (random() % 12 == 0) row.v.reset();
        rows.push_back(row);
      }
    }
    epochs[e].late_watermark = e > 0 ? epochs[e - 1].watermark : 0;
    epochs[e].watermark =
        (e > 0 ? epochs[e - 1].watermark : 0) + static_cast<int64_t>(random() % 6) * kSecond;
  }
  return epochs;
}

// The join as it is defined, without any index: pairs of ids, "-" for no row.
class BruteForce {
 public:
  explicit BruteForce(std::string kind) : kind_(std::move(kind)) {}

  std::multiset<std::string> run(const std::vector<EpochRows>& epochs) {
    for (size_t e = 0; e < epochs.size(); ++e) one(e, epochs[e]);
    return out_;
  }
  int64_t late = 0;

 private:
  struct Kept {
    Row row;
    bool matched = false;
    bool fresh = true;
  };

  [[nodiscard]] bool is_outer(size_t side) const {
    return kind_ == "full" || kind_ == (side == 0 ? "left" : "right");
  }
  void put(size_t epoch, const std::string& left, const std::string& right) {
    out_.insert(std::to_string(epoch) + ": " + left + (kind_ == "left_semi" ? "" : " " + right));
  }
  void put_alone(size_t epoch, size_t side, const Row& row) {
    put(epoch, side == 0 ? std::to_string(row.id) : "-", side == 0 ? "-" : std::to_string(row.id));
  }
  static bool own_condition(size_t side, const Row& row) {
    return row.v && *row.v != (side == 0 ? 7 : 8);
  }
  [[nodiscard]] bool match(const Row& left, const Row& right) const {
    if (kind_ == "full" ? left.k != right.k : !left.k || left.k != right.k) return false;
    return left.t && right.t && left.v && right.v && *right.t >= *left.t - kBefore &&
           *right.t <= *left.t + kAfter && *left.v + *right.v > 2;
  }

  void one(size_t e, const EpochRows& epoch) {
    for (size_t side = 0; side < 2; ++side) {
      for (const Row& row : epoch.sides[side]) {
        const bool fits = own_condition(side, row);
        if (!is_outer(side) && !(fits && row.k && row.t)) continue;
        if (row.t && *row.t <= epoch.late_watermark) {
          ++late;
        } else if (!fits) {
          put_alone(e, side, row);
        } else {
          state_[side].push_back({row});
        }
      }
    }
    for (Kept& left : state_[0]) {
      for (Kept& right : state_[1]) {
        if (!(left.fresh || right.fresh) || !match(left.row, right.row)) continue;
        const bool first = !left.matched;
        left.matched = right.matched = true;
        if (kind_ != "left_semi" || first)
          put(e, std::to_string(left.row.id), std::to_string(right.row.id));
      }
    }
    for (size_t side = 0; side < 2; ++side) {
      const int64_t bound = epoch.watermark - (side == 0 ? kAfter : kBefore) - kMillisecond;
      std::erase_if(state_[side], [&](const Kept& kept) {
        if (!kept.row.t || *kept.row.t > bound) return false;
        if (is_outer(side) && !kept.matched) put_alone(e, side, kept.row);
        return true;
      });
      for (Kept& kept : state_[side]) kept.fresh = false;
    }
  }

  std::string kind_;
  std::array<std::vector<Kept>, 2> state_;
  std::multiset<std::string> out_;
};

std::string id_text(const RecordBatch& rows, size_t column, int64_t row) {
  const Column& ids = *rows.column(column);
  return ids.is_null(row) ? "-" : std::to_string(ids.values<int64_t>()[static_cast<size_t>(row)]);
}

std::multiset<std::string> ids_of(const TrialResult& result) {
  std::multiset<std::string> ids;
  for (const TrialOutput& output : result.outputs) {
    if (output.port != 0) continue;
    for (int64_t i = 0; i < output.rows.num_rows(); ++i) {
      std::string line = std::to_string(output.epoch) + ": " + id_text(output.rows, 0, i);
      if (output.rows.num_columns() > 4) line += " " + id_text(output.rows, 4, i);
      ids.insert(std::move(line));
    }
  }
  return ids;
}

Trial trial_of(Bench& bench, const std::string& kind, const std::vector<EpochRows>& epochs) {
  Trial trial;
  trial.make_stateful = [&bench, kind] {
    return bench.stateful("stream_join", {{"stream_join", kind}, {"condition", kCondition}});
  };
  trial.inputs = {{side_schema(), "left"}, {side_schema(), "right"}};
  for (const EpochRows& epoch : epochs) {
    trial.epochs.push_back({{batch_of(epoch.sides[0]), batch_of(epoch.sides[1])},
                            epoch.watermark,
                            epoch.late_watermark});
  }
  trial.plan = {{OutputMode::append}, true};
  return trial;
}

struct Bound {
  Bound(const Values& values, const std::vector<InputSchema>& inputs) {
    auto made = bench.stateful("stream_join", values);
    if (!made) {
      error = made.error().message;
      return;
    }
    join = std::move(*made);
    auto bound = join->bind(inputs);
    if (bound) {
      schema = (*bound)[0].schema;
    } else {
      error = bound.error().message;
    }
  }
  std::string plan(const std::vector<OutputMode>& modes, bool evict = true) {
    const Status planned = join->plan({modes, evict}, 1);
    return planned ? "" : planned.error().message;
  }
  Bench bench;
  std::unique_ptr<Stateful> join;
  SchemaPtr schema;
  std::string error;
};

std::vector<InputSchema> sides(bool left_watermark, bool right_watermark) {
  return {{side_schema(left_watermark), "left"}, {side_schema(right_watermark), "right"}};
}

using Catch::Matchers::Contains;

}  // namespace

TEST_CASE("a stream join gives what a brute-force join of the same rows gives") {
  Bench bench;
  for (const std::string kind : {"inner", "left", "right", "full", "left_semi"}) {
    INFO(kind);
    CHECK(rc::check([&](uint64_t seed) {
      std::mt19937_64 random(seed);
      const std::vector<EpochRows> epochs = random_epochs(random);
      BruteForce brute(kind);
      const std::multiset<std::string> expected = brute.run(epochs);
      Delivery delivery{.chunks = 1 + random() % 6,
                        .workers = 1 + random() % 3,
                        .partitions = 1 + random() % 3,
                        .displaced = random() % 2 == 0,
                        .only_read = random() % 2 == 0,
                        .seed = random()};
      if (random() % 2 == 0) delivery.restart_after = random() % epochs.size();
      const Trial trial = trial_of(bench, kind, epochs);
      const auto result = run_trial(trial, delivery);
      RC_ASSERT(result.has_value());
      RC_ASSERT(result->complaints == std::vector<std::string>());
      RC_ASSERT(ids_of(*result) == expected);
      const auto late = result->counts.find(Metric::late);
      RC_ASSERT((late == result->counts.end() ? 0 : late->second) == brute.late);
    }));
  }
}

TEST_CASE(
    "state that ends again and again stays right and small, whenever its rows are asked for") {
  Bench bench;
  auto join = bench.stateful("stream_join", {{"stream_join", "left"}, {"condition", kCondition}});
  REQUIRE(join);
  REQUIRE((*join)->bind(sides(true, true)));
  REQUIRE((*join)->plan({{OutputMode::append}, true}, 1));
  int64_t alone = 0;
  EpochId served = -1;
  const auto local = (*join)->make_local();
  for (int64_t e = 0; e < 40; ++e) {
    Rows left, right;
    for (int64_t i = 0; i < 1000; ++i) {
      const int64_t time = e * 10 * kSecond + i * 10 * kMillisecond;
      left.push_back({e * 1000 + i, std::to_string(e * 1000 + i), time, 5});
      if (i % 2 == 0) right.push_back({i, std::to_string(e * 1000 + i), time, 5});
    }
    Epoch epoch;
    epoch.id = e;
    epoch.watermark = e * 10 * kSecond;
    KeepingEmitter out;
    const RecordBatch of_left = batch_of(left);
    const RecordBatch of_right = batch_of(right);
    REQUIRE((*join)->absorb(*local, {0, e, of_left}, epoch, out));
    REQUIRE((*join)->absorb(*local, {1, e, of_right}, epoch, out));
    std::vector<Local*> locals{local.get()};
    REQUIRE((*join)->merge(0, locals, epoch));
    REQUIRE((*join)->evict(0, epoch));
    if (e % 3 == 0) {  // as for a sink that has a pace of its own
      REQUIRE((*join)->emit(0, {OutputMode::append, served}, epoch, out));
      served = e;
    }
    (*join)->forget(0, served);
    (*join)->clear(*local);
    for (const RecordBatch& rows : out.batches[0]) {
      for (int64_t i = 0; i < rows.num_rows(); ++i) alone += rows.column(4)->is_null(i) ? 1 : 0;
    }
    CHECK((*join)->state_rows() <= 3 * 1500);
    CHECK((*join)->state_bytes() < 8 << 20);
  }
  // All of the first 38 epochs, and half of the next second's worth, less the five seconds behind.
  CHECK(alone == 39 * 500 - 250);
}

TEST_CASE("keys that `on` names come once and first, other columns of equal names twice") {
  Bound both({{"stream_join", "inner"}, {"on", list({"k"})}}, sides(true, true));
  REQUIRE(both.error.empty());
  CHECK(both.schema->ddl() ==
        "k STRING,id BIGINT,t TIMESTAMP,v BIGINT,id BIGINT,t TIMESTAMP,v BIGINT");
  REQUIRE(both.join->warnings().size() == 1);
  CHECK_THAT(both.join->warnings()[0], Contains("id, t, v"));
  const Binder binder({both.schema}, *both.bench.context.expressions);
  CHECK_FALSE(binder.bind("v"));
  CHECK(binder.bind("left.v + right.v"));
}

TEST_CASE("without a bound an inner join says that its state grows, and the others are refused") {
  Bound inner({{"stream_join", "inner"}, {"on", list({"k"})}}, sides(true, true));
  REQUIRE(inner.plan({OutputMode::append, OutputMode::update, OutputMode::complete}).empty());
  CHECK_FALSE(inner.join->state_bound().bounded);
  CHECK_FALSE(inner.join->evicts());
  CHECK_THAT(inner.join->state_bound().text, Contains("grows"));
  for (const char* kind : {"left", "right", "full", "left_semi"}) {
    const Bound refused({{"stream_join", kind}, {"on", list({"k"})}}, sides(true, true));
    CHECK_THAT(refused.error, Contains(kind) && Contains("watermark"));
  }
}

TEST_CASE("a time range bounds both sides, and says by how much") {
  Bound join({{"stream_join", "full"}, {"condition", kCondition}}, sides(true, true));
  REQUIRE(join.plan({OutputMode::append}).empty());
  CHECK(join.join->state_bound().bounded);
  CHECK(join.join->state_bound().text ==
        "rows of left until the watermark is 5 s past `t`, rows of right until the watermark is 3 "
        "s past `t`");
  CHECK(join.join->output_watermark(100 * kSecond) == 95 * kSecond - kMillisecond);
  CHECK(join.join->output_watermark(kEndOfTime) == kEndOfTime);
  CHECK_THAT(join.plan({OutputMode::update}), Contains("full") && Contains("append"));
}

TEST_CASE("a watermark on one side alone bounds an outer join by word, but ends nothing") {
  Bound join({{"stream_join", "left"}, {"condition", kCondition}}, sides(false, true));
  REQUIRE(join.error.empty());
  REQUIRE(join.plan({OutputMode::append}).empty());
  CHECK_FALSE(join.join->evicts());
  CHECK_FALSE(join.join->state_bound().bounded);
  const Bound right({{"stream_join", "right"}, {"condition", kCondition}}, sides(false, true));
  CHECK_THAT(right.error, Contains("right") && Contains("watermark"));
}

TEST_CASE("a watermark on a key bounds both sides") {
  Bound join({{"stream_join", "left"}, {"on", list({"t"})}}, sides(true, false));
  REQUIRE(join.error.empty());
  REQUIRE(join.plan({OutputMode::append}).empty());
  CHECK(join.join->evicts());
  CHECK(join.join->state_bound().bounded);
  CHECK(join.join->output_watermark(kSecond) == kSecond);
}

TEST_CASE("what Spark refuses is refused by name") {
  const Bound anti({{"stream_join", "left_anti"}, {"on", list({"k"})}}, sides(true, true));
  CHECK_THAT(anti.error, Contains("anti"));
  const Bound range({{"stream_join", "inner"}, {"condition", "left.t < right.t"}},
                    sides(true, true));
  CHECK_THAT(range.error, Contains("equality"));
  const Bound nothing({{"stream_join", "inner"}}, sides(true, true));
  CHECK_THAT(nothing.error, Contains("on") && Contains("condition"));
  const Bound unknown({{"stream_join", "inner"}, {"on", list({"kk"})}}, sides(true, true));
  CHECK_THAT(unknown.error, Contains("kk"));
}

TEST_CASE("a file sink refuses names that stand twice") {
  Bound both({{"stream_join", "inner"}, {"on", list({"k"})}}, sides(true, true));
  auto file = both.bench.sink("file", {{"path", "nowhere"}, {"format", "json"}});
  REQUIRE(file);
  const Status bound = (*file)->bind({both.schema, OutputMode::append, false, {}});
  REQUIRE_FALSE(bound);
  CHECK_THAT(bound.error().message, Contains("id, t, v"));
}
