// NOT, AND, OR and the tests for null.
#include "runtime/columnar/builder.h"
#include "runtime/expr/analyzer.h"
#include "runtime/expr/functions/functions.h"
#include "runtime/expr/lazy_nodes.h"
#include "runtime/expr/scalar.h"

namespace flowrun {

namespace {

bool is_truth(const TypedPtr& node) {
  return node->type.id() == TypeId::boolean || node->type.id() == TypeId::null;
}

ScalarFunction logic(const char* name, const char* doc, bool is_and) {
  return {name, doc, 2, 2, BuildFunction([is_and](CallSite& site) -> Result<TypedPtr> {
            for (size_t i = 0; i < 2; ++i) {
              if (!is_truth(site.argument(i))) return site.wrong_argument(i, "boolean");
            }
            return site.finish(
                std::make_shared<LogicNode>(is_and, site.cast(site.argument(0), Type::boolean()),
                                            site.cast(site.argument(1), Type::boolean())));
          })};
}

Result<BoundFunction> bind_not(const Arguments& arguments) {
  if (arguments.types[0].id() != TypeId::boolean && arguments.types[0].id() != TypeId::null) {
    return wrong_argument(arguments, 0, "boolean");
  }
  return BoundFunction{{Type::boolean()},
                       Type::boolean(),
                       [](const CallContext&, std::span<const Datum> values) -> Result<Datum> {
                         const Column& column = *values[0].column;
                         Column::Parts parts{.type = Type::boolean(),
                                             .size = column.size(),
                                             .null_count = column.null_count()};
                         if (column.null_count() > 0) parts.validity = copy_validity(column);
                         parts.values = Buffer::allocate(bitmap_bytes(column.size()));
                         uint8_t* out = parts.values->mutable_data();
                         const auto offset = column.parts().offset;
                         if (offset % 8 == 0) {
                           const uint8_t* in = column.parts().values->data() + offset / 8;
                           for (size_t i = 0; i < bitmap_bytes(column.size()); ++i)
                             out[i] = static_cast<uint8_t>(~in[i]);
                         } else {
                           for (int64_t i = 0; i < column.size(); ++i)
                             put_bit(out, i, !column.boolean(i));
                         }
                         return Datum{Column::make(std::move(parts)), values[0].constant};
                       }};
}

// Validity as values: set where `column` is null, or where it is not.
ColumnPtr null_bits(const Column& column, bool set_where_null) {
  const int64_t rows = column.size();
  Column::Parts parts{.type = Type::boolean(), .size = rows, .null_count = 0};
  const bool none = column.null_count() == 0;
  if (!none && column.null_count() < rows && !set_where_null) {
    parts.values = copy_validity(column);
    return Column::make(std::move(parts));
  }
  parts.values = Buffer::allocate(bitmap_bytes(rows));
  uint8_t* out = parts.values->mutable_data();
  if (none || column.null_count() == rows) {
    std::memset(out, none != set_where_null ? 0xff : 0, bitmap_bytes(rows));
  } else {
    const BufferPtr valid = copy_validity(column);
    for (size_t i = 0; i < bitmap_bytes(rows); ++i)
      out[i] = static_cast<uint8_t>(~valid->data()[i]);
  }
  return Column::make(std::move(parts));
}

ScalarFunction null_test(FunctionNames names, const char* doc, bool set_where_null) {
  BindFunction bind = [set_where_null](const Arguments& arguments) -> Result<BoundFunction> {
    return BoundFunction{
        {arguments.types[0]},
        Type::boolean(),
        [set_where_null](const CallContext&, std::span<const Datum> values) -> Result<Datum> {
          return Datum{null_bits(*values[0].column, set_where_null), values[0].constant};
        }};
  };
  return ScalarFunction(std::move(names), doc, 1, 1, std::move(bind))
      .named_by([set_where_null](auto arguments) {
        return "(" + arguments[0] + (set_where_null ? " IS NULL)" : " IS NOT NULL)");
      });
}

}  // namespace

void register_logic_functions(FunctionRegistry& registry) {
  registry.add(
      logic("and", "a AND b: true if both are; b is looked at only where a is not false.", true));
  registry.add(
      logic("or", "a OR b: true if either is; b is looked at only where a is not true.", false));
  registry.add(
      ScalarFunction({"not", "!"}, "NOT a: true where a is false.", 1, 1, BindFunction(bind_not))
          .named_by([](auto arguments) { return "(NOT " + arguments[0] + ")"; }));
  registry.add(null_test("isnull", "isnull(x), x IS NULL: whether x is null.", true));
  registry.add(
      null_test("isnotnull", "isnotnull(x), x IS NOT NULL: whether x is not null.", false));
}

}  // namespace flowrun
