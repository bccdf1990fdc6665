// Names from headers and types from values: Spark's CSVUtils and CSVInferSchema.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "runtime/format/csv_reader.h"
#include "runtime/format/csv_tokenizer.h"
#include "runtime/format/csv_values.h"
#include "runtime/format/datetime.h"
#include "runtime/format/text_values.h"
#include "runtime/format/utf8.h"

namespace flowrun {

namespace {

std::string text_of(const CsvField& field, const CsvReadOptions& options) {
  if (field.kind == CsvField::Kind::empty) return options.null_value;
  std::string text;
  append_replacing_invalid_utf8(
      field.kind == CsvField::Kind::quoted_empty ? options.empty_value : field.text, text);
  return text;
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

}  // namespace

std::vector<std::string> csv_column_names(std::string_view header, const CsvReadOptions& options) {
  CsvTokenizer tokenizer(options);
  std::vector<std::string> names;
  std::map<std::string, int> counts;
  for (const CsvField& field : tokenizer.fields(header)) {
    names.push_back(text_of(field, options));
    ++counts[lower_name(names.back())];
  }
  for (size_t i = 0; i < names.size(); ++i) {
    if (!options.header || names[i].empty() || names[i] == options.null_value) {
      names[i] = fmt::format("_c{}", i);
    } else if (counts[lower_name(names[i])] > 1) {
      names[i] += std::to_string(i);
    }
  }
  return names;
}

Result<int64_t> find_csv_header(const Column& lines, const Schema& schema,
                                const CsvReadOptions& options) {
  CsvTokenizer tokenizer(options);
  for (int64_t line = 0; line < lines.size(); ++line) {
    const std::string_view text = lines.string(line);
    if (tokenizer.skips(text)) continue;
    if (options.enforce_schema) return line;
    std::vector<std::string> names;
    for (const CsvField& field : tokenizer.fields(text)) names.push_back(text_of(field, options));
    if (!std::ranges::equal(names, schema.names(), names_equal)) {
      return Error::data(
          fmt::format("the CSV header does not conform to the schema: header {}, schema {}",
                      joined(names), joined(schema.names())));
    }
    return line;
  }
  return -1;
}

struct CsvInference::State {
  State(const CsvReadOptions& with, TextTimes by, DateTimePattern days)
      : options(with), times(std::move(by)), default_date(std::move(days)), tokenizer(with) {}

  Type infer(const Type& so_far, std::string_view text);
  [[nodiscard]] Type common(const Type& a, const Type& b) const;
  Type number(TypeId from, std::string_view text);
  Type time(TypeId from, std::string_view text);

  const CsvReadOptions& options;
  TextTimes times;
  DateTimePattern default_date;
  CsvTokenizer tokenizer;
  std::vector<std::string> names;
  std::vector<Type> types;
};

CsvInference::CsvInference(std::unique_ptr<State> state) : state_(std::move(state)) {}
CsvInference::~CsvInference() = default;

Result<std::unique_ptr<CsvInference>> CsvInference::make(const CsvReadOptions& options) {
  FLOWRUN_TRY(TextTimes times,
              TextTimes::make(options.date_format, options.timestamp_format, options.timezone));
  FLOWRUN_TRY(DateTimePattern days,
              DateTimePattern::compile(options.date_format.value_or("yyyy-MM-dd"),
                                       DateTimePattern::Use::parse));
  return std::unique_ptr<CsvInference>(
      new CsvInference(std::make_unique<State>(options, std::move(times), std::move(days))));
}

void CsvInference::add(const Column& lines) {
  State& state = *state_;
  for (int64_t i = 0; i < lines.size() && !done(); ++i) {
    if (state.tokenizer.skips(lines.string(i))) continue;
    if (state.names.empty()) {
      state.names = csv_column_names(lines.string(i), state.options);
      state.types.assign(state.names.size(), Type::null());
      if (state.options.header || done()) continue;
    }
    const auto& fields = state.tokenizer.fields(lines.string(i));
    for (size_t c = 0; c < std::min(fields.size(), state.types.size()); ++c) {
      const std::string text = text_of(fields[c], state.options);
      if (text.empty() || text == state.options.null_value) continue;
      state.types[c] = state.common(state.types[c], state.infer(state.types[c], text));
    }
  }
}

bool CsvInference::done() const {
  if (state_->names.empty()) return false;
  if (!state_->options.infer_schema) return true;
  return std::ranges::all_of(state_->types,
                             [](const Type& type) { return type.id() == TypeId::string; });
}

Result<SchemaPtr> CsvInference::schema() const {
  if (state_->names.empty()) {
    return Error::invalid("there is no line to take a schema from — write a `schema:`");
  }
  std::vector<Field> fields;
  for (size_t i = 0; i < state_->names.size(); ++i) {
    const Type& type = state_->types[i];
    fields.push_back({state_->names[i], type.id() == TypeId::null ? Type::string() : type});
  }
  return Schema::make(std::move(fields));
}

// The narrowest type of `text` among those that are not narrower than what was found so far.
Type CsvInference::State::infer(const Type& so_far, std::string_view text) {
  switch (so_far.id()) {
    case TypeId::string:
      return so_far;
    case TypeId::null:
      return number(TypeId::integer, text);
    case TypeId::integer:
    case TypeId::bigint:
    case TypeId::decimal:
    case TypeId::double_:
      return number(so_far.id(), text);
    default:
      return time(so_far.id(), text);
  }
}

namespace {

// Whole numbers that fit a decimal without a fraction.
std::optional<Type> whole_decimal(std::string_view text) {
  std::string digits(text);
  std::erase(digits, ',');
  std::string_view rest = digits;
  if (rest.starts_with('-') || rest.starts_with('+')) rest.remove_prefix(1);
  if (rest.ends_with('.')) rest.remove_suffix(1);
  if (rest.empty() || !std::ranges::all_of(rest, [](char c) { return c >= '0' && c <= '9'; }))
    return std::nullopt;
  const size_t leading = std::min(rest.find_first_not_of('0'), rest.size() - 1);
  const auto precision = static_cast<int>(rest.size() - leading);
  constexpr int kMost = 38;
  if (precision > kMost) return std::nullopt;
  return Type::decimal(precision, 0);
}

}  // namespace

Type CsvInference::State::number(TypeId from, std::string_view text) {
  if (from == TypeId::integer && csv_integer<int32_t>(text)) return Type::integer();
  if (from <= TypeId::bigint && csv_integer<int64_t>(text)) return Type::bigint();
  if (from != TypeId::double_) {
    if (const auto type = whole_decimal(text)) return *type;
  }
  if (csv_floating<double>(text, options)) return Type::double_();
  return time(options.prefer_date ? TypeId::date : TypeId::timestamp, text);
}

Type CsvInference::State::time(TypeId from, std::string_view text) {
  if (from == TypeId::date && default_date.parse_date(text)) return Type::date();
  if (from != TypeId::boolean && times.timestamp(text)) return Type::timestamp();
  return csv_boolean(text) ? Type::boolean() : Type::string();
}

Type CsvInference::State::common(const Type& a, const Type& b) const {
  if (a == b || a.id() == TypeId::null) return b;
  const auto as_decimal = [](const Type& type) {
    if (type.id() == TypeId::integer) return Type::decimal(10, 0);
    return type.id() == TypeId::bigint ? Type::decimal(20, 0) : type;
  };
  const bool numbers = a.is_numeric() && b.is_numeric();
  if (numbers && (a.id() == TypeId::double_ || b.id() == TypeId::double_)) return Type::double_();
  if (numbers && (a.id() == TypeId::decimal || b.id() == TypeId::decimal)) {
    return Type::decimal(std::max(as_decimal(a).precision(), as_decimal(b).precision()), 0);
  }
  if (numbers) return Type::bigint();
  const auto is_time = [](const Type& type) {
    return type.id() == TypeId::date || type.id() == TypeId::timestamp;
  };
  // Days in a format of their own are no timestamps.
  const bool days_are_times =
      !options.timestamp_format && (!options.date_format || *options.date_format == "yyyy-MM-dd");
  if (is_time(a) && is_time(b) && days_are_times) return Type::timestamp();
  return Type::string();
}

}  // namespace flowrun
