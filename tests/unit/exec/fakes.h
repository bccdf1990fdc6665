#pragma once
// Operators whose behaviour a test decides: a source fed by hand, a sink that remembers, a sum as
// state.

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>

#include "runtime/columnar/builder.h"
#include "runtime/operator/registry.h"

namespace flowrun::testing {

inline SchemaPtr number_schema() { return Schema::make({{"n", Type::bigint()}}); }

inline RecordBatch numbers(std::vector<int64_t> values) {
  FixedBuilder<int64_t> builder(Type::bigint());
  for (const int64_t value : values) builder.append(value);
  return {number_schema(), static_cast<int64_t>(values.size()), {builder.finish()}};
}

// What a test and a fake source share: the chunks to give, in order.
struct Script {
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<Chunk> chunks;
  std::atomic<int> opened{0};
  int refusals = 0;  // so many opens find the peer absent
  bool marks = false;
  bool cancelled = false;

  void give(std::vector<int64_t> values, Chunk::Mark mark = Chunk::Mark::more) {
    {
      const std::lock_guard lock(mutex);
      const auto bytes = static_cast<int64_t>(values.size() * 8);
      chunks.push_back({numbers(std::move(values)), {}, mark, bytes});
    }
    changed.notify_all();
  }
};

class FakeSource final : public Source {
 public:
  explicit FakeSource(std::shared_ptr<Script> script) : script_(std::move(script)) {}
  Result<SchemaPtr> bind() override { return number_schema(); }
  Status open(std::optional<Offset>) override {
    if (++script_->opened <= script_->refusals) return Error::unavailable("nobody there");
    return ok_status();
  }
  Result<Chunk> read(Deadline) override {
    std::unique_lock lock(script_->mutex);
    script_->changed.wait(lock, [&] { return script_->cancelled || !script_->chunks.empty(); });
    if (script_->chunks.empty()) return Error::cancelled();
    Chunk chunk = std::move(script_->chunks.front());
    script_->chunks.pop_front();
    return chunk;
  }
  void cancel() override {
    {
      const std::lock_guard lock(script_->mutex);
      script_->cancelled = true;
    }
    script_->changed.notify_all();
  }
  [[nodiscard]] bool marks_epochs() const override { return script_->marks; }
  [[nodiscard]] std::string describe() const override { return "fake"; }

 private:
  std::shared_ptr<Script> script_;
};

// Rows by epoch, as committed.
struct Received {
  std::mutex mutex;
  std::condition_variable changed;
  std::map<EpochId, std::vector<int64_t>> epochs;  // only committed ones
  std::vector<int64_t> rows;                       // in the order written
  int refusals = 0;                                // how often open says that the peer is absent
  int opened = 0;
  bool fail_on_write = false;
  bool blocks = false;     // write returns only when cancelled
  bool own_thread = true;  // what blocks says so, and is given a thread
  bool deaf = false;       // cancel does not make it return, release does
  bool released = false;
  bool breaks = false;  // what was cancelled fails as if by itself
  bool blocked = false;
  bool cancelled = false;
  int64_t pace = 0;
  bool counts_memory = false;  // 8 bytes for each row of the open epoch
  std::function<void()> before_prepare;

  [[nodiscard]] std::vector<int64_t> all() {
    const std::lock_guard lock(mutex);
    return rows;
  }
  void await_blocked() {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return blocked; });
  }
  void release() {
    {
      const std::lock_guard lock(mutex);
      released = true;
    }
    changed.notify_all();
  }
  void await_opened(int times) {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return opened >= times; });
  }
  void await_rows(size_t count) {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return rows.size() >= count; });
  }
};

class FakeSink final : public Sink {
 public:
  explicit FakeSink(std::shared_ptr<Received> received) : received_(std::move(received)) {}
  Status bind(const SinkInput&) override { return ok_status(); }
  [[nodiscard]] bool accepts(OutputMode, bool) const override { return true; }
  Status open(std::optional<Token>) override {
    const std::lock_guard lock(received_->mutex);
    received_->changed.notify_all();
    if (++received_->opened <= received_->refusals) return Error::unavailable("nobody there");
    return ok_status();
  }
  Status write(EpochId, const RecordBatch& batch) override {
    if (received_->fail_on_write) return Error::io("the disk is full");
    if (received_->blocks) {
      std::unique_lock lock(received_->mutex);
      received_->blocked = true;
      received_->changed.notify_all();
      received_->changed.wait(
          lock, [&] { return received_->deaf ? received_->released : received_->cancelled; });
      return received_->breaks ? Error::io("the connection is gone") : Error::cancelled();
    }
    for (const int64_t value : batch.column(0)->values<int64_t>()) pending_.push_back(value);
    {
      const std::lock_guard lock(received_->mutex);
      for (const int64_t value : batch.column(0)->values<int64_t>())
        received_->rows.push_back(value);
    }
    received_->changed.notify_all();
    return ok_status();
  }
  Result<Token> prepare(EpochId) override {
    if (received_->before_prepare) received_->before_prepare();
    return Token{};
  }
  Status commit(EpochId epoch, const Token&) override {
    const std::lock_guard lock(received_->mutex);
    received_->epochs[epoch] = std::move(pending_);
    pending_.clear();
    return ok_status();
  }
  Status abort(EpochId) override { return ok_status(); }
  void cancel() override {
    {
      const std::lock_guard lock(received_->mutex);
      received_->cancelled = true;
    }
    received_->changed.notify_all();
  }
  [[nodiscard]] bool blocking() const override {
    return received_->blocks && received_->own_thread;
  }
  [[nodiscard]] int64_t default_pace(OutputMode) const override { return received_->pace; }
  [[nodiscard]] int64_t memory_bytes() const override {
    return received_->counts_memory ? static_cast<int64_t>(pending_.size() * 8) : 0;
  }
  [[nodiscard]] std::string describe() const override { return "fake"; }

 private:
  std::shared_ptr<Received> received_;
  std::vector<int64_t> pending_;
};

// The sum of all numbers; one partition. Emits one row per ask.
class FakeSum final : public Stateful {
 public:
  struct SumLocal final : Local {
    int64_t sum = 0;
    [[nodiscard]] int64_t memory_bytes() const override { return 8; }
  };
  Result<PortSchemas> bind(std::span<const InputSchema>) override {
    return PortSchemas{{"", number_schema()}};
  }
  Status plan(const StatefulPlan&, size_t) override { return ok_status(); }
  [[nodiscard]] size_t num_partitions() const override { return 1; }
  [[nodiscard]] std::unique_ptr<Local> make_local() const override {
    return std::make_unique<SumLocal>();
  }
  Status absorb(Local& local, const Input& input, const Epoch&, Emitter&) const override {
    for (const int64_t value : input.batch.column(0)->values<int64_t>())
      static_cast<SumLocal&>(local).sum += value;
    return ok_status();
  }
  Status merge(size_t, std::span<Local* const> locals, const Epoch&) override {
    for (Local* local : locals) sum_ += static_cast<SumLocal*>(local)->sum;
    return ok_status();
  }
  Status evict(size_t, const Epoch&) override { return ok_status(); }
  Status emit(size_t, const Ask&, const Epoch&, Emitter& out) override {
    return out.emit(0, numbers({sum_}));
  }
  void clear(Local& local) const override { static_cast<SumLocal&>(local).sum = 0; }
  Status snapshot(SnapshotWriter&) override { return ok_status(); }
  Status restore(SnapshotReader&) override { return ok_status(); }
  [[nodiscard]] int64_t state_rows() const override { return 1; }
  [[nodiscard]] int64_t state_bytes() const override { return 8; }
  [[nodiscard]] std::string describe() const override { return "sum"; }
  [[nodiscard]] Bound state_bound() const override { return {"one row", true}; }
  [[nodiscard]] bool is_aggregation() const override { return true; }

 private:
  int64_t sum_ = 0;
};

// Keeps the numbers that are not zero; fails on a negative one, and says that it met one.
class FakeFilter final : public Transform {
 public:
  explicit FakeFilter(std::shared_ptr<std::atomic<bool>> met_negative)
      : met_negative_(std::move(met_negative)) {}
  Result<PortSchemas> bind(std::span<const InputSchema> inputs) override {
    return PortSchemas{{"", inputs[0].schema}};
  }
  Status apply(const RecordBatch& batch, const Epoch&, Scratch*, Emitter& out) const override {
    std::vector<int32_t> kept;
    const auto values = batch.column(0)->values<int64_t>();
    for (size_t i = 0; i < values.size(); ++i) {
      if (values[i] < 0) {
        met_negative_->store(true);
        met_negative_->notify_all();
        return Error::data("a negative number");
      }
      if (values[i] != 0) kept.push_back(static_cast<int32_t>(i));
    }
    return out.emit(0, batch.take(kept));
  }
  [[nodiscard]] std::string describe() const override { return "nonzero"; }

 private:
  std::shared_ptr<std::atomic<bool>> met_negative_;
};

}  // namespace flowrun::testing
