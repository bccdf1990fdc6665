// The bounds that time ranges put on the state of a join; the values are those of Spark's own
// tests.
#include "runtime/expr/state_bound.h"

#include <catch2/catch.hpp>

#include "runtime/expr/function_registry.h"

using namespace flowrun;

namespace {

struct Fixture {
  Fixture() {
    register_all_functions(functions);
    environment.functions = &functions;
  }
  // The bound of the left time in milliseconds, with the watermark at 10 seconds.
  std::optional<int64_t> bound(std::string_view text) const {
    const auto condition = bind_join_condition(text, left, right, environment);
    if (!condition) FAIL(condition.error().message);
    const auto found = StateBound::find(*condition, *joined_schema(left, right), left.num_fields(),
                                        StateBound::Side::left);
    if (!found) return std::nullopt;
    CHECK(found->column() == 1);
    return found->at(10'000'000) / 1000;
  }

  FunctionRegistry functions;
  ExpressionEnvironment environment;
  Schema left{{{"a", Type::integer()}, {"left_time", Type::timestamp()}}};
  Schema right{{{"b", Type::integer()},
                {.name = "right_time", .type = Type::timestamp(), .watermark_delay = 0},
                {"other_time", Type::timestamp()}}};
};

}  // namespace

TEST_CASE("a comparison bounds the side whose time has to come after the watermark") {
  const Fixture f;
  CHECK(f.bound("left_time > right_time") == 10'000);
  CHECK(f.bound("left_time >= right_time") == 9'999);
  CHECK(f.bound("right_time < left_time") == 10'000);
  CHECK(f.bound("right_time <= left_time") == 9'999);
  CHECK_FALSE(f.bound("left_time < right_time"));
  CHECK_FALSE(f.bound("left_time <= right_time"));
  CHECK_FALSE(f.bound("right_time > left_time"));
}

TEST_CASE("intervals and seconds move a bound") {
  const Fixture f;
  CHECK(f.bound("left_time > right_time + interval 1 second") == 11'000);
  CHECK(f.bound("left_time + interval 2 seconds > right_time") == 8'000);
  CHECK(f.bound("left_time > right_time - interval 3 second") == 7'000);
  CHECK(f.bound("right_time < left_time - interval 3 second") == 13'000);
  CHECK(f.bound("right_time - interval 1 second < left_time - interval 3 second") == 12'000);
  CHECK(f.bound("cast(left_time as bigint) > cast(right_time as bigint)") == 10'000);
  CHECK(f.bound("cast(left_time as bigint) > cast(right_time as bigint) + 1") == 11'000);
  CHECK(f.bound("cast(left_time as bigint) + 2 > cast(right_time as bigint)") == 8'000);
  CHECK(f.bound("cast(left_time as double) > cast(right_time as double) + 1.4") == 11'400);
  CHECK(f.bound("cast(left_time as bigint) > cast(right_time as bigint) - 100") == -90'000);
}

TEST_CASE("the least of several bounds holds, and what bounds nothing does not count") {
  const Fixture f;
  CHECK(f.bound("left_time >= right_time - interval 5 seconds and left_time >= right_time") ==
        4'999);
  CHECK(f.bound("right_time between left_time and left_time + interval 4 seconds") == 5'999);
  CHECK(f.bound("a = b and left_time > right_time and a > b") == 10'000);
}

TEST_CASE("what is no sum of times and constants bounds nothing") {
  const Fixture f;
  CHECK_FALSE(f.bound("a > b"));
  CHECK_FALSE(f.bound("left_time > other_time"));
  CHECK_FALSE(f.bound("date_trunc('hour', left_time) > right_time"));
  CHECK_FALSE(f.bound("left_time - right_time > interval 1 second"));
  CHECK_FALSE(f.bound("left_time > right_time + interval 1 month"));
  CHECK_FALSE(f.bound("left_time > right_time or a = b"));
}

TEST_CASE("at the end of time everything is ended") {
  const Fixture f;
  const auto condition = bind_join_condition("left_time > right_time + interval 1 second", f.left,
                                             f.right, f.environment);
  const auto found = StateBound::find(*condition, *joined_schema(f.left, f.right),
                                      f.left.num_fields(), StateBound::Side::left);
  CHECK(found->at(std::numeric_limits<int64_t>::max()) == std::numeric_limits<int64_t>::max());
}
