// filter. Keeps the rows for which a condition is true.

#include <fmt/format.h>

#include <memory>
#include <utility>
#include <vector>

#include "runtime/operator/option_specs.h"
#include "runtime/operator/registry.h"
#include "runtime/operator/row_selection.h"

namespace flowrun {

namespace {

class Filter final : public Transform {
 public:
  Filter(OptionValue condition, const ExpressionEnvironment& environment)
      : option_(std::move(condition)), environment_(environment) {}

  Result<PortSchemas> bind(std::span<const InputSchema> inputs) override;
  [[nodiscard]] ColumnSet read_columns(const ColumnSet& wanted, size_t) const override {
    ColumnSet read = wanted;
    add_columns(condition_->columns(), read);
    return read;
  }
  void narrow(const ColumnSet& wanted) override { wanted_ = wanted; }
  [[nodiscard]] std::unique_ptr<Scratch> make_scratch() const override {
    return std::make_unique<SelectionScratch>();
  }
  Status apply(const RecordBatch& batch, const Epoch& epoch, Scratch* scratch,
               Emitter& out) const override {
    auto& selection = static_cast<SelectionScratch&>(*scratch);
    FLOWRUN_TRY(const ColumnPtr verdict, condition_->evaluate(batch, epoch.context));
    true_rows(*verdict, selection.kept);
    return emit_kept(batch, wanted_, selection, out);
  }
  [[nodiscard]] std::string describe() const override { return "filter " + option_.text; }
  [[nodiscard]] std::vector<ExpressionPtr> conjuncts() const override { return conjuncts_; }

 private:
  OptionValue option_;
  const ExpressionEnvironment& environment_;
  ExpressionPtr condition_;
  std::vector<ExpressionPtr> conjuncts_;
  ColumnSet wanted_;
};

Result<PortSchemas> Filter::bind(std::span<const InputSchema> inputs) {
  const SchemaPtr& schema = inputs[0].schema;
  const Binder binder({schema}, environment_);
  auto condition = binder.bind(option_.text);
  if (!condition) return option_.place(std::move(condition.error()));
  condition_ = std::move(*condition);
  if (condition_->type().id() != TypeId::boolean) {
    return option_.place(Error::invalid(fmt::format(
        "the condition `{}` is of type {}, not boolean — write a comparison, such as `x > 3`",
        condition_->name(), condition_->type().simple_string())));
  }
  auto conjuncts = binder.bind_conjuncts(option_.text);
  if (!conjuncts) return option_.place(std::move(conjuncts.error()));
  conjuncts_ = std::move(*conjuncts);
  return PortSchemas{{"", schema}};
}

OperatorSpec spec() {
  using namespace option;
  OperatorSpec spec;
  spec.name = "filter";
  spec.summary = "Keeps the rows for which a condition is true.";
  spec.doc = "A row for which the condition is false or null is dropped, as in Spark's `where`.";
  spec.primary = required(expression("filter", "A boolean Spark SQL expression over the columns."));
  spec.examples = {{"Stairs only",
                    "lines: { source: socket, port: 9999 }\n"
                    "readings: { from: lines, parse: json, schema: { gt: string, x: double } }\n"
                    "stairs: { from: readings, filter: \"gt like 'stairs%' and x > 0\" }\n"
                    "screen: { from: stairs, sink: console }\n"}};
  return spec;
}

}  // namespace

void register_filter(Registry& registry) {
  registry.add_transform(
      spec(),
      [](const Options& options, const MakeContext& context) -> Result<std::unique_ptr<Transform>> {
        return std::make_unique<Filter>(options.at("filter"), *context.expressions);
      });
}

}  // namespace flowrun
