// drop. Passes on all columns but the ones named.

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "runtime/base/suggest.h"
#include "runtime/operator/option_specs.h"
#include "runtime/operator/registry.h"

namespace flowrun {

namespace {

class Drop final : public Transform {
 public:
  explicit Drop(OptionValue names) : option_(std::move(names)) {}

  Result<PortSchemas> bind(std::span<const InputSchema> inputs) override;
  [[nodiscard]] ColumnSet read_columns(const ColumnSet& wanted, size_t num_inputs) const override {
    ColumnSet read(num_inputs, false);
    for (size_t i = 0; i < kept_.size(); ++i) read[kept_[i]] = wanted[i];
    return read;
  }
  Status apply(const RecordBatch& batch, const Epoch&, Scratch*, Emitter& out) const override {
    std::vector<ColumnPtr> columns;
    columns.reserve(kept_.size());
    for (const size_t i : kept_) columns.push_back(batch.column(i));
    return out.emit(0, RecordBatch(schema_, batch.num_rows(), std::move(columns), batch.origin()));
  }
  [[nodiscard]] bool keeps_rows() const override { return true; }
  [[nodiscard]] std::string describe() const override {
    std::string text = "drop";
    for (const OptionValue& name : option_.items) text += " " + name.text;
    return text;
  }
  [[nodiscard]] std::vector<std::string> warnings() const override { return warnings_; }

 private:
  OptionValue option_;
  SchemaPtr schema_;
  std::vector<size_t> kept_;
  std::vector<std::string> warnings_;
};

Result<PortSchemas> Drop::bind(std::span<const InputSchema> inputs) {
  const Schema& input = *inputs[0].schema;
  for (const OptionValue& name : option_.items) {
    if (!input.find_all(name.text).empty()) continue;
    warnings_.push_back(fmt::format("there is no column `{}` to drop{}", name.text,
                                    did_you_mean(name.text, input.names())));
  }
  std::vector<Field> fields;
  for (size_t i = 0; i < input.num_fields(); ++i) {
    const Field& field = input.field(i);
    if (std::ranges::any_of(option_.items, [&](const OptionValue& name) {
          return names_equal(name.text, field.name);
        })) {
      continue;
    }
    kept_.push_back(i);
    fields.push_back(field);
  }
  schema_ = Schema::make(std::move(fields));
  return PortSchemas{{"", schema_}};
}

OperatorSpec spec() {
  using namespace option;
  OperatorSpec spec;
  spec.name = "drop";
  spec.summary = "Passes on all columns but the ones named.";
  spec.doc = "A name that is not there is ignored, as in Spark, with a warning.";
  spec.primary = required(list_of(column("drop", "The columns to leave out.")));
  spec.examples = {
      {"Without the device's own time",
       "lines: { source: socket, port: 9999 }\n"
       "readings: { from: lines, parse: json, schema: { Arrival_Time: bigint, gt: string } }\n"
       "short: { from: readings, drop: [Arrival_Time] }\n"
       "screen: { from: short, sink: console }\n"}};
  return spec;
}

}  // namespace

void register_drop(Registry& registry) {
  registry.add_transform(
      spec(), [](const Options& options, const MakeContext&) -> Result<std::unique_ptr<Transform>> {
        return std::make_unique<Drop>(options.at("drop"));
      });
}

}  // namespace flowrun
