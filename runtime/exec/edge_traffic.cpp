#include "runtime/exec/edge_traffic.h"

#include <algorithm>
#include <chrono>

#include "runtime/columnar/builder.h"

namespace flowrun {

namespace {

constexpr int64_t kPartsOfSample = 4;  // a sample is spread over so many batches at least

// Copies of so many rows, spread over the batch, which keep nothing of it alive. Columns that are
// not there are left out.
RecordBatch copy_spread(const RecordBatch& batch, int64_t count) {
  std::vector<Field> fields;
  std::vector<ColumnPtr> columns;
  for (size_t i = 0; i < batch.num_columns(); ++i) {
    if (!batch.column(i)) continue;
    fields.push_back(batch.schema()->field(i));
    const std::unique_ptr<ColumnBuilder> builder = make_builder(fields.back().type);
    for (int64_t row = 0; row < count; ++row)
      builder->append_row(*batch.column(i), row * batch.num_rows() / count);
    columns.push_back(builder->finish());
  }
  return {Schema::make(std::move(fields)), count, std::move(columns)};
}

}  // namespace

Tap::~Tap() { traffic_.close(*this); }

bool Tap::wait(int64_t microseconds) {
  std::unique_lock lock(mutex_);
  return full_.wait_for(lock, std::chrono::microseconds(microseconds),
                        [this] { return num_rows_ >= limit_; });
}

RecordBatch Tap::rows() const {
  const std::lock_guard lock(mutex_);
  return taken_.empty() ? RecordBatch() : concatenate(taken_);
}

void Tap::take(const RecordBatch& batch) {
  const std::lock_guard lock(mutex_);
  const int64_t share = std::max<int64_t>(1, (limit_ + kPartsOfSample - 1) / kPartsOfSample);
  const int64_t count = std::min({share, limit_ - num_rows_, batch.num_rows()});
  if (count <= 0) return;
  RecordBatch copy = copy_spread(batch, count);
  // Edges into a join carry rows of two shapes: the first that came is the one shown.
  if (!taken_.empty() && !(*taken_.front().schema() == *copy.schema())) return;
  taken_.push_back(std::move(copy));
  num_rows_ += count;
  if (num_rows_ >= limit_) full_.notify_all();
}

std::shared_ptr<Tap> EdgeTraffic::open(std::vector<size_t> edges, int64_t limit) {
  auto tap = std::make_shared<Tap>(*this, std::move(edges), limit);
  const std::lock_guard lock(mutex_);
  taps_.push_back(tap);
  for (const size_t edge : tap->edges_) edges_[edge].taps.fetch_add(1, std::memory_order_relaxed);
  return tap;
}

void EdgeTraffic::give(size_t edge, const RecordBatch& batch) {
  // Let go of outside of the lock: the last to hold a tap closes it.
  std::vector<std::shared_ptr<Tap>> taps;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& weak : taps_) taps.push_back(weak.lock());
  }
  for (const auto& tap : taps) {
    if (tap && std::ranges::count(tap->edges_, edge) > 0) tap->take(batch);
  }
}

void EdgeTraffic::close(const Tap& tap) {
  const std::lock_guard lock(mutex_);
  for (const size_t edge : tap.edges_) edges_[edge].taps.fetch_sub(1, std::memory_order_relaxed);
  std::erase_if(taps_, [](const auto& weak) { return weak.expired(); });
}

}  // namespace flowrun
