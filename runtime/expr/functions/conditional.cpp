// if, coalesce and their kin: built from lazy nodes, so that only what is chosen is evaluated.
#include <fmt/format.h>

#include "runtime/expr/analyzer.h"
#include "runtime/expr/functions/functions.h"
#include "runtime/expr/lazy_nodes.h"
#include "runtime/expr/scalar.h"

namespace flowrun {

namespace {

// CASE WHEN condition THEN yes ELSE no, under any name.
Result<TypedPtr> choose(const CallSite& site, TypedPtr condition, TypedPtr yes, TypedPtr no,
                        std::string name) {
  FLOWRUN_TRY(std::vector<TypedPtr> values, site.to_common_type({std::move(yes), std::move(no)}));
  return site.finish(std::make_shared<CaseNode>(
      std::vector<TypedPtr>{site.cast(std::move(condition), Type::boolean())}, std::move(values),
      std::move(name)));
}

Result<TypedPtr> build_if(CallSite& site) {
  const TypedPtr& condition = site.argument(0);
  if (condition->type.id() != TypeId::boolean && condition->type.id() != TypeId::null) {
    return site.wrong_argument(0, "boolean");
  }
  return choose(site, condition, site.argument(1), site.argument(2),
                "(" +
                    fmt::format("IF({}, {}, {})", condition->name, site.argument(1)->name,
                                site.argument(2)->name) +
                    ")");
}

Result<TypedPtr> build_coalesce(CallSite& site) {
  std::string name = site.default_name();
  FLOWRUN_TRY(std::vector<TypedPtr> values, site.to_common_type(site.arguments()));
  if (values.size() == 1) return CallSite::named(values[0], std::move(name));
  return site.finish(std::make_shared<CoalesceNode>(std::move(values), std::move(name)));
}

Result<TypedPtr> build_nvl2(CallSite& site) {
  FLOWRUN_TRY(TypedPtr condition, site.call("isnotnull", {site.argument(0)}));
  return choose(site, std::move(condition), site.argument(1), site.argument(2),
                site.default_name());
}

Result<TypedPtr> build_nullif(CallSite& site) {
  FLOWRUN_TRY(TypedPtr equal, site.call("=", site.arguments()));
  const TypedPtr null = CallSite::constant(null_column(site.argument(0)->type, 1));
  return choose(site, std::move(equal), null, site.argument(0), site.default_name());
}

Result<TypedPtr> build_nullifzero(CallSite& site) {
  FLOWRUN_TRY(TypedPtr zero,
              site.call("=", {site.argument(0), CallSite::constant(constant_int(0))}));
  const TypedPtr null = CallSite::constant(null_column(site.argument(0)->type, 1));
  return choose(site, std::move(zero), null, site.argument(0), site.default_name());
}

Result<TypedPtr> build_zeroifnull(CallSite& site) {
  FLOWRUN_TRY(TypedPtr value,
              site.call("coalesce", {site.argument(0), CallSite::constant(constant_int(0))}));
  return CallSite::named(value, site.default_name());
}

// nanvl(a, b): both as doubles, or as floats if both are.
Result<TypedPtr> build_nanvl(CallSite& site) {
  const bool floats =
      site.argument(0)->type.id() == TypeId::real && site.argument(1)->type.id() == TypeId::real;
  const Type type = floats ? Type::real() : Type::double_();
  std::vector<TypedPtr> values;
  for (size_t i = 0; i < 2; ++i) {
    const Type& given = site.argument(i)->type;
    if (!given.is_numeric() && given.id() != TypeId::string && given.id() != TypeId::null) {
      return site.wrong_argument(i, "double");
    }
    values.push_back(site.cast(site.argument(i), type));
  }
  FLOWRUN_TRY(TypedPtr not_a_number, site.call("isnan", {values[0]}));
  return choose(site, std::move(not_a_number), values[1], values[0], site.default_name());
}

// decode(x, search, result, ..., default): the first search that equals x, nulls being equal.
// decode(bytes, charset) is another function.
Result<TypedPtr> build_decode(CallSite& site) {
  if (site.size() == 2) return site.call_as("decode charset", site.function(), site.arguments());
  std::vector<TypedPtr> conditions;
  std::vector<TypedPtr> values;
  for (size_t i = 1; i + 1 < site.size(); i += 2) {
    FLOWRUN_TRY(conditions.emplace_back(), site.call("<=>", {site.argument(0), site.argument(i)}));
    values.push_back(site.argument(i + 1));
  }
  if (site.size() % 2 == 0) values.push_back(site.argument(site.size() - 1));
  std::string name = site.default_name();
  FLOWRUN_TRY(values, site.to_common_type(std::move(values)));
  return site.finish(
      std::make_shared<CaseNode>(std::move(conditions), std::move(values), std::move(name)));
}

}  // namespace

void register_conditional_functions(FunctionRegistry& registry) {
  constexpr size_t kAny = ScalarFunction::kAnyNumber;
  registry.add(ScalarFunction("if", "if(condition, a, b): a where the condition is true, else b.",
                              3, 3, BuildFunction(build_if)));
  registry.add(ScalarFunction("coalesce", "coalesce(a, b, ...): the first that is not null.", 1,
                              kAny, BuildFunction(build_coalesce)));
  registry.add(ScalarFunction({"nvl", "ifnull"}, "nvl(a, b): a unless it is null, then b.", 2, 2,
                              BuildFunction(build_coalesce)));
  registry.add(ScalarFunction("nvl2", "nvl2(a, b, c): b where a is not null, else c.", 3, 3,
                              BuildFunction(build_nvl2)));
  registry.add(ScalarFunction("nullif", "nullif(a, b): null where a = b, else a.", 2, 2,
                              BuildFunction(build_nullif)));
  registry.add(ScalarFunction("nullifzero", "nullifzero(x): null where x is 0, else x.", 1, 1,
                              BuildFunction(build_nullifzero)));
  registry.add(ScalarFunction("zeroifnull", "zeroifnull(x): 0 where x is null, else x.", 1, 1,
                              BuildFunction(build_zeroifnull)));
  registry.add(ScalarFunction("nanvl", "nanvl(a, b): b where a is NaN, else a.", 2, 2,
                              BuildFunction(build_nanvl)));
  registry.add(ScalarFunction(
      "decode",
      "decode(x, search, result, ..., default): the result behind the first search that equals x; "
      "decode(bytes, charset): the text of bytes in a character set.",
      2, kAny, BuildFunction(build_decode)));
}

}  // namespace flowrun
