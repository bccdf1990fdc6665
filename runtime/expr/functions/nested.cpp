// Making arrays, maps and structs, and taking their elements.
#include <fmt/format.h>

#include <set>

#include "runtime/columnar/builder.h"
#include "runtime/expr/analyzer.h"
#include "runtime/expr/coercion.h"
#include "runtime/expr/functions/functions.h"
#include "runtime/expr/list_values.h"
#include "runtime/expr/map_keys.h"
#include "runtime/expr/scalar.h"

namespace flowrun {

namespace {

// Rows 0, 0, 0 ... of constants, rows i of the others.
ColumnPtr struct_column(const Type& type, std::span<const Datum> fields, int64_t rows) {
  Column::Parts parts{.type = type, .size = rows, .null_count = 0};
  for (const Datum& field : fields) parts.children.push_back(field.expand(rows));
  return Column::make(std::move(parts));
}

Kernel struct_kernel(const Type& type, size_t first, size_t step) {
  return [=](const CallContext& context, std::span<const Datum> arguments) -> Result<Datum> {
    std::vector<Datum> fields;
    for (size_t i = first; i < arguments.size(); i += step) fields.push_back(arguments[i]);
    const int64_t rows = rows_to_compute(arguments, context.num_rows);
    return Datum{struct_column(type, fields, rows), all_constant(arguments)};
  };
}

Result<BoundFunction> bind_named_struct(const Arguments& arguments) {
  if (arguments.size() % 2 != 0) {
    return Error::invalid(fmt::format("`{}` takes names and values in turn; got {} arguments",
                                      arguments.function, arguments.size()));
  }
  std::vector<Field> fields;
  for (size_t i = 0; i < arguments.size(); i += 2) {
    const auto name = arguments.constant_text(i);
    if (!name) return wrong_argument(arguments, i, "a constant text, the field's name");
    fields.push_back({*name, arguments.types[i + 1]});
  }
  const Type type = Type::struct_(std::move(fields));
  return BoundFunction{
      {arguments.types.begin(), arguments.types.end()}, type, struct_kernel(type, 1, 2)};
}

// struct(a, b AS c, d + 1): fields a, c, col3.
Result<TypedPtr> build_struct(CallSite& site) {
  std::vector<TypedPtr> parts;
  for (size_t i = 0; i < site.size(); ++i) {
    std::string name = site.field_name(i);
    if (name.empty()) name = fmt::format("col{}", i + 1);
    parts.push_back(CallSite::constant(constant_text(name)));
    parts.push_back(site.argument(i));
  }
  std::string name = site.default_name();
  FLOWRUN_TRY(TypedPtr made, site.call("named_struct", std::move(parts)));
  return CallSite::named(made, std::move(name));
}

// Places of `width` values per row in the arguments' columns put one behind the other.
std::vector<int32_t> interleaved(std::span<const Datum> arguments, int64_t rows) {
  std::vector<int32_t> places;
  places.reserve(arguments.size() * static_cast<size_t>(rows));
  std::vector<int64_t> bases;
  int64_t base = 0;
  for (const Datum& argument : arguments) {
    bases.push_back(base);
    base += argument.column->size();
  }
  for (int64_t row = 0; row < rows; ++row) {
    for (size_t i = 0; i < arguments.size(); ++i) {
      places.push_back(static_cast<int32_t>(bases[i] + arguments[i].at(row)));
    }
  }
  return places;
}

ColumnPtr interleave(std::span<const Datum> arguments, int64_t rows) {
  std::vector<ColumnPtr> columns;
  for (const Datum& argument : arguments) columns.push_back(argument.column);
  return take(*concatenate(columns), interleaved(arguments, rows));
}

BufferPtr even_offsets(int64_t rows, size_t width) {
  BufferPtr offsets = Buffer::allocate(static_cast<size_t>(rows + 1) * sizeof(int32_t));
  auto* out = reinterpret_cast<int32_t*>(offsets->mutable_data());
  for (int64_t i = 0; i <= rows; ++i)
    out[i] = static_cast<int32_t>(i * static_cast<int64_t>(width));
  return offsets;
}

Result<BoundFunction> bind_array(const Arguments& arguments) {
  const std::optional<Type> element = wider_type(arguments.types);
  if (!element) {
    return Error::invalid(
        fmt::format("the elements of `{}` have no type in common", arguments.function));
  }
  const Type type = Type::array(*element);
  Kernel kernel = [type](const CallContext& context,
                         std::span<const Datum> values) -> Result<Datum> {
    const int64_t rows = values.empty() ? 1 : rows_to_compute(values, context.num_rows);
    Column::Parts parts{.type = type, .size = rows, .null_count = 0};
    parts.values = even_offsets(rows, values.size());
    parts.children = {values.empty() ? null_column(type.element(), 0) : interleave(values, rows)};
    return Datum{Column::make(std::move(parts)), all_constant(values)};
  };
  return BoundFunction{std::vector<Type>(arguments.size(), *element), type, std::move(kernel)};
}

Result<BoundFunction> bind_map(const Arguments& arguments) {
  if (arguments.size() % 2 != 0) {
    return Error::invalid(fmt::format("`{}` takes keys and values in turn; got {} arguments",
                                      arguments.function, arguments.size()));
  }
  std::vector<Type> keys;
  std::vector<Type> values;
  for (size_t i = 0; i < arguments.size(); ++i)
    (i % 2 == 0 ? keys : values).push_back(arguments.types[i]);
  const std::optional<Type> key = wider_type(keys);
  const std::optional<Type> value = wider_type(values);
  if (!key || !value)
    return Error::invalid("the keys or the values of `map` have no type in common");
  if (key->id() == TypeId::map) return Error::invalid("a map cannot be a key of a map");
  const Type type = Type::map(*key, *value);
  Kernel kernel = [type](const CallContext& context,
                         std::span<const Datum> entries) -> Result<Datum> {
    const int64_t rows = entries.empty() ? 1 : rows_to_compute(entries, context.num_rows);
    Column::Parts parts{.type = type, .size = rows, .null_count = 0};
    const size_t width = entries.size() / 2;
    parts.values = even_offsets(rows, width);
    if (width == 0) {
      parts.children = {null_column(type.key(), 0), null_column(type.value(), 0)};
      return Datum{Column::make(std::move(parts)), true};
    }
    std::vector<Datum> key_columns;
    std::vector<Datum> value_columns;
    for (size_t i = 0; i < entries.size(); ++i)
      (i % 2 == 0 ? key_columns : value_columns).push_back(entries[i]);
    parts.children = {interleave(key_columns, rows), interleave(value_columns, rows)};
    for (int64_t row = 0; row < rows; ++row) {
      const auto begin = row * static_cast<int64_t>(width);
      FLOWRUN_RETURN_IF_ERROR(
          check_map_keys(*parts.children[0], begin, begin + static_cast<int64_t>(width)));
    }
    return Datum{Column::make(std::move(parts)), all_constant(entries)};
  };
  std::vector<Type> types;
  for (size_t i = 0; i < arguments.size(); ++i) types.push_back(i % 2 == 0 ? *key : *value);
  return BoundFunction{std::move(types), type, std::move(kernel)};
}

// Elements picked: `place(row)` is an index into the child, or -1.
template <class Place>
Datum pick(const Datum& holder, size_t child, int64_t rows, bool constant, const Place& place) {
  std::vector<int32_t> places(static_cast<size_t>(rows), -1);
  for (int64_t row = 0; row < rows; ++row) places[static_cast<size_t>(row)] = place(row);
  return Datum{take(*holder.column->child(child), places), constant};
}

// array[i] from 0; null out of bounds.
Result<Datum> array_item(const CallContext& context, std::span<const Datum> arguments) {
  const Datum& array = arguments[0];
  const Datum& index = arguments[1];
  const int64_t rows = rows_to_compute(arguments, context.num_rows);
  return pick(array, 0, rows, all_constant(arguments), [&](int64_t row) -> int32_t {
    if (array.is_null(row) || index.is_null(row)) return -1;
    // Only the lower half of a bigint counts, as in Spark.
    const int64_t wanted =
        static_cast<int32_t>(index.column->values<int64_t>()[static_cast<size_t>(index.at(row))]);
    const int64_t begin = array.column->list_begin(array.at(row));
    const int64_t end = array.column->list_end(array.at(row));
    return wanted < 0 || wanted >= end - begin ? -1 : static_cast<int32_t>(begin + wanted);
  });
}

Result<Datum> map_item(const CallContext& context, std::span<const Datum> arguments) {
  const Datum& map = arguments[0];
  const Datum& key = arguments[1];
  const int64_t rows = rows_to_compute(arguments, context.num_rows);
  const Column& keys = *map.column->child(0);
  return pick(map, 1, rows, all_constant(arguments), [&](int64_t row) -> int32_t {
    if (map.is_null(row) || key.is_null(row)) return -1;
    for (int32_t i = map.column->list_begin(map.at(row)); i < map.column->list_end(map.at(row));
         ++i) {
      if (rows_equal(keys, i, *key.column, key.at(row))) return i;
    }
    return -1;
  });
}

Result<BoundFunction> bind_item(const Arguments& arguments) {
  const Type& holder = arguments.types[0];
  const Type& key = arguments.types[1];
  if (holder.id() == TypeId::array) {
    if (!key.is_integral() && key.id() != TypeId::null)
      return wrong_argument(arguments, 1, "an integer, the index");
    return BoundFunction{{holder, Type::bigint()}, holder.element(), array_item, true};
  }
  if (holder.id() == TypeId::map) {
    const auto common = key == holder.key() ? key : implicit_cast(key, holder.key());
    if (!common) return wrong_argument(arguments, 1, holder.key().simple_string() + ", a key");
    return BoundFunction{{holder, *common}, holder.value(), map_item, true};
  }
  return Error::invalid(fmt::format("{} is {} — only arrays, maps and structs have elements",
                                    arguments.names[0], holder.simple_string()));
}

}  // namespace

void register_nested_functions(FunctionRegistry& registry) {
  constexpr size_t kAny = ScalarFunction::kAnyNumber;
  registry.add(ScalarFunction("named_struct",
                              "named_struct(name, value, ...): a struct of these fields.", 2, kAny,
                              BindFunction(bind_named_struct)));
  registry.add(ScalarFunction("struct", "struct(a, b AS c, ...): a struct of these values.", 1,
                              kAny, BuildFunction(build_struct)));
  registry.add(ScalarFunction("array", "array(a, b, ...): an array of these elements.", 0, kAny,
                              BindFunction(bind_array)));
  registry.add(ScalarFunction(
                   "map", "map(key, value, ...): a map of these entries; a key twice is an error.",
                   0, kAny, BindFunction(bind_map))
                   .may_fail());
  registry.add(ScalarFunction("[]", "x[i]: an element of an array (from 0) or a value of a map.", 2,
                              2, BindFunction(bind_item))
                   .named_by([](auto arguments) {
                     return fmt::format("{}[{}]", arguments[0], arguments[1]);
                   }));
}

}  // namespace flowrun
