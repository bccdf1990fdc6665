#include "tests/unit/operators/conformance_case.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <cmath>
#include <fstream>
#include <sstream>

#include "operators/register_all.h"
#include "runtime/expr/function_registry.h"
#include "runtime/format/datetime.h"
#include "runtime/format/utf8.h"

namespace flowrun {

namespace {

std::string file_text(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

OptionValue option_value(const OptionSpec& spec, const YAML::Node& node,
                         const std::filesystem::path& folder) {
  OptionValue value;
  value.kind = spec.kind;
  if (node.IsScalar()) value.text = node.Scalar();
  switch (spec.kind) {
    case OptionKind::boolean:
      value.boolean = node.as<bool>();
      break;
    case OptionKind::bytes:
    case OptionKind::integer:
      value.integer = node.as<int64_t>();
      break;
    case OptionKind::path:
      value.text = (folder / node.Scalar()).string();
      break;
    case OptionKind::schema: {
      std::vector<Field> fields;
      for (const auto& entry : node) {
        fields.push_back({entry.first.Scalar(), *parse_type(entry.second.Scalar())});
      }
      value.schema = Schema::make(std::move(fields));
      break;
    }
    default:
      break;
  }
  return value;
}

void set_default(const OptionSpec& spec, Options& options) {
  if (spec.default_text.empty() || options.has(spec.name)) return;
  OptionValue value;
  value.kind = spec.kind;
  value.text = spec.default_text;
  value.boolean = spec.default_text == "true";
  value.integer = spec.default_text == "16 MiB" ? 16 << 20 : std::atoll(spec.default_text.c_str());
  options.set(spec.name, value);
}

Options options_of(const OperatorSpec& spec, const YAML::Node& node,
                   const std::filesystem::path& folder) {
  Options options;
  for (const auto& entry : node) {
    const std::string key = entry.first.Scalar();
    for (const OptionSpec& option : spec.options) {
      if (option.name == key) options.set(key, option_value(option, entry.second, folder));
    }
    if (key == spec.primary.name)
      options.set(key, option_value(spec.primary, entry.second, folder));
    if (key == "on_error") {
      OptionValue word;
      word.text = entry.second.Scalar();
      options.set(key, word);
    }
  }
  for (const OptionSpec& option : spec.options) set_default(option, options);
  return options;
}

class Collector final : public Emitter {
 public:
  explicit Collector(std::vector<RecordBatch>& batches) : batches_(batches) {}
  Status emit(size_t port, RecordBatch batch) override {
    if (port == 0 && batch.num_rows() > 0) batches_.push_back(std::move(batch));
    return ok_status();
  }
  [[nodiscard]] bool wanted(size_t port) const override { return port == 0; }
  void count(Metric, int64_t) override {}
  void observe(int64_t) override {}
  void warn(std::string_view) override {}

 private:
  std::vector<RecordBatch>& batches_;
};

Status apply_to_all(const Transform& transform, std::vector<RecordBatch>& batches) {
  std::vector<RecordBatch> out;
  Collector collector(out);
  const auto scratch = transform.make_scratch();
  for (const RecordBatch& batch : batches) {
    FLOWRUN_RETURN_IF_ERROR(transform.apply(batch, Epoch{}, scratch.get(), collector));
  }
  batches = std::move(out);
  return ok_status();
}

Status read_all(Source& source, std::vector<RecordBatch>& batches) {
  source.stop_at_end();
  FLOWRUN_RETURN_IF_ERROR(source.open(std::nullopt));
  while (true) {
    FLOWRUN_TRY(Chunk chunk, source.read({std::numeric_limits<int64_t>::max()}));
    if (chunk.rows.num_rows() > 0) batches.push_back(std::move(chunk.rows));
    if (chunk.mark == Chunk::Mark::stream_ends) return ok_status();
  }
}

// Binds a transform behind `result` and adds it to the steps.
void append_step(std::unique_ptr<Transform> transform,
                 std::vector<std::unique_ptr<Transform>>& steps, CaseResult& result) {
  const std::vector<InputSchema> inputs = {{result.schema, "input"}};
  auto ports = transform->bind(inputs);
  if (!ports) {
    result.refused = ports.error();
    return;
  }
  result.schema = (*ports)[0].schema;
  steps.push_back(std::move(transform));
}

}  // namespace

std::optional<CaseResult> run_case(const std::filesystem::path& folder) {
  const YAML::Node pipeline = YAML::Load(file_text(folder / "pipeline.yaml"));
  Registry registry;
  register_all_operators(registry);
  const FunctionRegistry functions;
  const ExpressionEnvironment environment{&functions, "UTC"};
  MakeContext context;
  context.expressions = &environment;
  context.clock = &system_clock();
  CaseResult result;
  std::unique_ptr<Source> source;
  std::vector<std::unique_ptr<Transform>> steps;
  for (const auto& entry : pipeline["nodes"]) {
    const YAML::Node node = entry.second;
    context.node = entry.first.Scalar();
    if (node["sink"]) continue;
    if (node["source"]) {
      const RegisteredOperator* file = registry.find_source(node["source"].Scalar());
      auto made = file->make_source(options_of(file->spec, node, folder), context);
      if (!made) {
        result.refused = made.error();
        return result;
      }
      source = std::move(made->source);
      auto schema = source->bind();
      if (!schema) {
        result.refused = schema.error();
        return result;
      }
      result.schema = *schema;
      if (made->decode) append_step(std::move(made->decode), steps, result);
    } else if (node["parse"]) {
      const RegisteredOperator* parse = registry.find_operator("parse");
      auto made = parse->make_transform(options_of(parse->spec, node, folder), context);
      append_step(std::move(*made), steps, result);
    } else {
      return std::nullopt;
    }
    if (result.refused) return result;
  }
  Status status = read_all(*source, result.batches);
  for (const auto& step : steps) {
    if (status) status = apply_to_all(*step, result.batches);
  }
  if (!status) result.failed = status.error();
  return result;
}

namespace {

using Json = rapidjson::Value;

std::string text_of(const Json& value) { return {value.GetString(), value.GetStringLength()}; }

std::string base64(std::string_view bytes) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t group = 0;
    for (size_t j = 0; j < 3; ++j) {
      group = group << 8 | (i + j < bytes.size() ? static_cast<unsigned char>(bytes[i + j]) : 0u);
    }
    for (size_t j = 0; j < 4; ++j) {
      out += i + j > bytes.size() ? '=' : kDigits[(group >> (18 - 6 * j)) & 63];
    }
  }
  return out;
}

std::string timestamp_text(int64_t micros) {
  const auto pattern =
      DateTimePattern::compile("yyyy-MM-dd'T'HH:mm:ss.SSSSSS'Z'", DateTimePattern::Use::format);
  LocalTime wall(TimeZone::utc());
  std::string out;
  pattern->format(micros, wall, out);
  return out;
}

bool same_number(double ours, const std::string& theirs) {
  const double expected = theirs == "NaN"         ? std::nan("")
                          : theirs == "Infinity"  ? HUGE_VAL
                          : theirs == "-Infinity" ? -HUGE_VAL
                                                  : std::strtod(theirs.c_str(), nullptr);
  if (std::isnan(expected)) return std::isnan(ours);
  if (ours == expected) return true;
  constexpr double kTolerance = 1e-12;
  return std::abs(ours - expected) <= kTolerance * std::abs(expected);
}

// Numbers of `expected` are kept as text.
bool same_value(const Column& column, int64_t row, const Json& expected) {
  if (column.is_null(row)) return expected.IsNull();
  if (expected.IsNull()) return false;
  const auto i = static_cast<size_t>(row);
  std::string text;
  switch (column.type().id()) {
    case TypeId::boolean:
      return expected.IsBool() && expected.GetBool() == column.boolean(row);
    case TypeId::real:
      return static_cast<float>(std::strtof(text_of(expected).c_str(), nullptr)) ==
                 column.values<float>()[i] ||
             same_number(static_cast<double>(column.values<float>()[i]), text_of(expected));
    case TypeId::double_:
      return same_number(column.values<double>()[i], text_of(expected));
    case TypeId::decimal: {
      const double power = std::pow(10.0, column.type().scale());
      return same_number(static_cast<double>(column.values<Decimal128>()[i]) / power,
                         text_of(expected));
    }
    case TypeId::string:
      append_replacing_invalid_utf8(column.string(row), text);
      return text == text_of(expected);
    case TypeId::binary:
      return base64(column.string(row)) == text_of(expected);
    case TypeId::date: {
      append_date(column.values<int32_t>()[i], text);
      return text == text_of(expected);
    }
    case TypeId::timestamp:
      return timestamp_text(column.values<int64_t>()[i]) == text_of(expected);
    case TypeId::array:
      if (expected.Size() != static_cast<size_t>(column.list_end(row) - column.list_begin(row)))
        return false;
      for (rapidjson::SizeType e = 0; e < expected.Size(); ++e) {
        if (!same_value(*column.child(0), column.list_begin(row) + e, expected[e])) return false;
      }
      return true;
    case TypeId::map: {
      if (expected.MemberCount() !=
          static_cast<size_t>(column.list_end(row) - column.list_begin(row)))
        return false;
      int64_t at = column.list_begin(row);
      for (const auto& member : expected.GetObject()) {
        if (column.child(0)->string(at) != text_of(member.name)) return false;
        if (!same_value(*column.child(1), at++, member.value)) return false;
      }
      return true;
    }
    case TypeId::struct_: {
      size_t at = 0;
      for (const auto& member : expected.GetObject()) {
        if (!same_value(*column.child(at++), row, member.value)) return false;
      }
      return at == column.children().size();
    }
    default:
      return visit_fixed(column.type().id(), [&](auto tag) {
        using T = typename decltype(tag)::type;
        if constexpr (std::is_integral_v<T> && sizeof(T) <= 8) {
          return std::to_string(column.values<T>()[i]) == text_of(expected);
        } else {
          return false;
        }
      });
  }
}

std::string row_difference(const RecordBatch& batch, int64_t row, const Json& expected) {
  if (expected.MemberCount() != batch.num_columns()) return "another number of columns";
  size_t i = 0;
  for (const auto& member : expected.GetObject()) {
    if (!same_value(*batch.column(i), row, member.value)) {
      return fmt::format("column {} differs", text_of(member.name));
    }
    ++i;
  }
  return "";
}

std::string message_difference(const std::optional<Error>& error, const std::string& words) {
  if (!error) return "it was accepted";
  std::istringstream lines(words);
  for (std::string line; std::getline(lines, line);) {
    if (lower_name(error->message).find(lower_name(line)) == std::string::npos) {
      return fmt::format("`{}` is not in: {}", line, error->message);
    }
  }
  return "";
}

}  // namespace

std::string difference(const CaseResult& result, const std::filesystem::path& folder) {
  const auto expected = folder / "expected";
  if (std::filesystem::exists(expected / "refused")) {
    return message_difference(result.refused, file_text(expected / "refused"));
  }
  if (std::filesystem::exists(expected / "fails")) {
    return message_difference(result.failed ? result.failed : result.refused,
                              file_text(expected / "fails"));
  }
  if (result.refused) return "refused: " + result.refused->message;
  if (result.failed) return "failed: " + result.failed->message;
  std::string ddl = file_text(expected / "out" / "schema.ddl");
  while (!ddl.empty() && (ddl.back() == '\n' || ddl.back() == '\r')) ddl.pop_back();
  if (result.schema->ddl() != ddl)
    return fmt::format("schema {} where {} is expected", result.schema->ddl(), ddl);
  std::istringstream lines(file_text(expected / "out" / "0000.jsonl"));
  int64_t number = 0;
  size_t batch = 0;
  int64_t row = 0;
  for (std::string line; std::getline(lines, line); ++number, ++row) {
    while (batch < result.batches.size() && row == result.batches[batch].num_rows()) {
      ++batch;
      row = 0;
    }
    if (batch == result.batches.size()) return fmt::format("row {} is missing: {}", number, line);
    rapidjson::Document json;
    json.Parse<rapidjson::kParseNumbersAsStringsFlag>(line.c_str(), line.size());
    const std::string found = row_difference(result.batches[batch], row, json);
    if (!found.empty()) return fmt::format("row {}: {}: {}", number, found, line);
  }
  const bool more = batch < result.batches.size() &&
                    (row < result.batches[batch].num_rows() || batch + 1 < result.batches.size());
  return more ? fmt::format("more rows than {}", number) : "";
}

}  // namespace flowrun
