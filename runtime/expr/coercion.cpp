#include "runtime/expr/coercion.h"

#include <algorithm>

#include "runtime/format/decimal.h"

namespace flowrun {

namespace {

bool is_interval(const Type& type) {
  return type.id() == TypeId::year_month_interval || type.id() == TypeId::day_time_interval;
}

bool is_atomic(const Type& type) {
  return !type.is_nested() && type.id() != TypeId::null && type.id() != TypeId::calendar_interval;
}

// Does every value of integral type `integral` fit into decimal `decimal`?
bool is_wider(const Type& decimal, const Type& integral) {
  return decimal.precision() - decimal.scale() >= decimal_for(integral).precision();
}

Type wider_decimal(const Type& a, const Type& b) {
  const int scale = std::max(a.scale(), b.scale());
  const int whole = std::max(a.precision() - a.scale(), b.precision() - b.scale());
  // Spark bounds the two without giving up scale.
  return Type::decimal(std::min(whole + scale, 38), std::min(scale, 38));
}

std::optional<Type> wider_decimal_or_double(const Type& a, const Type& b) {
  if (a.id() != TypeId::decimal && b.id() != TypeId::decimal) return std::nullopt;
  if (!a.is_numeric() || !b.is_numeric()) return std::nullopt;
  if (a.is_floating() || b.is_floating()) return Type::double_();
  return wider_decimal(decimal_for(a), decimal_for(b));
}

std::optional<Type> promoted_string(const Type& a, const Type& b) {
  const auto promotes = [](const Type& type) {
    return is_atomic(type) && type.id() != TypeId::binary && type.id() != TypeId::boolean;
  };
  if (a.id() == TypeId::string && promotes(b)) return Type::string();
  if (b.id() == TypeId::string && promotes(a)) return Type::string();
  return std::nullopt;
}

// Arrays, maps and structs whose parts have a common type by `rule`.
template <class Rule>
std::optional<Type> common_nested(const Type& a, const Type& b, const Rule& rule) {
  if (a.id() != b.id()) return std::nullopt;
  if (a.id() == TypeId::array) {
    const auto element = rule(a.element(), b.element());
    if (element) return Type::array(*element);
  } else if (a.id() == TypeId::map) {
    const auto key = rule(a.key(), b.key());
    const auto value = rule(a.value(), b.value());
    if (key && value) return Type::map(*key, *value);
  } else if (a.id() == TypeId::struct_ && a.fields().size() == b.fields().size()) {
    std::vector<Field> fields;
    for (size_t i = 0; i < a.fields().size(); ++i) {
      if (!names_equal(a.fields()[i].name, b.fields()[i].name)) return std::nullopt;
      const auto type = rule(a.fields()[i].type, b.fields()[i].type);
      if (!type) return std::nullopt;
      fields.push_back(
          {a.fields()[i].name, *type, a.fields()[i].nullable || b.fields()[i].nullable});
    }
    return Type::struct_(std::move(fields));
  }
  return std::nullopt;
}

}  // namespace

Type decimal_for(const Type& type) {
  switch (type.id()) {
    case TypeId::decimal:
      return type;
    case TypeId::tinyint:
    case TypeId::smallint:
    case TypeId::integer:
    case TypeId::bigint:
      return decimal_type_for(type);
    case TypeId::real:
      return Type::decimal(14, 7);
    case TypeId::double_:
      return Type::decimal(30, 15);
    default:
      return Type::decimal(38, 18);
  }
}

Type adjusted_decimal(int precision, int scale) { return adjusted_decimal_type(precision, scale); }

std::optional<Type> implicit_cast(const Type& from, const Type& expected) {
  if (from == expected) return expected;
  if (from.id() == TypeId::null) return expected;
  if (from.is_numeric() && expected.is_numeric()) return expected;
  const bool from_time = from.id() == TypeId::date || from.id() == TypeId::timestamp;
  const bool to_time = expected.id() == TypeId::date || expected.id() == TypeId::timestamp;
  if (from_time && to_time) return expected;
  if (from.id() == TypeId::string) {
    if (expected.is_numeric() || to_time || is_interval(expected) ||
        expected.id() == TypeId::binary)
      return expected;
  }
  if (expected.id() == TypeId::string && is_atomic(from)) return expected;
  if (is_interval(from) && from.id() == expected.id()) return from;
  if (from.is_nested() && from.id() == expected.id())
    return common_nested(from, expected, implicit_cast);
  return std::nullopt;
}

std::optional<Type> tightest_common_type(const Type& a, const Type& b) {
  if (a == b) return a;
  if (a.id() == TypeId::null) return b;
  if (b.id() == TypeId::null) return a;
  if (a.is_numeric() && b.is_numeric()) {
    if (a.id() != TypeId::decimal && b.id() != TypeId::decimal) return a.id() < b.id() ? b : a;
    if (a.is_integral() && is_wider(b, a)) return b;
    if (b.is_integral() && is_wider(a, b)) return a;
    return std::nullopt;
  }
  const auto is_time = [](const Type& type) {
    return type.id() == TypeId::date || type.id() == TypeId::timestamp;
  };
  if (is_time(a) && is_time(b)) return Type::timestamp();
  if (is_interval(a) && a.id() == b.id()) {
    const auto first = std::min(a.first_unit(), b.first_unit());
    const auto last = std::max(a.last_unit(), b.last_unit());
    return a.id() == TypeId::day_time_interval ? Type::day_time_interval(first, last)
                                               : Type::year_month_interval(first, last);
  }
  return common_nested(a, b, tightest_common_type);
}

std::optional<Type> wider_type(const Type& a, const Type& b, bool promote_strings) {
  if (auto type = tightest_common_type(a, b)) return type;
  if (auto type = wider_decimal_or_double(a, b)) return type;
  if (promote_strings) {
    if (auto type = promoted_string(a, b)) return type;
  }
  return common_nested(
      a, b, [&](const Type& x, const Type& y) { return wider_type(x, y, promote_strings); });
}

std::optional<Type> wider_type(std::span<const Type> types, bool promote_strings) {
  // Text first, so that the order of the others does not matter.
  std::optional<Type> common = Type::null();
  for (const bool text_first : {true, false}) {
    for (const Type& type : types) {
      if ((type.id() == TypeId::string) != text_first) continue;
      common = wider_type(*common, type, promote_strings);
      if (!common) return std::nullopt;
    }
  }
  return common;
}

std::optional<Type> comparison_type(const Type& a, const Type& b) {
  if (a == b) return a;
  const auto with_text = [](const Type& other) -> std::optional<Type> {
    if (other.id() == TypeId::decimal) return Type::double_();
    if (is_atomic(other)) return other;
    return std::nullopt;
  };
  if (a.id() == TypeId::string && b.id() != TypeId::null) return with_text(b);
  if (b.id() == TypeId::string && a.id() != TypeId::null) return with_text(a);
  if (auto type = tightest_common_type(a, b)) return type;
  if (auto type = wider_decimal_or_double(a, b)) return type;
  return common_nested(a, b, [](const Type& x, const Type& y) { return wider_type(x, y, false); });
}

bool is_orderable(const Type& type) {
  if (type.id() == TypeId::map || type.id() == TypeId::calendar_interval) return false;
  return std::ranges::all_of(type.fields(),
                             [](const Field& field) { return is_orderable(field.type); });
}

}  // namespace flowrun
