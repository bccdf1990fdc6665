// JSON as text: from_json, to_json, schema_of_json and the counting of parts. Paths: json_path.cpp.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>

#include "runtime/columnar/builder.h"
#include "runtime/expr/analyzer.h"
#include "runtime/expr/coercion.h"
#include "runtime/expr/functions/functions.h"
#include "runtime/expr/json_path.h"
#include "runtime/expr/list_values.h"
#include "runtime/expr/scalar.h"
#include "runtime/format/datetime_pattern.h"
#include "runtime/format/json_reader.h"
#include "runtime/format/json_tokens.h"
#include "runtime/format/json_writer.h"

namespace flowrun {

namespace {

using Options = std::map<std::string, std::string, std::less<>>;

// The constant map of options, its keys in lower case.
Result<Options> constant_options(const Arguments& arguments, size_t i) {
  Options options;
  if (i >= arguments.size()) return options;
  const ColumnPtr& given = arguments.constants[i];
  const bool texts = given && given->type() == Type::map(Type::string(), Type::string());
  if (!texts || given->is_null(0))
    return wrong_argument(arguments, i, "a constant map of texts, the options");
  for (int32_t e = given->list_begin(0); e < given->list_end(0); ++e) {
    if (given->child(1)->is_valid(e))
      options[lower_name(given->child(0)->string(e))] = std::string(given->child(1)->string(e));
  }
  return options;
}

struct ReadSetup {
  JsonReadOptions options;
  std::string mode = "PERMISSIVE";
};

Result<ReadSetup> read_setup(const Options& given) {
  ReadSetup setup;
  const std::array<std::pair<std::string_view, bool JsonReadOptions::*>, 7> flags = {{
      {"allowsinglequotes", &JsonReadOptions::allow_single_quotes},
      {"allownonnumericnumbers", &JsonReadOptions::allow_non_numeric_numbers},
      {"allowcomments", &JsonReadOptions::allow_comments},
      {"allownumericleadingzeros", &JsonReadOptions::allow_numeric_leading_zeros},
      {"allowunquotedfieldnames", &JsonReadOptions::allow_unquoted_field_names},
      {"allowunquotedcontrolchars", &JsonReadOptions::allow_unquoted_control_chars},
      {"allowbackslashescapinganycharacter",
       &JsonReadOptions::allow_backslash_escaping_any_character},
  }};
  for (const auto& [name, value] : given) {
    const auto flag = std::ranges::find(flags, name, [](const auto& entry) { return entry.first; });
    if (flag != flags.end()) {
      setup.options.*(flag->second) = lower_name(value) == "true";
    } else if (name == "dateformat") {
      setup.options.date_format = value;
    } else if (name == "timestampformat") {
      setup.options.timestamp_format = value;
    } else if (name == "timezone") {
      setup.options.timezone = value;
    } else if (name == "mode") {
      setup.mode = value;
      std::ranges::transform(value, setup.mode.begin(), [](char c) {
        return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
      });
    } else {
      return Error::invalid(fmt::format("from_json has no option `{}`", name));
    }
  }
  return setup;
}

bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t\n\r") == std::string_view::npos;
}

// The object or array at the front of the text, whatever stands behind it; empty if there is none.
std::string_view first_structure(std::string_view text) {
  const size_t begin = std::min(text.find_first_not_of(" \t\n\r"), text.size());
  int depth = 0;
  bool quoted = false;
  for (size_t i = begin; i < text.size(); ++i) {
    if (quoted) {
      if (text[i] == '\\')
        ++i;
      else if (text[i] == '"')
        quoted = false;
    } else if (text[i] == '"') {
      quoted = true;
    } else if (text[i] == '{' || text[i] == '[') {
      ++depth;
    } else if (text[i] == '}' || text[i] == ']') {
      if (--depth == 0) return text.substr(begin, i + 1 - begin);
    } else if (depth == 0) {
      return {};
    }
  }
  return {};
}

// Texts to read: a struct as they are, an array or a map as the one field of an object.
ColumnPtr texts_to_read(const Datum& texts, int64_t rows, const Type& type) {
  StringBuilder out(Type::string());
  std::string wrapped;
  for (int64_t row = 0; row < rows; ++row) {
    const std::string_view text =
        texts.is_null(row) ? std::string_view() : texts.column->string(texts.at(row));
    if (type.id() == TypeId::struct_) {
      out.append(text);
      continue;
    }
    const std::string_view structure = first_structure(text);
    const bool lone = type.id() == TypeId::array && type.element().id() == TypeId::struct_ &&
                      structure.starts_with('{');
    wrapped = structure.empty() ? ""
                                : fmt::format("{{\"value\":{}{}{}}}", lone ? "[" : "", structure,
                                              lone ? "]" : "");
    out.append(wrapped);
  }
  return out.finish();
}

ColumnPtr struct_of(const Type& type, const Datum& texts, ReadRows read, int64_t rows) {
  Column::Parts parts{.type = type, .size = rows, .null_count = 0};
  parts.children = std::move(read.columns);
  BufferPtr valid = Buffer::allocate(bitmap_bytes(rows));
  for (int64_t row = 0; row < rows; ++row) {
    const bool null = texts.is_null(row) || is_blank(texts.column->string(texts.at(row)));
    put_bit(valid->mutable_data(), row, !null);
    parts.null_count += null;
  }
  if (parts.null_count > 0) parts.validity = std::move(valid);
  return Column::make(std::move(parts));
}

Result<Datum> from_json(const Type& type, const ReadSetup& setup, const CallContext& context,
                        std::span<const Datum> values) {
  const int64_t rows = rows_to_compute(values.subspan(0, 1), context.num_rows);
  if (setup.mode != "PERMISSIVE" && setup.mode != "FAILFAST") {
    return Error::data(
        fmt::format("from_json has no mode {} — it knows PERMISSIVE and FAILFAST", setup.mode));
  }
  const bool is_struct = type.id() == TypeId::struct_;
  const SchemaPtr schema = is_struct ? Schema::make({type.fields().begin(), type.fields().end()})
                                     : Schema::make({{"value", type}});
  JsonReadOptions options = setup.options;
  options.timezone = context.zone.name();
  FLOWRUN_TRY(const auto reader,
              JsonReader::make(schema, options, std::vector<bool>(schema->num_fields(), true)));
  ReadRows read = reader->read(*texts_to_read(values[0], rows, type));
  if (setup.mode == "FAILFAST") {
    for (const ReadRows::Bad& bad : read.bad) {
      const bool empty =
          values[0].is_null(bad.row) || is_blank(values[0].column->string(values[0].at(bad.row)));
      if (!empty)
        return Error::data(
            fmt::format("from_json in mode FAILFAST meets a bad record: {}", bad.reason));
    }
  }
  if (!is_struct) return Datum{read.columns[0], values[0].constant};
  return Datum{struct_of(type, values[0], std::move(read), rows), values[0].constant};
}

Result<BoundFunction> bind_from_json(const Arguments& arguments) {
  if (!implicit_cast(arguments.types[0], Type::string()))
    return wrong_argument(arguments, 0, "string");
  const auto text = arguments.constant_text(1);
  if (!text) return wrong_argument(arguments, 1, "a constant text, the schema");
  auto type = parse_type(*text);
  if (!type) {
    FLOWRUN_TRY(const SchemaPtr schema, parse_schema(*text));
    type = Type::struct_({schema->fields().begin(), schema->fields().end()});
  }
  if (!type->is_nested())
    return wrong_argument(arguments, 1, "the schema of a struct, an array or a map");
  const bool of_struct = type->id() == TypeId::struct_;
  FLOWRUN_RETURN_IF_ERROR(
      check_json_schema(of_struct ? Schema({type->fields().begin(), type->fields().end()})
                                  : Schema({{"value", *type}})));
  FLOWRUN_TRY(const Options options, constant_options(arguments, 2));
  FLOWRUN_TRY(const ReadSetup setup, read_setup(options));
  std::vector<Type> types(arguments.types.begin(), arguments.types.end());
  types[0] = Type::string();
  return BoundFunction{
      std::move(types), *type,
      [type = *type, setup](const CallContext& context, std::span<const Datum> values) {
        return from_json(type, setup, context, values);
      },
      true};
}

// A map read from JSON is named so by Spark.
Result<TypedPtr> build_from_json(CallSite& site) {
  std::string name = fmt::format("from_json({})", site.argument(0)->name);
  FLOWRUN_TRY(TypedPtr read, site.call_as("read json", "from_json", site.arguments()));
  if (read->type.id() == TypeId::map) name = "entries";
  return CallSite::named(read, std::move(name));
}

Result<BoundFunction> bind_to_json(const Arguments& arguments) {
  if (!arguments.types[0].is_nested())
    return wrong_argument(arguments, 0, "a struct, an array or a map");
  FLOWRUN_TRY(const Options given, constant_options(arguments, 1));
  JsonWriteOptions options;
  for (const auto& [name, value] : given) {
    if (name == "ignorenullfields") {
      options.ignore_null_fields = lower_name(value) == "true";
    } else if (name == "dateformat" || name == "timestampformat") {
      FLOWRUN_TRY(DateTimePattern pattern,
                  DateTimePattern::compile(value, DateTimePattern::Use::format));
      auto shared = std::make_shared<const DateTimePattern>(std::move(pattern));
      (name == "dateformat" ? options.date_format : options.timestamp_format) = std::move(shared);
    } else {
      return Error::invalid(fmt::format("to_json has no option `{}`", name));
    }
  }
  return BoundFunction{
      {arguments.types.begin(), arguments.types.end()},
      Type::string(),
      [options](const CallContext& context, std::span<const Datum> values) -> Result<Datum> {
        JsonWriteOptions in_zone = options;
        in_zone.zone = &context.zone;
        const int64_t rows = rows_to_compute(values.subspan(0, 1), context.num_rows);
        StringBuilder out(Type::string());
        std::string text;
        for (int64_t row = 0; row < rows; ++row) {
          if (values[0].is_null(row)) {
            out.append_null();
            continue;
          }
          text.clear();
          append_json(*values[0].column, values[0].at(row), in_zone, text);
          out.append(text);
        }
        return Datum{out.finish(), values[0].constant};
      }};
}

std::string first_argument_only(std::string_view function, std::span<const std::string> arguments) {
  return fmt::format("{}({})", function, arguments[0]);
}

struct JsonScanner {
  JsonReadOptions options;
  JsonTokens tokens{options};
};

std::optional<int32_t> array_length(JsonScanner& scanner, std::string_view text) {
  JsonTokens& tokens = scanner.tokens;
  tokens.reset(text);
  if (!tokens.next() || tokens.current() != JsonToken::start_array) return std::nullopt;
  int32_t length = 0;
  while (true) {
    if (!tokens.next()) return std::nullopt;
    if (tokens.current() == JsonToken::end_array) return length;
    if (tokens.current() == JsonToken::end_of_text || !tokens.skip_children()) return std::nullopt;
    ++length;
  }
}

// The names of the outermost object; nothing if the text is none.
std::optional<std::vector<std::string>> object_keys(JsonTokens& tokens, std::string_view text) {
  tokens.reset(text);
  if (!tokens.next() || tokens.current() != JsonToken::start_object) return std::nullopt;
  std::vector<std::string> keys;
  while (true) {
    if (!tokens.next()) return std::nullopt;
    if (tokens.current() == JsonToken::end_object) return keys;
    if (tokens.current() != JsonToken::field_name) return std::nullopt;
    keys.push_back(tokens.name() != nullptr ? *tokens.name() : "");
    if (!tokens.next() || !tokens.skip_children()) return std::nullopt;
  }
}

Result<BoundFunction> bind_object_keys(const Arguments& arguments) {
  if (!implicit_cast(arguments.types[0], Type::string()))
    return wrong_argument(arguments, 0, "string");
  const Type type = Type::array(Type::string());
  return BoundFunction{
      {Type::string()},
      type,
      [type](const CallContext& context, std::span<const Datum> values) -> Result<Datum> {
        const int64_t rows = rows_to_compute(values, context.num_rows);
        JsonScanner scanner;
        ArrayBuilder out(type);
        auto& names = static_cast<StringBuilder&>(out.element());
        for (int64_t row = 0; row < rows; ++row) {
          const auto keys =
              values[0].is_null(row)
                  ? std::nullopt
                  : object_keys(scanner.tokens, values[0].column->string(values[0].at(row)));
          if (!keys) {
            out.append_null();
            continue;
          }
          for (const std::string& key : *keys) names.append(key);
          out.append();
        }
        return Datum{out.finish(), values[0].constant};
      },
      true};
}

// One type for two values met in the same place; text where they have none.
Type merged(const Type& a, const Type& b) {
  if (a == b || b.id() == TypeId::null) return a;
  if (a.id() == TypeId::null) return b;
  if (a.id() == TypeId::array && b.id() == TypeId::array)
    return Type::array(merged(a.element(), b.element()));
  if (a.is_numeric() && b.is_numeric()) return wider_type(a, b).value_or(Type::double_());
  if (a.id() != TypeId::struct_ || b.id() != TypeId::struct_) return Type::string();
  std::map<std::string, Type> fields;
  for (const Field& field : a.fields()) fields[field.name] = field.type;
  for (const Field& field : b.fields())
    fields[field.name] =
        fields.contains(field.name) ? merged(fields[field.name], field.type) : field.type;
  std::vector<Field> all;
  for (const auto& [name, type] : fields) all.push_back({name, type});
  return Type::struct_(std::move(all));
}

// The type of the value at the current token; nothing if it is broken. Nesting is bounded by the
// tokens.
std::optional<Type> inferred(JsonTokens& tokens) {
  switch (tokens.current()) {
    case JsonToken::start_object: {
      std::map<std::string, Type> fields;
      while (true) {
        if (!tokens.next()) return std::nullopt;
        if (tokens.current() == JsonToken::end_object) break;
        const std::string name = tokens.name() != nullptr ? *tokens.name() : "";
        if (!tokens.next()) return std::nullopt;
        const auto type = inferred(tokens);
        if (!type) return std::nullopt;
        fields[name] = *type;
      }
      std::vector<Field> all;
      for (const auto& [name, type] : fields) all.push_back({name, type});
      return Type::struct_(std::move(all));
    }
    case JsonToken::start_array: {
      Type element;
      while (true) {
        if (!tokens.next()) return std::nullopt;
        if (tokens.current() == JsonToken::end_array) return Type::array(element);
        const auto type = inferred(tokens);
        if (!type) return std::nullopt;
        element = merged(element, *type);
      }
    }
    case JsonToken::string:
      return Type::string();
    case JsonToken::integer: {
      const auto digits =
          static_cast<int>(tokens.text().size() - (tokens.text().starts_with('-') ? 1 : 0));
      constexpr int kBigintDigits = 18;
      if (digits <= kBigintDigits || std::strtoll(tokens.text().c_str(), nullptr, 10) == 0)
        return Type::bigint();
      errno = 0;
      static_cast<void>(std::strtoll(tokens.text().c_str(), nullptr, 10));
      if (errno == 0) return Type::bigint();
      return digits <= 38 ? Type::decimal(digits, 0) : Type::double_();
    }
    case JsonToken::decimal:
    case JsonToken::not_finite:
      return Type::double_();
    case JsonToken::true_:
    case JsonToken::false_:
      return Type::boolean();
    case JsonToken::null:
      return Type::null();
    default:
      return std::nullopt;
  }
}

// What stays unknown is text.
Type with_texts(const Type& type) {
  if (type.id() == TypeId::null) return Type::string();
  if (type.id() == TypeId::array) return Type::array(with_texts(type.element()));
  if (type.id() != TypeId::struct_) return type;
  std::vector<Field> fields;
  for (const Field& field : type.fields()) fields.push_back({field.name, with_texts(field.type)});
  return Type::struct_(std::move(fields));
}

Result<BoundFunction> bind_schema_of_json(const Arguments& arguments) {
  const auto text = arguments.constant_text(0);
  if (!text) return wrong_argument(arguments, 0, "a constant text");
  JsonScanner scanner;
  scanner.tokens.reset(*text);
  const auto type = scanner.tokens.next() ? inferred(scanner.tokens) : std::nullopt;
  const ColumnPtr answer = type ? constant_text(with_texts(*type).ddl()) : nullptr;
  return BoundFunction{{arguments.types.begin(), arguments.types.end()},
                       Type::string(),
                       [answer](const CallContext&, std::span<const Datum>) -> Result<Datum> {
                         if (!answer)
                           return Error::data("schema_of_json is given a text that is no JSON");
                         return Datum{answer, true};
                       }};
}

}  // namespace

void register_json_functions(FunctionRegistry& registry) {
  registry.add(ScalarFunction(
      "from_json",
      "from_json(text, schema, options): the text read as a struct, an array or a map.", 2, 3,
      BuildFunction(build_from_json)));
  registry.add(ScalarFunction("read json", "", 2, 3, BindFunction(bind_from_json)).may_fail());
  registry.add(
      ScalarFunction("to_json", "to_json(x, options): a struct, an array or a map as JSON.", 1, 2,
                     BindFunction(bind_to_json))
          .named_by([](auto arguments) { return first_argument_only("to_json", arguments); }));
  registry.add(ScalarFunction("schema_of_json",
                              "schema_of_json(text): the schema of a constant JSON text.", 1, 2,
                              BindFunction(bind_schema_of_json))
                   .may_fail());
  registry.add(ScalarFunction("json_object_keys",
                              "json_object_keys(text): the names of the outermost object.", 1, 1,
                              BindFunction(bind_object_keys)));
  registry.add(scalar_with<JsonScanner, int32_t(std::string_view)>(
      "json_array_length",
      "json_array_length(text): the elements of the outermost array; null if there is none.",
      array_length));
  registry.add(scalar_with<JsonPathFinder, std::string(std::string_view, std::string_view)>(
      "get_json_object",
      "get_json_object(text, path): what a path such as $.a[0].b leads to, as text.",
      [](JsonPathFinder& finder, std::string_view text, std::string_view path, std::string& out) {
        return finder.find(text, path, out);
      }));
}

}  // namespace flowrun
