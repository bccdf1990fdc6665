// Functions that ask a lambda about each element: transform, filter, exists, and those of maps.
#include <fmt/format.h>

#include <algorithm>

#include "runtime/columnar/builder.h"
#include "runtime/expr/analyzer.h"
#include "runtime/expr/coercion.h"
#include "runtime/expr/functions/functions.h"
#include "runtime/expr/functions/lambda_node.h"
#include "runtime/expr/list_values.h"
#include "runtime/expr/map_keys.h"
#include "runtime/expr/scalar.h"

namespace flowrun {

namespace {

// The elements of all rows, one behind the other, and the row each belongs to.
struct Flattened {
  std::vector<int32_t> rows;
  std::vector<int32_t> places;

  explicit Flattened(const Datum& list) {
    for (int64_t row = 0; row < list.column->size(); ++row) {
      if (list.is_null(row)) continue;
      const ListRange range = list_at(list, row);
      for (int32_t i = range.begin; i < range.end; ++i) {
        rows.push_back(static_cast<int32_t>(row));
        places.push_back(i);
      }
    }
  }
  // 0, 1, 2 ... within each row.
  [[nodiscard]] ColumnPtr positions() const {
    FixedWriter<int32_t> out(Type::integer(), static_cast<int64_t>(rows.size()));
    int32_t position = 0;
    for (size_t i = 0; i < rows.size(); ++i) {
      position = i > 0 && rows[i] == rows[i - 1] ? position + 1 : 0;
      out.set(static_cast<int64_t>(i), position);
    }
    return out.finish();
  }
};

// The body's value for each element: of an array (x[, position]) or a map (key, value).
Result<ColumnPtr> evaluate_elements(const Frame& frame, const Datum& list, const Flattened& flat,
                                    const TypedNode& body, size_t parameters) {
  FrameSelection selection(frame, flat.rows, body);
  selection.add_variable(take(*list.column->child(0), flat.places));
  if (parameters > 1) {
    selection.add_variable(list.type().id() == TypeId::map
                               ? take(*list.column->child(1), flat.places)
                               : flat.positions());
  }
  FLOWRUN_TRY(const Datum value, body.evaluate(selection.frame()));
  return value.expand(static_cast<int64_t>(flat.rows.size()));
}

// Offsets and nulls of `list` over elements that were flattened out of it.
ColumnPtr rebuilt(const Datum& list, const Type& type, std::vector<ColumnPtr> children) {
  const int64_t rows = list.column->size();
  ListAssembler out(rows);
  for (int64_t row = 0; row < rows; ++row) {
    if (list.is_null(row)) {
      out.null_row();
      continue;
    }
    for (int32_t n = list_at(list, row).size(); n > 0; --n) out.add(0);
    out.close_row();
  }
  return out.finish(type, std::move(children));
}

enum class Holder { array, map };

// f(array or map, lambda): binds the lambda over its elements and hands both to `finish`.
using Finish = std::function<Result<TypedPtr>(CallSite&, TypedPtr list, TypedPtr body,
                                              size_t parameters, std::string name)>;
BuildFunction over_elements(Holder holder, size_t most_parameters, Finish finish) {
  return [=](CallSite& site) -> Result<TypedPtr> {
    const bool of_map = holder == Holder::map;
    if (site.is_lambda(0) ||
        site.argument(0)->type.id() != (of_map ? TypeId::map : TypeId::array)) {
      return site.wrong_argument(0, of_map ? "a map" : "an array");
    }
    const TypedPtr& list = site.argument(0);
    if (!site.is_lambda(1))
      return site.wrong_argument(
          1, of_map ? "a lambda such as (k, v) -> v + 1" : "a lambda such as x -> x + 1");
    std::vector<CallSite::Parameter> parameters;
    if (of_map) {
      parameters = {{list->type.key(), false}, {list->type.value(), true}};
    } else {
      parameters = {{list->type.element(), true}};
      if (most_parameters > 1) parameters.push_back({Type::integer(), false});
    }
    const size_t count = site.lambda_parameters(1);
    if (of_map && count != 2)
      return site.wrong_argument(1, "a lambda of two parameters, (k, v) -> ...");
    FLOWRUN_TRY(TypedPtr body, site.lambda(1, parameters));
    std::string name =
        fmt::format("{}({}, {})", site.function(), list->name, lambda_name(*body, count));
    return finish(site, list, std::move(body), count, std::move(name));
  };
}

Result<TypedPtr> truth(const CallSite& site, TypedPtr body) {
  if (body->type.id() != TypeId::boolean && body->type.id() != TypeId::null) {
    return Error::invalid(fmt::format("the lambda of `{}` gives {} ({}) — it must give boolean",
                                      site.function(), body->type.simple_string(), body->name));
  }
  return site.cast(std::move(body), Type::boolean());
}

TypedPtr lambda_node(Type type, TypedPtr list, TypedPtr body, LambdaCode code, std::string name) {
  return std::make_shared<LambdaNode>(std::move(type), std::vector<TypedPtr>{std::move(list)},
                                      std::vector<TypedPtr>{std::move(body)}, std::move(code),
                                      std::move(name));
}

Result<TypedPtr> finish_transform(CallSite&, TypedPtr list, TypedPtr body, size_t parameters,
                                  std::string name) {
  const Type type = Type::array(body->type);
  return lambda_node(
      type, std::move(list), std::move(body),
      [type, parameters](const Frame& frame, std::span<const Datum> arguments,
                         std::span<const TypedPtr> bodies) -> Result<Datum> {
        const Flattened flat(arguments[0]);
        FLOWRUN_TRY(ColumnPtr elements,
                    evaluate_elements(frame, arguments[0], flat, *bodies[0], parameters));
        return Datum{rebuilt(arguments[0], type, {std::move(elements)}), false};
      },
      std::move(name));
}

// transform_keys and transform_values.
Finish finish_transform_map(bool keys) {
  return [keys](CallSite&, TypedPtr list, TypedPtr body, size_t parameters,
                std::string name) -> Result<TypedPtr> {
    const Type type =
        keys ? Type::map(body->type, list->type.value()) : Type::map(list->type.key(), body->type);
    auto node = std::make_shared<LambdaNode>(
        type, std::vector<TypedPtr>{std::move(list)}, std::vector<TypedPtr>{std::move(body)},
        [=](const Frame& frame, std::span<const Datum> arguments,
            std::span<const TypedPtr> bodies) -> Result<Datum> {
          const Flattened flat(arguments[0]);
          FLOWRUN_TRY(ColumnPtr made,
                      evaluate_elements(frame, arguments[0], flat, *bodies[0], parameters));
          if (!keys) {
            return Datum{
                rebuilt(arguments[0], type,
                        {take(*arguments[0].column->child(0), flat.places), std::move(made)}),
                false};
          }
          for (size_t begin = 0, end = 0; begin < flat.rows.size(); begin = end) {
            while (end < flat.rows.size() && flat.rows[end] == flat.rows[begin]) ++end;
            FLOWRUN_RETURN_IF_ERROR(
                check_map_keys(*made, static_cast<int64_t>(begin), static_cast<int64_t>(end)));
          }
          return Datum{
              rebuilt(arguments[0], type,
                      {std::move(made), take(*arguments[0].column->child(1), flat.places)}),
              false};
        },
        std::move(name));
    node->fallible = node->fallible || keys;
    return TypedPtr(std::move(node));
  };
}

// filter and map_filter.
Result<TypedPtr> finish_filter(CallSite& site, TypedPtr list, TypedPtr body, size_t parameters,
                               std::string name) {
  FLOWRUN_TRY(TypedPtr condition, truth(site, std::move(body)));
  const Type type = list->type;
  return lambda_node(
      type, std::move(list), std::move(condition),
      [type, parameters](const Frame& frame, std::span<const Datum> arguments,
                         std::span<const TypedPtr> bodies) -> Result<Datum> {
        const Flattened flat(arguments[0]);
        FLOWRUN_TRY(const ColumnPtr keeps,
                    evaluate_elements(frame, arguments[0], flat, *bodies[0], parameters));
        ListAssembler out(frame.num_rows);
        size_t next = 0;
        for (int64_t row = 0; row < frame.num_rows; ++row) {
          if (arguments[0].is_null(row)) {
            out.null_row();
            continue;
          }
          for (; next < flat.rows.size() && flat.rows[next] == row; ++next) {
            const auto i = static_cast<int64_t>(next);
            if (keeps->is_valid(i) && keeps->boolean(i)) out.add(flat.places[next]);
          }
          out.close_row();
        }
        std::vector<ColumnPtr> children;
        for (const ColumnPtr& child : arguments[0].column->children())
          children.push_back(out.elements({&child, 1}));
        return Datum{out.finish(type, std::move(children)), false};
      },
      std::move(name));
}

// exists (decisive: true) and forall (decisive: false), null if undecided and a null was met.
Finish finish_quantifier(bool decisive) {
  return [decisive](CallSite& site, TypedPtr list, TypedPtr body, size_t parameters,
                    std::string name) -> Result<TypedPtr> {
    FLOWRUN_TRY(TypedPtr condition, truth(site, std::move(body)));
    return lambda_node(
        Type::boolean(), std::move(list), std::move(condition),
        [decisive, parameters](const Frame& frame, std::span<const Datum> arguments,
                               std::span<const TypedPtr> bodies) -> Result<Datum> {
          const Flattened flat(arguments[0]);
          FLOWRUN_TRY(const ColumnPtr tests,
                      evaluate_elements(frame, arguments[0], flat, *bodies[0], parameters));
          BooleanBuilder out;
          size_t next = 0;
          for (int64_t row = 0; row < frame.num_rows; ++row) {
            bool decided = false;
            bool saw_null = false;
            for (; next < flat.rows.size() && flat.rows[next] == row; ++next) {
              const auto i = static_cast<int64_t>(next);
              saw_null = saw_null || tests->is_null(i);
              decided = decided || (tests->is_valid(i) && tests->boolean(i) == decisive);
            }
            arguments[0].is_null(row) || (!decided && saw_null) ? out.append_null()
                                                                : out.append(decided == decisive);
          }
          return Datum{out.finish(), false};
        },
        std::move(name));
  };
}

}  // namespace

void register_lambda_functions(FunctionRegistry& registry) {
  registry.add(ScalarFunction("transform",
                              "transform(array, x -> ...): the lambda's value for each element; "
                              "(x, i) -> ... is given the position too.",
                              2, 2, over_elements(Holder::array, 2, finish_transform))
                   .with_lambdas());
  registry.add(ScalarFunction("filter",
                              "filter(array, x -> ...): the elements for which the lambda is true.",
                              2, 2, over_elements(Holder::array, 2, finish_filter))
                   .with_lambdas());
  registry.add(ScalarFunction(
                   "exists", "exists(array, x -> ...): whether the lambda is true for one element.",
                   2, 2, over_elements(Holder::array, 1, finish_quantifier(true)))
                   .with_lambdas());
  registry.add(
      ScalarFunction("forall",
                     "forall(array, x -> ...): whether the lambda is true for every element.", 2, 2,
                     over_elements(Holder::array, 1, finish_quantifier(false)))
          .with_lambdas());
  registry.add(
      ScalarFunction("map_filter",
                     "map_filter(map, (k, v) -> ...): the entries for which the lambda is true.", 2,
                     2, over_elements(Holder::map, 2, finish_filter))
          .with_lambdas());
  registry.add(ScalarFunction("transform_keys",
                              "transform_keys(map, (k, v) -> ...): the map with other keys.", 2, 2,
                              over_elements(Holder::map, 2, finish_transform_map(true)))
                   .with_lambdas());
  registry.add(ScalarFunction("transform_values",
                              "transform_values(map, (k, v) -> ...): the map with other values.", 2,
                              2, over_elements(Holder::map, 2, finish_transform_map(false)))
                   .with_lambdas());
}

}  // namespace flowrun
