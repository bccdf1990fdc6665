// Aggregations give the same whatever the chunks, workers, partitions and restarts; windows put
// together from panes are those of aggregating each window alone.
#include <rapidcheck.h>

#include <catch2/catch.hpp>
#include <map>
#include <random>

#include "runtime/state/snapshot.h"
#include "tests/unit/operators/bench.h"

using namespace flowrun;
using namespace flowrun::test;

namespace {

struct Row {
  std::optional<int64_t> time;
  std::string key;
  int64_t value;
};

// By window's begin and key: count and sum.
using Totals = std::map<std::pair<int64_t, std::string>, std::pair<int64_t, int64_t>>;

struct Setup {
  int64_t size;
  int64_t slide;
  size_t partitions;
  size_t workers;
  OutputMode mode;
};

RecordBatch batch_of(std::span<const Row> rows) {
  FixedBuilder<int64_t> times(Type::timestamp());
  StringBuilder keys(Type::string());
  FixedBuilder<int64_t> values(Type::bigint());
  for (const Row& row : rows) {
    row.time ? times.append(*row.time) : times.append_null();
    keys.append(row.key);
    values.append(row.value);
  }
  const SchemaPtr schema =
      Schema::make({{.name = "t", .type = Type::timestamp(), .watermark_delay = 0},
                    {.name = "k", .type = Type::string()},
                    {.name = "v", .type = Type::bigint()}});
  return {
      schema, static_cast<int64_t>(rows.size()), {times.finish(), keys.finish(), values.finish()}};
}

std::unique_ptr<Stateful> make(Bench& bench, const Setup& setup) {
  auto made = bench.stateful("window", {{"window", std::to_string(setup.size) + " microseconds"},
                                        {"slide", std::to_string(setup.slide) + " microseconds"},
                                        {"on", "t"},
                                        {"group_by", list({"k"})},
                                        {"agg", map({{"n", "count(*)"}, {"total", "sum(v)"}})}});
  REQUIRE(made);
  const std::vector<InputSchema> inputs{{batch_of({}).schema(), "events"}};
  REQUIRE((*made)->bind(inputs));
  REQUIRE((*made)->plan({.modes = {setup.mode}, .evict = setup.mode != OutputMode::complete},
                        setup.partitions));
  return std::move(*made);
}

void collect(const KeepingEmitter& out, Totals& totals) {
  const auto found = out.batches.find(0);
  if (found == out.batches.end()) return;
  for (const RecordBatch& rows : found->second) {
    for (int64_t i = 0; i < rows.num_rows(); ++i) {
      const auto row = static_cast<size_t>(i);
      const int64_t begin = rows.column(0)->child(0)->values<int64_t>()[row];
      const bool added = totals
                             .try_emplace({begin, std::string(rows.column(1)->string(i))},
                                          rows.column(2)->values<int64_t>()[row],
                                          rows.column(3)->values<int64_t>()[row])
                             .second;
      RC_ASSERT(added);
    }
  }
}

// The rows in two epochs, cut into chunks at random, with a restart between them; what comes out at
// the end.
Totals run(const Setup& setup, const std::vector<Row>& rows, uint32_t seed) {
  Bench bench;
  std::mt19937 random(seed);
  std::unique_ptr<Stateful> window = make(bench, setup);
  const size_t cut = rows.empty() ? 0 : random() % rows.size();
  const std::span<const Row> all(rows);
  Totals totals;
  int64_t sequence = 0;
  for (const EpochId id : {0, 1}) {
    std::span<const Row> left = id == 0 ? all.first(cut) : all.subspan(cut);
    Epoch epoch;
    epoch.id = id;
    epoch.watermark = id == 1 ? kEndOfTime : kNoTime;
    KeepingEmitter out;
    std::vector<std::unique_ptr<Local>> locals;
    std::vector<Local*> pointers;
    for (size_t i = 0; i < setup.workers; ++i)
      pointers.push_back(locals.emplace_back(window->make_local()).get());
    while (!left.empty()) {
      const size_t size = std::min<size_t>(left.size(), random() % 5 + 1);
      const RecordBatch chunk = batch_of(left.first(size));
      RC_ASSERT(
          window->absorb(*pointers[random() % setup.workers], {0, sequence++, chunk}, epoch, out)
              .has_value());
      left = left.subspan(size);
    }
    for (size_t p = 0; p < window->num_partitions(); ++p) {
      RC_ASSERT(window->merge(p, pointers, epoch).has_value());
      RC_ASSERT(window->evict(p, epoch).has_value());
      if (id == 1) RC_ASSERT(window->emit(p, {setup.mode, -1}, epoch, out).has_value());
    }
    collect(out, totals);
    if (id == 1) break;
    MemorySnapshot snapshot;
    RC_ASSERT(window->snapshot(snapshot).has_value());
    Setup other = setup;
    other.partitions = random() % 4 + 1;
    window = make(bench, other);
    RC_ASSERT(window->restore(snapshot).has_value());
  }
  return totals;
}

Totals by_hand(const Setup& setup, const std::vector<Row>& rows) {
  Totals totals;
  for (const Row& row : rows) {
    if (!row.time) continue;
    for (int64_t begin = 0; begin <= *row.time; begin += setup.slide) {
      if (begin + setup.size <= *row.time) continue;
      auto& [count, sum] = totals[{begin, row.key}];
      ++count;
      sum += row.value;
    }
    for (int64_t begin = -setup.slide; begin + setup.size > *row.time; begin -= setup.slide) {
      auto& [count, sum] = totals[{begin, row.key}];
      ++count;
      sum += row.value;
    }
  }
  return totals;
}

std::vector<Row> any_rows() {
  const auto count = *rc::gen::inRange<size_t>(0, 40);
  std::vector<Row> rows;
  for (size_t i = 0; i < count; ++i) {
    Row row;
    if (*rc::gen::inRange(0, 10) > 0) row.time = *rc::gen::inRange<int64_t>(0, 60);
    row.key = *rc::gen::element<std::string>("a", "b", "a text that is longer than twelve bytes");
    row.value = *rc::gen::inRange<int64_t>(-5, 6);
    rows.push_back(std::move(row));
  }
  return rows;
}

void check_mode(OutputMode mode) {
  CHECK(rc::check([mode] {
    Setup setup{.size = 0,
                .slide = *rc::gen::inRange<int64_t>(1, 12),
                .partitions = 1,
                .workers = 1,
                .mode = mode};
    setup.size = *rc::gen::inRange<int64_t>(setup.slide, 30);
    setup.partitions = *rc::gen::inRange<size_t>(1, 5);
    setup.workers = *rc::gen::inRange<size_t>(1, 4);
    const std::vector<Row> rows = any_rows();
    RC_ASSERT(run(setup, rows, *rc::gen::arbitrary<uint32_t>()) == by_hand(setup, rows));
  }));
}

// Windows kept one by one, as a reader of the semantics would.
class ByHand {
 public:
  explicit ByHand(const Setup& setup) : setup_(setup) {}

  // What an epoch gives; windows that end until `late` take no rows, those until `watermark` leave.
  Totals take(std::span<const Row> rows, int64_t late, int64_t watermark) {
    Totals touched;
    for (const Row& row : rows) {
      if (!row.time) continue;
      int64_t begin = *row.time - *row.time % setup_.slide;
      for (; begin + setup_.size > *row.time; begin -= setup_.slide) {
        if (begin + setup_.size <= late) break;
        auto& [count, sum] = open_[{begin, row.key}];
        ++count;
        sum += row.value;
        touched[{begin, row.key}] = {count, sum};
      }
    }
    Totals ended;
    for (auto window = open_.begin(); window != open_.end();) {
      const bool ends = window->first.first + setup_.size <= watermark;
      if (ends) ended.insert(*window);
      window = ends ? open_.erase(window) : std::next(window);
    }
    return setup_.mode == OutputMode::append ? ended : touched;
  }

 private:
  const Setup& setup_;
  Totals open_;
};

// Epoch after epoch against ByHand, with a watermark that moves at random.
void check_epochs(OutputMode mode) {
  CHECK(rc::check([mode] {
    Setup setup{.size = 0,
                .slide = *rc::gen::inRange<int64_t>(1, 5),
                .partitions = *rc::gen::inRange<size_t>(1, 4),
                .workers = *rc::gen::inRange<size_t>(1, 3),
                .mode = mode};
    setup.size = *rc::gen::inRange<int64_t>(setup.slide, 120);
    std::mt19937 random(*rc::gen::arbitrary<uint32_t>());
    Bench bench;
    const std::unique_ptr<Stateful> window = make(bench, setup);
    ByHand by_hand(setup);
    int64_t late = kNoTime;
    int64_t now = 200;
    int64_t sequence = 0;
    for (EpochId id = 0; id < 12; ++id) {
      now += static_cast<int64_t>(random() % 60);
      std::vector<Row> rows(random() % 40);
      for (Row& row : rows) {
        row.time = now - static_cast<int64_t>(random() % 150);
        row.key = random() % 2 == 0 ? "a" : "b";
        row.value = static_cast<int64_t>(random() % 100);
      }
      Epoch epoch;
      epoch.id = id;
      epoch.late_watermark = late;
      epoch.watermark = random() % 3 == 0 ? late : std::max(late, now - 100);
      KeepingEmitter out;
      std::vector<std::unique_ptr<Local>> locals;
      std::vector<Local*> pointers;
      for (size_t i = 0; i < setup.workers; ++i)
        pointers.push_back(locals.emplace_back(window->make_local()).get());
      for (const Row& row : rows) {
        RC_ASSERT(window
                      ->absorb(*pointers[random() % setup.workers],
                               {0, sequence++, batch_of({&row, 1})}, epoch, out)
                      .has_value());
      }
      for (size_t p = 0; p < window->num_partitions(); ++p) {
        RC_ASSERT(window->merge(p, pointers, epoch).has_value());
        RC_ASSERT(window->evict(p, epoch).has_value());
        RC_ASSERT(window->emit(p, {mode, id - 1}, epoch, out).has_value());
        window->forget(p, id);
      }
      Totals totals;
      collect(out, totals);
      RC_ASSERT(totals == by_hand.take(rows, late, epoch.watermark));
      late = epoch.watermark;
    }
  }));
}

}  // namespace

TEST_CASE("windows hold what each window's rows give, in complete") {
  check_mode(OutputMode::complete);
}

TEST_CASE("windows come out once when time ends, in append") { check_mode(OutputMode::append); }

TEST_CASE("overlapping windows come out once, when the watermark passes their end") {
  check_epochs(OutputMode::append);
}

TEST_CASE("overlapping windows come out in every epoch that touches them, in update") {
  check_epochs(OutputMode::update);
}
