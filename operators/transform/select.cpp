// select. Columns computed from the columns before, generators among them.

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "runtime/operator/option_specs.h"
#include "runtime/operator/registry.h"
#include "runtime/operator/row_expansion.h"
#include "runtime/operator/row_selection.h"

namespace flowrun {

namespace {

// One output column: of an expression, or column `part` of a generator.
struct Place {
  ExpressionPtr expression;
  size_t generator = 0;
  size_t part = 0;
};

class Select final : public Transform {
 public:
  Select(OptionValue items, const ExpressionEnvironment& environment)
      : option_(std::move(items)), environment_(environment) {}

  Result<PortSchemas> bind(std::span<const InputSchema> inputs) override;
  [[nodiscard]] ColumnSet read_columns(const ColumnSet& wanted, size_t num_inputs) const override;
  void narrow(const ColumnSet& wanted) override { wanted_ = wanted; }
  Status apply(const RecordBatch& batch, const Epoch& epoch, Scratch* scratch,
               Emitter& out) const override;
  [[nodiscard]] bool keeps_rows() const override { return generators_.empty(); }
  [[nodiscard]] std::string describe() const override;

 private:
  void add(SelectItem item, const Schema& input, std::vector<Field>& fields);
  Result<RecordBatch> generate(const RecordBatch& batch, const EvaluationContext& context,
                               std::vector<Expansion>& generated) const;

  OptionValue option_;
  const ExpressionEnvironment& environment_;
  SchemaPtr schema_;
  std::vector<Place> outputs_;
  std::vector<Generator> generators_;
  ColumnSet wanted_;
};

Result<PortSchemas> Select::bind(std::span<const InputSchema> inputs) {
  const SchemaPtr& input = inputs[0].schema;
  const Binder binder({input}, environment_);
  std::vector<Field> fields;
  for (const OptionValue& option : option_.items) {
    auto items = binder.bind_select(option.text);
    if (!items) return option.place(std::move(items.error()));
    for (SelectItem& item : *items) add(std::move(item), *input, fields);
  }
  schema_ = Schema::make(std::move(fields));
  return PortSchemas{{"", schema_}};
}

void Select::add(SelectItem item, const Schema& input, std::vector<Field>& fields) {
  if (item.generator) {
    for (size_t part = 0; part < item.generator->columns.size(); ++part) {
      outputs_.push_back({nullptr, generators_.size(), part});
      fields.push_back(item.generator->columns[part]);
    }
    generators_.push_back(std::move(*item.generator));
    return;
  }
  const Expression& expression = *item.expression;
  Field field{expression.name(), expression.type(), expression.nullable()};
  if (const std::optional<size_t> time = expression.time_column())
    field.watermark_delay = input.field(*time).watermark_delay;
  if (const std::optional<size_t> bare = expression.bare_column()) {
    const Field& origin = input.field(*bare);
    if (origin.name == field.name) field.qualifier = origin.qualifier;
  }
  fields.push_back(std::move(field));
  outputs_.push_back({std::move(item.expression), 0, 0});
}

ColumnSet Select::read_columns(const ColumnSet& wanted, size_t num_inputs) const {
  ColumnSet read(num_inputs, false);
  for (size_t i = 0; i < outputs_.size(); ++i) {
    if (wanted[i] && outputs_[i].expression) add_columns(outputs_[i].expression->columns(), read);
  }
  for (const Generator& generator : generators_) {
    for (const ExpressionPtr& argument : generator.arguments)
      add_columns(argument->columns(), read);
  }
  return read;
}

// Each generator expands what the ones before it left: two of them give every pair.
Result<RecordBatch> Select::generate(const RecordBatch& batch, const EvaluationContext& context,
                                     std::vector<Expansion>& generated) const {
  RecordBatch expanded = batch;
  for (const Generator& generator : generators_) {
    FLOWRUN_TRY(Expansion expansion, expand_rows(generator, expanded, context));
    for (Expansion& before : generated) {
      for (ColumnPtr& column : before.columns) column = take(*column, expansion.rows);
    }
    expanded = expanded.take(expansion.rows);
    generated.push_back(std::move(expansion));
  }
  return expanded;
}

Status Select::apply(const RecordBatch& batch, const Epoch& epoch, Scratch*, Emitter& out) const {
  std::vector<Expansion> generated;
  RecordBatch rows = batch;
  if (!generators_.empty()) {
    FLOWRUN_TRY(rows, generate(batch, epoch.context, generated));
  }
  std::vector<ColumnPtr> columns(outputs_.size());
  for (size_t i = 0; i < outputs_.size(); ++i) {
    if (!wanted_.empty() && !wanted_[i]) continue;
    const Place& output = outputs_[i];
    if (!output.expression) {
      columns[i] = generated[output.generator].columns[output.part];
      continue;
    }
    FLOWRUN_TRY(columns[i], output.expression->evaluate(rows, epoch.context));
  }
  return out.emit(0, RecordBatch(schema_, rows.num_rows(), std::move(columns), rows.origin()));
}

std::string Select::describe() const {
  std::string text = "select";
  for (const OptionValue& item : option_.items) text += (text == "select" ? " " : ", ") + item.text;
  return text;
}

OperatorSpec spec() {
  using namespace option;
  OperatorSpec spec;
  spec.name = "select";
  spec.summary = "Columns computed from the columns before; what is not named is gone.";
  spec.doc =
      "Each item is an item of Spark's `selectExpr`: a column, an expression with or without `as "
      "name`, `*`, "
      "`column.*`, or a generator: `explode`, `posexplode`, `inline`, `stack` and their `_outer` "
      "forms. Two "
      "generators give every pair of their rows.";
  spec.primary = required(list_of(expression("select", "The columns.")));
  spec.examples = {
      {"Two columns, one renamed, one computed",
       "lines: { source: socket, port: 9999 }\n"
       "short: { from: lines, select: [\"value as line\", \"length(value) as size\"] }\n"
       "screen: { from: short, sink: console }\n"},
      {"A row per word",
       "lines: { source: socket, port: 9999 }\n"
       "words: { from: lines, select: [\"explode(split(value, ' ')) as word\"] }\n"
       "screen: { from: words, sink: console }\n"}};
  return spec;
}

}  // namespace

void register_select(Registry& registry) {
  registry.add_transform(
      spec(),
      [](const Options& options, const MakeContext& context) -> Result<std::unique_ptr<Transform>> {
        return std::make_unique<Select>(options.at("select"), *context.expressions);
      });
}

}  // namespace flowrun
