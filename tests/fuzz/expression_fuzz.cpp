// Expressions: no text may break the binder, and what it takes can be evaluated.
#include "runtime/expr/expression.h"
#include "runtime/expr/function_registry.h"
#include "runtime/format/json_writer.h"
#include "runtime/state/aggregate_functions.h"
#include "tests/fuzz/fuzz_input.h"

using namespace flowrun;

namespace {

// Rows of small and awkward values, some null.
RecordBatch sample_rows() {
  const SchemaPtr schema =
      parse_schema(
          "i int, l bigint, d double, s string, b boolean, t timestamp, dt date, dc decimal(10,2)")
          .value();
  std::vector<ColumnPtr> columns;
  for (const Field& field : schema->fields()) {
    const auto builder = make_builder(field.type);
    if (field.type.id() == TypeId::boolean) {
      for (const bool value : {true, false, true})
        static_cast<BooleanBuilder&>(*builder).append(value);
    } else if (field.type.id() == TypeId::string) {
      for (const char* value : {"", "a,b", "2015-02-23"})
        static_cast<StringBuilder&>(*builder).append(value);
    } else {
      visit_fixed(field.type.id(), [&](auto tag) {
        using T = typename decltype(tag)::type;
        if constexpr (!std::is_same_v<T, CalendarInterval>) {
          for (const int value : {0, -1, 7})
            static_cast<FixedBuilder<T>&>(*builder).append(static_cast<T>(value));
        }
      });
    }
    builder->append_null();
    columns.push_back(builder->finish());
  }
  return {schema, 4, std::move(columns)};
}

struct Language {
  Language() {
    register_all_functions(functions);
    register_aggregate_functions(functions);
    environment.functions = &functions;
  }
  FunctionRegistry functions;
  ExpressionEnvironment environment;
  RecordBatch rows = sample_rows();
};

void evaluate(const Expression& expression, const RecordBatch& rows) {
  const auto column = expression.evaluate(rows, {});
  if (!column) return;
  FLOWRUN_CHECK((*column)->size() == rows.num_rows(), "a value per row");
  FLOWRUN_CHECK((*column)->type() == expression.type(), "values of the declared type");
  std::string text;
  for (int64_t row = 0; row < rows.num_rows(); ++row) append_json(**column, row, {}, text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const Language language;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const Binder binder({language.rows.schema()}, language.environment);
  const auto items = binder.bind_select(text);
  if (!items) {
    FLOWRUN_CHECK(!items.error().message.empty(), "an error says what is wrong");
    FLOWRUN_CHECK(items.error().offset.value_or(0) <= size, "an error points into the text");
    static_cast<void>(binder.bind_aggregate(text, {}, false));
    return 0;
  }
  for (const SelectItem& item : *items) {
    if (item.expression) evaluate(*item.expression, language.rows);
  }
  return 0;
}
