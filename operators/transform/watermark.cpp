// watermark. Says which column is the event time, and how late a row may come.

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <utility>
#include <vector>

#include "runtime/operator/option_specs.h"
#include "runtime/operator/registry.h"

namespace flowrun {

namespace {

class Watermark final : public Transform {
 public:
  Watermark(OptionValue column, int64_t delay, std::optional<int64_t> max_future)
      : option_(std::move(column)), delay_(delay), max_future_(max_future) {}

  Result<PortSchemas> bind(std::span<const InputSchema> inputs) override;
  [[nodiscard]] ColumnSet read_columns(const ColumnSet& wanted, size_t) const override {
    ColumnSet read = wanted;
    read[column_] = true;
    return read;
  }
  Status apply(const RecordBatch& batch, const Epoch& epoch, Scratch* scratch,
               Emitter& out) const override;
  [[nodiscard]] std::string describe() const override {
    return fmt::format("watermark {}, {} s behind", option_.text,
                       static_cast<double>(delay_) / 1e6);
  }
  [[nodiscard]] std::optional<WatermarkNode> watermark() const override {
    return WatermarkNode{delay_, column_};
  }

 private:
  OptionValue option_;
  int64_t delay_;
  std::optional<int64_t> max_future_;
  size_t column_ = 0;
  SchemaPtr schema_;
};

Result<PortSchemas> Watermark::bind(std::span<const InputSchema> inputs) {
  const Schema& input = *inputs[0].schema;
  auto found = input.find(option_.text);
  if (!found) return option_.place(std::move(found.error()));
  column_ = *found;
  if (const Type& type = input.field(column_).type; type.id() != TypeId::timestamp) {
    return option_.place(
        Error::invalid(fmt::format("a watermark needs a timestamp, and `{}` is {} — make one "
                                   "before: with_columns: {{ event_time: \"cast({} as "
                                   "timestamp)\" }}",
                                   option_.text, type.simple_string(), option_.text)));
  }
  std::vector<Field> fields(input.fields().begin(), input.fields().end());
  // As in Spark, a later watermark takes the place of an earlier one.
  for (Field& field : fields) field.watermark_delay.reset();
  fields[column_].watermark_delay = delay_;
  schema_ = Schema::make(std::move(fields));
  return PortSchemas{{"", schema_}};
}

Status Watermark::apply(const RecordBatch& batch, const Epoch& epoch, Scratch*,
                        Emitter& out) const {
  constexpr int64_t kNothing = std::numeric_limits<int64_t>::min();
  const Column& times = *batch.column(column_);
  const std::span<const int64_t> values = times.values<int64_t>();
  const int64_t latest =
      max_future_ ? epoch.context.now + *max_future_ : std::numeric_limits<int64_t>::max();
  int64_t greatest = kNothing;
  int64_t far = 0;
  const bool nulls = times.null_count() > 0;
  for (size_t i = 0; i < values.size(); ++i) {
    if (nulls && times.is_null(static_cast<int64_t>(i))) continue;
    if (values[i] > latest) {
      ++far;
    } else {
      greatest = std::max(greatest, values[i]);
    }
  }
  if (greatest != kNothing) out.observe(greatest);
  if (far > 0) out.count(Metric::far_future, far);
  return out.emit(0, batch.with_schema(schema_));
}

OperatorSpec spec() {
  using namespace option;
  OperatorSpec spec;
  spec.name = "watermark";
  spec.summary = "Says which column is the event time, and how late a row may come.";
  spec.doc =
      "The watermark is the greatest time seen in the epochs before, less the delay. What is "
      "behind it is late: "
      "windows and keys that it has passed are closed, emitted in append mode, and forgotten. Rows "
      "that reach no "
      "stateful operator are untouched. A null time is never late.";
  spec.primary = required(column("watermark", "A timestamp column."));
  spec.options = {
      required(duration("delay", "How far the watermark stays behind the greatest time seen.")),
      duration("max_future",
               "A row further ahead of the clock than this does not move the watermark; it is "
               "still processed, and "
               "counted."),
  };
  spec.examples = {
      {"Rows may come ten seconds late",
       "lines: { source: socket, port: 9999 }\n"
       "readings: { from: lines, parse: json, schema: { at: timestamp, gt: string } }\n"
       "timed: { from: readings, watermark: at, delay: 10 seconds }\n"
       "counts: { from: timed, window: 1 minute, on: at, agg: count }\n"
       "screen: { from: counts, sink: console }\n"}};
  return spec;
}

Result<std::unique_ptr<Transform>> make(const Options& options, const MakeContext&) {
  std::optional<int64_t> max_future;
  if (const OptionValue* option = options.find("max_future")) max_future = option->integer;
  return std::make_unique<Watermark>(options.at("watermark"), options.integer("delay"), max_future);
}

}  // namespace

void register_watermark(Registry& registry) { registry.add_transform(spec(), make); }

}  // namespace flowrun
