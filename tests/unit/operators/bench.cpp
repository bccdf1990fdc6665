#include "tests/unit/operators/bench.h"

#include <catch2/catch.hpp>

#include "operators/register_all.h"
#include "runtime/base/clock.h"
#include "runtime/expr/function_registry.h"
#include "runtime/format/text.h"
#include "runtime/state/aggregate_functions.h"

namespace flowrun::test {

namespace {

class KeepingOutput final : public Output {
 public:
  explicit KeepingOutput(std::string& text) : text_(text) {}
  Status write(std::string_view text) override {
    text_ += text;
    return {};
  }

 private:
  std::string& text_;
};

}  // namespace

struct Bench::Parts {
  explicit Parts(std::string& printed) : output(printed) {
    register_all_operators(operators);
    register_all_functions(functions);
    register_aggregate_functions(functions);
    environment.functions = &functions;
  }
  Registry operators;
  FunctionRegistry functions;
  ExpressionEnvironment environment;
  KeepingOutput output;
};

Bench::Bench() : parts_(std::make_unique<Parts>(printed)) {
  context.node = "node";
  context.expressions = &parts_->environment;
  context.clock = &system_clock();
  context.console = &parts_->output;
  context.live_table = [this](std::string_view name) { return &tables[std::string(name)]; };
  context.table = [this](std::string_view name) -> StaticTable* {
    const auto found = static_tables.find(std::string(name));
    return found == static_tables.end() ? nullptr : found->second.get();
  };
}

Bench::~Bench() = default;

const Registry& Bench::registry() const { return parts_->operators; }

Result<std::unique_ptr<Transform>> Bench::transform(const std::string& name, const Values& values) {
  const RegisteredOperator* found = parts_->operators.find_operator(name);
  REQUIRE(found);
  FLOWRUN_TRY(const Options options, make_options(found->spec, raw_options(values)));
  return found->make_transform(options, context);
}

Result<std::unique_ptr<Stateful>> Bench::stateful(const std::string& name, const Values& values) {
  const RegisteredOperator* found = parts_->operators.find_operator(name);
  REQUIRE(found);
  FLOWRUN_TRY(const Options options, make_options(found->spec, raw_options(values)));
  return found->make_stateful(options, context);
}

Result<MadeSource> Bench::source(const std::string& name, const Values& values) {
  const RegisteredOperator* found = parts_->operators.find_source(name);
  REQUIRE(found);
  FLOWRUN_TRY(const Options options, make_options(found->spec, raw_options(values)));
  return found->make_source(options, context);
}

Result<std::unique_ptr<Sink>> Bench::sink(const std::string& name, const Values& values) {
  const RegisteredOperator* found = parts_->operators.find_sink(name);
  REQUIRE(found);
  FLOWRUN_TRY(const Options options, make_options(found->spec, raw_options(values)));
  return found->make_sink(options, context);
}

std::string text_of(const RecordBatch& rows) {
  std::string text;
  for (int64_t row = 0; row < rows.num_rows(); ++row) {
    if (row > 0) text += "; ";
    for (size_t i = 0; i < rows.num_columns(); ++i) {
      if (i > 0) text += ", ";
      const ColumnPtr& column = rows.column(i);
      if (!column) {
        text += "absent";
      } else if (column->is_null(row)) {
        text += "null";
      } else {
        append_text(*column, row, TimeZone::utc(), text);
      }
    }
  }
  return text;
}

}  // namespace flowrun::test
