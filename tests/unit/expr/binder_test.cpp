#include <catch2/catch.hpp>

#include "runtime/columnar/builder.h"
#include "runtime/expr/expression.h"
#include "runtime/expr/function_registry.h"

using namespace flowrun;

namespace {

// sum(x) over bigints, enough to bind against.
class FakeSum final : public AggregateFunction {
 public:
  const std::string& name() const override { return name_; }
  const std::string& doc() const override { return doc_; }
  Result<Signature> resolve(std::span<const Type> arguments,
                            std::span<const ColumnPtr>) const override {
    if (arguments.size() != 1) return Error::invalid("`sum` takes 1 argument");
    return Signature{{Type::bigint()}, Type::bigint(), true};
  }
  std::unique_ptr<GroupStates> make_states(const Signature&,
                                           std::span<const ColumnPtr>) const override {
    return nullptr;
  }

 private:
  std::string name_ = "sum";
  std::string doc_ = "sum(x)";
};

struct Fixture {
  Fixture() {
    register_all_functions(functions);
    functions.add(std::make_shared<FakeSum>());
    environment.functions = &functions;
    Field left{"k", Type::string()};
    left.qualifier = "l";
    Field right{"k", Type::string()};
    right.qualifier = "r";
    schema = Schema::make({{"x", Type::integer()},
                           {"y", Type::bigint()},
                           {"gt", Type::string()},
                           {"st", Type::struct_({{"a", Type::integer()}})},
                           left,
                           right,
                           {"m", Type::map(Type::string(), Type::integer())}});
  }
  Binder binder() const { return Binder(Scope{schema}, environment); }
  std::string error(std::string_view text) const {
    const auto bound = binder().bind(text);
    REQUIRE_FALSE(bound.has_value());
    return bound.error().message;
  }
  RecordBatch batch(std::vector<int32_t> xs) const {
    FixedBuilder<int32_t> x(Type::integer());
    for (const int32_t value : xs) value == 0 ? x.append_null() : x.append(value);
    const auto rows = static_cast<int64_t>(xs.size());
    std::vector<ColumnPtr> columns{x.finish()};
    for (size_t i = 1; i < schema->num_fields(); ++i)
      columns.push_back(null_column(schema->field(i).type, rows));
    return RecordBatch(schema, rows, std::move(columns));
  }

  FunctionRegistry functions;
  ExpressionEnvironment environment;
  SchemaPtr schema;
};

}  // namespace

TEST_CASE("a lambda is refused wherever none is taken") {
  const Fixture f;
  for (const std::string& name : f.functions.names()) {
    for (const char* arguments : {"a -> a", "a -> a, 1", "1, a -> a", "a -> a, b -> b",
                                  "array(1), a -> a, 1", "1, 2, (a, b) -> a"}) {
      const std::string call = name + "(" + arguments + ")";
      INFO(call);
      const auto bound = f.binder().bind(call);
      CHECK_FALSE(bound.has_value());
    }
  }
  CHECK(f.error("1 + (a -> a)") == "`+` takes no lambda");
  CHECK(f.error("(a -> a) = 1") == "`=` takes no lambda");
  CHECK(f.error("struct(a -> a)") == "`struct` takes no lambda");
}

TEST_CASE("nesting too deep is an error, never a crash") {
  const Fixture f;
  constexpr size_t kDeep = 10000;
  CHECK(
      f.error(std::string(kDeep, '(') + "x" + std::string(kDeep, ')')).find("nested too deeply") !=
      std::string::npos);
  CHECK(f.error(std::string(kDeep, '-') + "x").size() > 0);
  std::string nots;
  std::string arrays(kDeep, '[');
  std::string sum = "x";
  std::string cases;
  for (size_t i = 0; i < kDeep; ++i) {
    nots += "not ";
    sum += " + x";
    cases += "case when ";
  }
  CHECK(f.error(nots + "x").find("nested too deeply") != std::string::npos);
  CHECK(f.error(sum).find("nested too deeply") != std::string::npos);
  CHECK(f.error(cases).size() > 0);
  CHECK(f.error("x" + arrays).size() > 0);
}

TEST_CASE("thousands of terms joined by OR stay flat") {
  const Fixture f;
  std::string text = "x = 0";
  for (int i = 1; i < 3000; ++i) text += " or x = " + std::to_string(i);
  const auto bound = f.binder().bind(text);
  REQUIRE(bound.has_value());
  const auto column = (*bound)->evaluate(f.batch({5, 4000}), {});
  REQUIRE(column.has_value());
  CHECK((*column)->boolean(0));
  CHECK_FALSE((*column)->boolean(1));
}

TEST_CASE("errors of binding say what is wrong, what would be right, and where") {
  const Fixture f;
  const auto column = f.binder().bind("1 + gtt");
  REQUIRE_FALSE(column.has_value());
  CHECK(column.error().code == ErrorCode::invalid);
  CHECK(column.error().message.find("no column `gtt`") != std::string::npos);
  CHECK(column.error().message.find("did you mean `gt`") != std::string::npos);
  CHECK(column.error().offset == 4u);
  CHECK(f.error("uper(gt)").find("did you mean `upper`") != std::string::npos);
  CHECK(f.error("k").find("ambiguous") != std::string::npos);
  CHECK(f.error("st.b").find("no field `b`") != std::string::npos);
  CHECK(f.error("sum(x)").find("not allowed here") != std::string::npos);
  CHECK(f.error("x +").find("ends too early") != std::string::npos);
  CHECK(f.error("x > 1 && y > 2").size() > 0);
}

TEST_CASE("names resolve without regard to case, by qualifier, and through structs") {
  const Fixture f;
  CHECK((*f.binder().bind("X"))->bare_column() == 0u);
  CHECK((*f.binder().bind("r.K"))->bare_column() == 5u);
  CHECK((*f.binder().bind("st.A"))->name() == "A");
  CHECK((*f.binder().bind("x as z"))->bare_column() == 0u);
  CHECK((*f.binder().bind("x as z"))->name() == "z");
  const ExpressionPtr sum = *f.binder().bind("y + x + x");
  const auto columns = sum->columns();
  CHECK(std::vector<size_t>(columns.begin(), columns.end()) == std::vector<size_t>{0, 1});
}

TEST_CASE("branches that are not taken do not fail") {
  const Fixture f;
  const RecordBatch batch = f.batch({1, 2, 0});
  const EvaluationContext context;
  for (const char* text :
       {"case when x = 1 then 'one' when x = 2 then 'two' else coalesce('none', raise_error('no')) "
        "end",
        "if(x is null or x < 3, 1, raise_error('no'))", "coalesce(x, 7, raise_error('no'))",
        "x is null or x > 0 or raise_error('no') is null",
        "coalesce(x, 0) > 5 and raise_error('no') is null"}) {
    INFO(text);
    const auto bound = f.binder().bind(text);
    REQUIRE(bound.has_value());
    CHECK((*bound)->evaluate(batch, context).has_value());
  }
  const auto fails = f.binder().bind("if(x = 1, 1, raise_error('the message'))");
  REQUIRE(fails.has_value());
  const auto value = (*fails)->evaluate(batch, context);
  REQUIRE_FALSE(value.has_value());
  CHECK(value.error().code == ErrorCode::data);
  CHECK(value.error().message == "the message");
}

TEST_CASE("constants are folded and conjuncts split") {
  const Fixture f;
  CHECK((*f.binder().bind("1 + 2 * 3"))->constant());
  CHECK_FALSE((*f.binder().bind("x"))->constant());
  const auto conjuncts =
      f.binder().bind_conjuncts("x > 1 and (y < 2 and gt = 'a') and (x = 1 or y = 2)");
  REQUIRE(conjuncts.has_value());
  CHECK(conjuncts->size() == 4);
  CHECK((*conjuncts)[3]->name() == "((x = 1) OR (y = 2))");
  CHECK_FALSE(f.binder().bind_conjuncts("x > 1 and y").has_value());
  CHECK(f.binder().bind_as("1", Type::double_()).value()->type() == Type::double_());
}

TEST_CASE("select items expand stars and generators") {
  const Fixture f;
  CHECK(f.binder().bind_select("*")->size() == 7);
  CHECK(f.binder().bind_select("l.*")->size() == 1);
  CHECK(f.binder().bind_select("st.*")->at(0).expression->name() == "a");
  const auto map = f.binder().bind_select("posexplode(m) as (p, key, v)");
  REQUIRE(map.has_value());
  REQUIRE(map->at(0).generator.has_value());
  CHECK(map->at(0).generator->columns.size() == 3);
  CHECK(map->at(0).generator->columns[2].name == "v");
  const auto stack = f.binder().bind_select("stack(2, 1, 'a', 2L, 'b')");
  REQUIRE(stack.has_value());
  CHECK(stack->at(0).generator->columns[0].type == Type::bigint());
  CHECK_FALSE(f.binder().bind_select("explode(x)").has_value());
}

TEST_CASE("aggregate expressions are cut into calls and a result over keys") {
  const Fixture f;
  const std::vector<ExpressionPtr> keys{*f.binder().bind("gt"),
                                        *f.binder().bind("x + 1 as bucket")};
  const auto bound = f.binder().bind_aggregate(
      "sum(x) * (x + 1) + sum(x) + sum(y) filter (where x > 1)", keys, false);
  REQUIRE(bound.has_value());
  CHECK(bound->calls.size() == 2);
  CHECK(bound->calls[1].filter != nullptr);
  CHECK(bound->result->name() == "(((sum(x) * (x + 1)) + sum(x)) + sum(y) FILTER (WHERE (x > 1)))");
  const auto columns = bound->result->columns();
  CHECK(std::vector<size_t>(columns.begin(), columns.end()) == std::vector<size_t>{1, 2, 3});
  CHECK(f.binder().bind_aggregate("bucket", keys, false).value().result->bare_column() == 1u);
  CHECK_FALSE(f.binder().bind_aggregate("sum(x) + y", keys, false).has_value());
  CHECK_FALSE(f.binder().bind_aggregate("sum(sum(x))", keys, false).has_value());
  CHECK_FALSE(f.binder().bind_aggregate("grouping(gt)", keys, false).has_value());
  const auto grouping = f.binder().bind_aggregate("grouping(gt)", keys, true);
  REQUIRE(grouping.has_value());
  CHECK(grouping->result->columns()[0] == 2);
  CHECK(grouping->result->type() == Type::tinyint());
}
