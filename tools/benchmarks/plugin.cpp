// What it costs that a transform is in a plugin: the same one (words.h) built in and in a library,
// turn by turn on the same batches, texts of 60 bytes in a row of three columns.
//
//   bench_plugin WORDS.so
#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "runtime/columnar/builder.h"
#include "runtime/config/load.h"
#include "runtime/plugin/plugin_set.h"
#include "tools/benchmarks/words.h"

namespace flowrun {
namespace {

constexpr int kTurns = 101;
constexpr int64_t kRowsPerTurn = 50'000;

class BuiltInWords final : public Transform {
 public:
  Result<PortSchemas> bind(std::span<const InputSchema> inputs) override {
    const auto given = inputs[0].schema->fields();
    std::vector<Field> fields(given.begin(), given.end());
    fields.push_back({"words", Type::bigint(), true});
    schema_ = Schema::make(std::move(fields));
    return PortSchemas{{"", schema_}};
  }
  Status apply(const RecordBatch& batch, const Epoch&, Scratch*, Emitter& out) const override {
    const Column& texts = *batch.column(0);
    FixedBuilder<int64_t> words(Type::bigint());
    words.reserve(batch.num_rows());
    for (int64_t i = 0; i < batch.num_rows(); ++i) {
      texts.is_null(i) ? words.append_null() : words.append(count_words(texts.string(i)));
    }
    std::vector<ColumnPtr> columns(batch.columns().begin(), batch.columns().end());
    columns.push_back(words.finish());
    return out.emit(0, RecordBatch(schema_, batch.num_rows(), std::move(columns)));
  }
  [[nodiscard]] std::string describe() const override { return "words"; }

 private:
  SchemaPtr schema_;
};

class Sum final : public Emitter {
 public:
  Status emit(size_t, RecordBatch batch) override {
    for (const int64_t words : batch.column(3)->values<int64_t>()) total += words;
    return ok_status();
  }
  [[nodiscard]] bool wanted(size_t) const override { return true; }
  void count(Metric, int64_t) override {}
  void observe(int64_t) override {}
  void warn(std::string_view) override {}
  int64_t total = 0;
};

RecordBatch make_batch(const SchemaPtr& schema, int64_t rows) {
  StringBuilder texts(Type::string());
  FixedBuilder<int64_t> ids(Type::bigint());
  FixedBuilder<double> values(Type::double_());
  for (int64_t i = 0; i < rows; ++i) {
    texts.append(fmt::format("a line of a log number {:08} with some words and a half", i * 7919));
    ids.append(i);
    values.append(static_cast<double>(i) / 3);
  }
  return RecordBatch(schema, rows, {texts.finish(), ids.finish(), values.finish()});
}

// Of this thread: what else the machine does is not counted.
double cpu_microseconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

// Microseconds for one batch, of a turn.
double measure(const Transform& transform, const RecordBatch& batch, int64_t& total) {
  const int64_t batches = std::max<int64_t>(kRowsPerTurn / batch.num_rows(), 1);
  Sum out;
  Epoch epoch;
  const auto scratch = transform.make_scratch();
  const double started = cpu_microseconds();
  for (int64_t i = 0; i < batches; ++i) {
    if (Status done = transform.apply(batch, epoch, scratch.get(), out); !done) {
      fmt::print(stderr, "bench_plugin: {}\n", done.error().message);
      std::exit(1);
    }
  }
  const double spent = cpu_microseconds() - started;
  total += out.total;
  return spent / static_cast<double>(batches);
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

Result<std::unique_ptr<Transform>> load_words(const std::string& file, Registry& registry,
                                              const InputSchema& input) {
  FunctionRegistry functions;
  PluginSet plugins(registry, functions, PluginPath{});
  FLOWRUN_RETURN_IF_ERROR(plugins.load(file, ""));
  const std::string text = "nodes:\n  counted: { from: rows, words: \"\" }\n";
  const LoadedPlan plan = load_plan_text(text, "words", registry, {.fragment = true});
  if (!plan.plan) return Error::invalid(render_text(plan.diagnostics, plan.sources));
  MakeContext context;
  context.node = "counted";
  FLOWRUN_TRY(auto made, registry.find_operator("words")->make_transform(
                             plan.plan->nodes[0].options, context));
  FLOWRUN_RETURN_IF_ERROR(made->bind(std::span(&input, 1)));
  return made;
}

int run(const std::string& file) {
  const SchemaPtr schema = Schema::make({{"text", Type::string(), true},
                                         {"id", Type::bigint(), true},
                                         {"value", Type::double_(), true}});
  const InputSchema input{schema, "rows"};
  Registry registry;
  const auto plugin = load_words(file, registry, input);
  BuiltInWords built_in;
  const auto bound = built_in.bind(std::span(&input, 1));
  if (!plugin || !bound) {
    fmt::print(stderr, "bench_plugin: {}\n", (plugin ? bound.error() : plugin.error()).message);
    return 1;
  }
  fmt::print("{:>10}{:>16}{:>16}{:>12}\n", "rows", "built in, us", "plugin, us", "more");
  for (const int64_t rows : {100, 1'000, 10'000, 100'000}) {
    const RecordBatch batch = make_batch(schema, rows);
    std::vector<double> ours;
    std::vector<double> theirs;
    int64_t our_total = 0;
    int64_t their_total = 0;
    for (int turn = 0; turn < kTurns; ++turn) {
      ours.push_back(measure(built_in, batch, our_total));
      theirs.push_back(measure(**plugin, batch, their_total));
    }
    if (our_total != their_total) {
      fmt::print(stderr, "bench_plugin: the two count differently\n");
      return 1;
    }
    const double our_median = median(ours);
    const double their_median = median(theirs);
    fmt::print("{:>10}{:>16.2f}{:>16.2f}{:>11.1f}%\n", rows, our_median, their_median,
               (their_median / our_median - 1) * 100);
  }
  return 0;
}

}  // namespace
}  // namespace flowrun

int main(int argc, char** argv) {
  if (argc != 2) {
    fmt::print(stderr, "usage: bench_plugin WORDS.so\n");
    return 2;
  }
  return flowrun::run(argv[1]);
}
