// dropna. Drops rows in which values are missing.

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "runtime/operator/option_specs.h"
#include "runtime/operator/registry.h"
#include "runtime/operator/row_selection.h"

namespace flowrun {

namespace {

struct DropnaOptions {
  std::string how;  // any, all
  std::optional<int64_t> thresh;
  std::optional<OptionValue> subset;
};

class Dropna final : public Transform {
 public:
  Dropna(DropnaOptions options, const ExpressionEnvironment& environment)
      : options_(std::move(options)), environment_(environment) {}

  Result<PortSchemas> bind(std::span<const InputSchema> inputs) override;
  [[nodiscard]] ColumnSet read_columns(const ColumnSet& wanted, size_t) const override {
    ColumnSet read = wanted;
    add_columns(columns_, read);
    return read;
  }
  void narrow(const ColumnSet& wanted) override { wanted_ = wanted; }
  [[nodiscard]] std::unique_ptr<Scratch> make_scratch() const override {
    return std::make_unique<SelectionScratch>();
  }
  Status apply(const RecordBatch& batch, const Epoch&, Scratch* scratch,
               Emitter& out) const override;
  [[nodiscard]] std::string describe() const override;
  [[nodiscard]] std::vector<ExpressionPtr> conjuncts() const override { return {condition_}; }

 private:
  Status bind_condition(const SchemaPtr& schema);
  void keep_complete(const RecordBatch& batch, SelectionScratch& scratch) const;
  void keep_counted(const RecordBatch& batch, SelectionScratch& scratch) const;

  DropnaOptions options_;
  const ExpressionEnvironment& environment_;
  std::vector<size_t> columns_;  // that are looked at
  int64_t least_ = 0;            // a row stays with so many values
  ExpressionPtr condition_;      // the same as one expression, for the engine
  ColumnSet wanted_;
};

Result<PortSchemas> Dropna::bind(std::span<const InputSchema> inputs) {
  const SchemaPtr& schema = inputs[0].schema;
  if (options_.subset) {
    for (const OptionValue& item : options_.subset->items) {
      auto found = schema->find(item.text);
      if (!found) return item.place(std::move(found.error()));
      columns_.push_back(*found);
    }
  } else {
    for (size_t i = 0; i < schema->num_fields(); ++i) columns_.push_back(i);
  }
  least_ = options_.thresh ? *options_.thresh : options_.how == "all" ? 1 : std::ssize(columns_);
  FLOWRUN_RETURN_IF_ERROR(bind_condition(schema));
  return PortSchemas{{"", schema}};
}

// Over one column per index, since names may repeat: `c0 is not null` and the like, counted.
Status Dropna::bind_condition(const SchemaPtr& schema) {
  std::vector<Field> fields;
  for (size_t i = 0; i < schema->num_fields(); ++i)
    fields.push_back({fmt::format("c{}", i), schema->field(i).type});
  std::string text = "0";
  for (const size_t column : columns_) {
    text +=
        fmt::format(" + if(c{} is null{}, 0, 1)", column,
                    fields[column].type.is_floating() ? fmt::format(" or isnan(c{})", column) : "");
  }
  text += fmt::format(" >= {}", least_);
  const Binder binder({Schema::make(std::move(fields))}, environment_);
  FLOWRUN_TRY(condition_, binder.bind(text));
  return {};
}

Status Dropna::apply(const RecordBatch& batch, const Epoch&, Scratch* scratch, Emitter& out) const {
  const int64_t missing =
      std::ranges::count_if(columns_, [&](size_t i) { return may_miss(*batch.column(i)); });
  if (std::ssize(columns_) - missing >= least_) return out.emit(0, batch);
  auto& selection = static_cast<SelectionScratch&>(*scratch);
  least_ == std::ssize(columns_) ? keep_complete(batch, selection) : keep_counted(batch, selection);
  return emit_kept(batch, wanted_, selection, out);
}

void Dropna::keep_complete(const RecordBatch& batch, SelectionScratch& scratch) const {
  scratch.kept.clear();
  for (const size_t i : columns_) {
    if (!may_miss(*batch.column(i))) continue;
    present_rows(*batch.column(i), scratch.present);
    if (scratch.kept.empty()) {
      scratch.kept = scratch.present;
    } else {
      for (size_t w = 0; w < scratch.kept.size(); ++w) scratch.kept[w] &= scratch.present[w];
    }
  }
}

void Dropna::keep_counted(const RecordBatch& batch, SelectionScratch& scratch) const {
  const auto num_rows = static_cast<size_t>(batch.num_rows());
  scratch.rows.assign(num_rows, 0);  // values per row
  for (const size_t i : columns_) {
    present_rows(*batch.column(i), scratch.present);
    for (size_t row = 0; row < num_rows; ++row) {
      scratch.rows[row] += static_cast<int32_t>((scratch.present[row / 64] >> (row % 64)) & 1);
    }
  }
  scratch.kept.assign((num_rows + 63) / 64, 0);
  for (size_t row = 0; row < num_rows; ++row) {
    scratch.kept[row / 64] |= static_cast<uint64_t>(scratch.rows[row] >= least_) << (row % 64);
  }
}

std::string Dropna::describe() const {
  std::string text = options_.thresh
                         ? fmt::format("dropna, keeping rows with {} values", *options_.thresh)
                         : "dropna " + options_.how;
  if (options_.subset) {
    text += " of";
    for (const OptionValue& item : options_.subset->items) text += " " + item.text;
  }
  return text;
}

OperatorSpec spec() {
  using namespace option;
  OperatorSpec spec;
  spec.name = "dropna";
  spec.summary = "Drops rows in which values are missing.";
  spec.doc =
      "A value is missing if it is null, or NaN in a float or double column, as in Spark's "
      "`na.drop`.";
  spec.primary =
      required(word("dropna", {"any", "all"},
                    "any: a row goes if one value is missing; all: only if every value is."));
  spec.options = {
      list_of(column("subset", "The columns that are looked at; all if it is not written.")),
      integer("thresh",
              "Keeps the rows with at least so many values; any or all then does not count.")
          .at_least(0),
  };
  spec.examples = {{"Complete records only",
                    "lines: { source: socket, port: 9999 }\n"
                    "readings: { from: lines, parse: json, schema: { gt: string, x: double } }\n"
                    "clean: { from: readings, dropna: any, subset: [gt, x] }\n"
                    "screen: { from: clean, sink: console }\n"}};
  return spec;
}

Result<std::unique_ptr<Transform>> make(const Options& options, const MakeContext& context) {
  DropnaOptions dropna{options.text("dropna"), {}, {}};
  if (const OptionValue* thresh = options.find("thresh")) dropna.thresh = thresh->integer;
  if (const OptionValue* subset = options.find("subset")) dropna.subset = *subset;
  return std::make_unique<Dropna>(std::move(dropna), *context.expressions);
}

}  // namespace

void register_dropna(Registry& registry) { registry.add_transform(spec(), make); }

}  // namespace flowrun
