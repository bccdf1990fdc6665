// Runs tests/conformance/expressions/aggregates.jsonl: Spark's own name, type and values of each
// aggregate.
//
// The rows are cut into chunks at random, given to several locals and merged. What does not pass
// yet is listed in tests/conformance/aggregates-not-yet.txt, one case per line as a JSON array of
// expression and keys. The list only shrinks; with FLOWRUN_SHRINK_NOT_YET set the test takes what
// passes off it.
#include <algorithm>
#include <catch2/catch.hpp>
#include <iostream>
#include <map>
#include <numeric>
#include <random>
#include <set>

#include "runtime/expr/function_registry.h"
#include "runtime/format/json_writer.h"
#include "runtime/state/aggregate_functions.h"
#include "runtime/state/bound_aggregate.h"
#include "runtime/state/group_table.h"
#include "tests/unit/spark_answers.h"

using namespace flowrun;

namespace {

const std::string kFolder = std::string(FLOWRUN_SOURCE_DIR) + "/tests/conformance/";

std::vector<uint32_t> all_groups(const GroupTable& table) {
  std::vector<uint32_t> groups(table.size());
  std::iota(groups.begin(), groups.end(), 0u);
  return groups;
}

// A case bound to the input.
struct Aggregate {
  std::vector<ExpressionPtr> keys;
  AggregateExpression expression;
  std::vector<BoundAggregate> calls;
  ExpressionPtr where;
};

struct Groups {
  explicit Groups(const Aggregate& aggregate) : table(types(aggregate)) {
    for (const BoundAggregate& call : aggregate.calls) states.push_back(call.make_states());
  }
  static std::vector<Type> types(const Aggregate& aggregate) {
    std::vector<Type> types;
    for (const ExpressionPtr& key : aggregate.keys) types.push_back(key->type());
    return types;
  }
  GroupTable table;
  std::vector<std::unique_ptr<GroupStates>> states;
};

Result<Aggregate> bind(const rapidjson::Value& expected, const SchemaPtr& schema,
                       const ExpressionEnvironment& environment) {
  const Binder binder(Scope{schema}, environment);
  Aggregate aggregate;
  for (const auto& key : expected["group_by"].GetArray()) {
    FLOWRUN_TRY(ExpressionPtr bound, binder.bind(key.GetString()));
    aggregate.keys.push_back(std::move(bound));
  }
  FLOWRUN_TRY(aggregate.expression,
              binder.bind_aggregate(expected["expr"].GetString(), aggregate.keys, false));
  for (const AggregateCall& call : aggregate.expression.calls) {
    FLOWRUN_TRY(BoundAggregate bound, BoundAggregate::bind(call, *environment.functions));
    aggregate.calls.push_back(std::move(bound));
  }
  if (expected.HasMember("where")) {
    FLOWRUN_TRY(aggregate.where, binder.bind_as(expected["where"].GetString(), Type::boolean()));
  }
  return aggregate;
}

Status absorb(const Aggregate& aggregate, Groups& local, const RecordBatch& batch,
              int64_t sequence) {
  std::vector<ColumnPtr> keys;
  for (const ExpressionPtr& key : aggregate.keys) {
    FLOWRUN_TRY(ColumnPtr column, key->evaluate(batch, {}));
    keys.push_back(std::move(column));
  }
  std::vector<uint32_t> groups(static_cast<size_t>(batch.num_rows()));
  local.table.find_or_add(keys, groups);
  for (size_t i = 0; i < aggregate.calls.size(); ++i) {
    local.states[i]->resize(local.table.size());
    FLOWRUN_RETURN_IF_ERROR(
        aggregate.calls[i].update(*local.states[i], groups, batch, {}, sequence));
  }
  return {};
}

Status merge(const Aggregate& aggregate, Groups& into, const Groups& from) {
  const std::vector<uint32_t> others = all_groups(from.table);
  std::vector<uint32_t> groups(others.size());
  into.table.merge(from.table, others, groups);
  for (size_t i = 0; i < aggregate.calls.size(); ++i) {
    into.states[i]->resize(into.table.size());
    FLOWRUN_RETURN_IF_ERROR(into.states[i]->merge(groups, *from.states[i], others));
  }
  return {};
}

// Through a snapshot: what was saved is what comes back.
Status save_and_load(const Aggregate& aggregate, Groups& groups) {
  for (size_t i = 0; i < aggregate.calls.size(); ++i) {
    FLOWRUN_TRY(const std::vector<ColumnPtr> saved,
                groups.states[i]->save(all_groups(groups.table)));
    groups.states[i] = aggregate.calls[i].make_states();
    FLOWRUN_RETURN_IF_ERROR(groups.states[i]->load(saved));
  }
  return {};
}

Result<RecordBatch> filtered(const Aggregate& aggregate, const RecordBatch& input) {
  if (!aggregate.where) return input;
  FLOWRUN_TRY(const ColumnPtr kept, aggregate.where->evaluate(input, {}));
  std::vector<int32_t> rows;
  for (int64_t i = 0; i < kept->size(); ++i) {
    if (kept->is_valid(i) && kept->boolean(i)) rows.push_back(static_cast<int32_t>(i));
  }
  return input.take(rows);
}

// Rows of [key..., value] as JSON.
// `in_order`: one chunk, as it came; otherwise cut at random and merged from three locals.
Result<std::string> compute(const Aggregate& aggregate, const RecordBatch& input, bool in_order,
                            std::mt19937& random) {
  FLOWRUN_TRY(const RecordBatch rows, filtered(aggregate, input));
  std::vector<Groups> locals;
  for (int i = 0; i < 3; ++i) locals.emplace_back(aggregate);
  int64_t sequence = 0;
  for (int64_t start = 0; start < rows.num_rows();) {
    const int64_t rest = rows.num_rows() - start;
    const int64_t length =
        in_order ? rest : std::min<int64_t>(rest, static_cast<int64_t>(random() % 9) + 1);
    Groups& local = locals[in_order ? 0 : random() % 3];
    FLOWRUN_RETURN_IF_ERROR(absorb(aggregate, local, rows.slice(start, length), sequence++));
    start += length;
  }
  Groups state(aggregate);
  if (aggregate.keys.empty()) {
    FLOWRUN_RETURN_IF_ERROR(absorb(aggregate, state, rows.slice(0, 0), 0));
    std::vector<uint32_t> only(1);
    state.table.find_or_add({}, only);
    for (const auto& states : state.states) states->resize(1);
  }
  for (const Groups& local : locals) FLOWRUN_RETURN_IF_ERROR(merge(aggregate, state, local));
  FLOWRUN_RETURN_IF_ERROR(save_and_load(aggregate, state));
  const std::vector<uint32_t> groups = all_groups(state.table);
  std::vector<ColumnPtr> columns = state.table.keys(groups);
  std::vector<Field> fields;
  for (const ColumnPtr& column : columns) fields.push_back({"key", column->type()});
  const size_t num_keys = columns.size();
  for (const auto& states : state.states) {
    FLOWRUN_TRY(ColumnPtr column, states->result(groups));
    fields.push_back({"call", column->type()});
    columns.push_back(std::move(column));
  }
  const RecordBatch results(Schema::make(std::move(fields)), static_cast<int64_t>(groups.size()),
                            columns);
  FLOWRUN_TRY(const ColumnPtr values, aggregate.expression.result->evaluate(results, {}));
  JsonWriteOptions options;
  options.ignore_null_fields = false;
  options.fraction = JsonWriteOptions::Fraction::microseconds;
  std::string json = "[";
  for (int64_t row = 0; row < results.num_rows(); ++row) {
    json += row == 0 ? "[" : ",[";
    for (size_t i = 0; i < num_keys; ++i) {
      append_json(*columns[i], row, options, json);
      json += ",";
    }
    append_json(*values, row, options, json);
    json += "]";
  }
  return json + "]";
}

bool same_keys(const rapidjson::Value& a, const rapidjson::Value& b) {
  for (rapidjson::SizeType i = 0; i + 1 < a.Size(); ++i) {
    if (!same_value(a[i], b[i], Exactness::exact)) return false;
  }
  return true;
}

// What is wrong with our answer; empty if nothing.
std::string difference(const rapidjson::Value& expected, const RecordBatch& input,
                       const ExpressionEnvironment& environment, std::mt19937& random) {
  const auto aggregate = bind(expected, input.schema(), environment);
  if (expected.HasMember("error"))
    return aggregate ? "an expression that Spark refuses is taken" : "";
  if (!aggregate) return "refused: " + aggregate.error().message;
  const Expression& result = *aggregate->expression.result;
  if (result.name() != expected["name"].GetString()) {
    return "name: " + result.name() + ", not " + expected["name"].GetString();
  }
  if (result.type().simple_string() != expected["type"].GetString()) {
    return "type: " + result.type().simple_string() + ", not " + expected["type"].GetString();
  }
  // The bigints at both ends of their range cancel: added as doubles, only Spark's order gives its
  // sum.
  const std::string_view text = expected["expr"].GetString();
  const bool in_order = text.find("avg(l)") != std::string_view::npos;
  const auto json = compute(*aggregate, input, in_order, random);
  if (!json) return "fails: " + json.error().message;
  const rapidjson::Document got = parse_answer(*json);
  const auto& rows = expected["rows"];
  if (got.Size() != rows.Size()) return "groups: " + *json;
  const std::string type = expected["type"].GetString();
  const Exactness exactness = exactness_of(type);
  for (const auto& row : rows.GetArray()) {
    const auto found = std::find_if(got.Begin(), got.End(),
                                    [&](const auto& other) { return same_keys(row, other); });
    if (found == got.End()) return "no group " + as_json(row) + " in " + *json;
    if (!same_value(row[row.Size() - 1], (*found)[found->Size() - 1], exactness)) {
      return as_json(*found) + ", not " + as_json(row);
    }
  }
  return "";
}

}  // namespace

TEST_CASE("aggregates have the names, types and values that Spark gives them") {
  FunctionRegistry functions;
  register_all_functions(functions);
  register_aggregate_functions(functions);
  const ExpressionEnvironment environment{&functions};
  const RecordBatch input = read_input(kFolder + "expressions/");
  const std::string list = kFolder + "aggregates-not-yet.txt";
  const std::vector<std::string> lines = read_lines(list);
  std::set<std::string> not_yet(lines.begin(), lines.end());
  const bool shrink = std::getenv("FLOWRUN_SHRINK_NOT_YET") != nullptr;
  const bool show = std::getenv("FLOWRUN_SHOW_AGGREGATES") != nullptr;
  std::mt19937 random(std::random_device{}());
  std::map<std::string, std::pair<int, int>> tallies;
  for (const std::string& line : read_lines(kFolder + "expressions/aggregates.jsonl")) {
    const rapidjson::Document expected = parse_answer(line);
    const std::string key =
        "[" + as_json(expected["expr"]) + "," + as_json(expected["group_by"]) + "]";
    const std::string wrong = difference(expected, input, environment, random);
    auto& [passed, all] = tallies[expected["theme"].GetString()];
    ++all;
    if (show && !wrong.empty()) std::cout << key << "\n    " << wrong << "\n";
    if (wrong.empty()) {
      ++passed;
      if (shrink) not_yet.erase(key);
      if (not_yet.contains(key))
        std::cout << key << " passes: take it off the list of what does not\n";
    } else if (!not_yet.contains(key)) {
      FAIL_CHECK(key << "\n  " << wrong);
    }
  }
  for (const auto& [theme, tally] : tallies) {
    if (tally.first < tally.second)
      std::cout << theme << " " << tally.first << "/" << tally.second << "  ";
  }
  std::cout << "\n";
  if (shrink) {
    std::ofstream out(list);
    for (const std::string& line : lines) {
      if (not_yet.contains(line)) out << line << "\n";
    }
  }
}
