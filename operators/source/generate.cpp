// source: generate. Rows made here, at a steady rate or as fast as they are taken.

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "runtime/base/clock.h"
#include "runtime/columnar/builder.h"
#include "runtime/operator/option_specs.h"
#include "runtime/operator/registry.h"
#include "runtime/operator/row_selection.h"

namespace flowrun {

namespace {

constexpr int64_t kChunkRows = 16384;
constexpr double kMicroseconds = 1e6;

SchemaPtr counted_schema() {
  return Schema::make({{"timestamp", Type::timestamp(), false}, {"value", Type::bigint(), false}});
}

// Counts up. The row of value n is due at start + n / rate, which is also its timestamp: a restart
// at an offset gives the same rows again.
class GenerateSource final : public Source {
 public:
  GenerateSource(double rate, std::optional<int64_t> count, const Clock& clock)
      : rate_(rate), count_(count), clock_(clock), schema_(counted_schema()) {}

  Result<SchemaPtr> bind() override { return schema_; }
  Status open(std::optional<Offset> offset) override;
  Result<Chunk> read(Deadline deadline) override;
  void cancel() override {
    const std::lock_guard lock(mutex_);
    cancelled_ = true;
    changed_.notify_all();
  }
  void stop_at_end() override { stops_at_end_ = true; }
  [[nodiscard]] std::string describe() const override {
    return rate_ > 0 ? fmt::format("generate {} rows a second", rate_) : "generate";
  }
  [[nodiscard]] bool finite() const override { return count_.has_value(); }
  [[nodiscard]] std::string guarantee() const override { return "replayable"; }

 private:
  [[nodiscard]] int64_t rows_due() const;
  [[nodiscard]] int64_t time_of(int64_t value) const {
    return rate_ > 0 ? start_ + std::llround(static_cast<double>(value) / rate_ * kMicroseconds)
                     : clock_.now();
  }
  [[nodiscard]] Chunk make_chunk(int64_t rows, Chunk::Mark mark);
  // False when it was cancelled.
  bool sleep_until(Deadline deadline);

  double rate_;  // rows a second; 0: no limit
  std::optional<int64_t> count_;
  const Clock& clock_;
  SchemaPtr schema_;
  bool stops_at_end_ = false;
  int64_t start_ = 0;  // microseconds since 1970
  int64_t next_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool cancelled_ = false;
};

// The offset is "START NEXT": when row 0 was due, and the next value.
Status GenerateSource::open(std::optional<Offset> offset) {
  start_ = clock_.now();
  if (!offset) return {};
  const char* at = offset->text.data();
  const char* const end = at + offset->text.size();
  const auto [space, error] = std::from_chars(at, end, start_);
  if (error != std::errc() || space == end ||
      std::from_chars(space + 1, end, next_).ec != std::errc()) {
    return Error::io(fmt::format("`{}` is no offset of this source", offset->text));
  }
  return {};
}

int64_t GenerateSource::rows_due() const {
  int64_t due = kChunkRows;
  const bool paced = rate_ > 0 && !(stops_at_end_ && count_);
  if (paced) {
    const double elapsed = static_cast<double>(clock_.now() - start_) / kMicroseconds;
    due = std::min(due, static_cast<int64_t>(std::floor(elapsed * rate_)) + 1 - next_);
  }
  if (count_) due = std::min(due, *count_ - next_);
  return std::max<int64_t>(due, 0);
}

Result<Chunk> GenerateSource::read(Deadline deadline) {
  while (true) {
    if (count_ && next_ >= *count_) return make_chunk(0, Chunk::Mark::stream_ends);
    if (const int64_t rows = rows_due(); rows > 0) {
      const bool last = count_ && next_ + rows >= *count_;
      return make_chunk(rows, last ? Chunk::Mark::stream_ends : Chunk::Mark::more);
    }
    if (stops_at_end_) return make_chunk(0, Chunk::Mark::stream_ends);
    const int64_t now = clock_.monotonic();
    if (now >= deadline.monotonic) return make_chunk(0, Chunk::Mark::idle);
    const int64_t due_at = now + std::max<int64_t>(1, time_of(next_) - clock_.now());
    if (!sleep_until({std::min(deadline.monotonic, due_at)})) return Error::cancelled();
  }
}

bool GenerateSource::sleep_until(Deadline deadline) {
  std::unique_lock lock(mutex_);
  const auto left = std::chrono::microseconds(deadline.monotonic - clock_.monotonic());
  changed_.wait_for(lock, left, [this] { return cancelled_; });
  return !cancelled_;
}

Chunk GenerateSource::make_chunk(int64_t rows, Chunk::Mark mark) {
  Chunk chunk;
  if (rows > 0) {
    FixedWriter<int64_t> timestamps(Type::timestamp(), rows);
    FixedWriter<int64_t> values(Type::bigint(), rows);
    for (int64_t i = 0; i < rows; ++i) {
      timestamps.set(i, time_of(next_ + i));
      values.set(i, next_ + i);
    }
    next_ += rows;
    chunk.rows = RecordBatch(schema_, rows, {timestamps.finish(), values.finish()});
  }
  chunk.offset = {fmt::format("{} {}", start_, next_)};
  chunk.mark = mark;
  return chunk;
}

// The columns asked for, computed by the workers.
class Compute final : public Transform {
 public:
  Compute(OptionValue columns, const ExpressionEnvironment& environment)
      : option_(std::move(columns)), environment_(environment) {}

  Result<PortSchemas> bind(std::span<const InputSchema> inputs) override;
  [[nodiscard]] ColumnSet read_columns(const ColumnSet& wanted, size_t num_inputs) const override {
    ColumnSet read(num_inputs, false);
    for (size_t i = 0; i < columns_.size(); ++i) {
      if (wanted[i]) add_columns(columns_[i]->columns(), read);
    }
    return read;
  }
  void narrow(const ColumnSet& wanted) override { wanted_ = wanted; }
  Status apply(const RecordBatch& batch, const Epoch& epoch, Scratch*,
               Emitter& out) const override {
    std::vector<ColumnPtr> columns(columns_.size());
    for (size_t i = 0; i < columns_.size(); ++i) {
      if (!wanted_.empty() && !wanted_[i]) continue;
      FLOWRUN_TRY(columns[i], columns_[i]->evaluate(batch, epoch.context));
    }
    return out.emit(0, RecordBatch(schema_, batch.num_rows(), std::move(columns)));
  }
  [[nodiscard]] std::string describe() const override { return "columns"; }

 private:
  OptionValue option_;
  const ExpressionEnvironment& environment_;
  SchemaPtr schema_;
  std::vector<ExpressionPtr> columns_;
  ColumnSet wanted_;
};

Result<PortSchemas> Compute::bind(std::span<const InputSchema> inputs) {
  const Binder binder({inputs[0].schema}, environment_);
  std::vector<Field> fields;
  for (size_t i = 0; i < option_.items.size(); ++i) {
    auto bound = binder.bind(option_.items[i].text);
    if (!bound) return option_.items[i].place(std::move(bound.error()));
    fields.push_back({option_.keys[i].first, (*bound)->type(), (*bound)->nullable()});
    columns_.push_back(std::move(*bound));
  }
  schema_ = Schema::make(std::move(fields));
  return PortSchemas{{"", schema_}};
}

OperatorSpec spec() {
  using namespace option;
  OperatorSpec spec;
  spec.name = "generate";
  spec.summary = "Makes rows at a steady rate, as Spark's rate source does.";
  spec.doc =
      "Counts up from 0: columns `timestamp`, when the row was due, and `value: bigint`; or with "
      "`columns` the "
      "ones given there, computed from these two.\n\n"
      "Guarantee: replayable. A run that goes on from a checkpoint gives the rows that were due "
      "meanwhile, with "
      "the timestamps they would have had. With trigger `once` or `available_now` and a `count` "
      "all rows come at "
      "once.";
  spec.options = {
      number("rows_per_second", "How many rows are due each second; 0: as many as are taken.")
          .with_default("1"),
      integer("count", "Ends after so many rows.").at_least(0),
      map_of(expression("columns",
                        "Name and expression of each column, over `value` and `timestamp`.")),
  };
  spec.examples = {
      {"A thousand readings a second",
       "readings:\n"
       "  source: generate\n"
       "  rows_per_second: 1000\n"
       "  columns: { device: \"concat('device-', value % 10)\", x: \"sin(value / 100)\" }\n"
       "screen: { from: readings, sink: console }\n"}};
  return spec;
}

Result<MadeSource> make(const Options& options, const MakeContext& context) {
  std::optional<int64_t> count;
  if (const OptionValue* option = options.find("count")) count = option->integer;
  double rate = 1;
  if (const OptionValue* option = options.find("rows_per_second")) {
    rate = option->number;
    if (!(rate >= 0) || std::isinf(rate)) {
      return Error::invalid("a rate is not negative — write 1000, or 0 for no limit")
          .at(option->position);
    }
  }
  MadeSource made;
  made.source = std::make_unique<GenerateSource>(rate, count,
                                                 context.clock ? *context.clock : system_clock());
  if (const OptionValue* columns = options.find("columns")) {
    made.decode = std::make_unique<Compute>(*columns, *context.expressions);
  }
  return made;
}

}  // namespace

void register_generate_source(Registry& registry) { registry.add_source(spec(), make); }

}  // namespace flowrun
