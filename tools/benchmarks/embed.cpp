// Measures rows through a host program: push -> pull.
//   embed        one row, there and back, on threads and stepped; then batches of two bigints
// Prints `latency threads|stepped p50 .. p99 ..` in microseconds and `throughput .. rows/s`; exits
// with 1 unless every row came back.

#include <flowrun/flowrun.h>

#include <algorithm>
#include <cstdio>
#include <thread>

namespace {

using Row = std::tuple<int64_t, int64_t>;

constexpr int kWarmUp = 2'000;
constexpr int kRoundTrips = 20'000;
constexpr int64_t kBatchRows = 64 << 10;
constexpr int64_t kBatches = 4'000;
constexpr const char* kPipeline =
    "nodes:\n"
    "  in: { source: push, schema: \"x BIGINT, y BIGINT\" }\n"
    "  out: { from: in, sink: pull }\n";

double now() {
  using namespace std::chrono;
  return duration<double, std::micro>(steady_clock::now().time_since_epoch()).count();
}

// From the push of one row until it is in the host's hands again.
bool measure_latency(bool stepped) {
  flowrun::Settings settings;
  settings.stepped = stepped;
  settings.threads = 1;
  auto engine = flowrun::Engine::from_text(kPipeline, std::move(settings));
  if (!engine) return false;
  auto in = engine->push_rows<Row>("in");
  auto out = engine->pull_rows<Row>("out");
  if (!stepped && !engine->start()) return false;
  std::vector<double> times;
  for (int i = 0; i < kWarmUp + kRoundTrips; ++i) {
    const double began = now();
    if (!in->push({i, i})) return false;
    if (stepped && !engine->step()) return false;
    auto rows = out->pull();
    if (!rows || rows->size() != 1 || (*rows)[0] != Row{i, i}) return false;
    if (i >= kWarmUp) times.push_back(now() - began);
  }
  std::ranges::sort(times);
  std::printf("latency %s p50 %.1f p99 %.1f\n", stepped ? "stepped" : "threads",
              times[times.size() / 2], times[times.size() * 99 / 100]);
  return true;
}

// The same columns again and again: what is measured is flowrun, not a generator.
class Columns {
 public:
  Columns() : values_(kBatchRows) {
    for (size_t i = 0; i < values_.size(); ++i) values_[i] = static_cast<int64_t>(i);
  }
  // REQUIRES: the one before was taken.
  ArrowArray next() {
    auto* owned = new Owned;
    for (size_t i = 0; i < 2; ++i) {
      owned->buffers[i][1] = values_.data();
      owned->children[i] = {kBatchRows,        0,       0,       2,    0,
                            owned->buffers[i], nullptr, nullptr, keep, nullptr};
      owned->pointers[i] = &owned->children[i];
    }
    return {kBatchRows, 0, 0, 1, 2, owned->none, owned->pointers, nullptr, release, owned};
  }

 private:
  struct Owned {
    const void* none[1] = {nullptr};
    const void* buffers[2][2] = {};
    ArrowArray children[2] = {};
    ArrowArray* pointers[2] = {};
  };
  static void keep(ArrowArray* array) { array->release = nullptr; }
  static void release(ArrowArray* array) {
    delete static_cast<Owned*>(array->private_data);
    array->release = nullptr;
  }
  std::vector<int64_t> values_;
};

bool measure_throughput() {
  Columns columns;
  auto engine = flowrun::Engine::from_text(kPipeline);
  if (!engine) return false;
  auto in = engine->push("in");
  auto out = engine->pull("out");
  if (!engine->start()) return false;
  const double began = now();
  std::thread pushing([&] {
    for (int64_t i = 0; i < kBatches; ++i) {
      ArrowArray batch = columns.next();
      if (!in->push(nullptr, &batch, flowrun::kForever)) return;
    }
    in->finish();
  });
  int64_t rows = 0;
  int64_t sum = 0;
  while (true) {
    auto pulled = out->pull();
    if (!pulled) break;
    rows += pulled->batch.num_rows();
    const ArrowArray& column = *pulled->batch.array().children[1];
    const auto* values = static_cast<const int64_t*>(column.buffers[1]) + column.offset;
    for (int64_t i = 0; i < column.length; ++i) sum += values[i];
  }
  pushing.join();
  const double seconds = (now() - began) / 1e6;
  std::printf("throughput %.0f rows/s\n", static_cast<double>(rows) / seconds);
  return rows == kBatches * kBatchRows && sum == kBatches * (kBatchRows * (kBatchRows - 1) / 2);
}

}  // namespace

int main() {
  return measure_latency(false) && measure_latency(true) && measure_throughput() ? 0 : 1;
}
