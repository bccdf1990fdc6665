#include "runtime/operator/reader_options.h"

#include <fmt/format.h>

#include "runtime/operator/option_specs.h"
#include "runtime/operator/registry.h"

namespace flowrun {

namespace {

std::vector<OptionSpec> of_format(std::vector<OptionSpec> specs, const std::string& option,
                                  const std::string& format) {
  if (option.empty()) return specs;
  for (OptionSpec& spec : specs) spec = spec.when(option, format);
  return specs;
}

}  // namespace

std::vector<OptionSpec> common_reader_option_specs() {
  using namespace option;
  return {
      column("corrupt_record",
             "name of a string column, added last, with the raw text of corrupt records"),
      text("date_format", "Spark's datetime pattern for dates; without it Spark's cast rules"),
      text("timestamp_format",
           "Spark's datetime pattern for timestamps; without it Spark's cast rules"),
      bytes("max_record", "a longer record is corrupt").with_default("16 MiB").at_least(1),
  };
}

std::vector<OptionSpec> csv_option_specs(const std::string& format_option) {
  using namespace option;
  return of_format(
      {
          boolean("header", "the first line holds the names").with_default("false"),
          boolean("infer_schema", "types from the data; without it and `schema` all are strings")
              .with_default("false"),
          boolean("enforce_schema", "false: the header must have the schema's names")
              .with_default("true"),
          text("sep", "between two values; may be longer than one character").with_default(","),
          text("quote", "the quote; an empty text: none").with_default("\""),
          text("escape", "the escape inside quotes; RFC 4180 wants the quote itself")
              .with_default("\\"),
          text("comment", "lines that begin with it are left out; none by default"),
          text("null_value", "text that stands for null; empty by default"),
          text("empty_value", "text that stands for the empty string"),
          text("nan_value", "text that stands for NaN").with_default("NaN"),
          text("positive_inf", "text that stands for Infinity").with_default("Inf"),
          text("negative_inf", "text that stands for -Infinity").with_default("-Inf"),
          boolean("ignore_leading_white_space", "cut white space before values")
              .with_default("false"),
          boolean("ignore_trailing_white_space", "cut white space behind values")
              .with_default("false"),
          boolean("multi_line", "quoted values may hold line breaks").with_default("false"),
          text("encoding", "the charset").with_default("UTF-8"),
          boolean("prefer_date", "infer date before timestamp").with_default("true"),
      },
      format_option, "csv");
}

std::vector<OptionSpec> json_option_specs(const std::string& format_option) {
  using namespace option;
  return of_format(
      {
          boolean("allow_single_quotes", "'a' is a string").with_default("true"),
          boolean("allow_non_numeric_numbers", "NaN, Infinity, -Infinity are numbers")
              .with_default("true"),
          boolean("allow_comments", "Java's comments are left out").with_default("false"),
          boolean("allow_numeric_leading_zeros", "007 is 7").with_default("false"),
          boolean("allow_unquoted_field_names", "{a: 1}").with_default("false"),
          boolean("allow_unquoted_control_chars", "control characters inside strings")
              .with_default("false"),
          boolean("allow_backslash_escaping_any_character", "\"\\q\" is q").with_default("false"),
      },
      format_option, "json");
}

namespace {

JsonReadOptions json_read_options(const Options& options) {
  JsonReadOptions json;
  json.allow_single_quotes = options.boolean_or("allow_single_quotes", json.allow_single_quotes);
  json.allow_non_numeric_numbers =
      options.boolean_or("allow_non_numeric_numbers", json.allow_non_numeric_numbers);
  json.allow_comments = options.boolean_or("allow_comments", false);
  json.allow_numeric_leading_zeros = options.boolean_or("allow_numeric_leading_zeros", false);
  json.allow_unquoted_field_names = options.boolean_or("allow_unquoted_field_names", false);
  json.allow_unquoted_control_chars = options.boolean_or("allow_unquoted_control_chars", false);
  json.allow_backslash_escaping_any_character =
      options.boolean_or("allow_backslash_escaping_any_character", false);
  return json;
}

// One character, or none for an empty text.
Result<char> character(const Options& options, std::string_view name, char fallback) {
  const OptionValue* value = options.find(name);
  if (!value) return fallback;
  if (value->text.size() <= 1) return value->text.empty() ? '\0' : value->text[0];
  return Error::invalid(fmt::format("{} `{}` is longer than one character", name, value->text))
      .at(value->position);
}

// "\t" may be written as two characters.
std::string separator(const Options& options) {
  const std::string text = options.text_or("sep", ",");
  return text == "\\t" ? "\t" : text;
}

Result<CsvReadOptions> csv_read_options(const Options& options) {
  CsvReadOptions csv;
  csv.header = options.boolean_or("header", csv.header);
  csv.infer_schema = options.boolean_or("infer_schema", csv.infer_schema);
  csv.enforce_schema = options.boolean_or("enforce_schema", csv.enforce_schema);
  csv.sep = separator(options);
  if (csv.sep.empty()) {
    return Error::invalid("sep is empty — write the text between two values")
        .at(options.at("sep").position);
  }
  FLOWRUN_TRY(csv.quote, character(options, "quote", csv.quote));
  FLOWRUN_TRY(csv.escape, character(options, "escape", csv.escape));
  FLOWRUN_TRY(csv.comment, character(options, "comment", csv.comment));
  csv.null_value = options.text_or("null_value", csv.null_value);
  csv.empty_value = options.text_or("empty_value", csv.empty_value);
  csv.nan_value = options.text_or("nan_value", csv.nan_value);
  csv.positive_inf = options.text_or("positive_inf", csv.positive_inf);
  csv.negative_inf = options.text_or("negative_inf", csv.negative_inf);
  csv.ignore_leading_white_space = options.boolean_or("ignore_leading_white_space", false);
  csv.ignore_trailing_white_space = options.boolean_or("ignore_trailing_white_space", false);
  csv.multi_line = options.boolean_or("multi_line", false);
  csv.prefer_date = options.boolean_or("prefer_date", true);
  csv.encoding = options.text_or("encoding", csv.encoding);
  return csv;
}

// What both formats have.
void set_common(const Options& options, bool source, const std::string& timezone, auto& out) {
  out.source = source;
  if (options.has("date_format")) out.date_format = options.text("date_format");
  if (options.has("timestamp_format")) out.timestamp_format = options.text("timestamp_format");
  out.timezone = timezone;
  out.max_record = options.integer_or("max_record", out.max_record);
}

}  // namespace

Result<RecordFormat> record_format_option(std::string_view format, const Options& options,
                                          bool source, const std::string& timezone) {
  RecordFormat out;
  out.kind = format == "csv" ? RecordFormat::Kind::csv : RecordFormat::Kind::json;
  out.json = json_read_options(options);
  FLOWRUN_TRY(out.csv, csv_read_options(options));
  set_common(options, source, timezone, out.json);
  set_common(options, source, timezone, out.csv);
  return out;
}

std::vector<OptionSpec> reader_option_specs(const std::string& format_option) {
  return option::together({common_reader_option_specs(), csv_option_specs(format_option),
                           json_option_specs(format_option)});
}

std::vector<OptionSpec> table_option_specs(const Registry& registry) {
  using namespace option;
  OptionSpec format = required(word("format", {"csv", "json"}, "what the file holds"));
  std::vector<OptionSpec> plugged;
  if (const RegisteredOperator* parse = registry.find_operator("parse")) {
    format.refused_words = parse->spec.primary.refused_words;
    for (const std::string& name : parse->spec.primary.words) {
      const RegisteredFormat* known = registry.find_format(name);
      if (!known) continue;
      format.words.push_back(name);
      for (const OptionSpec& option : known->spec.options)
        plugged.push_back(option.when("format", name));
    }
  }
  return together(
      {{
           required(path("file", "the file that holds the rows")),
           std::move(format),
           schema("schema", "names and types of the columns; inferred or all strings without it"),
           word("on_error", {"keep", "drop", "fail"}, "what becomes of a corrupt record")
               .with_default("keep"),
           duration(
               "refresh",
               "how often the file is looked at; it is read again, between epochs, when it changed")
               .at_least(1),
       },
       reader_option_specs(),
       std::move(plugged)});
}

}  // namespace flowrun
