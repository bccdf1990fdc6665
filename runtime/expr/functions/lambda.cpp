// Functions that take lambdas. The body is evaluated once for all elements of all rows, as columns.
#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "runtime/columnar/builder.h"
#include "runtime/expr/analyzer.h"
#include "runtime/expr/coercion.h"
#include "runtime/expr/functions/functions.h"
#include "runtime/expr/list_values.h"
#include "runtime/expr/map_keys.h"
#include "runtime/expr/scalar.h"

namespace flowrun {

namespace {

// The code of a function: arguments are evaluated, bodies are left to it.
using LambdaCode = std::function<Result<Datum>(const Frame&, std::span<const Datum> arguments,
                                               std::span<const TypedPtr> bodies)>;

class LambdaNode final : public TypedNode {
 public:
  LambdaNode(Type result, std::vector<TypedPtr> arguments, std::vector<TypedPtr> bodies,
             LambdaCode code, std::string node_name)
      : num_arguments_(arguments.size()), code_(std::move(code)) {
    type = std::move(result);
    name = std::move(node_name);
    children = std::move(arguments);
    children.insert(children.end(), bodies.begin(), bodies.end());
    inherit();
    foldable = false;
  }

  Result<Datum> evaluate(const Frame& frame) const override {
    std::vector<Datum> arguments;
    for (size_t i = 0; i < num_arguments_; ++i) {
      FLOWRUN_TRY(Datum argument, children[i]->evaluate(frame));
      arguments.push_back({argument.expand(frame.num_rows), false});
    }
    return code_(frame, arguments, std::span(children).subspan(num_arguments_));
  }
  MutableTypedPtr with_children(std::vector<TypedPtr> parts) const override {
    const auto middle = parts.begin() + static_cast<std::ptrdiff_t>(num_arguments_);
    return std::make_shared<LambdaNode>(type, std::vector<TypedPtr>(parts.begin(), middle),
                                        std::vector<TypedPtr>(middle, parts.end()), code_, name);
  }
  std::string identity() const override { return "lambda call " + name; }

 private:
  size_t num_arguments_;
  LambdaCode code_;
};

// Spark prints every parameter alike.
std::string lambda_name(const TypedNode& body, size_t parameters) {
  std::string text = "lambdafunction(" + body.name;
  for (size_t i = 0; i < parameters; ++i) text += ", namedlambdavariable()";
  return text + ")";
}

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

// Values of some rows put in their places among those of all.
ColumnPtr overwritten(const ColumnPtr& all, const ColumnPtr& some, std::span<const int32_t> rows) {
  std::vector<int32_t> places(static_cast<size_t>(all->size()));
  std::iota(places.begin(), places.end(), 0);
  for (size_t i = 0; i < rows.size(); ++i)
    places[static_cast<size_t>(rows[i])] =
        static_cast<int32_t>(all->size() + static_cast<int64_t>(i));
  const std::array<ColumnPtr, 2> both{all, some};
  return take(*concatenate(both), places);
}

// One step of aggregate: element k of every row that has one is merged into the row's accumulator.
Result<Datum> run_aggregate(const Frame& frame, std::span<const Datum> arguments,
                            std::span<const TypedPtr> bodies) {
  const Datum& list = arguments[0];
  ColumnPtr accumulated = arguments[1].column;
  for (int32_t step = 0;; ++step) {
    std::vector<int32_t> rows;
    std::vector<int32_t> places;
    for (int64_t row = 0; row < frame.num_rows; ++row) {
      if (list.is_null(row) || list_at(list, row).size() <= step) continue;
      rows.push_back(static_cast<int32_t>(row));
      places.push_back(list_at(list, row).begin + step);
    }
    if (rows.empty()) break;
    FrameSelection selection(frame, rows, *bodies[0]);
    selection.add_variable(take(*accumulated, rows));
    selection.add_variable(take(*list.column->child(0), places));
    FLOWRUN_TRY(const Datum merged, bodies[0]->evaluate(selection.frame()));
    accumulated = overwritten(accumulated, merged.expand(static_cast<int64_t>(rows.size())), rows);
  }
  std::vector<int32_t> rows(static_cast<size_t>(frame.num_rows));
  std::iota(rows.begin(), rows.end(), 0);
  FrameSelection selection(frame, rows, *bodies[1]);
  selection.add_variable(accumulated);
  FLOWRUN_TRY(const Datum finished, bodies[1]->evaluate(selection.frame()));
  const ColumnPtr result = finished.expand(frame.num_rows);
  for (size_t row = 0; row < rows.size(); ++row) {
    if (list.is_null(static_cast<int64_t>(row))) rows[row] = -1;
  }
  return Datum{take(*result, rows), false};
}

Result<TypedPtr> build_aggregate(CallSite& site) {
  if (site.is_lambda(0) || site.argument(0)->type.id() != TypeId::array)
    return site.wrong_argument(0, "an array");
  if (site.is_lambda(1)) return site.wrong_argument(1, "the value to begin with");
  const TypedPtr& list = site.argument(0);
  const TypedPtr& start = site.argument(1);
  if (!site.is_lambda(2) || site.lambda_parameters(2) != 2)
    return site.wrong_argument(2, "a lambda of two parameters, (sum, x) -> ...");
  const std::vector<CallSite::Parameter> both{{start->type, true}, {list->type.element(), true}};
  FLOWRUN_TRY(TypedPtr merge, site.lambda(2, both));
  if (!(merge->type == start->type)) {
    return Error::invalid(
        fmt::format("the lambda of `{}` gives {} — it must give {}, as the value it begins with",
                    site.function(), merge->type.simple_string(), start->type.simple_string()));
  }
  const std::vector<CallSite::Parameter> one{{start->type, true}};
  TypedPtr finish = std::make_shared<VariableNode>(site.outer_variables(), start->type, true);
  if (site.size() > 3) {
    if (!site.is_lambda(3) || site.lambda_parameters(3) != 1)
      return site.wrong_argument(3, "a lambda of one parameter, sum -> ...");
    FLOWRUN_TRY(finish, site.lambda(3, one));
  }
  std::string name = fmt::format("{}({}, {}, {}, {})", site.function(), list->name, start->name,
                                 lambda_name(*merge, 2), lambda_name(*finish, 1));
  Type type = finish->type;
  return TypedPtr(std::make_shared<LambdaNode>(
      std::move(type), std::vector<TypedPtr>{list, start},
      std::vector<TypedPtr>{std::move(merge), std::move(finish)}, run_aggregate, std::move(name)));
}

// zip_with(a, b, lambda): the shorter array is filled up with nulls.
Result<TypedPtr> build_zip_with(CallSite& site) {
  for (size_t i = 0; i < 2; ++i) {
    if (site.is_lambda(i) || site.argument(i)->type.id() != TypeId::array)
      return site.wrong_argument(i, "an array");
  }
  if (!site.is_lambda(2) || site.lambda_parameters(2) != 2)
    return site.wrong_argument(2, "a lambda of two parameters, (x, y) -> ...");
  const TypedPtr& a = site.argument(0);
  const TypedPtr& b = site.argument(1);
  const std::vector<CallSite::Parameter> both{{a->type.element(), true}, {b->type.element(), true}};
  FLOWRUN_TRY(TypedPtr body, site.lambda(2, both));
  const Type type = Type::array(body->type);
  std::string name =
      fmt::format("{}({}, {}, {})", site.function(), a->name, b->name, lambda_name(*body, 2));
  LambdaCode code = [type](const Frame& frame, std::span<const Datum> arguments,
                           std::span<const TypedPtr> bodies) -> Result<Datum> {
    ListAssembler left(frame.num_rows);
    ListAssembler right(frame.num_rows);
    std::vector<int32_t> rows;
    for (int64_t row = 0; row < frame.num_rows; ++row) {
      if (arguments[0].is_null(row) || arguments[1].is_null(row)) {
        left.null_row();
        right.null_row();
        continue;
      }
      const ListRange x = list_at(arguments[0], row);
      const ListRange y = list_at(arguments[1], row);
      for (int32_t i = 0; i < std::max(x.size(), y.size()); ++i) {
        left.add(i < x.size() ? x.begin + i : -1);
        right.add(i < y.size() ? y.begin + i : -1);
        rows.push_back(static_cast<int32_t>(row));
      }
      left.close_row();
      right.close_row();
    }
    FrameSelection selection(frame, rows, *bodies[0]);
    selection.add_variable(left.elements({&arguments[0].column->child(0), 1}));
    selection.add_variable(right.elements({&arguments[1].column->child(0), 1}));
    FLOWRUN_TRY(const Datum value, bodies[0]->evaluate(selection.frame()));
    return Datum{left.finish(type, {value.expand(static_cast<int64_t>(rows.size()))}), false};
  };
  return TypedPtr(std::make_shared<LambdaNode>(type, std::vector<TypedPtr>{a, b},
                                               std::vector<TypedPtr>{std::move(body)},
                                               std::move(code), std::move(name)));
}

// The comparator's answer for every pair of a row's elements: answers[i * size + k].
Result<std::vector<int32_t>> compare_pairs(const Frame& frame, const Datum& list, int64_t row,
                                           const TypedNode& comparator) {
  const ListRange range = list_at(list, row);
  const auto size = static_cast<size_t>(range.size());
  std::vector<int32_t> left;
  std::vector<int32_t> right;
  for (int32_t i = range.begin; i < range.end; ++i) {
    for (int32_t k = range.begin; k < range.end; ++k) {
      left.push_back(i);
      right.push_back(k);
    }
  }
  const std::vector<int32_t> rows(size * size, static_cast<int32_t>(row));
  FrameSelection selection(frame, rows, comparator);
  selection.add_variable(take(*list.column->child(0), left));
  selection.add_variable(take(*list.column->child(0), right));
  FLOWRUN_TRY(const Datum answer, comparator.evaluate(selection.frame()));
  std::vector<int32_t> answers(size * size);
  for (size_t i = 0; i < answers.size(); ++i) {
    if (i / size == i % size) continue;  // nobody asks how an element compares with itself
    if (answer.is_null(static_cast<int64_t>(i)))
      return Error::data("the lambda of array_sort gives null — it must give an integer");
    answers[i] =
        answer.column->values<int32_t>()[static_cast<size_t>(answer.at(static_cast<int64_t>(i)))];
  }
  return answers;
}

Result<Datum> run_sort(const Frame& frame, std::span<const Datum> arguments,
                       std::span<const TypedPtr> bodies) {
  const Datum& list = arguments[0];
  constexpr int32_t kMost = 4096;  // elements; every pair is compared
  ListAssembler out(frame.num_rows);
  for (int64_t row = 0; row < frame.num_rows; ++row) {
    if (list.is_null(row)) {
      out.null_row();
      continue;
    }
    const ListRange range = list_at(list, row);
    if (range.size() > kMost)
      return Error::data(fmt::format("array_sort with a lambda takes at most {} elements; got {}",
                                     kMost, range.size()));
    FLOWRUN_TRY(const std::vector<int32_t> answers, compare_pairs(frame, list, row, *bodies[0]));
    std::vector<int32_t> order(static_cast<size_t>(range.size()));
    std::iota(order.begin(), order.end(), 0);
    std::ranges::stable_sort(order, [&](int32_t a, int32_t b) {
      return answers[static_cast<size_t>(a) * order.size() + static_cast<size_t>(b)] < 0;
    });
    for (const int32_t i : order) out.add(range.begin + i);
    out.close_row();
  }
  return Datum{out.finish_array(list.type(), {&list.column->child(0), 1}), false};
}

// How Spark prints the comparator that it puts in when none is given.
constexpr const char* kDefaultComparator =
    "lambdafunction((IF(((namedlambdavariable() IS NULL) AND (namedlambdavariable() IS NULL)), 0, "
    "(IF((namedlambdavariable() IS NULL), 1, "
    "(IF((namedlambdavariable() IS NULL), -1, (IF((namedlambdavariable() < namedlambdavariable()), "
    "-1, (IF((namedlambdavariable() > "
    "namedlambdavariable()), 1, 0)))))))))), namedlambdavariable(), namedlambdavariable())";

Result<TypedPtr> build_array_sort(CallSite& site) {
  if (site.is_lambda(0) || site.argument(0)->type.id() != TypeId::array)
    return site.wrong_argument(0, "an array");
  const TypedPtr& list = site.argument(0);
  if (site.size() == 1) {
    FLOWRUN_TRY(TypedPtr sorted, site.call_as("array_sort by default", "array_sort", {list}));
    return CallSite::named(sorted,
                           fmt::format("array_sort({}, {})", list->name, kDefaultComparator));
  }
  if (!site.is_lambda(1) || site.lambda_parameters(1) != 2)
    return site.wrong_argument(1, "a lambda of two parameters, (a, b) -> ...");
  const std::vector<CallSite::Parameter> both{{list->type.element(), true},
                                              {list->type.element(), true}};
  FLOWRUN_TRY(TypedPtr body, site.lambda(1, both));
  if (body->type.id() != TypeId::integer) return site.wrong_argument(1, "a lambda that gives int");
  std::string name = fmt::format("array_sort({}, {})", list->name, lambda_name(*body, 2));
  auto node = std::make_shared<LambdaNode>(list->type, std::vector<TypedPtr>{list},
                                           std::vector<TypedPtr>{std::move(body)}, run_sort,
                                           std::move(name));
  node->fallible = true;
  return TypedPtr(std::move(node));
}

}  // namespace

void register_lambda_functions(FunctionRegistry& registry) {
  registry.add(ScalarFunction("transform",
                              "transform(array, x -> ...): the lambda's value for each element; "
                              "(x, i) -> ... is given the position too.",
                              2, 2, over_elements(Holder::array, 2, finish_transform)));
  registry.add(ScalarFunction("filter",
                              "filter(array, x -> ...): the elements for which the lambda is true.",
                              2, 2, over_elements(Holder::array, 2, finish_filter)));
  registry.add(ScalarFunction(
      "exists", "exists(array, x -> ...): whether the lambda is true for one element.", 2, 2,
      over_elements(Holder::array, 1, finish_quantifier(true))));
  registry.add(ScalarFunction(
      "forall", "forall(array, x -> ...): whether the lambda is true for every element.", 2, 2,
      over_elements(Holder::array, 1, finish_quantifier(false))));
  registry.add(ScalarFunction(
      "map_filter", "map_filter(map, (k, v) -> ...): the entries for which the lambda is true.", 2,
      2, over_elements(Holder::map, 2, finish_filter)));
  registry.add(ScalarFunction("transform_keys",
                              "transform_keys(map, (k, v) -> ...): the map with other keys.", 2, 2,
                              over_elements(Holder::map, 2, finish_transform_map(true))));
  registry.add(ScalarFunction("transform_values",
                              "transform_values(map, (k, v) -> ...): the map with other values.", 2,
                              2, over_elements(Holder::map, 2, finish_transform_map(false))));
  registry.add(ScalarFunction({"aggregate", "reduce"},
                              "aggregate(array, start, (sum, x) -> ..., sum -> ...): the elements "
                              "merged one after the other.",
                              3, 4, BuildFunction(build_aggregate)));
  registry.add(ScalarFunction(
      "zip_with", "zip_with(a, b, (x, y) -> ...): the lambda's value for each pair of elements.", 3,
      3, BuildFunction(build_zip_with)));
  registry.add(ScalarFunction("array_sort",
                              "array_sort(array, (a, b) -> ...): sorted by a comparator that gives "
                              "below 0, 0 or above; nulls last without one.",
                              1, 2, BuildFunction(build_array_sort)));
}

}  // namespace flowrun
