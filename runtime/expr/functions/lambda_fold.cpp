// Functions whose lambda takes two elements at once: aggregate, zip_with, array_sort.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <numeric>

#include "runtime/columnar/builder.h"
#include "runtime/expr/analyzer.h"
#include "runtime/expr/functions/functions.h"
#include "runtime/expr/functions/lambda_node.h"
#include "runtime/expr/list_values.h"
#include "runtime/expr/scalar.h"

namespace flowrun {

namespace {

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

void register_lambda_fold_functions(FunctionRegistry& registry) {
  registry.add(ScalarFunction({"aggregate", "reduce"},
                              "aggregate(array, start, (sum, x) -> ..., sum -> ...): the elements "
                              "merged one after the other.",
                              3, 4, BuildFunction(build_aggregate))
                   .with_lambdas());
  registry.add(
      ScalarFunction("zip_with",
                     "zip_with(a, b, (x, y) -> ...): the lambda's value for each pair of elements.",
                     3, 3, BuildFunction(build_zip_with))
          .with_lambdas());
  registry.add(ScalarFunction("array_sort",
                              "array_sort(array, (a, b) -> ...): sorted by a comparator that gives "
                              "below 0, 0 or above; nulls last without one.",
                              1, 2, BuildFunction(build_array_sort))
                   .with_lambdas());
}

}  // namespace flowrun
