// explode. A row per element of an array or entry of a map.

#include <fmt/format.h>

#include <memory>
#include <utility>
#include <vector>

#include "runtime/operator/option_specs.h"
#include "runtime/operator/registry.h"
#include "runtime/operator/row_expansion.h"
#include "runtime/operator/row_selection.h"

namespace flowrun {

namespace {

struct ExplodeOptions {
  OptionValue list;
  std::vector<std::string> names;  // of the element, or of key and value; empty: Spark's
  bool outer = false;
  bool position = false;
};

class Explode final : public Transform {
 public:
  Explode(ExplodeOptions options, OptionValue as, const ExpressionEnvironment& environment)
      : options_(std::move(options)), as_(std::move(as)), environment_(environment) {}

  Result<PortSchemas> bind(std::span<const InputSchema> inputs) override;
  [[nodiscard]] ColumnSet read_columns(const ColumnSet& wanted, size_t num_inputs) const override {
    ColumnSet read(wanted.begin(), wanted.begin() + static_cast<std::ptrdiff_t>(num_inputs));
    add_columns(generator_.arguments[0]->columns(), read);
    return read;
  }
  void narrow(const ColumnSet& wanted) override {
    wanted_.assign(wanted.begin(), wanted.begin() + static_cast<std::ptrdiff_t>(num_inputs_));
  }
  Status apply(const RecordBatch& batch, const Epoch& epoch, Scratch* scratch,
               Emitter& out) const override;
  [[nodiscard]] std::string describe() const override {
    return fmt::format("explode{} {}", options_.outer ? " outer" : "", options_.list.text);
  }

 private:
  Status name_columns(const Type& type);

  ExplodeOptions options_;
  OptionValue as_;
  const ExpressionEnvironment& environment_;
  Generator generator_;
  SchemaPtr schema_;
  size_t num_inputs_ = 0;
  ColumnSet wanted_;  // of the input's columns
};

Result<PortSchemas> Explode::bind(std::span<const InputSchema> inputs) {
  const SchemaPtr& input = inputs[0].schema;
  num_inputs_ = input->num_fields();
  const Binder binder({input}, environment_);
  auto list = binder.bind(options_.list.text);
  if (!list) return options_.list.place(std::move(list.error()));
  generator_.outer = options_.outer;
  generator_.position = options_.position;
  FLOWRUN_RETURN_IF_ERROR(name_columns((*list)->type()));
  generator_.arguments.push_back(std::move(*list));
  std::vector<Field> fields(input->fields().begin(), input->fields().end());
  fields.insert(fields.end(), generator_.columns.begin(), generator_.columns.end());
  schema_ = Schema::make(std::move(fields));
  return PortSchemas{{"", schema_}};
}

Status Explode::name_columns(const Type& type) {
  const bool map = type.id() == TypeId::map;
  if (!map && type.id() != TypeId::array) {
    return options_.list.place(
        Error::invalid(fmt::format("explode takes an array or a map, and `{}` is {} — "
                                   "`split(column, ' ')` makes an array of a text",
                                   options_.list.text, type.simple_string())));
  }
  std::vector<std::string> names = options_.names;
  if (names.empty())
    names = map ? std::vector<std::string>{"key", "value"} : std::vector<std::string>{"col"};
  if (names.size() != (map ? 2U : 1U)) {
    return as_.place(Error::invalid(
        map ? "a map gives two columns — write `as: [name of the key, name of the value]`"
            : "an array gives one column — write one name in `as`"));
  }
  if (generator_.position) generator_.columns.push_back({"pos", Type::integer(), generator_.outer});
  for (size_t i = 0; i < names.size(); ++i) {
    generator_.columns.push_back(
        {names[i], type.fields()[i].type, generator_.outer || type.fields()[i].nullable});
  }
  return {};
}

Status Explode::apply(const RecordBatch& batch, const Epoch& epoch, Scratch*, Emitter& out) const {
  FLOWRUN_TRY(Expansion expansion, expand_rows(generator_, batch, epoch.context));
  if (expansion.rows.empty()) return {};
  std::vector<ColumnPtr> columns =
      with_wanted_columns(batch, wanted_).take(expansion.rows).columns();
  for (ColumnPtr& column : expansion.columns) columns.push_back(std::move(column));
  return out.emit(0, RecordBatch(schema_, std::ssize(expansion.rows), std::move(columns)));
}

OperatorSpec spec() {
  using namespace option;
  OperatorSpec spec;
  spec.name = "explode";
  spec.summary = "A row per element of an array, or per entry of a map.";
  spec.doc =
      "The columns before stay; the element is added as `col`, a map's entry as `key` and `value`. "
      "A row whose "
      "array or map is null or empty gives no row, with `outer: true` one with nulls.";
  spec.primary = required(expression("explode", "An array or a map: a column or any expression."));
  spec.options = {
      list_of(text("as", "Name of the element's column; two names for a map.")),
      boolean("outer", "A null or empty array or map gives one row with nulls.")
          .with_default("false"),
      boolean("position", "Adds the position in the array, from 0, as `pos` before the element.")
          .with_default("false"),
  };
  spec.examples = {{"A row per word",
                    "lines: { source: socket, port: 9999 }\n"
                    "words: { from: lines, explode: \"split(value, ' ')\", as: word }\n"
                    "screen: { from: words, sink: console }\n"}};
  return spec;
}

Result<std::unique_ptr<Transform>> make(const Options& options, const MakeContext& context) {
  ExplodeOptions explode;
  explode.list = options.at("explode");
  explode.names = options.texts("as");
  explode.outer = options.boolean_or("outer", false);
  explode.position = options.boolean_or("position", false);
  const OptionValue* as = options.find("as");
  return std::make_unique<Explode>(std::move(explode), as ? *as : OptionValue{},
                                   *context.expressions);
}

}  // namespace

void register_explode(Registry& registry) { registry.add_transform(spec(), make); }

}  // namespace flowrun
