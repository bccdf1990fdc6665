#include "tools/flowrun/test_file.h"

#include <algorithm>
#include <filesystem>

#include "runtime/base/suggest.h"
#include "runtime/config/document.h"
#include "runtime/config/yaml_document.h"
#include "runtime/format/datetime.h"
#include "runtime/operator/option_specs.h"

namespace flowrun {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kDefaultStart = "2026-01-01 00:00:00";

OptionSpec counts(const char* name, const char* doc) {
  using namespace option;
  const OptionSpec count = integer("", "").at_least(0);
  return one_of(name, doc, {count, map_of(count, "", "")});
}

std::vector<OptionSpec> test_specs() {
  using namespace option;
  return {
      text("doc", "what is tested"),
      text("pipeline", "the pipeline, relative to this file; x.yaml for x.test.yaml"),
      text("start", "the time at which it begins, in UTC").with_default(std::string(kDefaultStart)),
      duration("until",
               "the time after the start at which it stops; when nothing is left to "
               "happen without it"),
      boolean("ends",
              "sources end after their last row, which closes windows; a single file ends "
              "in any case")
          .with_default("false"),
      list_of(text("set", "options of the pipeline to change, as node.key=value")),
      counts("rejected", "records that were rejected: in all, or by node"),
      counts("late", "rows dropped because they were late: in all, or by node"),
  };
}

const std::vector<std::string>& block_keys() {
  static const std::vector<std::string> kKeys = {"input", "expect"};
  return kKeys;
}

// Reads the parts of a test file; errors go to the diagnostics.
class Reader {
 public:
  Reader(PipelineTest& test, Diagnostics& diagnostics) : test_(test), diagnostics_(diagnostics) {}

  void read(const RawValue& root) {
    read_head(root);
    if (const RawValue* input = root.find("input")) read_inputs(*input);
    if (const RawValue* expect = root.find("expect")) read_expected(*expect);
  }

 private:
  void report(std::string message, const Position& position) {
    diagnostics_.push_back({Diagnostic::Severity::error, std::move(message), "", position});
  }
  void report(Errors& errors) {
    for (Error& error : errors) diagnostics_.push_back(make_diagnostic(std::move(error)));
    errors.clear();
  }

  // The keys that are options.
  static RawValue head_of(const RawValue& root) {
    RawValue head = RawValue::map({});
    head.position = root.position;
    for (size_t i = 0; i < root.keys.size(); ++i) {
      if (std::ranges::count(block_keys(), root.keys[i].text) > 0) continue;
      head.keys.push_back(root.keys[i]);
      head.items.push_back(root.items[i]);
    }
    return head;
  }

  void read_head(const RawValue& root) {
    Errors errors;
    const Options options =
        read_options(test_specs(), head_of(root), "a test", errors, std::span(block_keys()));
    report(errors);
    const fs::path folder = fs::path(test_.file).parent_path();
    test_.pipeline = options.has("pipeline")
                         ? (folder / options.text("pipeline")).lexically_normal().string()
                         : pipeline_of_test(test_.file);
    if (const OptionValue* until = options.find("until")) test_.until = until->integer;
    test_.ends = options.boolean_or("ends", false);
    test_.set = options.texts("set");
    test_.late = read_counts(options.find("late"));
    test_.rejected = read_counts(options.find("rejected"));
    if (!options.has("start")) return;
    const auto start = parse_timestamp(options.text("start"), TimeZone::utc());
    if (start) {
      test_.start = *start;
    } else {
      report("`start` is no time — write one such as `" + std::string(kDefaultStart) + "`",
             options.at("start").position);
    }
  }

  static ExpectedCounts read_counts(const OptionValue* value) {
    ExpectedCounts counts;
    if (!value) return counts;
    if (value->kind == OptionKind::integer) counts.in_all = {value->integer, value->position};
    for (size_t i = 0; i < value->keys.size(); ++i) {
      counts.by_node[value->keys[i].first] = {value->items[i].integer, value->items[i].position};
      counts.nodes[value->keys[i].first] = value->keys[i].second;
    }
    return counts;
  }

  int64_t read_time(const RawValue& raw) {
    Errors errors;
    const OptionValue value = read_option(option::duration("at", ""), raw, errors);
    report(errors);
    return value.integer;
  }

  static bool is_list(const RawValue& raw) { return raw.kind == RawValue::Kind::list; }

  void read_inputs(const RawValue& inputs) {
    if (inputs.kind != RawValue::Kind::map)
      return report("`input` cannot be " + inputs.shown() + " — write `source: [rows]`",
                    inputs.position);
    for (size_t i = 0; i < inputs.keys.size(); ++i) {
      const std::string& source = inputs.keys[i].text;
      std::vector<TestInput>& pieces = test_.inputs[source];
      test_.input_positions[source] = inputs.keys[i].position;
      RawValue items = inputs.items[i];
      if (!is_list(items)) items.items = {inputs.items[i]};
      for (const RawValue& item : items.items) read_input(item, pieces);
      std::ranges::stable_sort(pieces, {}, &TestInput::at);
    }
  }

  // A row, or rows or a file with their time.
  void read_input(const RawValue& item, std::vector<TestInput>& pieces) {
    const bool timed = item.kind == RawValue::Kind::map &&
                       (item.find("rows") || item.find("file")) &&
                       std::ranges::all_of(item.keys, [](const RawValue::Key& key) {
                         return key.text == "rows" || key.text == "file" || key.text == "at";
                       });
    if (!timed) {
      const bool first = pieces.empty() || !pieces.back().file.empty() || pieces.back().at != 0;
      if (first) pieces.push_back({0, {}, "", "", item.position});
      pieces.back().rows.push_back(item);
      return;
    }
    TestInput piece;
    piece.position = item.position;
    if (const RawValue* at = item.find("at")) piece.at = read_time(*at);
    if (const RawValue* rows = item.find("rows")) {
      if (!is_list(*rows))
        return report("`rows` cannot be " + rows->shown() + " — write a list", rows->position);
      piece.rows = rows->items;
    }
    if (const RawValue* file = item.find("file")) {
      const fs::path folder = fs::path(test_.file).parent_path();
      piece.file = (folder / file->text).lexically_normal().string();
      piece.file_written = file->text;
      if (!piece.rows.empty())
        return report("`rows` and `file` stand in one item — write an item for each",
                      file->position);
    }
    pieces.push_back(std::move(piece));
  }

  void read_expected(const RawValue& expect) {
    if (expect.kind != RawValue::Kind::map)
      return report("`expect` cannot be " + expect.shown() + " — write `sink: [turns]`",
                    expect.position);
    for (size_t i = 0; i < expect.keys.size(); ++i) {
      ExpectedSink sink;
      sink.sink = expect.keys[i].text;
      sink.position = expect.keys[i].position;
      const RawValue& value = expect.items[i];
      if (value.kind == RawValue::Kind::map) {
        sink.in_all = true;
        sink.turns.push_back(read_turn(value, sink));
        sink.turns.back().at.reset();
      } else if (is_list(value)) {
        for (const RawValue& turn : value.items) sink.turns.push_back(read_turn(turn, sink));
      } else {
        report("a sink's rows cannot be " + value.shown() +
                   " — write `{ rows: [...] }`, or a list of `{ at: TIME, rows: [...] }`",
               sink.position);
      }
      test_.expected.push_back(std::move(sink));
    }
  }

  ExpectedTurn read_turn(const RawValue& raw, ExpectedSink& sink) {
    static const std::vector<std::string> kKeys = {"at", "rows", "in_order"};
    ExpectedTurn turn;
    turn.position = raw.position;
    if (raw.kind != RawValue::Kind::map) {
      report("a turn cannot be " + raw.shown() + " — write `{ at: TIME, rows: [...] }`",
             raw.position);
      return turn;
    }
    for (size_t i = 0; i < raw.keys.size(); ++i) {
      const RawValue& value = raw.items[i];
      const std::string& key = raw.keys[i].text;
      if (key == "at") {
        turn.at = read_time(value);
      } else if (key == "in_order") {
        Errors errors;
        sink.in_order = read_option(option::boolean("in_order", ""), value, errors).boolean;
        report(errors);
      } else if (key != "rows") {
        report("there is no " + back_quoted(key) + " here" + did_you_mean(key, kKeys),
               raw.keys[i].position);
      } else if (is_list(value)) {
        turn.rows = value.items;
      } else {
        report("`rows` cannot be " + value.shown() + " — write a list", value.position);
      }
    }
    return turn;
  }

  PipelineTest& test_;
  Diagnostics& diagnostics_;
};

}  // namespace

std::string pipeline_of_test(const std::string& test_file) {
  std::string path = test_file;
  if (path.ends_with(kTestSuffix)) path.resize(path.size() - kTestSuffix.size());
  return path + ".yaml";
}

std::optional<PipelineTest> read_pipeline_test(const std::string& path, Diagnostics& diagnostics,
                                               SourceTexts& sources) {
  const YamlLimits limits;
  const auto file = std::make_shared<const std::string>(path);
  Result<std::string> text = read_text_file(path, limits.bytes);
  if (text) text = clean_yaml_text(std::move(*text), file, limits);
  if (!text) {
    diagnostics.push_back(make_diagnostic(std::move(text.error())));
    return std::nullopt;
  }
  sources.add(path, *text);
  return parse_pipeline_test(path, *text, diagnostics);
}

std::optional<PipelineTest> parse_pipeline_test(const std::string& path, const std::string& text,
                                                Diagnostics& diagnostics) {
  const auto file = std::make_shared<const std::string>(path);
  PipelineTest test;
  test.file = path;
  test.text = text;
  RawValue root = read_yaml(text, file, diagnostics);
  if (has_errors(diagnostics)) return std::nullopt;
  root.position = {file, 1, 1, 0};
  if (root.kind == RawValue::Kind::empty) {
    root.kind = RawValue::Kind::map;
  } else if (root.kind != RawValue::Kind::map) {
    diagnostics.push_back({Diagnostic::Severity::error,
                           "a test is a mapping with `input:` and `expect:`, not " + root.shown(),
                           "", root.position});
    return std::nullopt;
  }
  Reader(test, diagnostics).read(root);
  if (has_errors(diagnostics)) return std::nullopt;
  return test;
}

}  // namespace flowrun
