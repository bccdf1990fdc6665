// Aggregation alone: rows per CPU-second of count and sum by key, for several numbers and kinds of
// keys.
//
//   build/release/bench/bench_groupby --benchmark_filter=bigint
#include <benchmark/benchmark.h>

#include <random>

#include "runtime/columnar/builder.h"
#include "runtime/expr/function_registry.h"
#include "runtime/state/aggregate_functions.h"
#include "runtime/state/group_table.h"

namespace flowrun {
namespace {

constexpr int64_t kRows = 1 << 22;
constexpr int64_t kBatch = 1 << 13;

struct Batch {
  std::vector<ColumnPtr> keys;
  ColumnPtr values;
};

template <class MakeKeys>
std::vector<Batch> make_batches(MakeKeys make_keys) {
  std::mt19937_64 random(1);
  std::vector<Batch> batches;
  for (int64_t start = 0; start < kRows; start += kBatch) {
    FixedBuilder<int64_t> values(Type::bigint());
    for (int64_t i = 0; i < kBatch; ++i) values.append(static_cast<int64_t>(random() % 1000));
    batches.push_back({make_keys(random), values.finish()});
  }
  return batches;
}

ColumnPtr bigint_keys(std::mt19937_64& random, uint64_t distinct) {
  FixedBuilder<int64_t> keys(Type::bigint());
  for (int64_t i = 0; i < kBatch; ++i) keys.append(static_cast<int64_t>(random() % distinct));
  return keys.finish();
}

ColumnPtr text_keys(std::mt19937_64& random, const std::vector<std::string>& texts) {
  StringBuilder keys(Type::string());
  for (int64_t i = 0; i < kBatch; ++i) keys.append(texts[random() % texts.size()]);
  return keys.finish();
}

const std::vector<std::string>& activities() {
  static const std::vector<std::string> names{"stand", "sit",      "walk",       "run",
                                              "bike",  "stairsup", "stairsdown", "null"};
  return names;
}

const std::vector<std::string>& models() {
  static const std::vector<std::string> names{"nexus4", "s3", "s3mini", "samsungold", "gear"};
  return names;
}

// count(*) and sum(value) by the keys.
void aggregate(benchmark::State& state, const std::vector<Batch>& batches) {
  FunctionRegistry functions;
  register_aggregate_functions(functions);
  const std::vector<Type> bigint{Type::bigint()};
  const std::vector<ColumnPtr> constants(1);
  const AggregateFunction& count = *functions.find_aggregate("count");
  const AggregateFunction& sum = *functions.find_aggregate("sum");
  std::vector<Type> types;
  for (const ColumnPtr& key : batches[0].keys) types.push_back(key->type());
  GroupTable table(types);
  const auto counts = count.make_states(*count.resolve({}, {}), {});
  const auto sums = sum.make_states(*sum.resolve(bigint, constants), constants);
  std::vector<uint32_t> groups(kBatch);
  for (auto _ : state) {
    for (const Batch& batch : batches) {
      table.find_or_add(batch.keys, groups);
      counts->resize(table.size());
      sums->resize(table.size());
      if (!counts->update(groups, {}, {}, 0)) state.SkipWithError("count failed");
      if (!sums->update(groups, std::span(&batch.values, 1), {}, 0))
        state.SkipWithError("sum failed");
    }
  }
  state.SetItemsProcessed(state.iterations() * kRows);
  state.counters["groups"] = static_cast<double>(table.size());
}

void by_bigint(benchmark::State& state) {
  const auto distinct = static_cast<uint64_t>(state.range(0));
  aggregate(state, make_batches([&](auto& random) {
              return std::vector<ColumnPtr>{bigint_keys(random, distinct)};
            }));
}
BENCHMARK(by_bigint)->Arg(100)->Arg(10'000)->Arg(1'000'000)->Unit(benchmark::kMillisecond);

void by_text(benchmark::State& state) {
  aggregate(state, make_batches([](auto& random) {
              return std::vector<ColumnPtr>{text_keys(random, activities())};
            }));
}
BENCHMARK(by_text)->Unit(benchmark::kMillisecond);

void by_two_texts(benchmark::State& state) {
  aggregate(
      state, make_batches([](auto& random) {
        return std::vector<ColumnPtr>{text_keys(random, activities()), text_keys(random, models())};
      }));
}
BENCHMARK(by_two_texts)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace flowrun

BENCHMARK_MAIN();
