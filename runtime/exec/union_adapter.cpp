#include "runtime/exec/union_adapter.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "runtime/expr/cast.h"
#include "runtime/expr/coercion.h"
#include "runtime/format/datetime.h"

namespace flowrun {

Result<RecordBatch> UnionAdapter::apply(const RecordBatch& batch) const {
  FLOWRUN_TRY(const TimeZone* zone, find_time_zone("UTC"));
  std::vector<ColumnPtr> columns;
  for (size_t i = 0; i < sources_.size(); ++i) {
    ColumnPtr column = batch.column(sources_[i]);
    const Type& type = schema_->field(i).type;
    if (column && !(column->type() == type)) {
      FLOWRUN_TRY(column, cast(column, type, *zone));
    }
    columns.push_back(std::move(column));
  }
  return RecordBatch(schema_, batch.num_rows(), std::move(columns), batch.origin());
}

namespace {

Result<std::vector<size_t>> match_columns(const Schema& first, const Schema& other,
                                          const std::string& name, bool by_name) {
  if (first.num_fields() != other.num_fields()) {
    return Error::invalid(
        fmt::format("a union needs inputs with the same number of columns: `{}` has {}, the first "
                    "input has {} — select the same columns in each",
                    name, other.num_fields(), first.num_fields()));
  }
  std::vector<size_t> sources(first.num_fields());
  std::iota(sources.begin(), sources.end(), size_t{0});
  if (!by_name) return sources;
  for (size_t i = 0; i < sources.size(); ++i) {
    auto found = other.find(first.field(i).name);
    if (!found) return std::move(found.error()).within(fmt::format("`{}`, united by name", name));
    sources[i] = *found;
  }
  return sources;
}

}  // namespace

Result<UnionPlan> plan_union(std::span<const SchemaPtr> schemas, std::span<const std::string> names,
                             bool by_name) {
  std::vector<Field> fields(schemas[0]->fields().begin(), schemas[0]->fields().end());
  std::vector<std::vector<size_t>> sources;
  for (size_t s = 0; s < schemas.size(); ++s) {
    FLOWRUN_TRY(std::vector<size_t> columns,
                match_columns(*schemas[0], *schemas[s], names[s], by_name));
    for (size_t i = 0; i < fields.size(); ++i) {
      const Field& field = schemas[s]->field(columns[i]);
      const auto widened = wider_type(fields[i].type, field.type);
      if (!widened) {
        return Error::invalid(fmt::format(
            "a union needs inputs with compatible column types: column {} is {} in `{}` and {} in "
            "`{}` — cast one of them",
            i + 1, fields[i].type.simple_string(), names[0], field.type.simple_string(), names[s]));
      }
      fields[i].type = *widened;
      fields[i].nullable = fields[i].nullable || field.nullable;
      fields[i].qualifier.clear();
      if (field.watermark_delay)
        fields[i].watermark_delay =
            std::max(fields[i].watermark_delay.value_or(0), *field.watermark_delay);
    }
    sources.push_back(std::move(columns));
  }
  UnionPlan plan{Schema::make(std::move(fields)), {}};
  for (auto& columns : sources)
    plan.adapters.push_back(std::make_shared<const UnionAdapter>(plan.schema, std::move(columns)));
  return plan;
}

}  // namespace flowrun
