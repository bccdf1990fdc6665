// arrays_zip: several arrays as one of structs.
#include <algorithm>
#include <vector>

#include "runtime/expr/analyzer.h"
#include "runtime/expr/functions/functions.h"
#include "runtime/expr/list_values.h"
#include "runtime/expr/scalar.h"

namespace flowrun {

namespace {

// Arguments are a name and an array in turn. Shorter arrays are filled up with nulls.
Result<Datum> zip_rows(const Type& type, const CallContext& context,
                       std::span<const Datum> arguments) {
  const int64_t rows = rows_to_compute(arguments, context.num_rows);
  std::vector<Datum> arrays;
  for (size_t i = 1; i < arguments.size(); i += 2) arrays.push_back(arguments[i]);
  std::vector<ListAssembler> lists(arrays.size(), ListAssembler(rows));
  for (int64_t row = 0; row < rows; ++row) {
    const bool null =
        std::ranges::any_of(arrays, [row](const Datum& array) { return array.is_null(row); });
    int32_t longest = 0;
    for (const Datum& array : arrays) {
      if (!null) longest = std::max(longest, list_at(array, row).size());
    }
    for (size_t i = 0; i < arrays.size(); ++i) {
      if (null) {
        lists[i].null_row();
        continue;
      }
      const ListRange range = list_at(arrays[i], row);
      for (int32_t n = 0; n < longest; ++n) lists[i].add(n < range.size() ? range.begin + n : -1);
      lists[i].close_row();
    }
  }
  Column::Parts structs{.type = type.element(), .null_count = 0};
  for (size_t i = 0; i < arrays.size(); ++i)
    structs.children.push_back(lists[i].elements({&arrays[i].column->child(0), 1}));
  structs.size = structs.children[0]->size();
  return Datum{lists[0].finish(type, {Column::make(std::move(structs))}), all_constant(arguments)};
}

Result<BoundFunction> bind_zip(const Arguments& arguments) {
  std::vector<Field> fields;
  for (size_t i = 0; i + 1 < arguments.size(); i += 2)
    fields.push_back({*arguments.constant_text(i), arguments.types[i + 1].element()});
  const Type type = Type::array(Type::struct_(std::move(fields)));
  return BoundFunction{{arguments.types.begin(), arguments.types.end()},
                       type,
                       [type](const CallContext& context, std::span<const Datum> values) {
                         return zip_rows(type, context, values);
                       }};
}

// Fields have the names of the columns, and numbers from 0 where an array has none.
Result<TypedPtr> build_arrays_zip(CallSite& site) {
  std::vector<TypedPtr> parts;
  for (size_t i = 0; i < site.size(); ++i) {
    if (site.argument(i)->type.id() != TypeId::array) return site.wrong_argument(i, "an array");
    std::string name = site.field_name(i);
    if (name.empty()) name = std::to_string(i);
    parts.push_back(CallSite::constant(constant_text(name)));
    parts.push_back(site.argument(i));
  }
  FLOWRUN_TRY(TypedPtr zipped, site.call("zip of named", std::move(parts)));
  return CallSite::named(zipped, site.default_name());
}

}  // namespace

void register_array_zip_functions(FunctionRegistry& registry) {
  registry.add(ScalarFunction("zip of named", "arrays_zip with the fields' names.", 2,
                              ScalarFunction::kAnyNumber, BindFunction(bind_zip)));
  registry.add(ScalarFunction("arrays_zip",
                              "arrays_zip(array, ...): an array of structs, one per place; shorter "
                              "arrays are filled up with nulls.",
                              1, ScalarFunction::kAnyNumber, BuildFunction(build_arrays_zip)));
}

}  // namespace flowrun
