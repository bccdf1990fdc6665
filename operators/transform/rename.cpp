// rename. The same columns under other names.

#include <fmt/format.h>

#include <memory>
#include <utility>
#include <vector>

#include "runtime/base/suggest.h"
#include "runtime/operator/option_specs.h"
#include "runtime/operator/registry.h"

namespace flowrun {

namespace {

class Rename final : public Transform {
 public:
  explicit Rename(OptionValue names) : option_(std::move(names)) {}

  Result<PortSchemas> bind(std::span<const InputSchema> inputs) override;
  [[nodiscard]] ColumnSet read_columns(const ColumnSet& wanted, size_t) const override {
    return wanted;
  }
  Status apply(const RecordBatch& batch, const Epoch&, Scratch*, Emitter& out) const override {
    return out.emit(0, batch.with_schema(schema_));
  }
  [[nodiscard]] bool keeps_rows() const override { return true; }
  [[nodiscard]] std::string describe() const override;
  [[nodiscard]] std::vector<std::string> warnings() const override { return warnings_; }

 private:
  OptionValue option_;
  SchemaPtr schema_;
  std::vector<std::string> warnings_;
};

// One name after the other, in the order written, as Spark does: { a: b, b: c } makes c of a.
Result<PortSchemas> Rename::bind(std::span<const InputSchema> inputs) {
  const Schema& input = *inputs[0].schema;
  std::vector<Field> fields(input.fields().begin(), input.fields().end());
  for (size_t i = 0; i < option_.keys.size(); ++i) {
    const std::string& name = option_.keys[i].first;
    bool found = false;
    for (Field& field : fields) {
      if (!names_equal(field.name, name)) continue;
      field.name = option_.items[i].text;
      field.qualifier.clear();
      found = true;
    }
    if (!found) {
      warnings_.push_back(fmt::format("there is no column `{}` to rename{}", name,
                                      did_you_mean(name, input.names())));
    }
  }
  schema_ = Schema::make(std::move(fields));
  return PortSchemas{{"", schema_}};
}

std::string Rename::describe() const {
  std::string text = "rename";
  for (size_t i = 0; i < option_.keys.size(); ++i) {
    text +=
        fmt::format("{} {} to {}", i == 0 ? "" : ",", option_.keys[i].first, option_.items[i].text);
  }
  return text;
}

OperatorSpec spec() {
  using namespace option;
  OperatorSpec spec;
  spec.name = "rename";
  spec.summary = "Gives columns other names.";
  spec.doc =
      "Names are replaced one after the other, in the order written. A name that is not there is "
      "ignored, as in "
      "Spark, with a warning.";
  spec.primary = required(map_of(text("rename", "Old and new name of each column.")));
  spec.examples = {{"gt is the activity",
                    "lines: { source: socket, port: 9999 }\n"
                    "readings: { from: lines, parse: json, schema: { gt: string } }\n"
                    "named: { from: readings, rename: { gt: activity } }\n"
                    "screen: { from: named, sink: console }\n"}};
  return spec;
}

}  // namespace

void register_rename(Registry& registry) {
  registry.add_transform(
      spec(), [](const Options& options, const MakeContext&) -> Result<std::unique_ptr<Transform>> {
        return std::make_unique<Rename>(options.at("rename"));
      });
}

}  // namespace flowrun
