#include "runtime/format/json_infer.h"

#include <algorithm>
#include <map>

#include "runtime/format/decimal.h"
#include "runtime/format/json_tokens.h"

namespace flowrun {

namespace {

constexpr int kLongDigits = 19;

Type merge_types(const Type& a, const Type& b);

Type merge_structs(const Type& a, const Type& b) {
  std::map<std::string, Type> merged;
  for (const Field& field : a.fields()) merged.emplace(field.name, field.type);
  for (const Field& field : b.fields()) {
    const auto [place, is_new] = merged.emplace(field.name, field.type);
    if (!is_new) place->second = merge_types(place->second, field.type);
  }
  std::vector<Field> fields;
  for (auto& [name, type] : merged) fields.push_back({name, std::move(type)});
  return Type::struct_(std::move(fields));
}

Type merge_numbers(const Type& a, const Type& b) {
  if (a.is_floating() || b.is_floating()) return Type::double_();
  const Type x = decimal_type_for(a);
  const Type y = decimal_type_for(b);
  const int scale = std::max(x.scale(), y.scale());
  const int whole = std::max(x.precision() - x.scale(), y.precision() - y.scale());
  return whole + scale > kMaxDecimalPrecision ? Type::double_()
                                              : Type::decimal(whole + scale, scale);
}

// The type that values of both are read as.
Type merge_types(const Type& a, const Type& b) {
  if (a == b || b.id() == TypeId::null) return a;
  if (a.id() == TypeId::null) return b;
  if (a.is_numeric() && b.is_numeric()) return merge_numbers(a, b);
  if (a.id() == TypeId::array && b.id() == TypeId::array)
    return Type::array(merge_types(a.element(), b.element()));
  if (a.id() == TypeId::struct_ && b.id() == TypeId::struct_) return merge_structs(a, b);
  return Type::string();
}

// Nulls become strings, and what has no fields goes; nothing if that is all there is.
std::optional<Type> finished(const Type& type) {
  switch (type.id()) {
    case TypeId::null:
      return Type::string();
    case TypeId::array: {
      const auto element = finished(type.element());
      return element ? std::optional<Type>(Type::array(*element)) : std::nullopt;
    }
    case TypeId::struct_: {
      std::vector<Field> fields;
      for (const Field& field : type.fields()) {
        const auto inner = field.name.empty() ? std::nullopt : finished(field.type);
        if (inner) fields.push_back({field.name, *inner});
      }
      return fields.empty() ? std::nullopt : std::optional<Type>(Type::struct_(std::move(fields)));
    }
    default:
      return type;
  }
}

class Inference {
 public:
  Inference(std::string_view text, const JsonInferOptions& options)
      : options_(options), tokens_(options.read) {
    tokens_.reset(text);
  }

  Result<Type> infer() {
    FLOWRUN_RETURN_IF_ERROR(next());
    if (tokens_.current() == JsonToken::end_of_text) return Type::string();
    FLOWRUN_TRY(const Type type, value());
    const bool structs = type.id() == TypeId::array && type.element().id() == TypeId::struct_;
    if (const auto found = finished(type)) return *found;
    const Type nothing = Type::struct_({});
    if (type.id() == TypeId::struct_) return nothing;
    return structs ? Type::array(nothing) : Type::string();
  }

 private:
  Status next() {
    if (tokens_.next()) return {};
    return Error::data("the text is no JSON: " + tokens_.error());
  }

  // The value that the current token begins; it is left at the value's end.
  Result<Type> value() {
    switch (tokens_.current()) {
      case JsonToken::start_object:
        return object();
      case JsonToken::start_array:
        return array();
      case JsonToken::null:
        return Type::null();
      case JsonToken::string:
        if (!tokens_.read_string()) return Error::data("the text is no JSON: " + tokens_.error());
        return tokens_.text().empty() ? Type::null() : Type::string();
      case JsonToken::true_:
      case JsonToken::false_:
        return options_.primitives_as_string ? Type::string() : Type::boolean();
      case JsonToken::integer:
      case JsonToken::decimal:
      case JsonToken::not_finite:
        return options_.primitives_as_string ? Type::string() : number();
      default:
        return Error::data("the text is no JSON value");
    }
  }

  Result<Type> object() {
    Type type = Type::struct_({});
    while (true) {
      FLOWRUN_RETURN_IF_ERROR(next());
      if (tokens_.current() == JsonToken::end_object) return type;
      const std::string name = *tokens_.name();
      FLOWRUN_RETURN_IF_ERROR(next());
      FLOWRUN_TRY(Type field, value());
      type = merge_structs(type, Type::struct_({{name, std::move(field)}}));
    }
  }

  Result<Type> array() {
    Type element = Type::null();
    while (true) {
      FLOWRUN_RETURN_IF_ERROR(next());
      if (tokens_.current() == JsonToken::end_array) return Type::array(element);
      FLOWRUN_TRY(const Type type, value());
      element = merge_types(element, type);
    }
  }

  Type number() {
    const std::string_view text = tokens_.text();
    const auto digits =
        static_cast<int>(std::ranges::count_if(text, [](char c) { return c >= '0' && c <= '9'; }));
    if (tokens_.current() == JsonToken::integer) {
      const bool is_long = digits < kLongDigits ||
                           (digits == kLongDigits && rescaled(text, kLongDigits, 0) <= INT64_MAX &&
                            rescaled(text, kLongDigits, 0) >= INT64_MIN);
      if (is_long) return Type::bigint();
      return digits <= kMaxDecimalPrecision ? Type::decimal(digits, 0) : Type::double_();
    }
    const size_t point = text.find('.');
    const bool plain = tokens_.current() == JsonToken::decimal && point != std::string_view::npos &&
                       text.find_first_of("eE") == std::string_view::npos;
    if (!options_.prefers_decimal || !plain || digits > kMaxDecimalPrecision)
      return Type::double_();
    const auto scale = static_cast<int>(text.size() - point - 1);
    const bool leading_zero = text.starts_with("0.") || text.starts_with("-0.");
    return Type::decimal(std::max(digits - (leading_zero ? 1 : 0), scale), scale);
  }

  static Decimal128 rescaled(std::string_view text, int precision, int scale) {
    return parse_decimal(text, precision, scale).value_or(0);
  }

  const JsonInferOptions& options_;
  JsonTokens tokens_;
};

}  // namespace

Result<Type> infer_json_type(std::string_view text, const JsonInferOptions& options) {
  return Inference(text, options).infer();
}

}  // namespace flowrun
