#include "runtime/config/json_schema.h"

#include <rapidjson/prettywriter.h>
#include <rapidjson/stringbuffer.h>

#include <map>
#include <string>
#include <vector>

#include "runtime/config/top_level.h"
#include "runtime/operator/option_reading.h"
#include "runtime/operator/option_specs.h"
#include "runtime/operator/reader_options.h"

namespace flowrun {

namespace {

class SchemaWriter {
 public:
  std::string write(const Registry& registry) {
    object([&] {
      text("$schema", "http://json-schema.org/draft-07/schema#");
      text("title", "flowrun pipeline");
      text("type", "object");
      key("properties", [&] { top_level(); });
      extensions();
      closed();
      key("definitions", [&] { definitions(registry); });
    });
    return std::string(buffer_.GetString(), buffer_.GetSize()) + "\n";
  }

 private:
  // Writes `{`, what `body` writes, `}`.
  template <class Body>
  void object(const Body& body) {
    writer_.StartObject();
    body();
    writer_.EndObject();
  }
  template <class Body>
  void key(std::string_view name, const Body& body) {
    writer_.Key(name.data(), static_cast<rapidjson::SizeType>(name.size()));
    object(body);
  }
  template <class Body>
  void list(std::string_view name, const Body& body) {
    writer_.Key(name.data(), static_cast<rapidjson::SizeType>(name.size()));
    writer_.StartArray();
    body();
    writer_.EndArray();
  }
  void string(std::string_view value) {
    writer_.String(value.data(), static_cast<rapidjson::SizeType>(value.size()));
  }
  void text(std::string_view name, std::string_view value) {
    writer_.Key(name.data(), static_cast<rapidjson::SizeType>(name.size()));
    string(value);
  }
  void types(std::initializer_list<std::string_view> names) {
    list("type", [&] {
      for (const std::string_view name : names) string(name);
    });
  }
  void closed() {
    writer_.Key("additionalProperties");
    writer_.Bool(false);
  }
  // x-... keys may stand anywhere.
  void extensions() {
    key("patternProperties", [&] { key("^x-", [] {}); });
  }
  void reference(std::string_view definition) {
    text("$ref", "#/definitions/" + std::string(definition));
  }
  void map_of(std::string_view definition) {
    text("type", "object");
    key("additionalProperties", [&] { reference(definition); });
  }

  void top_level() {
    for (const OptionSpec& option : top_level_specs()) key(option.name, [&] { described(option); });
    key("nodes", [&] { map_of("node"); });
    key("chain", [&] { reference("chain"); });
    key("tables", [&] { map_of("table"); });
    key("connections", [&] { text("type", "object"); });
    key("serve", [&] { options(serve_specs(), {}, [] {}); });
    key("include", [&] { shape(option::list_of(option::path("include", ""))); });
  }

  void definitions(const Registry& registry) {
    key("table", [&] { options(table_option_specs(registry), {}, [] {}); });
    key("chain", [&] {
      text("type", "array");
      key("items", [&] { reference("step"); });
    });
    key("from", [&] {
      list("anyOf", [&] {
        object([&] { types({"string", "number", "boolean", "null"}); });
        object([&] { shape(option::list_of(option::text("", ""))); });
        object([&] { sides(); });
      });
    });
    key("node", [&] { alternatives(registry, true); });
    key("step", [&] { alternatives(registry, false); });
    for (const RegisteredOperator* entry : registry.all()) {
      key(definition_name(entry->spec), [&] { operator_body(entry->spec); });
    }
    key("chain_node", [&] {
      text("type", "object");
      list("required", [&] { string("chain"); });
      key("properties", [&] {
        key("from", [&] { reference("from"); });
        key("by_name", [&] { types({"boolean", "string"}); });
        key("doc", [&] { text("type", "string"); });
        key("chain", [&] { reference("chain"); });
      });
      extensions();
      closed();
    });
  }

  void sides() {
    text("type", "object");
    list("required", [&] { string("left"), string("right"); });
    key("properties", [&] {
      key("left", [&] { text("type", "string"); });
      key("right", [&] { text("type", "string"); });
    });
    closed();
  }

  static std::string definition_name(const OperatorSpec& spec) {
    if (spec.kind == OperatorKind::source) return "source_" + spec.name;
    if (spec.kind == OperatorKind::sink) return "sink_" + spec.name;
    return "operator_" + spec.name;
  }

  void alternatives(const Registry& registry, bool with_chain) {
    list("anyOf", [&] {
      for (const RegisteredOperator* entry : registry.all()) {
        object([&] { reference(definition_name(entry->spec)); });
      }
      if (with_chain) object([&] { reference("chain_node"); });
    });
  }

  void operator_body(const OperatorSpec& spec) {
    text("description", spec.summary);
    const bool is_connector = spec.kind == OperatorKind::source || spec.kind == OperatorKind::sink;
    const std::string word = spec.kind == OperatorKind::source ? "source"
                             : spec.kind == OperatorKind::sink ? "sink"
                                                               : spec.name;
    options(all_options(spec), {word}, [&] {
      key(word, [&] {
        if (is_connector) {
          text("const", spec.name);
          text("description", spec.summary);
        } else {
          described(spec.primary);
        }
      });
      if (spec.kind != OperatorKind::source) {
        key("from", [&] { reference("from"); });
        key("by_name", [&] { types({"boolean", "string"}); });
      }
      key("doc", [&] { text("type", "string"); });
      key("id", [&] { text("type", "string"); });
      key("connection", [&] { text("type", "string"); });
    });
  }

  template <class More>
  void options(const std::vector<OptionSpec>& specs, std::vector<std::string> required,
               const More& more) {
    text("type", "object");
    for (const OptionSpec& spec : specs) {
      if (spec.required && !spec.only_with) required.push_back(spec.name);
    }
    list("required", [&] {
      for (const std::string& name : required) string(name);
    });
    key("properties", [&] {
      more();
      std::map<std::string, std::vector<const OptionSpec*>> by_name;
      for (const OptionSpec& spec : specs) by_name[spec.name].push_back(&spec);
      for (const OptionSpec& spec : specs) {
        const std::vector<const OptionSpec*>& same = by_name.at(spec.name);
        if (same.front() == &spec) key(spec.name, [&] { described_each(same); });
      }
    });
    extensions();
    closed();
  }

  // Options of one name that belong to different values of another one.
  void described_each(const std::vector<const OptionSpec*>& same) {
    if (same.size() == 1) return described(*same.front());
    list("anyOf", [&] {
      for (const OptionSpec* spec : same) object([&] { described(*spec); });
    });
  }
  void described(const OptionSpec& spec) {
    std::string doc = spec.doc + (spec.doc.empty() ? "" : " - ") + describe_option(spec);
    std::erase(doc, '`');
    text("description", doc);
    if (!spec.default_text.empty()) text("default", spec.default_text);
    shape(spec);
  }

  void shape(const OptionSpec& spec) {
    switch (spec.kind) {
      case OptionKind::word:
        return words(spec);
      case OptionKind::integer:
        return integer(spec);
      case OptionKind::rows:
        return types({"integer", "boolean", "string"});
      case OptionKind::boolean:
        return types({"boolean", "string"});
      case OptionKind::number:
        return types({"number", "string"});
      case OptionKind::bytes:
        return types({"integer", "string"});
      case OptionKind::duration:
        return text("type", "string");
      case OptionKind::schema:
        return list("anyOf", [&] {
          object([&] { text("type", "string"); });
          object([&] {
            text("type", "object");
            key("additionalProperties", [&] { text("type", "string"); });
          });
        });
      case OptionKind::list:
        return list_or_item(spec);
      case OptionKind::map:
        text("type", "object");
        return key("additionalProperties", [&] { shape(spec.items.front()); });
      case OptionKind::group:
        return options(spec.items, {}, [] {});
      case OptionKind::one_of:
        return list("anyOf", [&] {
          for (const OptionSpec& alternative : spec.alternatives)
            object([&] { shape(alternative); });
        });
      default:
        return types({"string", "number", "boolean", "null"});  // what YAML makes of a bare text
    }
  }

  void words(const OptionSpec& spec) {
    list("anyOf", [&] {
      object([&] {
        list("enum", [&] {
          for (const std::string& word : spec.words) string(word);
        });
      });
      object([&] {
        text("type", "string");
        text("pattern", "^\\$\\{");
      });
    });
  }

  void integer(const OptionSpec& spec) {
    types({"integer", "string"});
    if (spec.least) writer_.Key("minimum"), writer_.Int64(*spec.least);
    if (spec.most) writer_.Key("maximum"), writer_.Int64(*spec.most);
  }

  void list_or_item(const OptionSpec& spec) {
    list("anyOf", [&] {
      object([&] {
        text("type", "array");
        key("items", [&] { shape(spec.items.front()); });
      });
      object([&] { shape(spec.items.front()); });
    });
  }

  rapidjson::StringBuffer buffer_;
  rapidjson::PrettyWriter<rapidjson::StringBuffer> writer_{buffer_};
};

}  // namespace

std::string pipeline_json_schema(const Registry& registry) {
  return SchemaWriter().write(registry);
}

}  // namespace flowrun
