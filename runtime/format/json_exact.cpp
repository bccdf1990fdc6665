#include "runtime/format/json_exact.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>

#include "runtime/format/json_writer.h"
#include "runtime/format/number.h"
#include "runtime/format/utf8.h"

namespace flowrun {

// A type with its fields looked up by name.
struct ExactJson::Plan {
  explicit Plan(const Type& of) : type(of) {
    for (const Field& field : of.fields()) {
      indices[field.name] = children.size();
      children.emplace_back(field.type);
    }
  }
  Type type;
  std::vector<Plan> children;
  std::unordered_map<std::string, size_t> indices;
};

void append_json_value(const JsonValue& value, ColumnBuilder& builder) {
  if (!value.valid) return builder.append_null();
  switch (builder.type().id()) {
    case TypeId::null:
      return builder.append_null();
    case TypeId::boolean:
      return static_cast<BooleanBuilder&>(builder).append(value.integer != 0);
    case TypeId::string:
    case TypeId::binary:
      return static_cast<StringBuilder&>(builder).append(value.text);
    case TypeId::decimal:
      return static_cast<FixedBuilder<Decimal128>&>(builder).append(value.decimal);
    case TypeId::real:
      return static_cast<FixedBuilder<float>&>(builder).append(static_cast<float>(value.number));
    case TypeId::double_:
      return static_cast<FixedBuilder<double>&>(builder).append(value.number);
    case TypeId::array: {
      auto& array = static_cast<ArrayBuilder&>(builder);
      for (const JsonValue& item : value.items) append_json_value(item, array.element());
      return array.append();
    }
    case TypeId::map: {
      auto& map = static_cast<MapBuilder&>(builder);
      for (const std::string& key : value.keys) static_cast<StringBuilder&>(map.key()).append(key);
      for (const JsonValue& item : value.items) append_json_value(item, map.value());
      return map.append();
    }
    case TypeId::struct_: {
      auto& structure = static_cast<StructBuilder&>(builder);
      for (size_t i = 0; i < value.items.size(); ++i)
        append_json_value(value.items[i], structure.field(i));
      return structure.append();
    }
    default:
      visit_fixed(builder.type().id(), [&](auto tag) {
        using T = typename decltype(tag)::type;
        if constexpr (std::is_integral_v<T>) {
          static_cast<FixedBuilder<T>&>(builder).append(static_cast<T>(value.integer));
        } else {
          builder.append_null();
        }
      });
  }
}

ExactJson::ExactJson(std::span<const Field> fields, const JsonReadOptions& options,
                     const TextTimes& times)
    : options_(options),
      times_(times),
      plan_(std::make_unique<Plan>(Type::struct_({fields.begin(), fields.end()}))),
      tokens_(options) {}

ExactJson::~ExactJson() = default;

void ExactJson::note(std::string reason) {
  if (reason_.empty()) reason_ = std::move(reason);
}

ExactJson::Step ExactJson::token_failed() {
  note(tokens_.error());
  return Step::failed;
}

ExactJson::Outcome ExactJson::read(std::string_view record) {
  rows_.clear();
  reason_.clear();
  if (static_cast<int64_t>(record.size()) > options_.max_record) {
    note(fmt::format("the record has {} bytes, more than max_record allows", record.size()));
    return Outcome::corrupt;
  }
  const auto blank = [](char c) { return static_cast<unsigned char>(c) <= ' '; };
  if (!options_.source && std::all_of(record.begin(), record.end(), blank)) return Outcome::blank;
  if (!options_.source && !is_valid_utf8(record)) {
    sanitized_.clear();
    append_replacing_invalid_utf8(record, sanitized_);
    record = sanitized_;
  }
  record_ = record;
  tokens_.reset(record);
  JsonValue root;
  const Step step = tokens_.next() ? Step::ok : token_failed();
  if (step == Step::ok && tokens_.current() == JsonToken::end_of_text) return Outcome::blank;
  const Step converted = step == Step::ok ? convert_root(root) : step;
  if (converted == Step::failed) return Outcome::corrupt;
  if (root.keys.empty()) {
    rows_.push_back(std::move(root));
  } else {
    rows_ = std::move(root.items);
  }
  return converted == Step::ok ? Outcome::good : Outcome::partial;
}

// An object, or on a source an array of them: then keys marks that items are the rows.
ExactJson::Step ExactJson::convert_root(JsonValue& out) {
  if (tokens_.current() == JsonToken::start_object) return convert_object(*plan_, out);
  if (tokens_.current() == JsonToken::start_array && options_.source) {
    Plan rows(Type::array(plan_->type));
    const Step step = convert_array(rows, out, true);
    out.keys.emplace_back();
    return step;
  }
  note("the record is no JSON object");
  return Step::failed;
}

ExactJson::Step ExactJson::next_until(JsonToken end, bool& found) {
  if (!tokens_.next()) return token_failed();
  found = tokens_.current() == end || tokens_.current() == JsonToken::end_of_text;
  return Step::ok;
}

ExactJson::Step ExactJson::convert_object(const Plan& plan, JsonValue& out) {
  out.valid = true;
  out.items.assign(plan.children.size(), {});
  bool bad = false;
  while (true) {
    bool ended = false;
    if (next_until(JsonToken::end_object, ended) == Step::failed) return Step::failed;
    if (ended) return bad ? Step::partial : Step::ok;
    const std::string* name = tokens_.name();
    const auto field = name ? plan.indices.find(*name) : plan.indices.end();
    if (field == plan.indices.end()) {
      if (!tokens_.skip_children()) return token_failed();
      continue;
    }
    JsonValue value;
    const Step step = convert(plan.children[field->second], value);
    if (step != Step::ok) {
      bad = true;
      note(fmt::format("field `{}` cannot be read", field->first));
    }
    if (step == Step::failed) {
      if (!tokens_.skip_children()) return token_failed();
    } else {
      out.items[field->second] = std::move(value);
    }
  }
}

ExactJson::Step ExactJson::convert_array(const Plan& plan, JsonValue& out, bool root) {
  out.valid = true;
  bool bad = false;
  while (true) {
    bool ended = false;
    if (next_until(JsonToken::end_array, ended) == Step::failed) return Step::failed;
    if (ended) return bad ? Step::partial : Step::ok;
    JsonValue value;
    const Step step = convert(plan.children[0], value);
    if (step == Step::failed) return step;
    if (step == Step::partial) bad = true;
    if (root && !value.valid) {
      note("the array holds something that is no object");
      return Step::failed;
    }
    out.items.push_back(std::move(value));
  }
}

// A value that cannot be read leaves its key alone, so that the whole map is lost in the end.
ExactJson::Step ExactJson::convert_map(const Plan& plan, JsonValue& out) {
  out.valid = true;
  bool bad = false;
  while (true) {
    bool ended = false;
    if (next_until(JsonToken::end_object, ended) == Step::failed) return Step::failed;
    if (ended) break;
    const std::string* name = tokens_.name();
    out.keys.push_back(name ? *name : std::string());
    JsonValue value;
    const Step step = convert(plan.children[1], value);
    if (step != Step::ok) bad = true;
    if (step == Step::failed) {
      if (!tokens_.skip_children()) return token_failed();
    } else {
      out.items.push_back(std::move(value));
    }
  }
  if (out.keys.size() != out.items.size()) return Step::failed;
  return bad ? Step::partial : Step::ok;
}

ExactJson::Step ExactJson::convert(const Plan& plan, JsonValue& out) {
  while (tokens_.current() == JsonToken::field_name) {
    if (!tokens_.next()) return token_failed();
  }
  const JsonToken token = tokens_.current();
  if (token == JsonToken::null || token == JsonToken::end_of_text) return Step::ok;
  switch (plan.type.id()) {
    case TypeId::struct_:
      return token == JsonToken::start_object ? convert_object(plan, out) : wrong_type(plan);
    case TypeId::map:
      return token == JsonToken::start_object ? convert_map(plan, out) : wrong_type(plan);
    case TypeId::array:
      return token == JsonToken::start_array ? convert_array(plan, out, false) : wrong_type(plan);
    default:
      break;
  }
  const Step step = convert_scalar(plan, out);
  out.valid = step == Step::ok;
  return step;
}

ExactJson::Step ExactJson::wrong_type(const Plan& plan) {
  // Jackson decodes a string to say how long it is, so a broken one fails here.
  if (tokens_.current() == JsonToken::string && !tokens_.read_string()) return token_failed();
  const std::string* name = tokens_.name();
  note(fmt::format("{} is no {}", name ? fmt::format("the value of `{}`", *name) : "a value",
                   plan.type.simple_string()));
  return Step::failed;
}

ExactJson::Step ExactJson::convert_scalar(const Plan& plan, JsonValue& out) {
  const JsonToken token = tokens_.current();
  switch (plan.type.id()) {
    case TypeId::string:
      return convert_text(out);
    case TypeId::binary:
      if (token != JsonToken::string) return wrong_type(plan);
      return tokens_.read_base64(out.text) ? Step::ok : token_failed();
    case TypeId::boolean:
      if (token != JsonToken::true_ && token != JsonToken::false_) return wrong_type(plan);
      out.integer = token == JsonToken::true_ ? 1 : 0;
      return Step::ok;
    default:
      break;
  }
  if (token == JsonToken::string) return convert_string_to(plan, out);
  if (token == JsonToken::integer || token == JsonToken::decimal ||
      token == JsonToken::not_finite) {
    return convert_number_to(plan, out);
  }
  return wrong_type(plan);
}

ExactJson::Step ExactJson::convert_string_to(const Plan& plan, JsonValue& out) {
  if (!tokens_.read_string()) return token_failed();
  const std::string& text = tokens_.text();
  if (text.empty()) return wrong_type(plan);
  switch (plan.type.id()) {
    case TypeId::real:
    case TypeId::double_: {
      if (!options_.allow_non_numeric_numbers) return wrong_type(plan);
      const std::string_view word =
          text[0] == '+' || text[0] == '-' ? std::string_view(text).substr(1) : text;
      const double sign = text[0] == '-' ? -1 : 1;
      if (text == "NaN") {
        out.number = std::numeric_limits<double>::quiet_NaN();
      } else if (word == "Infinity" || (word == "INF" && text.size() == 4)) {
        out.number = sign * std::numeric_limits<double>::infinity();
      } else {
        return wrong_type(plan);
      }
      return Step::ok;
    }
    case TypeId::decimal: {
      std::string digits = text;
      std::erase(digits, ',');
      const auto value = parse_decimal_text(digits, plan.type.precision(), plan.type.scale());
      if (!value) return wrong_type(plan);
      out.decimal = *value;
      return Step::ok;
    }
    case TypeId::date: {
      const auto days = times_.date_or_days(text);
      if (!days) return wrong_type(plan);
      out.integer = *days;
      return Step::ok;
    }
    case TypeId::timestamp: {
      const auto micros = times_.timestamp(text);
      if (!micros) return wrong_type(plan);
      out.integer = *micros;
      return Step::ok;
    }
    default:
      return wrong_type(plan);
  }
}

namespace {

double value_of_word(std::string_view word) {
  if (word == "NaN") return std::numeric_limits<double>::quiet_NaN();
  return word[0] == '-' ? -std::numeric_limits<double>::infinity()
                        : std::numeric_limits<double>::infinity();
}

std::optional<int64_t> to_integer(std::string_view digits) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc()) return std::nullopt;
  return value;
}

bool fits(TypeId id, int64_t value) {
  switch (id) {
    case TypeId::tinyint:
      return value >= -128 && value <= 255;  // Jackson takes a byte for signed or not
    case TypeId::smallint:
      return value == static_cast<int16_t>(value);
    case TypeId::integer:
      return value == static_cast<int32_t>(value);
    default:
      return true;
  }
}

}  // namespace

ExactJson::Step ExactJson::convert_number_to(const Plan& plan, JsonValue& out) {
  const JsonToken token = tokens_.current();
  const std::string& text = tokens_.text();
  switch (plan.type.id()) {
    case TypeId::tinyint:
    case TypeId::smallint:
    case TypeId::integer:
    case TypeId::bigint: {
      const auto value = token == JsonToken::integer ? to_integer(text) : std::nullopt;
      if (!value || !fits(plan.type.id(), *value)) return wrong_type(plan);
      out.integer = *value;
      return Step::ok;
    }
    case TypeId::timestamp: {
      const auto value = token == JsonToken::integer ? to_integer(text) : std::nullopt;
      if (!value) return wrong_type(plan);
      out.integer = static_cast<int64_t>(static_cast<uint64_t>(*value) * 1'000'000u);
      return Step::ok;
    }
    case TypeId::real:
    case TypeId::double_: {
      const bool real = plan.type.id() == TypeId::real;
      const auto value = token == JsonToken::integer ? to_integer(text) : std::nullopt;
      if (token == JsonToken::not_finite) {
        out.number = value_of_word(text);
      } else if (value) {
        out.number =
            real ? static_cast<double>(static_cast<float>(*value)) : static_cast<double>(*value);
      } else {
        out.number = real && token == JsonToken::decimal ? static_cast<double>(json_float(text))
                                                         : json_double(text);
      }
      return Step::ok;
    }
    case TypeId::decimal: {
      const auto value = token == JsonToken::not_finite
                             ? std::nullopt
                             : parse_decimal_text(text, plan.type.precision(), plan.type.scale());
      if (!value) return wrong_type(plan);
      out.decimal = *value;
      return Step::ok;
    }
    default:
      return wrong_type(plan);
  }
}

// Anything as text: a source keeps the bytes of what is no string, parse writes them anew.
ExactJson::Step ExactJson::convert_text(JsonValue& out) {
  switch (tokens_.current()) {
    case JsonToken::string:
      if (!tokens_.read_string()) return token_failed();
      out.text = tokens_.text();
      return Step::ok;
    case JsonToken::end_array:
    case JsonToken::end_object:
      note("a value is missing");
      return Step::failed;
    default:
      break;
  }
  if (!options_.source) return copy_structure(out.text) ? Step::ok : Step::failed;
  const size_t start = tokens_.token_start();
  if (!tokens_.skip_children()) return token_failed();
  out.text = record_.substr(start, tokens_.position() - start);
  return Step::ok;
}

bool ExactJson::copy_token(std::string& out) {
  switch (tokens_.current()) {
    case JsonToken::start_object:
      out += '{';
      break;
    case JsonToken::end_object:
      out += '}';
      break;
    case JsonToken::start_array:
      out += '[';
      break;
    case JsonToken::end_array:
      out += ']';
      break;
    case JsonToken::true_:
      out += "true";
      break;
    case JsonToken::false_:
      out += "false";
      break;
    case JsonToken::null:
      out += "null";
      break;
    case JsonToken::integer:
      out += tokens_.text() == "-0" ? "0" : tokens_.text();
      break;
    case JsonToken::decimal:
    case JsonToken::not_finite: {
      const bool word = tokens_.current() == JsonToken::not_finite;
      const double value = word ? value_of_word(tokens_.text()) : json_double(tokens_.text());
      const bool quote = value - value != 0;
      if (quote) out += '"';
      append_double(value, out);
      if (quote) out += '"';
      break;
    }
    case JsonToken::string:
      if (!tokens_.read_string()) return token_failed() == Step::ok;
      if (tokens_.has_lone_surrogate()) {
        note("a surrogate without its partner");
        return false;
      }
      append_json_string(tokens_.text(), out);
      break;
    default:
      break;
  }
  return true;
}

bool ExactJson::copy_structure(std::string& out) {
  int64_t open = 0;
  bool first = true;
  while (true) {
    const JsonToken token = tokens_.current();
    if (token == JsonToken::end_of_text) return false;
    const bool closes = token == JsonToken::end_array || token == JsonToken::end_object;
    if (!first && !closes) out += ',';
    if (token == JsonToken::field_name) {
      append_json_string(*tokens_.name(), out);
      out += ':';
      if (!tokens_.next()) return token_failed() == Step::ok;
      first = true;
      continue;
    }
    if (!copy_token(out)) return false;
    const bool opens = token == JsonToken::start_array || token == JsonToken::start_object;
    open += opens ? 1 : closes ? -1 : 0;
    if (open == 0) return true;
    first = opens;
    if (!tokens_.next()) return token_failed() == Step::ok;
  }
}

}  // namespace flowrun
