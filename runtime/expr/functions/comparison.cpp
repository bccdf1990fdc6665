// Comparisons: = <> < <= > >= <=>, BETWEEN, IN, greatest, least, isnan.
//
// NaN equals NaN and is greater than every number; -0.0 equals 0.0.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "runtime/columnar/builder.h"
#include "runtime/expr/analyzer.h"
#include "runtime/expr/coercion.h"
#include "runtime/expr/functions/functions.h"
#include "runtime/expr/lazy_nodes.h"
#include "runtime/expr/scalar.h"
#include "runtime/expr/vector_loops.h"

namespace flowrun {

namespace {

struct Equal {
  static constexpr std::string_view kSymbol = "=";
  template <class T>
  bool operator()(T a, T b) const {
    if constexpr (std::is_floating_point_v<T>) return (a == b) | ((a != a) & (b != b));
    return a == b;
  }
  static bool of_order(int order) { return order == 0; }
};
struct Less {
  static constexpr std::string_view kSymbol = "<";
  template <class T>
  bool operator()(T a, T b) const {
    if constexpr (std::is_floating_point_v<T>) return (a < b) | ((b != b) & (a == a));
    return a < b;
  }
  static bool of_order(int order) { return order < 0; }
};
struct LessOrEqual {
  static constexpr std::string_view kSymbol = "<=";
  template <class T>
  bool operator()(T a, T b) const {
    if constexpr (std::is_floating_point_v<T>) return (a <= b) | (b != b);
    return a <= b;
  }
  static bool of_order(int order) { return order <= 0; }
};
struct Greater {
  static constexpr std::string_view kSymbol = ">";
  template <class T>
  bool operator()(T a, T b) const {
    return Less()(b, a);
  }
  static bool of_order(int order) { return order > 0; }
};
struct GreaterOrEqual {
  static constexpr std::string_view kSymbol = ">=";
  template <class T>
  bool operator()(T a, T b) const {
    return LessOrEqual()(b, a);
  }
  static bool of_order(int order) { return order >= 0; }
};

// A view's bytes as two words; equal short texts have equal words.
struct ViewWords {
  uint64_t head;  // size and prefix
  uint64_t tail;
};
ViewWords words_of(const StringView& view) {
  ViewWords words;
  std::memcpy(&words, &view, sizeof words);
  return words;
}

bool same_text(const Column& a, int64_t i, const Column& b, int64_t j) {
  const ViewWords x = words_of(a.values<StringView>()[static_cast<size_t>(i)]);
  const ViewWords y = words_of(b.values<StringView>()[static_cast<size_t>(j)]);
  if (x.head != y.head) return false;
  const bool is_inline = static_cast<uint32_t>(x.head) <= StringView::kInline;
  return is_inline ? x.tail == y.tail : a.string(i) == b.string(j);
}

void text_equal_bits(const Datum& a, const Datum& b, int64_t rows, uint8_t* bits) {
  if (b.constant && !a.constant && b.column->string(0).size() <= StringView::kInline) {
    const StringView* views = a.column->values<StringView>().data();
    const ViewWords needle = words_of(b.column->values<StringView>()[0]);
    fill_bits(rows, bits, [=](int64_t i) {
      const ViewWords words = words_of(views[i]);
      return (words.head == needle.head) & (words.tail == needle.tail);
    });
    return;
  }
  fill_bits(rows, bits,
            [&](int64_t i) { return same_text(*a.column, a.at(i), *b.column, b.at(i)); });
}

template <class Op>
void compare_bits(const Datum& a, const Datum& b, int64_t rows, uint8_t* bits) {
  const Type& type = a.type();
  if (type.is_string_like()) {
    if constexpr (std::is_same_v<Op, Equal>) return text_equal_bits(a, b, rows, bits);
    fill_bits(rows, bits, [&](int64_t i) {
      return Op::of_order(a.column->string(a.at(i)).compare(b.column->string(b.at(i))));
    });
  } else if (type.id() == TypeId::boolean) {
    fill_bits(rows, bits, [&](int64_t i) {
      return Op()(static_cast<int>(a.column->boolean(a.at(i))),
                  static_cast<int>(b.column->boolean(b.at(i))));
    });
  } else if (type.is_nested()) {
    fill_bits(rows, bits, [&](int64_t i) {
      if (a.is_null(i) || b.is_null(i)) return false;
      return Op::of_order(compare_rows(*a.column, a.at(i), *b.column, b.at(i)));
    });
  } else {
    visit_fixed(type.id(), [&](auto tag) {
      using T = typename decltype(tag)::type;
      if constexpr (!std::is_same_v<T, CalendarInterval>) binary_bits<T>(a, b, rows, bits, Op());
    });
  }
}

template <class Op>
Result<Datum> compare(const CallContext& context, std::span<const Datum> arguments) {
  if (arguments[0].is_constant_null() || arguments[1].is_constant_null())
    return Datum::null(Type::boolean());
  const int64_t rows = rows_to_compute(arguments, context.num_rows);
  BufferPtr bits = Buffer::allocate(bitmap_bytes(rows));
  compare_bits<Op>(arguments[0], arguments[1], rows, bits->mutable_data());
  return Datum{boolean_column(rows, std::move(bits), combine_nulls(arguments, rows)),
               arguments[0].constant && arguments[1].constant};
}

// a <=> b: as =, but null is a value equal to itself.
Result<Datum> compare_null_safe(const CallContext& context, std::span<const Datum> arguments) {
  const Datum& a = arguments[0];
  const Datum& b = arguments[1];
  const int64_t rows = rows_to_compute(arguments, context.num_rows);
  BufferPtr bits = Buffer::allocate(bitmap_bytes(rows));
  if (a.type().id() == TypeId::null) {
    std::memset(bits->mutable_data(), 0xff, bits->size());
  } else {
    compare_bits<Equal>(a, b, rows, bits->mutable_data());
  }
  if (a.column->null_count() + b.column->null_count() > 0) {
    for (int64_t i = 0; i < rows; ++i) {
      const bool a_null = a.is_null(i);
      const bool b_null = b.is_null(i);
      if (a_null || b_null) put_bit(bits->mutable_data(), i, a_null && b_null);
    }
  }
  return Datum{boolean_column(rows, std::move(bits), {}), a.constant && b.constant};
}

// The same types, whatever the names of struct fields.
bool same_structure(const Type& a, const Type& b) {
  if (a.fields().empty() || a.id() != b.id() || a.fields().size() != b.fields().size())
    return a == b;
  for (size_t i = 0; i < a.fields().size(); ++i) {
    if (!same_structure(a.fields()[i].type, b.fields()[i].type)) return false;
  }
  return true;
}

// What both sides are compared as; the second is the right side's own type where only names differ.
Result<std::pair<Type, Type>> compared_types(const Arguments& arguments, bool equality) {
  const Type& a = arguments.types[0];
  const Type& b = arguments.types[1];
  const auto check = [&](const Type& type) -> Status {
    if (is_orderable(type)) return {};
    return Error::invalid(
        fmt::format("{} cannot be compared by `{}`", type.simple_string(), arguments.function));
  };
  if (same_structure(a, b)) {
    FLOWRUN_RETURN_IF_ERROR(check(a));
    if (a.id() == TypeId::null) return std::pair(Type::boolean(), Type::boolean());
    return std::pair(a, b);
  }
  std::optional<Type> common = comparison_type(a, b);
  if (equality && a.id() == TypeId::boolean && b.is_numeric()) common = b;
  if (equality && b.id() == TypeId::boolean && a.is_numeric()) common = a;
  if (!common) {
    return Error::invalid(fmt::format("{} ({}) and {} ({}) cannot be compared by `{}`",
                                      arguments.names[0], a.simple_string(), arguments.names[1],
                                      b.simple_string(), arguments.function));
  }
  FLOWRUN_RETURN_IF_ERROR(check(*common));
  return std::pair(*common, *common);
}

// What is called once the arguments are as they are to be compared: `compare <` of `<`.
template <class Op>
std::string compare_name() {
  return "compare " + std::string(Op::kSymbol);
}

template <class Op>
ScalarFunction comparison(const char* doc) {
  const std::string name = compare_name<Op>();
  return ScalarFunction(
             name.c_str(), doc, 2, 2,
             BindFunction([](const Arguments& arguments) -> Result<BoundFunction> {
               FLOWRUN_TRY(const auto types, compared_types(arguments, std::is_same_v<Op, Equal>));
               return BoundFunction{{types.first, types.second}, Type::boolean(), compare<Op>};
             }))
      .named_by([](auto arguments) {
        return fmt::format("({} {} {})", arguments[0], Op::kSymbol, arguments[1]);
      });
}

Result<BoundFunction> bind_null_safe(const Arguments& arguments) {
  FLOWRUN_TRY(const auto types, compared_types(arguments, true));
  return BoundFunction{{types.first, types.second}, Type::boolean(), compare_null_safe};
}

// boolean = 1 and boolean = 0 are the boolean itself and its opposite, as in Spark.
std::optional<bool> truth_literal(const TypedPtr& node) {
  const auto* constant = dynamic_cast<const ConstantNode*>(node.get());
  if (constant == nullptr || !constant->is_literal || !node->type.is_numeric() ||
      node->type.id() == TypeId::decimal)
    return std::nullopt;
  if (constant->name == "1" || constant->name == "1.0") return true;
  if (constant->name == "0" || constant->name == "0.0") return false;
  return std::nullopt;
}

Result<TypedPtr> build_equal(CallSite& site) {
  for (size_t i = 0; i < 2; ++i) {
    if (site.argument(i)->type.id() != TypeId::boolean) continue;
    const std::optional<bool> truth = truth_literal(site.argument(1 - i));
    if (!truth) continue;
    if (*truth) return site.argument(i);
    return site.call("not", {site.argument(i)});
  }
  return site.call_as(compare_name<Equal>(), "=", site.arguments());
}

// A written decimal whose whole part surely is a bigint.
bool is_decimal_literal(const TypedPtr& node) {
  const auto* constant = dynamic_cast<const ConstantNode*>(node.get());
  return constant != nullptr && constant->is_literal && node->type.id() == TypeId::decimal &&
         node->type.precision() - node->type.scale() <= 18;
}

// i > 1.5 is i > 1, as Spark's analyzer has it: an integer against a decimal literal is compared
// with the whole number next to it, and named so.
template <class Op>
Result<TypedPtr> build_order(CallSite& site) {
  std::vector<TypedPtr> sides = site.arguments();
  for (const size_t literal : {size_t{0}, size_t{1}}) {
    if (!is_decimal_literal(sides[literal]) || !sides[1 - literal]->type.is_integral()) continue;
    const bool above_or_less = std::is_same_v<Op, GreaterOrEqual> || std::is_same_v<Op, Less>;
    const bool up = above_or_less == (literal == 1);
    FLOWRUN_TRY(const TypedPtr whole, site.call(up ? "ceil" : "floor", {sides[literal]}));
    const TypedPtr number = site.cast(whole, Type::bigint());
    if (const auto* constant = dynamic_cast<const ConstantNode*>(number.get()))
      sides[literal] = CallSite::constant(constant->value());
  }
  return site.call_as(compare_name<Op>(), Op::kSymbol, std::move(sides));
}

template <class Op>
void add_order(FunctionRegistry& registry, const char* doc) {
  registry.add(comparison<Op>(doc));
  registry.add(
      ScalarFunction(std::string(Op::kSymbol).c_str(), doc, 2, 2, BuildFunction(build_order<Op>)));
}

Result<TypedPtr> build_not_equal(CallSite& site) {
  FLOWRUN_TRY(TypedPtr equal, build_equal(site));
  return site.call("not", {std::move(equal)});
}

Result<TypedPtr> build_between(CallSite& site) {
  FLOWRUN_TRY(TypedPtr above, site.call_as(">=", "between", {site.argument(0), site.argument(1)}));
  FLOWRUN_TRY(TypedPtr below, site.call_as("<=", "between", {site.argument(0), site.argument(2)}));
  std::string name = site.default_name();
  auto both = std::make_shared<LogicNode>(true, std::move(above), std::move(below));
  both->name = std::move(name);
  return site.finish(std::move(both));
}

// x IN (...): true where a candidate equals, else null where x or a candidate is null.
Result<Datum> is_in(const CallContext& context, std::span<const Datum> arguments) {
  const Datum& value = arguments[0];
  if (value.is_constant_null()) return Datum::null(Type::boolean());
  const int64_t rows = rows_to_compute(arguments, context.num_rows);
  const size_t bytes = bitmap_bytes(rows);
  BufferPtr found = Buffer::allocate(bytes);
  BufferPtr equal = Buffer::allocate(bytes);
  BufferPtr known = Buffer::allocate(bytes);  // no candidate was null
  std::memset(found->mutable_data(), 0, bytes);
  std::memset(known->mutable_data(), 0xff, bytes);
  for (const Datum& candidate : arguments.subspan(1)) {
    if (candidate.is_constant_null()) {
      std::memset(known->mutable_data(), 0, bytes);
      continue;
    }
    compare_bits<Equal>(value, candidate, rows, equal->mutable_data());
    const NullMask mask = combine_nulls({&candidate, 1}, rows);
    for (size_t i = 0; i < bytes; ++i) {
      const unsigned valid = mask.bits ? mask.bits->data()[i] : 0xff;
      found->mutable_data()[i] =
          static_cast<uint8_t>(found->data()[i] | (equal->data()[i] & valid));
      known->mutable_data()[i] = static_cast<uint8_t>(known->data()[i] & valid);
    }
  }
  const NullMask value_mask = combine_nulls({&value, 1}, rows);
  for (size_t i = 0; i < bytes; ++i) {
    const unsigned valid = value_mask.bits ? value_mask.bits->data()[i] : 0xff;
    known->mutable_data()[i] = static_cast<uint8_t>((known->data()[i] | found->data()[i]) & valid);
  }
  const int64_t nulls = rows - count_set_bits(known->data(), 0, rows);
  return Datum{boolean_column(rows, std::move(found),
                              NullMask{nulls > 0 ? std::move(known) : nullptr, nulls}),
               rows_to_compute(arguments, 2) == 1};
}

Result<BoundFunction> bind_in(const Arguments& arguments) {
  std::vector<Type> types(arguments.types.begin(), arguments.types.end());
  const bool alike =
      std::ranges::all_of(types, [&](const Type& type) { return same_structure(type, types[0]); });
  if (!alike || types[0].id() == TypeId::null) {
    std::optional<Type> common = wider_type(types);
    if (!common) {
      return Error::invalid(fmt::format("{} ({}) and the values of IN have no type in common",
                                        arguments.names[0], types[0].simple_string()));
    }
    if (common->id() == TypeId::null) common = Type::boolean();
    std::ranges::fill(types, *common);
  }
  if (!is_orderable(types[0])) return wrong_argument(arguments, 0, "a type that can be compared");
  return BoundFunction{types, Type::boolean(), is_in};
}

std::string in_name(std::span<const std::string> arguments) {
  std::string list;
  for (const std::string& candidate : arguments.subspan(1))
    list += (list.empty() ? "" : ", ") + candidate;
  return fmt::format("({} IN ({}))", arguments[0], list);
}

// The greatest (sign 1) or least (sign -1) value that is not null.
Result<Datum> extreme(int sign, const CallContext& context, std::span<const Datum> arguments) {
  const int64_t rows = rows_to_compute(arguments, context.num_rows);
  std::vector<int32_t> places(static_cast<size_t>(rows), -1);
  std::vector<ColumnPtr> parts;
  int32_t base = 0;
  for (const Datum& argument : arguments) {
    for (int64_t i = 0; i < rows; ++i) {
      if (argument.is_null(i)) continue;
      int32_t& place = places[static_cast<size_t>(i)];
      const auto here = static_cast<int32_t>(base + argument.at(i));
      if (place < 0) {
        place = here;
        continue;
      }
      size_t part = 0;
      int32_t row = place;
      for (; row >= parts[part]->size(); ++part) row -= static_cast<int32_t>(parts[part]->size());
      if (compare_rows(*argument.column, argument.at(i), *parts[part], row) * sign > 0)
        place = here;
    }
    parts.push_back(argument.column);
    base += static_cast<int32_t>(argument.column->size());
  }
  return Datum{take(*concatenate(parts), places), rows_to_compute(arguments, 2) == 1};
}

ScalarFunction extreme_function(const char* name, const char* doc, int sign) {
  return {name, doc, 2, ScalarFunction::kAnyNumber,
          BindFunction([sign](const Arguments& arguments) -> Result<BoundFunction> {
            const std::optional<Type> common = wider_type(arguments.types, false);
            if (!common || !is_orderable(*common)) {
              return Error::invalid(fmt::format(
                  "the values of `{}` cannot be compared with each other", arguments.function));
            }
            return BoundFunction{std::vector<Type>(arguments.size(), *common), *common,
                                 [sign](const CallContext& context, std::span<const Datum> values) {
                                   return extreme(sign, context, values);
                                 }};
          })};
}

// isnan(null) is false.
Result<BoundFunction> bind_is_nan(const Arguments& arguments) {
  const Type type = arguments.types[0].id() == TypeId::real ? Type::real() : Type::double_();
  if (!implicit_cast(arguments.types[0], type)) return wrong_argument(arguments, 0, "double");
  return BoundFunction{
      {type},
      Type::boolean(),
      [](const CallContext& context, std::span<const Datum> values) -> Result<Datum> {
        const Datum& value = values[0];
        const int64_t rows = rows_to_compute(values, context.num_rows);
        BufferPtr bits = Buffer::allocate(bitmap_bytes(rows));
        visit_fixed(value.type().id(), [&](auto tag) {
          using T = typename decltype(tag)::type;
          if constexpr (std::is_floating_point_v<T>) {
            const T* x = value.column->values<T>().data();
            fill_bits(rows, bits->mutable_data(),
                      [&](int64_t i) { return std::isnan(x[value.at(i)]) && !value.is_null(i); });
          }
        });
        return Datum{boolean_column(rows, std::move(bits), {}), value.constant};
      }};
}

}  // namespace

void register_comparison_functions(FunctionRegistry& registry) {
  registry.add(comparison<Equal>("a = b: whether the two are equal."));
  add_order<Less>(registry, "a < b: whether a comes before b.");
  add_order<LessOrEqual>(registry, "a <= b: whether a does not come after b.");
  add_order<Greater>(registry, "a > b: whether a comes after b.");
  add_order<GreaterOrEqual>(registry, "a >= b: whether a does not come before b.");
  registry.add(ScalarFunction({"=", "=="},
                              "a = b: whether the two are equal; null if either is null.", 2, 2,
                              BuildFunction(build_equal)));
  registry.add(ScalarFunction({"<>", "!="}, "a <> b: whether the two differ.", 2, 2,
                              BuildFunction(build_not_equal)));
  registry.add(
      ScalarFunction("<=>", "a <=> b: whether the two are equal, nulls being equal to each other.",
                     2, 2, BindFunction(bind_null_safe))
          .named_by([](auto arguments) {
            return fmt::format("({} <=> {})", arguments[0], arguments[1]);
          }));
  registry.add(ScalarFunction("equal_null", "equal_null(a, b): as a <=> b.", 2, 2,
                              BindFunction(bind_null_safe)));
  registry.add(ScalarFunction("between", "x BETWEEN a AND b: whether x >= a and x <= b.", 3, 3,
                              BuildFunction(build_between)));
  registry.add(ScalarFunction("in", "x IN (a, b, ...): whether x equals one of them.", 2,
                              ScalarFunction::kAnyNumber, BindFunction(bind_in))
                   .named_by(in_name));
  registry.add(
      extreme_function("greatest", "greatest(a, b, ...): the greatest that is not null.", 1));
  registry.add(extreme_function("least", "least(a, b, ...): the least that is not null.", -1));
  registry.add(ScalarFunction("isnan", "isnan(x): whether x is NaN; false for null.", 1, 1,
                              BindFunction(bind_is_nan)));
}

}  // namespace flowrun
