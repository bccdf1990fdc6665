// Maps: their keys, values and entries, and maps made of them.
#include <fmt/format.h>

#include "runtime/columnar/builder.h"
#include "runtime/expr/coercion.h"
#include "runtime/expr/functions/functions.h"
#include "runtime/expr/list_values.h"
#include "runtime/expr/map_keys.h"
#include "runtime/expr/scalar.h"

namespace flowrun {

Status check_map_keys(const Column& keys, std::span<const int32_t> places) {
  for (size_t i = 0; i < places.size(); ++i) {
    if (places[i] < 0 || keys.is_null(places[i]))
      return Error::data("a map cannot have a null key");
    for (size_t k = 0; k < i; ++k) {
      if (rows_equal(keys, places[k], keys, places[i]))
        return Error::data("a map cannot have a key twice");
    }
  }
  return {};
}

Status check_map_keys(const Column& keys, int64_t begin, int64_t end) {
  std::vector<int32_t> places;
  for (int64_t i = begin; i < end; ++i) places.push_back(static_cast<int32_t>(i));
  return check_map_keys(keys, places);
}

namespace {

// The map's offsets and nulls over other children.
ColumnPtr with_children(const Column& map, const Type& type, std::vector<ColumnPtr> children) {
  Column::Parts parts = map.parts();
  parts.type = type;
  parts.children = std::move(children);
  return Column::make(std::move(parts));
}

// map_keys (child 0) and map_values (child 1).
BindFunction bind_part(size_t child) {
  return [child](const Arguments& arguments) -> Result<BoundFunction> {
    const Type& map = arguments.types[0];
    if (map.id() != TypeId::map) return wrong_argument(arguments, 0, "a map");
    const Type type = Type::array(child == 0 ? map.key() : map.value());
    return BoundFunction{
        {map},
        type,
        [type, child](const CallContext&, std::span<const Datum> values) -> Result<Datum> {
          return Datum{with_children(*values[0].column, type, {values[0].column->child(child)}),
                       values[0].constant};
        }};
  };
}

Result<BoundFunction> bind_entries(const Arguments& arguments) {
  const Type& map = arguments.types[0];
  if (map.id() != TypeId::map) return wrong_argument(arguments, 0, "a map");
  const Type entry = Type::struct_({{"key", map.key(), false}, {"value", map.value()}});
  const Type type = Type::array(entry);
  return BoundFunction{
      {map},
      type,
      [type, entry](const CallContext&, std::span<const Datum> values) -> Result<Datum> {
        const Column& column = *values[0].column;
        Column::Parts entries{.type = entry, .size = column.child(0)->size(), .null_count = 0};
        entries.children = {column.child(0), column.child(1)};
        return Datum{with_children(column, type, {Column::make(std::move(entries))}),
                     values[0].constant};
      }};
}

Result<BoundFunction> bind_contains_key(const Arguments& arguments) {
  const Type& map = arguments.types[0];
  if (map.id() != TypeId::map) return wrong_argument(arguments, 0, "a map");
  const auto key = wider_type(map.key(), arguments.types[1], false);
  if (!key || arguments.types[1].id() == TypeId::null)
    return wrong_argument(arguments, 1, map.key().simple_string() + ", a key");
  return BoundFunction{
      {Type::map(*key, map.value()), *key},
      Type::boolean(),
      [](const CallContext& context, std::span<const Datum> values) -> Result<Datum> {
        const int64_t rows = rows_to_compute(values, context.num_rows);
        BooleanBuilder out;
        for (int64_t row = 0; row < rows; ++row) {
          if (values[0].is_null(row) || values[1].is_null(row)) {
            out.append_null();
            continue;
          }
          const ListRange range = list_at(values[0], row);
          bool found = false;
          for (int32_t i = range.begin; i < range.end && !found; ++i) {
            found =
                rows_equal(*values[0].column->child(0), i, *values[1].column, values[1].at(row));
          }
          out.append(found);
        }
        return Datum{out.finish(), all_constant(values)};
      }};
}

// A map of entries at places in two columns of equal length, each row's keys checked.
class MapAssembler {
 public:
  MapAssembler(int64_t rows, ColumnPtr keys, ColumnPtr values)
      : lists_(rows), keys_(std::move(keys)), values_(std::move(values)) {}
  void add(int32_t place) { lists_.add(place); }
  void null_row() { lists_.null_row(); }
  Status close_row() {
    FLOWRUN_RETURN_IF_ERROR(check_map_keys(*keys_, lists_.open_row()));
    lists_.close_row();
    return {};
  }
  ColumnPtr finish(const Type& type) const {
    return lists_.finish(type, {lists_.elements({&keys_, 1}), lists_.elements({&values_, 1})});
  }

 private:
  ListAssembler lists_;
  ColumnPtr keys_;
  ColumnPtr values_;
};

Result<Datum> map_from_entries(const Type& type, const CallContext& context,
                               std::span<const Datum> values) {
  const int64_t rows = rows_to_compute(values, context.num_rows);
  const Column& entries = *values[0].column->child(0);
  MapAssembler out(rows, entries.child(0), entries.child(1));
  for (int64_t row = 0; row < rows; ++row) {
    bool null = values[0].is_null(row);
    const ListRange range = null ? ListRange{0, 0} : list_at(values[0], row);
    for (int32_t i = range.begin; i < range.end; ++i) null = null || entries.is_null(i);
    if (null) {
      out.null_row();
      continue;
    }
    for (int32_t i = range.begin; i < range.end; ++i) out.add(i);
    FLOWRUN_RETURN_IF_ERROR(out.close_row());
  }
  return Datum{out.finish(type), all_constant(values)};
}

Result<BoundFunction> bind_from_entries(const Arguments& arguments) {
  const Type& list = arguments.types[0];
  const bool pairs = list.id() == TypeId::array && list.element().id() == TypeId::struct_ &&
                     list.element().fields().size() == 2;
  if (!pairs) return wrong_argument(arguments, 0, "an array of structs of two fields");
  const Type type = Type::map(list.element().fields()[0].type, list.element().fields()[1].type);
  return BoundFunction{{list},
                       type,
                       [type](const CallContext& context, std::span<const Datum> values) {
                         return map_from_entries(type, context, values);
                       },
                       true};
}

Result<Datum> map_from_arrays(const Type& type, const CallContext& context,
                              std::span<const Datum> values) {
  const int64_t rows = rows_to_compute(values, context.num_rows);
  ListAssembler keys(rows);
  ListAssembler items(rows);
  for (int64_t row = 0; row < rows; ++row) {
    if (values[0].is_null(row) || values[1].is_null(row)) {
      keys.null_row();
      items.null_row();
      continue;
    }
    const ListRange key = list_at(values[0], row);
    const ListRange item = list_at(values[1], row);
    if (key.size() != item.size()) {
      return Error::data(
          fmt::format("map_from_arrays is given {} keys and {} values", key.size(), item.size()));
    }
    for (int32_t i = 0; i < key.size(); ++i) {
      keys.add(key.begin + i);
      items.add(item.begin + i);
    }
    FLOWRUN_RETURN_IF_ERROR(check_map_keys(*values[0].column->child(0), keys.open_row()));
    keys.close_row();
    items.close_row();
  }
  const ColumnPtr& key_column = values[0].column->child(0);
  const ColumnPtr& item_column = values[1].column->child(0);
  return Datum{
      keys.finish(type, {keys.elements({&key_column, 1}), items.elements({&item_column, 1})}),
      all_constant(values)};
}

Result<BoundFunction> bind_from_arrays(const Arguments& arguments) {
  for (size_t i = 0; i < 2; ++i) {
    if (arguments.types[i].id() != TypeId::array) return wrong_argument(arguments, i, "an array");
  }
  const Type type = Type::map(arguments.types[0].element(), arguments.types[1].element());
  return BoundFunction{{arguments.types[0], arguments.types[1]},
                       type,
                       [type](const CallContext& context, std::span<const Datum> values) {
                         return map_from_arrays(type, context, values);
                       }};
}

Result<BoundFunction> bind_concat(const Arguments& arguments) {
  const auto type = wider_type(arguments.types, false);
  if (!type || type->id() != TypeId::map)
    return Error::invalid("map_concat takes maps of one type");
  return BoundFunction{
      std::vector<Type>(arguments.size(), *type), *type,
      [type = *type](const CallContext& context, std::span<const Datum> values) -> Result<Datum> {
        const int64_t rows = rows_to_compute(values, context.num_rows);
        std::vector<ColumnPtr> keys;
        std::vector<ColumnPtr> items;
        std::vector<int32_t> bases{0};
        for (const Datum& value : values) {
          keys.push_back(value.column->child(0));
          items.push_back(value.column->child(1));
          bases.push_back(static_cast<int32_t>(bases.back() + keys.back()->size()));
        }
        MapAssembler out(rows, concatenate(keys), concatenate(items));
        for (int64_t row = 0; row < rows; ++row) {
          bool null = false;
          for (const Datum& value : values) null = null || value.is_null(row);
          if (null) {
            out.null_row();
            continue;
          }
          for (size_t m = 0; m < values.size(); ++m) {
            const ListRange range = list_at(values[m], row);
            for (int32_t i = range.begin; i < range.end; ++i) out.add(bases[m] + i);
          }
          FLOWRUN_RETURN_IF_ERROR(out.close_row());
        }
        return Datum{out.finish(type), all_constant(values)};
      }};
}

// str_to_map(text, pair delimiter, key delimiter): the delimiters are taken literally.
Result<BoundFunction> bind_str_to_map(const Arguments& arguments) {
  for (size_t i = 0; i < 3; ++i) {
    if (!implicit_cast(arguments.types[i], Type::string()))
      return wrong_argument(arguments, i, "string");
  }
  const Type type = Type::map(Type::string(), Type::string());
  return BoundFunction{
      std::vector<Type>(3, Type::string()), type,
      [type](const CallContext& context, std::span<const Datum> values) -> Result<Datum> {
        const int64_t rows = rows_to_compute(values, context.num_rows);
        MapBuilder out(type);
        auto& keys = static_cast<StringBuilder&>(out.key());
        auto& items = static_cast<StringBuilder&>(out.value());
        for (int64_t row = 0; row < rows; ++row) {
          if (values[0].is_null(row) || values[1].is_null(row) || values[2].is_null(row)) {
            out.append_null();
            continue;
          }
          std::string_view rest = values[0].column->string(values[0].at(row));
          const std::string_view pair = values[1].column->string(values[1].at(row));
          const std::string_view colon = values[2].column->string(values[2].at(row));
          std::vector<std::string_view> seen;
          while (true) {
            const size_t end = pair.empty() ? std::string_view::npos : rest.find(pair);
            const std::string_view entry = rest.substr(0, end);
            const size_t middle = colon.empty() ? std::string_view::npos : entry.find(colon);
            seen.push_back(entry.substr(0, middle));
            for (size_t k = 0; k + 1 < seen.size(); ++k) {
              if (seen[k] == seen.back())
                return Error::data(fmt::format("str_to_map meets the key '{}' twice", seen[k]));
            }
            keys.append(seen.back());
            middle == std::string_view::npos ? items.append_null()
                                             : items.append(entry.substr(middle + colon.size()));
            if (end == std::string_view::npos) break;
            rest.remove_prefix(end + pair.size());
          }
          out.append();
        }
        return Datum{out.finish(), all_constant(values)};
      }};
}

}  // namespace

void register_map_functions(FunctionRegistry& registry) {
  registry.add(
      ScalarFunction("map_keys", "map_keys(map): its keys as an array.", 1, 1, bind_part(0)));
  registry.add(
      ScalarFunction("map_values", "map_values(map): its values as an array.", 1, 1, bind_part(1)));
  registry.add(ScalarFunction("map_entries",
                              "map_entries(map): its entries as an array of structs.", 1, 1,
                              BindFunction(bind_entries)));
  registry.add(ScalarFunction("map_contains_key",
                              "map_contains_key(map, key): whether it has the key.", 2, 2,
                              BindFunction(bind_contains_key)));
  registry.add(ScalarFunction("map_from_entries",
                              "map_from_entries(array of structs): a map of them.", 1, 1,
                              BindFunction(bind_from_entries))
                   .may_fail());
  registry.add(ScalarFunction("map_from_arrays",
                              "map_from_arrays(keys, values): a map of two arrays of one length.",
                              2, 2, BindFunction(bind_from_arrays))
                   .may_fail());
  registry.add(ScalarFunction("map_concat",
                              "map_concat(a, b, ...): the entries of all; a key twice is an error.",
                              1, ScalarFunction::kAnyNumber, BindFunction(bind_concat))
                   .may_fail());
  registry.add(
      ScalarFunction("str_to_map",
                     "str_to_map(text, pair delimiter, key delimiter): 'a:1,b:2' as a map.", 3, 3,
                     BindFunction(bind_str_to_map))
          .with_defaults({constant_text(","), constant_text(":")})
          .may_fail());
}

}  // namespace flowrun
