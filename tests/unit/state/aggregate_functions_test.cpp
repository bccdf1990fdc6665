#include "runtime/state/aggregate_functions.h"

#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <optional>

#include "runtime/columnar/builder.h"
#include "runtime/expr/function_registry.h"

namespace flowrun {
namespace {

template <class T>
ColumnPtr column(Type type, const std::vector<std::optional<T>>& values) {
  FixedBuilder<T> builder(std::move(type));
  for (const auto& value : values) value ? builder.append(*value) : builder.append_null();
  return builder.finish();
}

// The states of one call after an update of two groups, its rows given to them in turn.
std::unique_ptr<GroupStates> states_of(std::string_view name, const ColumnPtr& argument) {
  FunctionRegistry registry;
  register_aggregate_functions(registry);
  const AggregateFunction* function = registry.find_aggregate(name);
  REQUIRE(function);
  const std::vector<ColumnPtr> constants(1);
  const auto signature = function->resolve(std::vector<Type>{argument->type()}, constants);
  REQUIRE(signature);
  auto states = function->make_states(*signature, constants);
  states->resize(3);
  std::vector<uint32_t> groups;
  for (int64_t i = 0; i < argument->size(); ++i) groups.push_back(static_cast<uint32_t>(i % 2));
  REQUIRE(states->update(groups, std::vector<ColumnPtr>{argument}, {}, 0));
  return states;
}

ColumnPtr result_of(const GroupStates& states) {
  auto result = states.result(std::vector<uint32_t>{0, 1, 2});
  REQUIRE(result);
  return *result;
}

TEST_CASE("sum of whole numbers is bigint, wraps, and is null of nothing") {
  const int64_t most = std::numeric_limits<int64_t>::max();
  const auto sums =
      result_of(*states_of("sum", column<int64_t>(Type::bigint(), {most, 5, 1, std::nullopt})));
  CHECK(sums->values<int64_t>()[0] == std::numeric_limits<int64_t>::min());
  CHECK(sums->values<int64_t>()[1] == 5);
  CHECK(sums->is_null(2));
  CHECK(
      result_of(*states_of("try_sum", column<int64_t>(Type::bigint(), {most, 5, 1})))->is_null(0));
  const auto small = result_of(*states_of("sum", column<int8_t>(Type::tinyint(), {127, 1, 127})));
  CHECK(small->type() == Type::bigint());
  CHECK(small->values<int64_t>()[0] == 254);
}

TEST_CASE("decimals widen and averages of them are rounded half up") {
  const Type type = Type::decimal(10, 2);
  const auto values = column<Decimal128>(
      type, {Decimal128{100}, Decimal128{-1}, Decimal128{100}, Decimal128{0}, Decimal128{1}});
  const auto sums = result_of(*states_of("sum", values));
  CHECK(sums->type() == Type::decimal(20, 2));
  CHECK(sums->values<Decimal128>()[0] == 201);
  const auto means = result_of(*states_of("avg", values));
  CHECK(means->type() == Type::decimal(14, 6));
  CHECK(means->values<Decimal128>()[0] == 670000);
  CHECK(means->values<Decimal128>()[1] == -5000);
}

TEST_CASE("NaN is the greatest and never the least while there is another") {
  const auto values = column<double>(Type::double_(), {std::nan(""), 1.0, 2.0, std::nan("")});
  CHECK(result_of(*states_of("min", values))->values<double>()[0] == 2.0);
  CHECK(std::isnan(result_of(*states_of("max", values))->values<double>()[1]));
}

TEST_CASE("states merge, leave and come back from a snapshot") {
  for (const std::string_view name : {"count", "sum", "avg", "min", "max"}) {
    const auto values = column<int32_t>(Type::integer(), {1, 2, 3, std::nullopt, 8});
    const auto once = states_of(name, values);
    const auto other = states_of(name, values);
    REQUIRE(other->merge(std::vector<uint32_t>{2, 2}, *once, std::vector<uint32_t>{0, 1}));
    const auto saved = other->save(std::vector<uint32_t>{2});
    REQUIRE(saved);
    other->keep(std::vector<uint32_t>{2, 0});
    const auto restored = states_of(name, values);
    restored->clear();
    REQUIRE(restored->load(*saved));
    const auto kept = other->result(std::vector<uint32_t>{0});
    const auto loaded = restored->result(std::vector<uint32_t>{0});
    CHECK(rows_equal(**kept, 0, **loaded, 0));
  }
}

}  // namespace
}  // namespace flowrun
