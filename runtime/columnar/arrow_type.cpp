// Arrow's format strings to types.
#include <fmt/format.h>

#include <charconv>
#include <string_view>

#include "runtime/columnar/arrow.h"

namespace flowrun {

namespace {

constexpr int kMaxPrecision = 38;

Error refused(const ArrowSchema& schema, std::string_view what, std::string_view advice) {
  return Error::invalid(fmt::format("column `{}` has Arrow's type {} (format `{}`) — {}",
                                    schema.name ? schema.name : "", what, schema.format, advice));
}

// "10,2" or "10,2,128" behind "d:". Missing numbers are -1.
struct DecimalFormat {
  int precision = -1;
  int scale = -1;
  int bits = 128;
};

DecimalFormat parse_decimal_format(std::string_view text) {
  DecimalFormat decimal;
  for (int* number : {&decimal.precision, &decimal.scale, &decimal.bits}) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *number);
    text.remove_prefix(static_cast<size_t>(end - text.data()));
    if (error != std::errc() || text.empty()) break;
    text.remove_prefix(1);
  }
  return decimal;
}

Result<Type> decimal_type(const ArrowSchema& schema, std::string_view format) {
  const DecimalFormat decimal = parse_decimal_format(format.substr(2));
  if (decimal.bits > 128)
    return refused(schema, "decimal256", "cast it to decimal128 before it is handed over");
  if (decimal.precision < 1 || decimal.precision > kMaxPrecision || decimal.scale < 0 ||
      decimal.scale > decimal.precision) {
    return refused(schema, "decimal",
                   "its scale must lie between 0 and its precision, that between 1 and 38");
  }
  return Type::decimal(decimal.precision, decimal.scale);
}

Result<Type> time_type(const ArrowSchema& schema, std::string_view format) {
  if (format == "tdD" || format == "tdm") return Type::date();
  if (format.starts_with("ts")) return Type::timestamp();
  if (format.starts_with("tD"))
    return Type::day_time_interval(IntervalUnit::day, IntervalUnit::second);
  if (format == "tiM") return Type::year_month_interval(IntervalUnit::year, IntervalUnit::month);
  if (format == "tiD" || format == "tin") return Type(TypeId::calendar_interval);
  return refused(schema, "time of day",
                 "cast it to an integer or a duration before it is handed over");
}

Result<Type> plain_type(const ArrowSchema& schema, std::string_view format) {
  switch (format[0]) {
    case 'n':
      return Type::null();
    case 'b':
      return Type::boolean();
    case 'c':
      return Type::tinyint();
    case 'C':
    case 's':
      return Type::smallint();
    case 'S':
    case 'i':
      return Type::integer();
    case 'I':
    case 'l':
      return Type::bigint();
    case 'L':
      return Type::decimal(20, 0);
    case 'f':
      return Type::real();
    case 'g':
      return Type::double_();
    case 'u':
    case 'U':
      return Type::string();
    case 'z':
    case 'Z':
      return Type::binary();
    case 'e':
      return refused(schema, "half float", "cast it to float before it is handed over");
    default:
      return refused(schema, "of an unknown kind", "cast it to one of Spark SQL's types");
  }
}

Result<std::vector<Field>> child_fields(const ArrowSchema& schema) {
  std::vector<Field> fields;
  for (int64_t i = 0; i < schema.n_children; ++i) {
    FLOWRUN_TRY(Field field, import_field(*schema.children[i]));
    fields.push_back(std::move(field));
  }
  return fields;
}

Result<Type> nested_type(const ArrowSchema& schema, std::string_view format) {
  const bool list = format == "+l" || format == "+L" || format.starts_with("+w:");
  if (!list && format != "+s" && format != "+m") {
    return refused(schema, "union, list view or run-end encoded",
                   "turn it into a list or a struct first");
  }
  FLOWRUN_TRY(std::vector<Field> fields, child_fields(schema));
  if (format == "+s") return Type::struct_(std::move(fields));
  if (fields.size() != 1)
    return refused(schema, "list or map without its child", "hand over a whole schema");
  if (list) return Type::array(std::move(fields[0].type));
  const std::span<const Field> entry = fields[0].type.fields();
  if (entry.size() != 2)
    return refused(schema, "map without key and value", "hand over a whole schema");
  return Type::map(entry[0].type, entry[1].type);
}

Result<Type> type_of(const ArrowSchema& schema) {
  if (schema.dictionary) return type_of(*schema.dictionary);
  const std::string_view format = schema.format ? schema.format : "";
  if (format.empty()) return refused(schema, "without a format", "hand over a whole schema");
  if (format.starts_with("d:")) return decimal_type(schema, format);
  if (format.starts_with("w:")) return Type::binary();
  if (format == "vu") return Type::string();
  if (format == "vz") return Type::binary();
  if (format[0] == 't') return time_type(schema, format);
  if (format[0] == '+') return nested_type(schema, format);
  return plain_type(schema, format);
}

}  // namespace

Result<Field> import_field(const ArrowSchema& schema) {
  FLOWRUN_TRY(Type type, type_of(schema));
  return Field{schema.name ? schema.name : "", std::move(type),
               (schema.flags & ARROW_FLAG_NULLABLE) != 0};
}

Result<SchemaPtr> import_schema(const ArrowSchema& schema) {
  FLOWRUN_TRY(const Type type, type_of(schema));
  if (type.id() != TypeId::struct_) {
    return refused(schema, "other than struct",
                   "a batch is handed over as a struct of its columns");
  }
  return Schema::make({type.fields().begin(), type.fields().end()});
}

}  // namespace flowrun
