// flowrun plugin check: the suite that every operator passes, run on the operators of a plugin.
//
// What an operator is tried with comes from its own examples: those that say which columns they
// read.

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <random>

#include "operators/register_all.h"
#include "runtime/columnar/builder.h"
#include "runtime/columnar/random_columns.h"
#include "runtime/config/load.h"
#include "runtime/operator/contract.h"
#include "runtime/plugin/describe.h"
#include "runtime/plugin/functions.h"
#include "runtime/plugin/plugin_set.h"
#include "runtime/state/aggregate_functions.h"
#include "tools/flowrun/commands.h"
#include "tools/flowrun/format_check.h"
#include "tools/flowrun/plugin_path.h"
#include "tools/flowrun/terminal.h"
#include "tools/flowrun/text.h"

namespace flowrun {
namespace {

constexpr int64_t kRows = 200;
constexpr size_t kEpochs = 3;
constexpr size_t kMostReads = 100;
constexpr int64_t kReadMicroseconds = 200'000;

using Complaints = std::vector<std::string>;

class NoOutput final : public Output {
 public:
  Status write(std::string_view) override { return ok_status(); }
};

// Checks one plugin, component by component.
class PluginCheck {
 public:
  PluginCheck(const std::string& name, uint64_t seed)
      : plugins_(registry_, functions_, plugin_path()), seed_(seed) {
    register_all_operators(registry_);
    register_all_functions(functions_);
    register_aggregate_functions(functions_);
    loaded_ = plugins_.load(name, "");
  }

  [[nodiscard]] const Status& loaded() const { return loaded_; }
  [[nodiscard]] const LoadedPlugin& plugin() const { return plugins_.plugins()[0]; }

  Complaints check(const Component& component) {
    switch (component.raw.kind) {
      case FLOWRUN_KIND_SCALAR:
        return check_scalar(component);
      case FLOWRUN_KIND_AGGREGATE:
        return check_aggregate(component);
      default:
        return check_examples(component);
    }
  }

 private:
  Complaints check_examples(const Component& component);
  Complaints check_example(const Component& component, const PlanNode& node,
                           const TrialExample& example, const SchemaPtr& input);
  Complaints check_format(const RegisteredFormat& format, const PlanNode& node,
                          const TrialExample& example, const SchemaPtr& input);
  Complaints check_reading(const PlanNode& node, const TrialExample& example,
                           const SchemaPtr& input);
  RecordBatch records_like(const TrialExample& example, const OptionValue& column,
                           const SchemaPtr& input);
  Complaints check_source(const RegisteredOperator& entry, const PlanNode& node);
  Complaints check_sink(const RegisteredOperator& entry, const PlanNode& node,
                        const SchemaPtr& input);
  Complaints check_scalar(const Component& component);
  Complaints check_aggregate(const Component& component);
  Result<PlanNode> node_of(const Component& component, const std::string& yaml);
  [[nodiscard]] MakeContext context() {
    MakeContext context;
    context.node = "check";
    context.expressions = &environment_;
    context.console = &console_;
    context.format = [this](std::string_view name) { return registry_.find_format(name); };
    return context;
  }
  RecordBatch rows(const SchemaPtr& schema, int64_t count) {
    return random_batch(schema, count, random_);
  }

  Registry registry_;
  FunctionRegistry functions_;
  ExpressionEnvironment environment_{&functions_, "UTC"};
  NoOutput console_;
  PluginSet plugins_;
  uint64_t seed_;
  std::mt19937_64 random_{seed_};
  Status loaded_;
};

// The node of an example that uses the component.
Result<PlanNode> PluginCheck::node_of(const Component& component, const std::string& yaml) {
  std::string text = "nodes:\n";
  for (size_t begin = 0; begin < yaml.size();) {
    const size_t end = std::min(yaml.find('\n', begin), yaml.size());
    text += "  " + yaml.substr(begin, end - begin) + "\n";
    begin = end + 1;
  }
  const LoadedPlan loaded = load_plan_text(text, "example", registry_, {.fragment = true});
  if (!loaded.plan) return Error::invalid(render_text(loaded.diagnostics, loaded.sources));
  for (const PlanNode& node : loaded.plan->nodes) {
    if (component.raw.kind == FLOWRUN_KIND_FORMAT) {
      // A sink that writes by it has it as its `format`.
      const OptionValue* named = node.options.find(node.op == "parse" ? "parse" : "format");
      if (named && named->text == component.name) return node;
    } else if (node.op == component.name) {
      return node;
    }
  }
  return Error::invalid("no node of it uses the component");
}

Complaints PluginCheck::check_examples(const Component& component) {
  Complaints complaints;
  const std::vector<TrialExample> examples = trial_examples(component);
  for (const TrialExample& example : examples) {
    const Result<PlanNode> node = node_of(component, example.yaml);
    const Result<SchemaPtr> input =
        example.input.empty() ? Schema::make({}) : parse_schema(example.input);
    if (!node) {
      complaints.push_back("its example is refused: " + node.error().message);
    } else if (!input) {
      complaints.push_back("the input of its example is no schema: " + input.error().message);
    } else {
      std::ranges::move(check_example(component, *node, example, *input),
                        std::back_inserter(complaints));
    }
  }
  if (examples.empty()) {
    complaints.emplace_back(
        "no example of it says which columns it reads — give one an `input`, such as \"k STRING, x "
        "DOUBLE\" (\"\" for a source)");
  }
  return complaints;
}

Complaints PluginCheck::check_example(const Component& component, const PlanNode& node,
                                      const TrialExample& example, const SchemaPtr& input) {
  if (component.raw.kind == FLOWRUN_KIND_FORMAT)
    return check_format(*registry_.find_format(component.name), node, example, input);
  if (component.raw.kind == FLOWRUN_KIND_SOURCE)
    return check_source(*registry_.find_source(component.name), node);
  if (component.raw.kind == FLOWRUN_KIND_SINK)
    return check_sink(*registry_.find_sink(component.name), node, input);
  const RegisteredOperator& entry = *registry_.find_operator(component.name);
  Trial trial;
  if (entry.make_transform) {
    trial.make_transform = [&] { return entry.make_transform(node.options, context()); };
  } else {
    trial.make_stateful = [&] { return entry.make_stateful(node.options, context()); };
    trial.plan.modes = {OutputMode::append};
  }
  trial.inputs = {{input, "input"}};
  for (size_t i = 0; i < kEpochs; ++i) trial.epochs.push_back({.inputs = {rows(input, kRows)}});
  return check_contract(trial, seed_);
}

// Rows whose text is a record of the example, one of them with bytes changed or cut off, or a null.
RecordBatch PluginCheck::records_like(const TrialExample& example, const OptionValue& column,
                                      const SchemaPtr& input) {
  constexpr size_t kKinds = 4;
  StringBuilder texts(Type::string());
  for (int64_t i = 0; i < kRows; ++i) {
    const size_t kind = random_() % kKinds;
    std::string text = example.records[random_() % example.records.size()];
    const size_t at = text.empty() ? 0 : random_() % text.size();
    if (kind == 1) text.resize(at);
    if (kind == 2 && !text.empty()) text[at] = static_cast<char>(' ' + random_() % ('~' - ' '));
    kind == 3 ? texts.append_null() : texts.append(text);
  }
  const RecordBatch random = rows(input, kRows);
  std::vector<ColumnPtr> columns = random.columns();
  if (const auto place = input->find(column.text)) columns[*place] = texts.finish();
  return {input, kRows, std::move(columns)};
}

// An example that reads by `parse`, or a sink that writes. Whoever does both is tried at writing
// with the columns it reads.
Complaints PluginCheck::check_format(const RegisteredFormat& format, const PlanNode& node,
                                     const TrialExample& example, const SchemaPtr& input) {
  const bool parses = node.op == "parse";
  Complaints complaints = parses ? check_reading(node, example, input) : Complaints();
  if (!format.make_text) return complaints;
  const SchemaPtr& columns = parses ? node.options.at("schema").schema : input;
  std::ranges::move(check_writing(format, columns, node.options, context(), seed_),
                    std::back_inserter(complaints));
  return complaints;
}

// As the operator `parse` would use it: records that are right, and others.
Complaints PluginCheck::check_reading(const PlanNode& node, const TrialExample& example,
                                      const SchemaPtr& input) {
  if (example.records.empty()) {
    return {
        "its example has no records — give it some texts that the format can read, so that it can "
        "be tried"};
  }
  Trial trial;
  trial.make_transform = [&] {
    return registry_.find_operator("parse")->make_transform(node.options, context());
  };
  trial.inputs = {{input, "input"}};
  const OptionValue& column = node.options.at("column");
  for (size_t i = 0; i < kEpochs; ++i)
    trial.epochs.push_back({.inputs = {records_like(example, column, input)}});
  Complaints complaints = check_contract(trial, seed_);
  for (const std::string& record : example.records) {
    StringBuilder text(Type::string());
    text.append(record);
    std::vector<ColumnPtr> columns = rows(input, 1).columns();
    if (const auto place = input->find(column.text)) columns[*place] = text.finish();
    Trial one = trial;
    one.epochs = {{.inputs = {RecordBatch(input, 1, std::move(columns))}}};
    const auto result = run_trial(one, {});
    if (!result) {
      complaints.push_back("it fails on a record of its example: " + result.error().message);
    } else if (result->counts.contains(Metric::rejected)) {
      complaints.push_back(fmt::format("it rejects a record of its own example: `{}`", record));
    }
  }
  return complaints;
}

// Read to its end, or for a while; from a middle offset again, if it can; cancelled.
Complaints PluginCheck::check_source(const RegisteredOperator& entry, const PlanNode& node) {
  const auto deadline = [] {
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    return Deadline{std::chrono::duration_cast<std::chrono::microseconds>(now).count() +
                    kReadMicroseconds};
  };
  const auto read_all = [&](std::optional<Offset> from, std::vector<Chunk>& chunks) -> Status {
    FLOWRUN_TRY(MadeSource made, entry.make_source(node.options, context()));
    FLOWRUN_TRY(SchemaPtr schema, made.source->bind());
    made.source->stop_at_end();
    FLOWRUN_RETURN_IF_ERROR(made.source->open(std::move(from)));
    for (size_t i = 0; i < kMostReads; ++i) {
      FLOWRUN_TRY(Chunk chunk, made.source->read(deadline()));
      const bool ends = chunk.mark == Chunk::Mark::stream_ends;
      if (chunk.rows.schema()) made.source->committed(chunk.offset);
      chunks.push_back(std::move(chunk));
      if (ends) break;
    }
    made.source->cancel();
    made.source->close();
    return ok_status();
  };
  std::vector<Chunk> whole;
  if (Status done = read_all({}, whole); !done) return {"it fails: " + done.error().message};
  const auto rows_behind = [](const std::vector<Chunk>& chunks, size_t first) {
    int64_t count = 0;
    for (size_t i = first; i < chunks.size(); ++i) count += chunks[i].rows.num_rows();
    return count;
  };
  if (whole.empty()) return {"it was read and gave nothing"};
  Result<MadeSource> made = entry.make_source(node.options, context());
  if (!made) return {"made again, it fails: " + made.error().message};
  const bool ended = whole.back().mark == Chunk::Mark::stream_ends;
  if (!ended || made->source->guarantee() != "replayable") return {};
  const size_t middle = whole.size() / 2;
  std::vector<Chunk> again;
  if (Status done = read_all(whole[middle].offset, again); !done)
    return {"opened at an offset of its own, it fails: " + done.error().message};
  const int64_t expected = rows_behind(whole, middle + 1);
  const int64_t got = rows_behind(again, 0);
  if (expected == got) return {};
  return {fmt::format("opened at the offset `{}` it gives {} rows, {} came behind it",
                      whole[middle].offset.text, got, expected)};
}

// Some epochs, each committed twice; then one that is given up.
Complaints PluginCheck::check_sink(const RegisteredOperator& entry, const PlanNode& node,
                                   const SchemaPtr& input) {
  const auto run = [&]() -> Status {
    FLOWRUN_TRY(std::unique_ptr<Sink> sink, entry.make_sink(node.options, context()));
    FLOWRUN_RETURN_IF_ERROR(sink->bind({.schema = input}));
    FLOWRUN_RETURN_IF_ERROR(sink->open({}));
    for (EpochId epoch = 0; epoch < static_cast<EpochId>(kEpochs); ++epoch) {
      const RecordBatch batch = rows(input, kRows);
      FLOWRUN_RETURN_IF_ERROR(sink->write(epoch, batch.slice(0, 0)));
      FLOWRUN_RETURN_IF_ERROR(sink->write(epoch, batch.slice(kRows / 2, kRows / 4)));
      FLOWRUN_TRY(const Token token, sink->prepare(epoch));
      FLOWRUN_RETURN_IF_ERROR(sink->commit(epoch, token));
      FLOWRUN_RETURN_IF_ERROR(sink->commit(epoch, token));
    }
    FLOWRUN_RETURN_IF_ERROR(sink->write(kEpochs, rows(input, 1)));
    FLOWRUN_RETURN_IF_ERROR(sink->abort(kEpochs));
    sink->cancel();
    sink->close();
    return ok_status();
  };
  const Status done = run();
  if (done) return {};
  return {"it fails on plain epochs: " + done.error().message};
}

// A column's rows as text, for comparing.
std::vector<std::string> lines_of(const ColumnPtr& column) {
  const SchemaPtr schema = Schema::make({{"value", column->type()}});
  TrialResult result;
  result.ports = {{"", schema}};
  result.outputs.push_back({.rows = RecordBatch(schema, column->size(), {column})});
  return sorted_lines(result);
}

Complaints PluginCheck::check_scalar(const Component& component) {
  const auto table = component.table<flowrun_scalar>();
  Complaints complaints;
  for (uint64_t i = 0; i < table.num_signatures; ++i) {
    const auto signature = known_part<flowrun_signature>(table.signatures[i]);
    std::vector<Field> fields;
    std::string call = component.name + "(";
    for (uint64_t a = 0; a < signature.num_arguments; ++a) {
      fields.push_back({fmt::format("x{}", a), *parse_type(signature.arguments[a])});
      call += fmt::format("{}x{}", a == 0 ? "" : ", ", a);
    }
    const SchemaPtr schema = Schema::make(std::move(fields));
    const auto bound = Binder({schema}, environment_).bind(call + ")");
    if (!bound) {
      complaints.push_back(call + "): it cannot be bound: " + bound.error().message);
      continue;
    }
    const auto value = [&](const RecordBatch& batch) { return (*bound)->evaluate(batch, {}); };
    const RecordBatch batch = rows(schema, kRows);
    const auto whole = value(batch);
    if (!whole) {
      complaints.push_back(call + "): it fails on random rows: " + whole.error().message);
      continue;
    }
    const auto part = value(batch.slice(kRows / 3, kRows / 2));
    if (!part) {
      complaints.push_back(call + "): it fails on rows at an offset: " + part.error().message);
    } else if ((table.flags & FLOWRUN_FUNCTION_NOT_DETERMINISTIC) == 0 &&
               lines_of(*part) != lines_of((*whole)->slice(kRows / 3, kRows / 2))) {
      complaints.push_back(call + "): rows at an offset give other values");
    }
    if (const auto none = value(batch.slice(0, 0)); !none)
      complaints.push_back(call + "): it fails without rows: " + none.error().message);
  }
  return complaints;
}

Complaints PluginCheck::check_aggregate(const Component& component) {
  const AggregateFunction& function = *functions_.find_aggregate(component.name);
  const auto table = component.table<flowrun_aggregate>();
  std::vector<Type> types;
  for (uint64_t a = 0; a < table.num_arguments; ++a)
    types.push_back(*parse_type(table.arguments[a]));
  const auto signature = function.resolve(types, std::vector<ColumnPtr>(types.size()));
  if (!signature) return {"it refuses its own types: " + signature.error().message};
  constexpr uint32_t kGroups = 3;
  std::vector<ColumnPtr> arguments;
  std::vector<uint32_t> groups;
  for (const Type& type : types) arguments.push_back(random_column(type, kRows, random_));
  for (int64_t i = 0; i < kRows; ++i) groups.push_back(static_cast<uint32_t>(random_() % kGroups));
  const std::vector<uint32_t> all = {0, 1, 2};
  const auto fresh = [&] {
    auto states = function.make_states(*signature, std::vector<ColumnPtr>(types.size()));
    states->resize(kGroups);
    return states;
  };
  const auto run = [&]() -> Status {
    const auto whole = fresh();
    FLOWRUN_RETURN_IF_ERROR(whole->update(groups, arguments, {}, 0));
    FLOWRUN_TRY(const ColumnPtr result, whole->result(all));
    FLOWRUN_TRY(const std::vector<ColumnPtr> saved, whole->save(all));
    const auto restored = function.make_states(*signature, std::vector<ColumnPtr>(types.size()));
    FLOWRUN_RETURN_IF_ERROR(restored->load(saved));
    FLOWRUN_TRY(const ColumnPtr again, restored->result(all));
    if (lines_of(again) != lines_of(result))
      return Error::data("saved and loaded states give another result");
    const auto merged = fresh();
    FLOWRUN_RETURN_IF_ERROR(merged->merge(all, *whole, all));
    FLOWRUN_TRY(const ColumnPtr sum, merged->result(all));
    if (lines_of(sum) != lines_of(result))
      return Error::data("states merged into empty ones give another result");
    restored->keep(std::vector<uint32_t>{2, 0});
    FLOWRUN_TRY(const ColumnPtr kept, restored->result(std::vector<uint32_t>{1}));
    if (lines_of(kept) != lines_of(result->slice(0, 1)))
      return Error::data("a group that was kept gives another result");
    FLOWRUN_TRY(const ColumnPtr empty, fresh()->result(all));
    return empty->size() == kGroups ? ok_status() : Error::data("empty groups have no result");
  };
  const Status done = run();
  return done ? Complaints{} : Complaints{done.error().message};
}

}  // namespace

int execute(const PluginCheckCommand& command) {
  Terminal terminal(Terminal::standard());
  int exit_code = kExitDone;
  for (const std::string& name : command.plugins) {
    PluginCheck check(name, command.seed);
    if (!check.loaded()) {
      terminal.line(check.loaded().error().message);
      exit_code = kExitRefused;
      continue;
    }
    std::string text;
    for (const ComponentPtr& component : check.plugin().components) {
      const Complaints complaints = check.check(*component);
      text += fmt::format("{} {} {}: {}\n", check.plugin().name,
                          component_kind_name(component->raw.kind), component->name,
                          complaints.empty() ? "whole" : "broken");
      for (const std::string& complaint : complaints) text += "  " + complaint + "\n";
      if (!complaints.empty() && exit_code == kExitDone) exit_code = kExitFailed;
    }
    if (!terminal.write(text)) return kExitFailed;
  }
  return exit_code;
}

}  // namespace flowrun
