// Which casts exist, and the way to each.
#include "runtime/expr/cast.h"

#include "runtime/expr/cast_themes.h"

namespace flowrun {
namespace {

bool is_exact_number(const Type& type) {
  return type.is_integral() || type.id() == TypeId::decimal;
}

bool can_cast_to_number(const Type& from, const Type& to) {
  switch (from.id()) {
    case TypeId::string:
    case TypeId::boolean:
    case TypeId::date:
    case TypeId::timestamp:
      return true;
    case TypeId::year_month_interval:
    case TypeId::day_time_interval:
      return is_exact_number(to);
    default:
      return from.is_numeric();
  }
}

bool can_cast_simple(const Type& from, const Type& to) {
  const TypeId id = from.id();
  switch (to.id()) {
    case TypeId::string:
      return true;
    case TypeId::binary:
      return id == TypeId::string || from.is_integral();
    case TypeId::boolean:
      return id == TypeId::string || id == TypeId::date || id == TypeId::timestamp ||
             from.is_numeric();
    case TypeId::timestamp:
      return id == TypeId::string || id == TypeId::boolean || id == TypeId::date ||
             from.is_numeric();
    case TypeId::date:
      return id == TypeId::string || id == TypeId::timestamp;
    case TypeId::year_month_interval:
    case TypeId::day_time_interval:
      return id == TypeId::string || id == to.id() || is_exact_number(from);
    case TypeId::calendar_interval:
      return id == TypeId::string;
    default:
      return to.is_numeric() && can_cast_to_number(from, to);
  }
}

bool is_wide_enough(const Type& decimal, const Type& from) {
  switch (from.id()) {
    case TypeId::boolean:
      return decimal.precision() - decimal.scale() >= 1;
    case TypeId::decimal:
      return decimal.scale() >= from.scale() &&
             decimal.precision() - decimal.scale() >= from.precision() - from.scale();
    case TypeId::tinyint:
      return decimal.precision() - decimal.scale() >= 3;
    case TypeId::smallint:
      return decimal.precision() - decimal.scale() >= 5;
    case TypeId::integer:
      return decimal.precision() - decimal.scale() >= 10;
    case TypeId::bigint:
      return decimal.precision() - decimal.scale() >= 20;
    default:
      return false;
  }
}

Result<ColumnPtr> cast_any(const ColumnPtr& column, const Type& to, const TimeZone& zone,
                           CastMode mode);

// The parts of arrays, maps and structs, each cast; everything else stays shared.
Result<ColumnPtr> cast_nested(const Column& column, const Type& to, const TimeZone& zone,
                              CastMode mode) {
  Column::Parts parts = column.parts();
  for (size_t i = 0; i < parts.children.size(); ++i) {
    FLOWRUN_TRY(parts.children[i], cast_any(parts.children[i], to.fields()[i].type, zone, mode));
  }
  parts.type = to;
  return Column::make(std::move(parts));
}

Result<ColumnPtr> cast_any(const ColumnPtr& column, const Type& to, const TimeZone& zone,
                           CastMode mode) {
  const Type& from = column->type();
  if (from == to) return column;
  if (from.id() == TypeId::null) return null_column(to, column->size());
  const CastRequest request{*column, to, zone, mode};
  switch (to.id()) {
    case TypeId::boolean:
      return cast_to_boolean(request);
    case TypeId::tinyint:
    case TypeId::smallint:
    case TypeId::integer:
    case TypeId::bigint:
      return cast_to_integral(request);
    case TypeId::real:
    case TypeId::double_:
      return cast_to_floating(request);
    case TypeId::decimal:
      return cast_to_decimal(request);
    case TypeId::string:
      return cast_to_string(request);
    case TypeId::binary:
      return cast_to_binary(request);
    case TypeId::date:
      return cast_to_date(request);
    case TypeId::timestamp:
      return cast_to_timestamp(request);
    case TypeId::array:
    case TypeId::map:
    case TypeId::struct_:
      return cast_nested(*column, to, zone, mode);
    case TypeId::null:
      return null_column(to, column->size());
    default:
      return cast_to_interval(request);
  }
}

}  // namespace

bool can_cast(const Type& from, const Type& to) {
  if (from == to || from.id() == TypeId::null) return true;
  if (to.id() == TypeId::string) return true;
  if (!to.is_nested()) return !from.is_nested() && can_cast_simple(from, to);
  if (from.id() != to.id() || from.fields().size() != to.fields().size()) return false;
  for (size_t i = 0; i < from.fields().size(); ++i) {
    if (!can_cast(from.fields()[i].type, to.fields()[i].type)) return false;
  }
  // A key is never null.
  return to.id() != TypeId::map || !cast_adds_nulls(from.key(), to.key());
}

bool can_try_cast(const Type& from, const Type& to) {
  if (!can_cast(from, to)) return false;
  if (from == to || from.id() == TypeId::null || to.id() == TypeId::string) return true;
  for (size_t i = 0; to.is_nested() && i < from.fields().size(); ++i) {
    if (!can_try_cast(from.fields()[i].type, to.fields()[i].type)) return false;
  }
  switch (from.id()) {
    case TypeId::date:
      return !to.is_numeric() && to.id() != TypeId::boolean;
    case TypeId::timestamp:
      return to.id() != TypeId::boolean;
    case TypeId::boolean:
      return to.id() != TypeId::timestamp;
    default:
      return !from.is_integral() || to.id() != TypeId::binary;
  }
}

bool cast_adds_nulls(const Type& from, const Type& to) {
  if (from == to || from.id() == TypeId::null || to.is_nested()) return false;
  if (from.id() == TypeId::string) return to.id() != TypeId::binary;
  if (to.id() == TypeId::string) return false;
  switch (to.id()) {
    case TypeId::date:
      return from.id() != TypeId::timestamp;
    case TypeId::timestamp:
      return from.is_floating();
    case TypeId::decimal:
      return !is_wide_enough(to, from);
    case TypeId::calendar_interval:
      return true;
    default:
      break;
  }
  if (from.id() == TypeId::date) return true;
  if (from.id() == TypeId::timestamp) return to.is_integral() && to.id() != TypeId::bigint;
  return (from.is_floating() || from.id() == TypeId::decimal) && to.is_integral();
}

Result<ColumnPtr> cast(const ColumnPtr& column, const Type& to, const TimeZone& zone) {
  return cast_any(column, to, zone, CastMode::plain);
}

Result<ColumnPtr> try_cast(const ColumnPtr& column, const Type& to, const TimeZone& zone) {
  return cast_any(column, to, zone, CastMode::checked);
}

}  // namespace flowrun
