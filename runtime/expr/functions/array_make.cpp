// Arrays out of arrays: parts, sets, orders.
#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "runtime/columnar/builder.h"
#include "runtime/expr/coercion.h"
#include "runtime/expr/functions/functions.h"
#include "runtime/expr/list_values.h"
#include "runtime/expr/scalar.h"

namespace flowrun {

namespace {

// Fills one row of the result; the row's arguments are not null. Places count over the elements of
// the array arguments one behind the other, then the others' rows: see Sources.
struct Sources {
  std::vector<ColumnPtr> columns;
  std::vector<int32_t> bases;  // of each argument's elements (arrays) or rows (others)

  explicit Sources(std::span<const Datum> values, const Type& element) {
    int32_t base = 0;
    for (const Datum& value : values) {
      bases.push_back(base);
      const ColumnPtr& column =
          value.type() == Type::array(element) ? value.column->child(0) : value.column;
      if (!(column->type() == element)) continue;
      columns.push_back(column);
      base += static_cast<int32_t>(column->size());
    }
  }
};

using FillRow =
    std::function<Status(std::span<const Datum>, const Sources&, int64_t row, ListAssembler&)>;

// Null where the first `required` arguments are.
Kernel list_kernel(const Type& type, size_t required, FillRow fill) {
  return [=](const CallContext& context, std::span<const Datum> values) -> Result<Datum> {
    const int64_t rows = rows_to_compute(values, context.num_rows);
    const Sources sources(values, type.element());
    ListAssembler out(rows);
    for (int64_t row = 0; row < rows; ++row) {
      bool null = false;
      for (size_t i = 0; i < required; ++i) null = null || values[i].is_null(row);
      if (null) {
        out.null_row();
        continue;
      }
      FLOWRUN_RETURN_IF_ERROR(fill(values, sources, row, out));
      out.close_row();
    }
    return Datum{out.finish_array(type, sources.columns), all_constant(values)};
  };
}

void add_all(std::span<const Datum> values, const Sources& sources, size_t argument, int64_t row,
             ListAssembler& out) {
  const ListRange range = list_at(values[argument], row);
  for (int32_t i = range.begin; i < range.end; ++i) out.add(sources.bases[argument] + i);
}

int32_t place_of(std::span<const Datum> values, const Sources& sources, size_t argument,
                 int64_t row) {
  return values[argument].is_null(row)
             ? -1
             : static_cast<int32_t>(sources.bases[argument] + values[argument].at(row));
}

bool is_array(const Type& type) { return type.id() == TypeId::array; }

// f(array): the array's type stays.
ScalarFunction of_array(FunctionNames names, const char* doc, bool orderable, FillRow fill) {
  return {std::move(names), doc, 1, 1,
          BindFunction([=](const Arguments& arguments) -> Result<BoundFunction> {
            const Type& type = arguments.types[0];
            if (!is_array(type) || (orderable && !is_orderable(type)))
              return wrong_argument(arguments, 0, "an array");
            return BoundFunction{{type}, type, list_kernel(type, 1, fill)};
          })};
}

// f(array, element): both of the type they have in common.
ScalarFunction with_element(const char* name, const char* doc, size_t required, FillRow fill) {
  return {name, doc, 2, 2, BindFunction([=](const Arguments& arguments) -> Result<BoundFunction> {
            if (!is_array(arguments.types[0])) return wrong_argument(arguments, 0, "an array");
            const auto element =
                wider_type(arguments.types[0].element(), arguments.types[1], false);
            if (!element)
              return wrong_argument(arguments, 1, arguments.types[0].element().simple_string());
            const Type type = Type::array(*element);
            return BoundFunction{{type, *element}, type, list_kernel(type, required, fill)};
          })};
}

// f(array, array) with set semantics; nulls are equal to nulls.
ScalarFunction of_sets(const char* name, const char* doc, FillRow fill) {
  return {name, doc, 2, 2, BindFunction([=](const Arguments& arguments) -> Result<BoundFunction> {
            const auto type = wider_type(arguments.types[0], arguments.types[1], false);
            if (!type || !is_array(*type))
              return wrong_argument(arguments, is_array(arguments.types[0]) ? 1 : 0,
                                    "an array of the same type");
            return BoundFunction{{*type, *type}, *type, list_kernel(*type, 2, fill)};
          })};
}

// Row `a` of elements in the array with `base`.
struct Elements {
  const Column* column;
  ListRange range;
  int32_t base;
};
Elements elements_of(std::span<const Datum> values, const Sources& sources, size_t argument,
                     int64_t row) {
  return {values[argument].column->child(0).get(), list_at(values[argument], row),
          sources.bases[argument]};
}

bool contains(const Elements& set, const Column& column, int32_t i) {
  for (int32_t k = set.range.begin; k < set.range.end; ++k) {
    if (rows_equal(*set.column, k, column, i)) return true;
  }
  return false;
}

// Adds the elements that `wanted` accepts, each value once.
template <class Wanted>
void add_distinct(const Elements& from, ListAssembler& out, const Wanted& wanted) {
  for (int32_t i = from.range.begin; i < from.range.end; ++i) {
    const Elements before{from.column, {from.range.begin, i}, from.base};
    if (!contains(before, *from.column, i) && wanted(*from.column, i)) out.add(from.base + i);
  }
}

bool any(const Column&, int32_t) { return true; }

void sort_row(ListAssembler& out, const Elements& from, bool ascending, bool nulls_first) {
  std::vector<int32_t> order;
  for (int32_t i = from.range.begin; i < from.range.end; ++i) order.push_back(i);
  const Column& column = *from.column;
  std::ranges::stable_sort(order, [&](int32_t a, int32_t b) {
    const bool a_null = column.is_null(a);
    const bool b_null = column.is_null(b);
    if (a_null || b_null) return a_null != b_null && a_null == nulls_first;
    const int compared = compare_rows(column, a, column, b);
    return ascending ? compared < 0 : compared > 0;
  });
  for (const int32_t i : order) out.add(from.base + i);
}

Result<BoundFunction> bind_sort_array(const Arguments& arguments) {
  const Type& type = arguments.types[0];
  if (!is_array(type) || !is_orderable(type))
    return wrong_argument(arguments, 0, "an array of comparable elements");
  if (arguments.types[1].id() != TypeId::boolean)
    return wrong_argument(arguments, 1, "boolean: ascending");
  return BoundFunction{
      {type, Type::boolean()},
      type,
      list_kernel(type, 2,
                  [](std::span<const Datum> values, const Sources& sources, int64_t row,
                     ListAssembler& out) -> Status {
                    const bool ascending = values[1].column->boolean(values[1].at(row));
                    sort_row(out, elements_of(values, sources, 0, row), ascending, ascending);
                    return {};
                  })};
}

int32_t int_at(const Datum& value, int64_t row) {
  return value.column->values<int32_t>()[static_cast<size_t>(value.at(row))];
}

Status fill_slice(std::span<const Datum> values, const Sources& sources, int64_t row,
                  ListAssembler& out) {
  const ListRange range = list_at(values[0], row);
  const int64_t start = int_at(values[1], row);
  const int64_t length = int_at(values[2], row);
  if (start == 0) return Error::data("slice counts from 1 — start 0 names no element");
  if (length < 0)
    return Error::data(fmt::format("slice takes a length of at least 0; got {}", length));
  const int64_t first = start > 0 ? start - 1 : range.size() + start;
  if (first < 0) return {};
  for (int64_t i = first; i < std::min<int64_t>(first + length, range.size()); ++i)
    out.add(static_cast<int32_t>(sources.bases[0] + range.begin + i));
  return {};
}

Result<BoundFunction> bind_slice(const Arguments& arguments) {
  const Type& type = arguments.types[0];
  if (!is_array(type)) return wrong_argument(arguments, 0, "an array");
  for (size_t i = 1; i < 3; ++i) {
    if (!implicit_cast(arguments.types[i], Type::integer()))
      return wrong_argument(arguments, i, "int");
  }
  return BoundFunction{
      {type, Type::integer(), Type::integer()}, type, list_kernel(type, 3, fill_slice), true};
}

// array_insert(array, position, x): the position counts from 1, or from the end with -1; gaps are
// nulls.
Status fill_insert(std::span<const Datum> values, const Sources& sources, int64_t row,
                   ListAssembler& out) {
  const ListRange range = list_at(values[0], row);
  const int64_t position = int_at(values[1], row);
  constexpr int64_t kMost = 1 << 24;
  if (position == 0) return Error::data("array_insert counts from 1 — position 0 names no place");
  if (position > kMost || position < -kMost)
    return Error::data(fmt::format("array_insert at {} makes too long an array", position));
  const int32_t value = place_of(values, sources, 2, row);
  const int64_t size = range.size();
  const auto element = [&](int64_t i) {
    return static_cast<int32_t>(sources.bases[0] + range.begin + i);
  };
  const int64_t at = position > 0 ? position - 1 : size + position + 1;
  if (at < 0) {
    out.add(value);
    for (int64_t i = at + 1; i < 0; ++i) out.add(-1);
    for (int64_t i = 0; i < size; ++i) out.add(element(i));
    return {};
  }
  for (int64_t i = 0; i < std::max(size + 1, at + 1); ++i) {
    if (i == at) {
      out.add(value);
    } else {
      const int64_t from = i < at ? i : i - 1;
      out.add(from < size ? element(from) : -1);
    }
  }
  return {};
}

Result<BoundFunction> bind_insert(const Arguments& arguments) {
  if (!is_array(arguments.types[0])) return wrong_argument(arguments, 0, "an array");
  if (!arguments.types[1].is_integral()) return wrong_argument(arguments, 1, "int");
  const auto element = tightest_common_type(arguments.types[0].element(), arguments.types[2]);
  if (!element) return wrong_argument(arguments, 2, arguments.types[0].element().simple_string());
  const Type type = Type::array(*element);
  return BoundFunction{{type, Type::integer(), *element}, type, list_kernel(type, 2, fill_insert)};
}

Result<BoundFunction> bind_repeat(const Arguments& arguments) {
  if (arguments.types[1].id() != TypeId::integer && arguments.types[1].id() != TypeId::null)
    return wrong_argument(arguments, 1, "int");
  const Type type = Type::array(arguments.types[0]);
  return BoundFunction{
      {arguments.types[0], Type::integer()},
      type,
      [type](const CallContext& context, std::span<const Datum> values) -> Result<Datum> {
        const int64_t rows = rows_to_compute(values, context.num_rows);
        ListAssembler out(rows);
        for (int64_t row = 0; row < rows; ++row) {
          if (values[1].is_null(row)) {
            out.null_row();
            continue;
          }
          const int32_t times = int_at(values[1], row);
          if (times > kMostElements - out.num_elements())
            return Error::data(
                fmt::format("array_repeat would make {} elements or more — {} are "
                            "the most in a batch",
                            times, kMostElements));
          for (int32_t n = times; n > 0; --n) out.add(static_cast<int32_t>(values[0].at(row)));
          out.close_row();
        }
        const ColumnPtr source = values[0].column;
        return Datum{out.finish_array(type, {&source, 1}), all_constant(values)};
      }};
}

// flatten(array of arrays); null if one of them is.
Result<BoundFunction> bind_flatten(const Arguments& arguments) {
  const Type& type = arguments.types[0];
  if (!is_array(type) || !is_array(type.element()))
    return wrong_argument(arguments, 0, "an array of arrays");
  return BoundFunction{
      {type},
      type.element(),
      [result = type.element()](const CallContext& context,
                                std::span<const Datum> values) -> Result<Datum> {
        const int64_t rows = rows_to_compute(values, context.num_rows);
        const Datum inner{values[0].column->child(0), false};
        ListAssembler out(rows);
        for (int64_t row = 0; row < rows; ++row) {
          bool null = values[0].is_null(row);
          const ListRange range = null ? ListRange{0, 0} : list_at(values[0], row);
          for (int32_t i = range.begin; i < range.end && !null; ++i) {
            null = inner.is_null(i);
            if (null) break;
            const ListRange part = list_at(inner, i);
            for (int32_t k = part.begin; k < part.end; ++k) out.add(k);
          }
          null ? out.null_row() : out.close_row();
        }
        return Datum{out.finish_array(result, {&inner.column->child(0), 1}), values[0].constant};
      },
      true};
}

void register_sets(FunctionRegistry& registry) {
  registry.add(of_array("array_distinct", "array_distinct(array): each value once.", true,
                        [](std::span<const Datum> values, const Sources& sources, int64_t row,
                           ListAssembler& out) -> Status {
                          add_distinct(elements_of(values, sources, 0, row), out, any);
                          return {};
                        }));
  registry.add(of_sets("array_union", "array_union(a, b): what is in either, each value once.",
                       [](std::span<const Datum> values, const Sources& sources, int64_t row,
                          ListAssembler& out) -> Status {
                         const Elements a = elements_of(values, sources, 0, row);
                         add_distinct(a, out, any);
                         add_distinct(elements_of(values, sources, 1, row), out,
                                      [&](const Column& column, int32_t i) {
                                        return !contains(a, column, i);
                                      });
                         return {};
                       }));
  registry.add(of_sets(
      "array_intersect", "array_intersect(a, b): what is in both, each value once.",
      [](std::span<const Datum> values, const Sources& sources, int64_t row,
         ListAssembler& out) -> Status {
        const Elements b = elements_of(values, sources, 1, row);
        add_distinct(elements_of(values, sources, 0, row), out,
                     [&](const Column& column, int32_t i) { return contains(b, column, i); });
        return {};
      }));
  registry.add(of_sets(
      "array_except", "array_except(a, b): what is in a and not in b, each value once.",
      [](std::span<const Datum> values, const Sources& sources, int64_t row,
         ListAssembler& out) -> Status {
        const Elements b = elements_of(values, sources, 1, row);
        add_distinct(elements_of(values, sources, 0, row), out,
                     [&](const Column& column, int32_t i) { return !contains(b, column, i); });
        return {};
      }));
}

}  // namespace

void register_array_make_functions(FunctionRegistry& registry) {
  register_sets(registry);
  registry.add(of_array("array_compact", "array_compact(array): without its nulls.", false,
                        [](std::span<const Datum> values, const Sources& sources, int64_t row,
                           ListAssembler& out) -> Status {
                          const Elements from = elements_of(values, sources, 0, row);
                          for (int32_t i = from.range.begin; i < from.range.end; ++i) {
                            if (from.column->is_valid(i)) out.add(from.base + i);
                          }
                          return {};
                        }));
  registry.add(with_element("array_append", "array_append(array, x): x behind its elements.", 1,
                            [](std::span<const Datum> values, const Sources& sources, int64_t row,
                               ListAssembler& out) -> Status {
                              add_all(values, sources, 0, row, out);
                              out.add(place_of(values, sources, 1, row));
                              return {};
                            }));
  registry.add(with_element("array_prepend", "array_prepend(array, x): x before its elements.", 1,
                            [](std::span<const Datum> values, const Sources& sources, int64_t row,
                               ListAssembler& out) -> Status {
                              out.add(place_of(values, sources, 1, row));
                              add_all(values, sources, 0, row, out);
                              return {};
                            }));
  registry.add(
      with_element("array_remove", "array_remove(array, x): without the elements that equal x.", 2,
                   [](std::span<const Datum> values, const Sources& sources, int64_t row,
                      ListAssembler& out) -> Status {
                     const Elements from = elements_of(values, sources, 0, row);
                     for (int32_t i = from.range.begin; i < from.range.end; ++i) {
                       if (!rows_equal(*from.column, i, *values[1].column, values[1].at(row)))
                         out.add(from.base + i);
                     }
                     return {};
                   }));
  registry.add(
      ScalarFunction(
          "sort_array",
          "sort_array(array, ascending): sorted; nulls come first, or last when descending.", 2, 2,
          BindFunction(bind_sort_array))
          .with_defaults({constant_bool(true)}));
  registry.add(of_array("array_sort by default", "", true,
                        [](std::span<const Datum> values, const Sources& sources, int64_t row,
                           ListAssembler& out) -> Status {
                          sort_row(out, elements_of(values, sources, 0, row), true, false);
                          return {};
                        }));
  registry.add(ScalarFunction("slice",
                              "slice(array, start, length): a part of it; start counts from 1, or "
                              "from the end with -1.",
                              3, 3, BindFunction(bind_slice))
                   .may_fail());
  registry.add(ScalarFunction("array_insert",
                              "array_insert(array, position, x): x put in at a position from 1.", 3,
                              3, BindFunction(bind_insert))
                   .may_fail());
  registry.add(ScalarFunction("array_repeat", "array_repeat(x, n): an array of x n times.", 2, 2,
                              BindFunction(bind_repeat))
                   .may_fail());
  registry.add(ScalarFunction("flatten", "flatten(array of arrays): their elements in one array.",
                              1, 1, BindFunction(bind_flatten)));
}

}  // namespace flowrun
