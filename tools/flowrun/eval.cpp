// flowrun eval: expressions evaluated on one row without columns, or on the rows of a file.

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "runtime/base/clock.h"
#include "runtime/columnar/builder.h"
#include "runtime/expr/function_registry.h"
#include "runtime/format/json_reader.h"
#include "runtime/format/json_writer.h"
#include "runtime/format/text.h"
#include "runtime/plugin/plugin_set.h"
#include "runtime/state/aggregate_functions.h"
#include "tools/flowrun/commands.h"
#include "tools/flowrun/plugin_path.h"
#include "tools/flowrun/terminal.h"

namespace flowrun {
namespace {

constexpr std::string_view kWhiteSpace = " \t\r\n";

Result<std::string> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  if (!file) return Error::from_errno("cannot read " + path, errno);
  return std::move(text).str();
}

std::vector<std::string> split_lines(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

RecordBatch one_row_without_columns() { return {Schema::make({}), 1, {}}; }

// The rows of a JSON file under a schema; without a schema, one row without columns.
Result<RecordBatch> read_input(const EvalCommand& command, const std::string& timezone) {
  if (command.schema.empty()) return one_row_without_columns();
  FLOWRUN_TRY(const std::string ddl, read_file(command.schema));
  FLOWRUN_TRY(const SchemaPtr schema,
              parse_schema(ddl.substr(0, ddl.find_last_not_of(kWhiteSpace) + 1)));
  FLOWRUN_TRY(const std::string text, command.input.empty() ? Result<std::string>(std::string())
                                                            : read_file(command.input));
  StringBuilder lines(Type::string());
  for (const std::string& line : split_lines(text)) lines.append(line);
  JsonReadOptions options;
  options.source = true;
  options.timezone = timezone;
  FLOWRUN_TRY(const auto reader,
              JsonReader::make(schema, options, std::vector<bool>(schema->num_fields(), true)));
  FLOWRUN_TRY(ReadRows rows, reader->read(*lines.finish()));
  if (!rows.bad.empty())
    return Error::data(fmt::format("{}:{}: {}", command.input, rows.bad.front().line + 1,
                                   rows.bad.front().reason));
  return RecordBatch(schema, rows.num_rows, std::move(rows.columns));
}

class Evaluator {
 public:
  Evaluator(const EvalCommand& command, Terminal& terminal)
      : command_(command), terminal_(terminal) {
    register_all_functions(functions_);
    register_aggregate_functions(functions_);
    context_.now = system_clock().now();
    if (!command.timezone.empty()) context_.timezone = command.timezone;
    environment_ = {.functions = &functions_, .timezone = context_.timezone};
  }
  int run();

 private:
  int refuse(const Error& error, const std::string& expression);
  int evaluate(const std::string& expression);
  std::string json_line(const std::string& expression) const;
  void append_values(const ColumnPtr& column, std::string& line) const;

  const EvalCommand& command_;
  Terminal& terminal_;
  FunctionRegistry functions_;
  ExpressionEnvironment environment_;
  EvaluationContext context_;
  const TimeZone* zone_ = nullptr;
  RecordBatch batch_;
};

int Evaluator::refuse(const Error& error, const std::string& expression) {
  terminal_.line(error.message);
  if (error.offset && expression.find('\n') == std::string::npos) {
    terminal_.line("  " + expression + "\n  " +
                   std::string(std::min(*error.offset, expression.size()), ' ') + "^");
  }
  return error.code == ErrorCode::data || error.code == ErrorCode::io ? kExitFailed : kExitRefused;
}

int Evaluator::run() {
  Registry operators;  // a plugin's operators are of no use here
  PluginSet plugins(operators, functions_, plugin_path());
  for (const std::string& name : command_.plugins) {
    if (const Status loaded = plugins.load(name, ""); !loaded) return refuse(loaded.error(), {});
  }
  const auto zone = find_time_zone(context_.timezone);
  if (!zone) return refuse(zone.error(), {});
  zone_ = *zone;
  auto input = read_input(command_, context_.timezone);
  if (!input) return refuse(input.error(), {});
  batch_ = std::move(*input);
  std::vector<std::string> expressions = command_.expressions;
  if (!command_.expression_file.empty()) {
    const auto text = read_file(command_.expression_file);
    if (!text) return refuse(text.error(), {});
    const std::vector<std::string> lines = split_lines(*text);
    expressions.insert(expressions.end(), lines.begin(), lines.end());
  }
  if (expressions.empty())
    return refuse(
        Error::invalid("an expression is missing — write one, or give --expressions FILE"), {});
  const bool json = command_.json || !command_.schema.empty() || !command_.expression_file.empty();
  int exit_code = kExitDone;
  for (const std::string& expression : expressions) {
    if (!json) {
      exit_code = std::max(exit_code, evaluate(expression));
    } else if (const Status written = terminal_.write(json_line(expression)); !written) {
      return refuse(written.error(), {});
    }
  }
  return exit_code;
}

// As people ask: the value alone.
int Evaluator::evaluate(const std::string& expression) {
  const auto bound = Binder({batch_.schema()}, environment_).bind(expression);
  if (!bound) return refuse(bound.error(), expression);
  const auto column = (*bound)->evaluate(batch_, context_);
  if (!column) return refuse(column.error(), expression);
  std::string text;
  append_text(**column, 0, *zone_, text, TextStyle::show);
  const Status written = terminal_.write(text + "\n");
  return written ? kExitDone : refuse(written.error(), {});
}

// As programs ask: {"expr":...,"name":...,"type":...,"values":[...]}, or what went wrong and when.
std::string Evaluator::json_line(const std::string& expression) const {
  std::string line = "{\"expr\":";
  const auto add = [&line](std::string_view key, std::string_view text) {
    line.append(",\"").append(key).append("\":");
    append_json_string(text, line);
  };
  append_json_string(expression, line);
  const auto bound = Binder({batch_.schema()}, environment_).bind(expression);
  if (!bound) {
    add("error", bound.error().message);
    return line + "}\n";
  }
  add("name", (*bound)->name());
  add("type", (*bound)->type().simple_string());
  const auto column = (*bound)->evaluate(batch_, context_);
  if (!column) {
    add("runtime_error", column.error().message);
  } else {
    append_values(*column, line);
  }
  return line + "}\n";
}

void Evaluator::append_values(const ColumnPtr& column, std::string& line) const {
  JsonWriteOptions options;
  options.ignore_null_fields = false;
  options.fraction = JsonWriteOptions::Fraction::microseconds;
  options.zone = zone_;
  line += ",\"values\":[";
  for (int64_t row = 0; row < column->size(); ++row) {
    if (row > 0) line += ',';
    append_json(*column, row, options, line);
  }
  line += ']';
}

}  // namespace

int execute(const EvalCommand& command) {
  Terminal terminal(Terminal::standard());
  return Evaluator(command, terminal).run();
}

}  // namespace flowrun
