// Arrays: how long they are, what is in them and where.
#include <fmt/format.h>

#include "runtime/columnar/builder.h"
#include "runtime/expr/coercion.h"
#include "runtime/expr/functions/functions.h"
#include "runtime/expr/list_values.h"
#include "runtime/expr/scalar.h"

namespace flowrun {

namespace {

bool is_list(const Type& type) { return type.id() == TypeId::array || type.id() == TypeId::map; }

// size(null) is -1, as Spark has it with ANSI mode off.
Result<BoundFunction> bind_size(const Arguments& arguments) {
  const Type& type = arguments.types[0];
  if (!is_list(type) && type.id() != TypeId::null)
    return wrong_argument(arguments, 0, "an array or a map");
  return BoundFunction{
      {type},
      Type::integer(),
      [](const CallContext& context, std::span<const Datum> values) -> Result<Datum> {
        const int64_t rows = rows_to_compute(values, context.num_rows);
        FixedWriter<int32_t> out(Type::integer(), rows);
        for (int64_t i = 0; i < rows; ++i)
          out.set(i, values[0].is_null(i) ? -1 : list_at(values[0], i).size());
        return Datum{out.finish(), values[0].constant};
      }};
}

Result<BoundFunction> bind_array_size(const Arguments& arguments) {
  const Type& type = arguments.types[0];
  if (type.id() != TypeId::array && type.id() != TypeId::null)
    return wrong_argument(arguments, 0, "an array");
  return BoundFunction{
      {type},
      Type::integer(),
      [](const CallContext& context, std::span<const Datum> values) -> Result<Datum> {
        const int64_t rows = rows_to_compute(values, context.num_rows);
        FixedWriter<int32_t> out(Type::integer(), rows);
        for (int64_t i = 0; i < rows; ++i)
          values[0].is_null(i) ? out.set_null(i) : out.set(i, list_at(values[0], i).size());
        return Datum{out.finish(), values[0].constant};
      }};
}

// The element at a place, or null.
template <class Place>
Result<Datum> pick(const CallContext& context, std::span<const Datum> values, size_t child,
                   const Place& place) {
  const int64_t rows = rows_to_compute(values, context.num_rows);
  std::vector<int32_t> places(static_cast<size_t>(rows), -1);
  for (int64_t row = 0; row < rows; ++row) {
    if (values[0].is_null(row) || values[1].is_null(row)) continue;
    FLOWRUN_TRY(places[static_cast<size_t>(row)], place(row));
  }
  return Datum{take(*values[0].column->child(child), places), all_constant(values)};
}

// element_at(array, i): from 1, or from the end with -1; null beyond.
Kernel element_kernel(bool from_one) {
  return [from_one](const CallContext& context, std::span<const Datum> values) {
    return pick(context, values, 0, [&](int64_t row) -> Result<int32_t> {
      const ListRange range = list_at(values[0], row);
      int64_t index = index_at(values[1], row);
      if (from_one) {
        if (index == 0) return Error::data("element_at counts from 1 — index 0 names no element");
        index = index > 0 ? index - 1 : range.size() + index;
      }
      return index < 0 || index >= range.size() ? -1 : static_cast<int32_t>(range.begin + index);
    });
  };
}

Result<Datum> value_of_key(const CallContext& context, std::span<const Datum> values) {
  return pick(context, values, 1, [&](int64_t row) -> Result<int32_t> {
    const ListRange range = list_at(values[0], row);
    for (int32_t i = range.begin; i < range.end; ++i) {
      if (rows_equal(*values[0].column->child(0), i, *values[1].column, values[1].at(row)))
        return i;
    }
    return -1;
  });
}

Result<BoundFunction> bind_element_at(const Arguments& arguments) {
  const Type& list = arguments.types[0];
  const Type& key = arguments.types[1];
  if (list.id() == TypeId::array) {
    if (!key.is_integral() && key.id() != TypeId::null)
      return wrong_argument(arguments, 1, "int, the index from 1");
    return BoundFunction{{list, Type::bigint()}, list.element(), element_kernel(true), true};
  }
  if (list.id() == TypeId::map) {
    const auto common = tightest_common_type(list.key(), key);
    if (!common) return wrong_argument(arguments, 1, list.key().simple_string() + ", a key");
    return BoundFunction{
        {Type::map(*common, list.value()), *common}, list.value(), value_of_key, true};
  }
  return wrong_argument(arguments, 0, "an array or a map");
}

Result<BoundFunction> bind_get(const Arguments& arguments) {
  const Type& list = arguments.types[0];
  if (list.id() != TypeId::array) return wrong_argument(arguments, 0, "an array");
  if (!implicit_cast(arguments.types[1], Type::bigint()))
    return wrong_argument(arguments, 1, "int, the index from 0");
  return BoundFunction{{list, Type::bigint()}, list.element(), element_kernel(false), true};
}

// The types of f(array, element): both brought to what they have in common.
Result<Type> searched_type(const Arguments& arguments, bool exactly) {
  const Type& list = arguments.types[0];
  if (list.id() != TypeId::array) return wrong_argument(arguments, 0, "an array");
  if (!exactly && arguments.types[1].id() == TypeId::null)
    return wrong_argument(arguments, 1, "a value, not NULL");
  const auto common = exactly ? tightest_common_type(list.element(), arguments.types[1])
                              : wider_type(list.element(), arguments.types[1], false);
  if (!common || !is_orderable(*common))
    return wrong_argument(arguments, 1, list.element().simple_string());
  return *common;
}

// The place of the value in the array of `row`, or -1; and whether a null was met on the way.
struct Found {
  int32_t place;
  bool saw_null;
};
Found find_value(std::span<const Datum> values, int64_t row) {
  const ListRange range = list_at(values[0], row);
  const Column& elements = *values[0].column->child(0);
  Found found{-1, false};
  for (int32_t i = range.begin; i < range.end; ++i) {
    if (elements.is_null(i)) {
      found.saw_null = true;
    } else if (rows_equal(elements, i, *values[1].column, values[1].at(row))) {
      return {i - range.begin, found.saw_null};
    }
  }
  return found;
}

Result<BoundFunction> bind_array_contains(const Arguments& arguments) {
  FLOWRUN_TRY(const Type element, searched_type(arguments, false));
  return BoundFunction{
      {Type::array(element), element},
      Type::boolean(),
      [](const CallContext& context, std::span<const Datum> values) -> Result<Datum> {
        const int64_t rows = rows_to_compute(values, context.num_rows);
        BooleanBuilder out;
        for (int64_t i = 0; i < rows; ++i) {
          if (values[0].is_null(i) || values[1].is_null(i)) {
            out.append_null();
            continue;
          }
          const Found found = find_value(values, i);
          found.place < 0 && found.saw_null ? out.append_null() : out.append(found.place >= 0);
        }
        return Datum{out.finish(), all_constant(values)};
      },
      true};
}

Result<BoundFunction> bind_array_position(const Arguments& arguments) {
  FLOWRUN_TRY(const Type element, searched_type(arguments, true));
  return BoundFunction{
      {Type::array(element), element},
      Type::bigint(),
      [](const CallContext& context, std::span<const Datum> values) -> Result<Datum> {
        const int64_t rows = rows_to_compute(values, context.num_rows);
        FixedWriter<int64_t> out(Type::bigint(), rows);
        for (int64_t i = 0; i < rows; ++i) {
          values[0].is_null(i) || values[1].is_null(i)
              ? out.set_null(i)
              : out.set(i, find_value(values, i).place + 1);
        }
        return Datum{out.finish(), all_constant(values)};
      }};
}

// The greatest (sign 1) or least (sign -1) element that is not null.
Result<BoundFunction> bind_extreme(const Arguments& arguments, int sign) {
  const Type& list = arguments.types[0];
  if (list.id() != TypeId::array || !is_orderable(list.element()))
    return wrong_argument(arguments, 0, "an array of comparable elements");
  return BoundFunction{
      {list},
      list.element(),
      [sign](const CallContext& context, std::span<const Datum> values) -> Result<Datum> {
        const int64_t rows = rows_to_compute(values, context.num_rows);
        std::vector<int32_t> places(static_cast<size_t>(rows), -1);
        const Column& elements = *values[0].column->child(0);
        for (int64_t row = 0; row < rows; ++row) {
          if (values[0].is_null(row)) continue;
          int32_t& best = places[static_cast<size_t>(row)];
          const ListRange range = list_at(values[0], row);
          for (int32_t i = range.begin; i < range.end; ++i) {
            if (elements.is_null(i)) continue;
            if (best < 0 || compare_rows(elements, i, elements, best) * sign > 0) best = i;
          }
        }
        return Datum{take(elements, places), values[0].constant};
      },
      true};
}

// Two arrays of one type.
Result<Type> paired_type(const Arguments& arguments) {
  for (size_t i = 0; i < 2; ++i) {
    if (arguments.types[i].id() != TypeId::array && arguments.types[i].id() != TypeId::null)
      return wrong_argument(arguments, i, "an array");
  }
  const auto common = wider_type(arguments.types[0], arguments.types[1], false);
  if (!common || common->id() != TypeId::array || !is_orderable(*common))
    return wrong_argument(arguments, 1, arguments.types[0].simple_string());
  return *common;
}

Result<BoundFunction> bind_arrays_overlap(const Arguments& arguments) {
  FLOWRUN_TRY(const Type type, paired_type(arguments));
  return BoundFunction{
      {type, type},
      Type::boolean(),
      [](const CallContext& context, std::span<const Datum> values) -> Result<Datum> {
        const int64_t rows = rows_to_compute(values, context.num_rows);
        BooleanBuilder out;
        const Column& a = *values[0].column->child(0);
        const Column& b = *values[1].column->child(0);
        for (int64_t row = 0; row < rows; ++row) {
          if (values[0].is_null(row) || values[1].is_null(row)) {
            out.append_null();
            continue;
          }
          const ListRange x = list_at(values[0], row);
          const ListRange y = list_at(values[1], row);
          bool common = false;
          bool saw_null = false;
          for (int32_t i = x.begin; i < x.end; ++i) {
            for (int32_t k = y.begin; k < y.end; ++k) {
              const bool null = a.is_null(i) || b.is_null(k);
              saw_null = saw_null || null;
              common = common || (!null && rows_equal(a, i, b, k));
            }
          }
          !common&& saw_null ? out.append_null() : out.append(common);
        }
        return Datum{out.finish(), all_constant(values)};
      },
      true};
}

// array_join(array, delimiter[, text for nulls]).
Result<BoundFunction> bind_array_join(const Arguments& arguments) {
  const Type texts = Type::array(Type::string());
  if (!implicit_cast(arguments.types[0], texts))
    return wrong_argument(arguments, 0, "array<string>");
  for (size_t i = 1; i < arguments.size(); ++i) {
    if (!implicit_cast(arguments.types[i], Type::string()))
      return wrong_argument(arguments, i, "string");
  }
  std::vector<Type> types(arguments.size(), Type::string());
  types[0] = texts;
  return BoundFunction{
      std::move(types), Type::string(),
      [](const CallContext& context, std::span<const Datum> values) -> Result<Datum> {
        const int64_t rows = rows_to_compute(values, context.num_rows);
        StringBuilder out(Type::string());
        std::string text;
        for (int64_t row = 0; row < rows; ++row) {
          bool null = false;
          for (const Datum& value : values) null = null || value.is_null(row);
          if (null) {
            out.append_null();
            continue;
          }
          text.clear();
          const Column& elements = *values[0].column->child(0);
          bool first = true;
          const ListRange range = list_at(values[0], row);
          for (int32_t i = range.begin; i < range.end; ++i) {
            if (elements.is_null(i) && values.size() < 3) continue;
            if (!first) text += values[1].column->string(values[1].at(row));
            first = false;
            text += elements.is_null(i) ? values[2].column->string(values[2].at(row))
                                        : elements.string(i);
          }
          out.append(text);
        }
        return Datum{out.finish(), all_constant(values)};
      }};
}

}  // namespace

void register_array_functions(FunctionRegistry& registry) {
  registry.add(ScalarFunction({"size", "cardinality"},
                              "size(x): how many elements an array or map has; -1 for null.", 1, 1,
                              BindFunction(bind_size)));
  registry.add(ScalarFunction("array_size",
                              "array_size(array): how many elements it has; null for null.", 1, 1,
                              BindFunction(bind_array_size)));
  registry.add(ScalarFunction("element_at",
                              "element_at(x, i): element i of an array from 1 (-1: the last), or "
                              "the value of a key; null if there is none.",
                              2, 2, BindFunction(bind_element_at))
                   .may_fail());
  registry.add(ScalarFunction("try_element_at", "try_element_at(x, i): as element_at.", 2, 2,
                              BindFunction(bind_element_at))
                   .may_fail());
  registry.add(ScalarFunction("get", "get(array, i): element i from 0; null if there is none.", 2,
                              2, BindFunction(bind_get)));
  registry.add(ScalarFunction("array_contains", "array_contains(array, x): whether x is in it.", 2,
                              2, BindFunction(bind_array_contains)));
  registry.add(ScalarFunction(
      "array_position", "array_position(array, x): where x is first, from 1; 0 if it is not in it.",
      2, 2, BindFunction(bind_array_position)));
  registry.add(ScalarFunction("array_max", "array_max(array): the greatest element.", 1, 1,
                              BindFunction([](const Arguments& a) { return bind_extreme(a, 1); })));
  registry.add(
      ScalarFunction("array_min", "array_min(array): the least element.", 1, 1,
                     BindFunction([](const Arguments& a) { return bind_extreme(a, -1); })));
  registry.add(ScalarFunction("arrays_overlap",
                              "arrays_overlap(a, b): whether they have an element in common.", 2, 2,
                              BindFunction(bind_arrays_overlap)));
  registry.add(ScalarFunction("array_join",
                              "array_join(array, delimiter, null text): the elements as one text; "
                              "nulls left out without a text for them.",
                              2, 3, BindFunction(bind_array_join)));
}

}  // namespace flowrun
