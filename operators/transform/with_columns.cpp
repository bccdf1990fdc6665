// with_columns. Columns added or replaced, all computed from the columns before.

#include <fmt/format.h>

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "runtime/operator/option_specs.h"
#include "runtime/operator/registry.h"
#include "runtime/operator/row_selection.h"

namespace flowrun {

namespace {

class WithColumns final : public Transform {
 public:
  WithColumns(OptionValue columns, const ExpressionEnvironment& environment)
      : option_(std::move(columns)), environment_(environment) {}

  Result<PortSchemas> bind(std::span<const InputSchema> inputs) override;
  [[nodiscard]] ColumnSet read_columns(const ColumnSet& wanted, size_t num_inputs) const override;
  void narrow(const ColumnSet& wanted) override { wanted_ = wanted; }
  Status apply(const RecordBatch& batch, const Epoch& epoch, Scratch* scratch,
               Emitter& out) const override;
  [[nodiscard]] bool keeps_rows() const override { return true; }
  [[nodiscard]] std::string describe() const override;

 private:
  Status check_names() const;

  OptionValue option_;
  const ExpressionEnvironment& environment_;
  SchemaPtr schema_;
  std::vector<ExpressionPtr> outputs_;  // null: the input's column of that place, as it is
  ColumnSet wanted_;
};

Status WithColumns::check_names() const {
  for (size_t i = 0; i < option_.keys.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      if (!names_equal(option_.keys[i].first, option_.keys[j].first)) continue;
      return Error::invalid(
                 fmt::format(
                     "the column `{}` is written twice — letter case does not tell columns apart",
                     option_.keys[i].first))
          .at(option_.keys[i].second);
    }
  }
  return {};
}

Result<PortSchemas> WithColumns::bind(std::span<const InputSchema> inputs) {
  FLOWRUN_RETURN_IF_ERROR(check_names());
  const SchemaPtr& input = inputs[0].schema;
  const Binder binder({input}, environment_);
  std::vector<Field> fields(input->fields().begin(), input->fields().end());
  outputs_.resize(fields.size());
  for (size_t i = 0; i < option_.items.size(); ++i) {
    auto bound = binder.bind(option_.items[i].text);
    if (!bound) return option_.items[i].place(std::move(bound.error()));
    const ExpressionPtr& expression = *bound;
    Field field{option_.keys[i].first, expression->type(), expression->nullable()};
    if (const auto time = expression->time_column())
      field.watermark_delay = input->field(*time).watermark_delay;
    const std::vector<size_t> replaced = input->find_all(field.name);
    for (const size_t at : replaced) {
      fields[at] = field;
      outputs_[at] = expression;
    }
    if (replaced.empty()) {
      fields.push_back(std::move(field));
      outputs_.push_back(expression);
    }
  }
  schema_ = Schema::make(std::move(fields));
  return PortSchemas{{"", schema_}};
}

ColumnSet WithColumns::read_columns(const ColumnSet& wanted, size_t num_inputs) const {
  ColumnSet read(num_inputs, false);
  for (size_t i = 0; i < outputs_.size(); ++i) {
    if (!wanted[i]) continue;
    if (outputs_[i]) {
      add_columns(outputs_[i]->columns(), read);
    } else {
      read[i] = true;
    }
  }
  return read;
}

Status WithColumns::apply(const RecordBatch& batch, const Epoch& epoch, Scratch*,
                          Emitter& out) const {
  std::vector<ColumnPtr> columns(outputs_.size());
  for (size_t i = 0; i < outputs_.size(); ++i) {
    if (!wanted_.empty() && !wanted_[i]) continue;
    if (!outputs_[i]) {
      columns[i] = batch.column(i);
      continue;
    }
    FLOWRUN_TRY(columns[i], outputs_[i]->evaluate(batch, epoch.context));
  }
  return out.emit(0, RecordBatch(schema_, batch.num_rows(), std::move(columns), batch.origin()));
}

std::string WithColumns::describe() const {
  std::string text = "with_columns";
  for (const auto& [name, position] : option_.keys)
    text += (text == "with_columns" ? " " : ", ") + name;
  return text;
}

OperatorSpec spec() {
  using namespace option;
  OperatorSpec spec;
  spec.name = "with_columns";
  spec.summary = "Adds columns, or replaces columns in their place.";
  spec.doc =
      "Every expression sees the columns as they were before, never each other's results. A name "
      "that exists, in "
      "whatever letter case, is replaced where it stands and takes the new spelling; others are "
      "added at the end.";
  spec.primary =
      required(map_of(expression("with_columns", "Name and expression of each column.")));
  spec.examples = {
      {"An event time from nanoseconds",
       "lines: { source: socket, port: 9999 }\n"
       "readings: { from: lines, parse: json, schema: { Creation_Time: bigint, gt: string } }\n"
       "timed:\n"
       "  from: readings\n"
       "  with_columns: { event_time: \"cast(cast(Creation_Time as double) / 1000000000 as "
       "timestamp)\" }\n"
       "screen: { from: timed, sink: console }\n"}};
  return spec;
}

}  // namespace

void register_with_columns(Registry& registry) {
  registry.add_transform(
      spec(),
      [](const Options& options, const MakeContext& context) -> Result<std::unique_ptr<Transform>> {
        return std::make_unique<WithColumns>(options.at("with_columns"), *context.expressions);
      });
}

}  // namespace flowrun
