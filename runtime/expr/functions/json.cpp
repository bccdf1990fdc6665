// JSON texts: searched, read by a schema, written.
#include <algorithm>
#include <cstring>
#include <map>
#include <memory>

#include "runtime/expr/functions/functions.h"
#include "runtime/expr/functions/json_path.h"
#include "runtime/expr/scalar.h"
#include "runtime/format/json_infer.h"
#include "runtime/format/json_reader.h"
#include "runtime/format/json_writer.h"

namespace flowrun {

namespace {

using Text = std::string_view;

// The path last compiled and the room for searching.
struct PathState {
  std::string text;
  std::optional<JsonPath> path;
  std::unique_ptr<JsonPathFinder> finder = std::make_unique<JsonPathFinder>();
  bool compiled = false;
};

bool get_json_object(PathState& state, Text json, Text path, std::string& out) {
  if (!state.compiled || state.text != path) {
    state.path = JsonPath::compile(path);
    state.text = path;
    state.compiled = true;
  }
  return state.path && state.finder->find(json, *state.path, out);
}

struct TokenState {
  JsonReadOptions options;
  std::unique_ptr<JsonTokens> tokens;
  JsonTokens& at(Text json) {
    if (!tokens) tokens = std::make_unique<JsonTokens>(options);
    tokens->reset(json);
    return *tokens;
  }
};

std::optional<int32_t> array_length(TokenState& state, Text json) {
  JsonTokens& tokens = state.at(json);
  if (!tokens.next() || tokens.current() != JsonToken::start_array) return std::nullopt;
  for (int32_t length = 0;; ++length) {
    if (!tokens.next()) return std::nullopt;
    if (tokens.current() == JsonToken::end_array) return length;
    if (!tokens.skip_children()) return std::nullopt;
  }
}

// The names of the top object; false if the text is none.
bool object_keys(TokenState& state, Text json, std::vector<std::string>& keys) {
  JsonTokens& tokens = state.at(json);
  if (!tokens.next() || tokens.current() != JsonToken::start_object) return false;
  while (tokens.next()) {
    if (tokens.current() == JsonToken::end_object) return true;
    keys.push_back(*tokens.name());
    if (!tokens.next() || !tokens.skip_children()) return false;
  }
  return false;
}

Result<Datum> object_keys_kernel(const CallContext& context, std::span<const Datum> arguments) {
  const int64_t rows = rows_to_compute(arguments, context.num_rows);
  ArrayBuilder builder(Type::array(Type::string()));
  TokenState state;
  std::vector<std::string> keys;
  for (int64_t row = 0; row < rows; ++row) {
    keys.clear();
    if (arguments[0].is_null(row) ||
        !object_keys(state, arguments[0].column->string(arguments[0].at(row)), keys)) {
      builder.append_null();
      continue;
    }
    for (const std::string& key : keys) static_cast<StringBuilder&>(builder.element()).append(key);
    builder.append();
  }
  return Datum{builder.finish(), arguments[0].constant};
}

// The entries of the constant map of options; names in lower case.
Result<std::map<std::string, std::string>> constant_options(const Arguments& arguments, size_t i) {
  std::map<std::string, std::string> options;
  if (arguments.size() <= i) return options;
  const ColumnPtr& map = arguments.constants[i];
  if (map == nullptr || map->type().id() != TypeId::map ||
      map->type().key().id() != TypeId::string || map->type().value().id() != TypeId::string) {
    return wrong_argument(arguments, i, "a constant map of text to text, the options");
  }
  for (int32_t e = map->list_begin(0); e < map->list_end(0); ++e) {
    options[lower_name(map->child(0)->string(e))] = map->child(1)->string(e);
  }
  return options;
}

JsonReadOptions read_options(const std::map<std::string, std::string>& given) {
  JsonReadOptions options;
  const auto flag = [&](const char* name, bool& target) {
    if (const auto found = given.find(name); found != given.end())
      target = lower_name(found->second) == "true";
  };
  flag("allowsinglequotes", options.allow_single_quotes);
  flag("allownonnumericnumbers", options.allow_non_numeric_numbers);
  flag("allowcomments", options.allow_comments);
  flag("allownumericleadingzeros", options.allow_numeric_leading_zeros);
  flag("allowunquotedfieldnames", options.allow_unquoted_field_names);
  flag("allowunquotedcontrolchars", options.allow_unquoted_control_chars);
  flag("allowbackslashescapinganycharacter", options.allow_backslash_escaping_any_character);
  if (const auto found = given.find("dateformat"); found != given.end())
    options.date_format = found->second;
  if (const auto found = given.find("timestampformat"); found != given.end())
    options.timestamp_format = found->second;
  return options;
}

// What from_json was asked to do.
struct ReadRequest {
  Type type;
  JsonReadOptions options;
  bool fail_fast = false;
  std::string unknown_mode;
};

Error broken_record(const ReadRows& rows) {
  return Error::data("from_json with mode FAILFAST: " + rows.bad.front().reason);
}

// Rows whose struct is null: texts that are null or blank.
ColumnPtr as_struct(const Type& type, ReadRows rows) {
  Column::Parts parts{
      .type = type, .size = rows.num_rows, .null_count = static_cast<int64_t>(rows.absent.size())};
  if (!rows.absent.empty()) {
    parts.validity = Buffer::allocate(bitmap_bytes(rows.num_rows));
    std::memset(parts.validity->mutable_data(), 0xff, bitmap_bytes(rows.num_rows));
    for (const int64_t row : rows.absent) clear_bit(parts.validity->mutable_data(), row);
  }
  parts.children = std::move(rows.columns);
  return Column::make(std::move(parts));
}

Result<ColumnPtr> read_structs(const ReadRequest& request, const Type& type, const Column& texts) {
  const SchemaPtr schema = Schema::make({type.fields().begin(), type.fields().end()});
  FLOWRUN_TRY(auto reader, JsonReader::make(schema, request.options,
                                            std::vector<bool>(schema->num_fields(), true)));
  FLOWRUN_TRY(ReadRows rows, reader->read(texts));
  if (request.fail_fast && !rows.bad.empty()) return broken_record(rows);
  return as_struct(type, std::move(rows));
}

// The value that the text begins with, as the one member of an object; false if it is none.
bool wrap_value(TokenState& state, Text json, bool into_array, std::string& out) {
  JsonTokens& tokens = state.at(json);
  if (!tokens.next() || tokens.current() == JsonToken::end_of_text) return false;
  const bool object = tokens.current() == JsonToken::start_object;
  const size_t begin = tokens.token_start();
  if (!tokens.skip_children()) return false;
  const bool brackets = into_array && object;
  out += brackets ? "{\"value\":[" : "{\"value\":";
  out += json.substr(begin, tokens.position() - begin);
  out += brackets ? "]}" : "}";
  return true;
}

// Arrays and maps are read as the one field of an object around the text.
Result<ColumnPtr> read_values(const ReadRequest& request, const Column& texts) {
  StringBuilder wrapped(Type::string());
  TokenState state{.options = request.options, .tokens = nullptr};
  const bool structs =
      request.type.id() == TypeId::array && request.type.element().id() == TypeId::struct_;
  std::string text;
  for (int64_t row = 0; row < texts.size(); ++row) {
    text.clear();
    if (!texts.is_null(row) && wrap_value(state, texts.string(row), structs, text)) {
      wrapped.append(text);
    } else {
      wrapped.append_null();
    }
  }
  const Type outer = Type::struct_({{"value", request.type}});
  FLOWRUN_TRY(const ColumnPtr column, read_structs(request, outer, *wrapped.finish()));
  return column->child(0);
}

Result<BoundFunction> bind_from_json(const Arguments& arguments) {
  ReadRequest request;
  const auto schema = arguments.constant_text(1);
  if (!schema)
    return wrong_argument(arguments, 1, "a schema as constant text, such as 'a int, b string'");
  if (schema->find_first_not_of(" \t\r\n") == std::string::npos)
    return wrong_argument(arguments, 1, "a schema that names something, such as 'a int'");
  if (auto type = parse_type(*schema)) {
    request.type = *type;
  } else {
    FLOWRUN_TRY(const SchemaPtr fields, parse_schema(*schema));
    request.type = Type::struct_({fields->fields().begin(), fields->fields().end()});
  }
  if (!request.type.is_nested()) return wrong_argument(arguments, 1, "a struct, an array or a map");
  if (request.type.id() == TypeId::map && request.type.key().id() != TypeId::string)
    return wrong_argument(arguments, 1, "a map whose keys are strings, as names in JSON are");
  FLOWRUN_TRY(const auto options, constant_options(arguments, 2));
  request.options = read_options(options);
  if (const auto mode = options.find("mode"); mode != options.end()) {
    const std::string name = lower_name(mode->second);
    request.fail_fast = name == "failfast";
    if (!request.fail_fast && name != "permissive") request.unknown_mode = mode->second;
  }
  BoundFunction bound{
      .arguments = {Type::string()}, .result = request.type, .kernel = {}, .adds_nulls = true};
  for (size_t i = 1; i < arguments.size(); ++i) bound.arguments.push_back(arguments.types[i]);
  bound.kernel = [request](const CallContext& context,
                           std::span<const Datum> rows) -> Result<Datum> {
    if (!request.unknown_mode.empty()) {
      return Error::data("from_json has no mode " + request.unknown_mode +
                         " — it is PERMISSIVE or FAILFAST");
    }
    ReadRequest here = request;
    here.options.timezone = context.zone.name();
    auto column = request.type.id() == TypeId::struct_
                      ? read_structs(here, here.type, *rows[0].column)
                      : read_values(here, *rows[0].column);
    if (!column) return Error::data(std::move(column.error().message));
    return Datum{std::move(*column), rows[0].constant};
  };
  return bound;
}

// schema_of_json(json[, options]): both are constants, so the answer is one.
Result<BoundFunction> bind_schema_of_json(const Arguments& arguments) {
  const auto text = arguments.constant_text(0);
  if (!text) return wrong_argument(arguments, 0, "a JSON text as a constant");
  FLOWRUN_TRY(const auto given, constant_options(arguments, 1));
  JsonInferOptions options{.read = read_options(given)};
  const auto flag = [&](const char* name) {
    const auto found = given.find(name);
    return found != given.end() && lower_name(found->second) == "true";
  };
  options.primitives_as_string = flag("primitivesasstring");
  options.prefers_decimal = flag("prefersdecimal");
  BoundFunction bound{.arguments = {arguments.types.begin(), arguments.types.end()},
                      .result = Type::string(),
                      .kernel = {}};
  bound.kernel = [text = *text, options](const CallContext&,
                                         std::span<const Datum>) -> Result<Datum> {
    FLOWRUN_TRY(const Type type, infer_json_type(text, options));
    return Datum{constant_text(type.ddl()), true};
  };
  return bound;
}

Result<JsonWriteOptions> write_options(const std::map<std::string, std::string>& given) {
  JsonWriteOptions options;
  const auto pattern = [&](const char* name,
                           std::shared_ptr<const DateTimePattern>& target) -> Status {
    const auto found = given.find(name);
    if (found == given.end()) return {};
    FLOWRUN_TRY(auto compiled,
                DateTimePattern::compile(found->second, DateTimePattern::Use::format));
    target = std::make_shared<const DateTimePattern>(std::move(compiled));
    return {};
  };
  if (const auto found = given.find("ignorenullfields"); found != given.end()) {
    options.ignore_null_fields = lower_name(found->second) == "true";
  }
  FLOWRUN_RETURN_IF_ERROR(pattern("dateformat", options.date_format));
  FLOWRUN_RETURN_IF_ERROR(pattern("timestampformat", options.timestamp_format));
  return options;
}

Result<BoundFunction> bind_to_json(const Arguments& arguments) {
  if (!arguments.types[0].is_nested())
    return wrong_argument(arguments, 0, "a struct, an array or a map");
  FLOWRUN_TRY(const auto given, constant_options(arguments, 1));
  FLOWRUN_TRY(const JsonWriteOptions options, write_options(given));
  BoundFunction bound{.arguments = {arguments.types.begin(), arguments.types.end()},
                      .result = Type::string(),
                      .kernel = {}};
  bound.kernel = [options](const CallContext& context,
                           std::span<const Datum> rows) -> Result<Datum> {
    JsonWriteOptions here = options;
    here.zone = &context.zone;
    const Column& column = *rows[0].column;
    StringBuilder builder(Type::string());
    std::string text;
    for (int64_t row = 0; row < column.size(); ++row) {
      text.clear();
      if (column.is_null(row)) {
        builder.append_null();
      } else {
        append_json(column, row, here, text);
        builder.append(text);
      }
    }
    return Datum{builder.finish(), rows[0].constant};
  };
  return bound;
}

std::string only_first(const char* name, std::span<const std::string> arguments) {
  return std::string(name) + "(" + arguments[0] + ")";
}

}  // namespace

void register_json_functions(FunctionRegistry& registry) {
  registry.add(
      scalar_with<PathState, std::string(Text, Text)>(
          "get_json_object",
          "get_json_object(json, path): what stands at a path such as '$.a[0].b'; null if nothing.",
          get_json_object)
          .without_casts({Type::string(), Type::string()}));
  registry.add(scalar_with<TokenState, int32_t(Text)>(
                   "json_array_length",
                   "json_array_length(json): elements of an array; null if it is none.",
                   array_length)
                   .without_casts({Type::string()}));
  registry.add(ScalarFunction("json_object_keys",
                              "json_object_keys(json): names of an object; null if it is none.", 1,
                              1, BindFunction([](const Arguments& arguments) {
                                const Type parameter = Type::string();
                                return bind_to_signature(arguments, {&parameter, 1},
                                                         Type::array(Type::string()),
                                                         object_keys_kernel);
                              }))
                   .without_casts({Type::string()}));
  registry.add(ScalarFunction("from_json",
                              "from_json(json, schema[, options]): the value of a JSON text.", 2, 3,
                              BindFunction(bind_from_json))
                   .without_casts({Type::string()})
                   .named_by([](std::span<const std::string> arguments) {
                     // A map has the name of what it is made of.
                     return lower_name(arguments[1]).starts_with("map<")
                                ? std::string("entries")
                                : only_first("from_json", arguments);
                   })
                   .may_fail());
  registry.add(ScalarFunction("schema_of_json",
                              "schema_of_json(json[, options]): the type of a JSON text.", 1, 2,
                              BindFunction(bind_schema_of_json))
                   .named_by([](std::span<const std::string> arguments) {
                     return only_first("schema_of_json", arguments);
                   })
                   .may_fail());
  registry.add(ScalarFunction("to_json",
                              "to_json(x[, options]): a struct, an array or a map as JSON.", 1, 2,
                              BindFunction(bind_to_json))
                   .named_by([](std::span<const std::string> arguments) {
                     return only_first("to_json", arguments);
                   }));
}

}  // namespace flowrun
