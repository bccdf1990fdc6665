// fillna. Puts a value where one is missing.

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "runtime/columnar/builder.h"
#include "runtime/columnar/row_bits.h"
#include "runtime/expr/cast.h"
#include "runtime/operator/option_specs.h"
#include "runtime/operator/registry.h"
#include "runtime/operator/row_selection.h"

namespace flowrun {

namespace {

// The option's value as a column of one row.
ColumnPtr literal(const OptionValue& value) {
  if (value.kind == OptionKind::boolean) {
    BooleanBuilder builder;
    builder.append(value.boolean);
    return builder.finish();
  }
  if (value.kind == OptionKind::text) {
    StringBuilder builder(Type::string());
    builder.append(value.text);
    return builder.finish();
  }
  if (value.kind == OptionKind::integer) {
    FixedBuilder<int64_t> builder(Type::bigint());
    builder.append(value.integer);
    return builder.finish();
  }
  FixedBuilder<double> builder(Type::double_());
  builder.append(value.number);
  return builder.finish();
}

// Does one value for all columns fill a column of this type?
bool is_of_kind(const OptionValue& value, const Type& type) {
  if (value.kind == OptionKind::boolean) return type.id() == TypeId::boolean;
  if (value.kind == OptionKind::text) return type.id() == TypeId::string;
  return type.is_numeric();
}

template <class T>
ColumnPtr fill_fixed(const Column& column, const Column& value) {
  const T replacement = value.values<T>()[0];
  const std::span<const T> values = column.values<T>();
  FixedWriter<T> filled(column.type(), column.size());
  for (int64_t row = 0; row < column.size(); ++row) {
    const T present = values[static_cast<size_t>(row)];
    bool missing = column.is_null(row);
    if constexpr (std::is_floating_point_v<T>) missing = missing || present != present;
    filled.set(row, missing ? replacement : present);
  }
  return filled.finish();
}

// The views are copied, the text behind them is shared; the replacement's buffers stand behind the
// column's.
ColumnPtr fill_text(const Column& column, const Column& value) {
  Column::Parts parts{.type = column.type(), .size = column.size(), .null_count = 0};
  parts.data_buffers = column.parts().data_buffers;
  StringView replacement = value.values<StringView>()[0];
  if (!replacement.is_inline()) {
    replacement.outside.buffer += static_cast<uint32_t>(parts.data_buffers.size());
    const auto& added = value.parts().data_buffers;
    parts.data_buffers.insert(parts.data_buffers.end(), added.begin(), added.end());
  }
  const std::span<const StringView> views = column.values<StringView>();
  parts.values = Buffer::allocate(views.size_bytes());
  auto* out = reinterpret_cast<StringView*>(parts.values->mutable_data());
  for (size_t row = 0; row < views.size(); ++row) {
    out[row] = column.is_null(static_cast<int64_t>(row)) ? replacement : views[row];
  }
  return Column::make(std::move(parts));
}

// Types without a fast way, one row at a time.
ColumnPtr fill_rows(const Column& column, const Column& value) {
  const std::unique_ptr<ColumnBuilder> builder = make_builder(column.type());
  builder->reserve(column.size());
  for (int64_t row = 0; row < column.size(); ++row) {
    column.is_null(row) ? builder->append_row(value, 0) : builder->append_row(column, row);
  }
  return builder->finish();
}

ColumnPtr fill(const ColumnPtr& column, const Column& value) {
  if (!may_miss(*column)) return column;
  const TypeId id = column->type().id();
  if (column->type().is_string_like()) return fill_text(*column, value);
  if (id == TypeId::boolean || id == TypeId::null || column->type().is_nested())
    return fill_rows(*column, value);
  return visit_fixed(
      id, [&](auto tag) { return fill_fixed<typename decltype(tag)::type>(*column, value); });
}

class Fillna final : public Transform {
 public:
  Fillna(OptionValue value, std::optional<OptionValue> subset, const TimeZone& zone)
      : option_(std::move(value)), subset_(std::move(subset)), zone_(zone) {}

  Result<PortSchemas> bind(std::span<const InputSchema> inputs) override;
  [[nodiscard]] ColumnSet read_columns(const ColumnSet& wanted, size_t) const override {
    return wanted;
  }
  void narrow(const ColumnSet& wanted) override { wanted_ = wanted; }
  [[nodiscard]] bool keeps_rows() const override { return true; }
  Status apply(const RecordBatch& batch, const Epoch& epoch, Scratch* scratch,
               Emitter& out) const override;
  [[nodiscard]] std::string describe() const override {
    return option_.kind == OptionKind::map ? "fillna by column" : "fillna " + option_.text;
  }

 private:
  Status set_value(const Schema& schema, size_t column, const OptionValue& value);

  OptionValue option_;
  std::optional<OptionValue> subset_;
  const TimeZone& zone_;
  SchemaPtr schema_;
  std::vector<ColumnPtr> values_;  // of each column; null where nothing is filled
  ColumnSet wanted_;
};

Result<PortSchemas> Fillna::bind(std::span<const InputSchema> inputs) {
  const Schema& schema = *inputs[0].schema;
  values_.resize(schema.num_fields());
  if (option_.kind == OptionKind::map) {
    for (size_t i = 0; i < option_.keys.size(); ++i) {
      auto column = schema.find(option_.keys[i].first);
      if (!column) return std::move(column.error()).at(option_.keys[i].second);
      FLOWRUN_RETURN_IF_ERROR(set_value(schema, *column, option_.items[i]));
    }
  } else if (subset_) {
    for (const OptionValue& name : subset_->items) {
      auto column = schema.find(name.text);
      if (!column) return name.place(std::move(column.error()));
      if (is_of_kind(option_, schema.field(*column).type))
        FLOWRUN_RETURN_IF_ERROR(set_value(schema, *column, option_));
    }
  } else {
    for (size_t i = 0; i < schema.num_fields(); ++i) {
      if (is_of_kind(option_, schema.field(i).type))
        FLOWRUN_RETURN_IF_ERROR(set_value(schema, i, option_));
    }
  }
  std::vector<Field> fields(schema.fields().begin(), schema.fields().end());
  for (size_t i = 0; i < fields.size(); ++i) fields[i].nullable = fields[i].nullable && !values_[i];
  schema_ = Schema::make(std::move(fields));
  return PortSchemas{{"", schema_}};
}

Status Fillna::set_value(const Schema& schema, size_t column, const OptionValue& value) {
  const ColumnPtr written = literal(value);
  const Type& type = schema.field(column).type;
  if (!can_cast(written->type(), type)) {
    return value.place(Error::invalid(
        fmt::format("`{}` cannot fill the column `{}`, which is {} — write a value that "
                    "can be cast to that",
                    value.text, schema.field(column).name, type.simple_string())));
  }
  FLOWRUN_TRY(ColumnPtr fitting, cast(written, type, zone_));
  if (fitting->is_valid(0)) values_[column] = std::move(fitting);
  return {};
}

Status Fillna::apply(const RecordBatch& batch, const Epoch&, Scratch*, Emitter& out) const {
  std::vector<ColumnPtr> columns = batch.columns();
  for (size_t i = 0; i < columns.size(); ++i) {
    if (!wanted_.empty() && !wanted_[i]) {
      columns[i] = nullptr;
    } else if (values_[i]) {
      columns[i] = fill(columns[i], *values_[i]);
    }
  }
  return out.emit(0, RecordBatch(schema_, batch.num_rows(), std::move(columns), batch.origin()));
}

OperatorSpec spec() {
  using namespace option;
  OperatorSpec spec;
  spec.name = "fillna";
  spec.summary = "Puts a value where one is missing.";
  spec.doc =
      "One value fills the columns of its kind: a number all numeric ones, a string the string "
      "ones, true or false "
      "the boolean ones; it is cast to each column's type. A mapping fills each column with a "
      "value of its own. "
      "NaN counts as missing where a number is filled in, as in Spark's `na.fill`. Quotes make a "
      "number a string.";
  spec.primary =
      required(one_of("fillna", "One value, or a value per column.",
                      {map_of(any_scalar("", ""), "", "column: value"), any_scalar("", "")}));
  spec.options = {list_of(column("subset", "The columns to fill; not with a mapping."))};
  spec.examples = {{"No activity is `none`",
                    "lines: { source: socket, port: 9999 }\n"
                    "readings: { from: lines, parse: json, schema: { gt: string, x: double } }\n"
                    "filled: { from: readings, fillna: { gt: none, x: 0 } }\n"
                    "screen: { from: filled, sink: console }\n"}};
  return spec;
}

Result<std::unique_ptr<Transform>> make(const Options& options, const MakeContext& context) {
  const OptionValue& value = options.at("fillna");
  std::optional<OptionValue> subset;
  if (const OptionValue* option = options.find("subset")) subset = *option;
  if (subset && value.kind == OptionKind::map) {
    return Error::invalid("a mapping names its columns itself — remove `subset`")
        .at(subset->position);
  }
  FLOWRUN_TRY(const TimeZone* zone, find_time_zone(context.expressions->timezone));
  return std::make_unique<Fillna>(value, std::move(subset), *zone);
}

}  // namespace

void register_fillna(Registry& registry) { registry.add_transform(spec(), make); }

}  // namespace flowrun
