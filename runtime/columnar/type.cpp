#include "runtime/columnar/type.h"

#include <fmt/format.h>

#include <algorithm>

#include "runtime/base/check.h"
#include "runtime/base/suggest.h"

namespace flowrun {

namespace {

const char* unit_name(IntervalUnit unit) {
  static constexpr const char* kNames[] = {"year", "month", "day", "hour", "minute", "second"};
  return kNames[static_cast<size_t>(unit)];
}

std::string upper(std::string text) {
  for (char& c : text) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return text;
}

std::string interval_name(const Type& type) {
  const char* first = unit_name(type.first_unit());
  const char* last = unit_name(type.last_unit());
  return type.first_unit() == type.last_unit() ? fmt::format("interval {}", first)
                                               : fmt::format("interval {} to {}", first, last);
}

const char* plain_name(TypeId id) {
  switch (id) {
    case TypeId::null:
      return "void";
    case TypeId::boolean:
      return "boolean";
    case TypeId::tinyint:
      return "tinyint";
    case TypeId::smallint:
      return "smallint";
    case TypeId::integer:
      return "int";
    case TypeId::bigint:
      return "bigint";
    case TypeId::real:
      return "float";
    case TypeId::double_:
      return "double";
    case TypeId::string:
      return "string";
    case TypeId::binary:
      return "binary";
    case TypeId::date:
      return "date";
    case TypeId::timestamp:
      return "timestamp";
    case TypeId::calendar_interval:
      return "interval";
    default:
      return "";
  }
}

// The names that printSchema uses: long and short for Spark's classes, integer in place of int.
std::string tree_name(const Type& type) {
  switch (type.id()) {
    case TypeId::tinyint:
      return "byte";
    case TypeId::smallint:
      return "short";
    case TypeId::integer:
      return "integer";
    case TypeId::bigint:
      return "long";
    case TypeId::array:
      return "array";
    case TypeId::map:
      return "map";
    case TypeId::struct_:
      return "struct";
    default:
      return type.simple_string();
  }
}

void append_tree(const Type& type, const std::string& prefix, std::string& out) {
  const auto line = [&](std::string_view name, const Field& field, std::string_view flag) {
    out += fmt::format("{}-- {}: {} ({} = {})\n", prefix, name, tree_name(field.type), flag,
                       field.nullable);
    append_tree(field.type, prefix + "    |", out);
  };
  if (type.id() == TypeId::array) line("element", type.fields()[0], "containsNull");
  if (type.id() == TypeId::map) {
    out += fmt::format("{}-- key: {}\n", prefix, tree_name(type.key()));
    append_tree(type.key(), prefix + "    |", out);
    line("value", type.fields()[1], "valueContainsNull");
  }
  if (type.id() == TypeId::struct_) {
    for (const Field& field : type.fields()) line(field.name, field, "nullable");
  }
}

}  // namespace

Type Type::decimal(int precision, int scale) {
  FLOWRUN_CHECK(precision >= 1 && precision <= 38 && scale >= 0 && scale <= precision,
                "a decimal's precision and scale are in range");
  Type type(TypeId::decimal);
  type.first_ = static_cast<uint8_t>(precision);
  type.second_ = static_cast<uint8_t>(scale);
  return type;
}

Type Type::year_month_interval(IntervalUnit first, IntervalUnit last) {
  Type type(TypeId::year_month_interval);
  type.first_ = static_cast<uint8_t>(first);
  type.second_ = static_cast<uint8_t>(last);
  return type;
}

Type Type::day_time_interval(IntervalUnit first, IntervalUnit last) {
  Type type(TypeId::day_time_interval);
  type.first_ = static_cast<uint8_t>(first);
  type.second_ = static_cast<uint8_t>(last);
  return type;
}

Type Type::array(Type element) {
  Type type(TypeId::array);
  type.children_ = std::make_shared<const std::vector<Field>>(
      std::vector<Field>{{"element", std::move(element)}});
  return type;
}

Type Type::map(Type key, Type value) {
  Type type(TypeId::map);
  type.children_ = std::make_shared<const std::vector<Field>>(
      std::vector<Field>{{"key", std::move(key), false}, {"value", std::move(value)}});
  return type;
}

Type Type::struct_(std::vector<Field> fields) {
  Type type(TypeId::struct_);
  type.children_ = std::make_shared<const std::vector<Field>>(std::move(fields));
  return type;
}

std::span<const Field> Type::fields() const {
  return children_ ? std::span<const Field>(*children_) : std::span<const Field>();
}

const Type& Type::element() const {
  FLOWRUN_CHECK(id_ == TypeId::array, "element() of an array");
  return (*children_)[0].type;
}

const Type& Type::key() const {
  FLOWRUN_CHECK(id_ == TypeId::map, "key() of a map");
  return (*children_)[0].type;
}

const Type& Type::value() const {
  FLOWRUN_CHECK(id_ == TypeId::map, "value() of a map");
  return (*children_)[1].type;
}

std::string Type::simple_string() const {
  switch (id_) {
    case TypeId::decimal:
      return fmt::format("decimal({},{})", first_, second_);
    case TypeId::year_month_interval:
    case TypeId::day_time_interval:
      return interval_name(*this);
    case TypeId::array:
      return fmt::format("array<{}>", element().simple_string());
    case TypeId::map:
      return fmt::format("map<{},{}>", key().simple_string(), value().simple_string());
    case TypeId::struct_: {
      std::string inner;
      for (const Field& field : fields()) {
        if (!inner.empty()) inner += ',';
        inner += field.name + ':' + field.type.simple_string();
      }
      return "struct<" + inner + ">";
    }
    default:
      return plain_name(id_);
  }
}

std::string Type::ddl() const {
  switch (id_) {
    case TypeId::array:
      return fmt::format("ARRAY<{}>", element().ddl());
    case TypeId::map:
      return fmt::format("MAP<{}, {}>", key().ddl(), value().ddl());
    case TypeId::struct_: {
      std::string inner;
      for (const Field& field : fields()) {
        if (!inner.empty()) inner += ", ";
        inner += fmt::format("{}: {}{}", quote_name(field.name), field.type.ddl(),
                             field.nullable ? "" : " NOT NULL");
      }
      return "STRUCT<" + inner + ">";
    }
    default:
      return upper(simple_string());
  }
}

bool operator==(const Type& a, const Type& b) {
  if (a.id_ != b.id_ || a.first_ != b.first_ || a.second_ != b.second_) return false;
  if (a.children_ == b.children_) return true;
  return std::ranges::equal(a.fields(), b.fields());
}

std::vector<size_t> Schema::find_all(std::string_view name) const {
  std::vector<size_t> found;
  for (size_t i = 0; i < fields_.size(); ++i) {
    if (names_equal(fields_[i].name, name)) found.push_back(i);
  }
  return found;
}

Result<size_t> Schema::find(std::string_view name) const {
  const std::vector<size_t> found = find_all(name);
  if (found.size() == 1) return found[0];
  if (found.empty()) {
    const std::vector<std::string> candidates = names();
    std::string hint = did_you_mean(name, candidates);
    constexpr size_t kMostNamed = 20;
    if (hint.empty() && !candidates.empty() && candidates.size() <= kMostNamed)
      hint = " — there are " + back_quoted_list(candidates);
    return Error::invalid(fmt::format("no column `{}`{}", name, hint));
  }
  return Error::invalid(
      fmt::format("column `{}` is ambiguous: {} columns have that name", name, found.size()));
}

std::vector<std::string> Schema::names() const {
  std::vector<std::string> names;
  names.reserve(fields_.size());
  for (const Field& field : fields_) names.push_back(field.name);
  return names;
}

std::string Schema::ddl() const {
  std::string out;
  for (const Field& field : fields_) {
    if (!out.empty()) out += ',';
    out += fmt::format("{} {}{}", quote_name(field.name), field.type.ddl(),
                       field.nullable ? "" : " NOT NULL");
  }
  return out;
}

std::string Schema::tree_string() const {
  std::string out = "root\n";
  append_tree(Type::struct_(fields_), " |", out);
  return out;
}

bool names_equal(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) {
    const auto lower = [](char c) {
      return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    };
    return lower(x) == lower(y);
  });
}

std::string lower_name(std::string_view name) {
  std::string lowered(name);
  for (char& c : lowered) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lowered;
}

std::string quote_name(std::string_view name) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  };
  if (!name.empty() && std::ranges::all_of(name, plain) &&
      !std::ranges::all_of(name, [](char c) { return c >= '0' && c <= '9'; })) {
    return std::string(name);
  }
  std::string quoted = "`";
  for (const char c : name) {
    quoted += c;
    if (c == '`') quoted += c;
  }
  return quoted + "`";
}

}  // namespace flowrun
