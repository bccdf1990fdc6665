#include <catch2/catch.hpp>

#include "runtime/columnar/builder.h"
#include "runtime/expr/expression.h"
#include "runtime/expr/function_registry.h"
#include "runtime/expr/scalar.h"

using namespace flowrun;

TEST_CASE("a later function of the same name takes the place of the earlier") {
  FunctionRegistry registry;
  registry.add(scalar<int32_t()>("one", "", [] { return 1; }));
  registry.add(scalar<int64_t()>("one", "", [] { return int64_t{1}; }));
  const auto bound = registry.find_scalar("ONE")->bind(Arguments{"ONE", {}, {}, {}});
  REQUIRE(bound.has_value());
  CHECK(bound->result == Type::bigint());
}

TEST_CASE("overloads prefer the signature that needs no cast") {
  FunctionRegistry registry;
  register_all_functions(registry);
  const ScalarFunction* length = registry.find_scalar("length");
  REQUIRE(length != nullptr);
  const std::vector<ColumnPtr> constants{nullptr};
  const std::vector<std::string> names{"x"};
  const std::vector<Type> binary{Type::binary()};
  const std::vector<Type> number{Type::integer()};
  CHECK(length->bind(Arguments{"length", binary, constants, names})->arguments[0] ==
        Type::binary());
  CHECK(length->bind(Arguments{"length", number, constants, names})->arguments[0] ==
        Type::string());
}
