#include "tools/flowrun/plugin_templates.h"

#include "runtime/base/check.h"

namespace flowrun {

const std::string_view kPluginCMake = R"(cmake_minimum_required(VERSION 3.20)
project(@name@ LANGUAGES CXX)
set(CMAKE_CXX_STANDARD 17)

find_package(flowrun REQUIRED)
flowrun_add_plugin(@name@ @name@.cpp)

enable_testing()
add_test(NAME check COMMAND ${FLOWRUN_COMMAND} plugin check $<TARGET_FILE:@name@>)
add_test(NAME pipeline COMMAND ${CMAKE_COMMAND} -DFLOWRUN=${FLOWRUN_COMMAND} -DPLUGIN=$<TARGET_FILE:@name@>
  -P ${CMAKE_CURRENT_SOURCE_DIR}/test/compare.cmake)
)";

const std::string_view kPluginInput = R"({"k": "a", "x": 1.5}
{"k": "b", "x": 2}
{"k": "a"}
)";

const std::string_view kPluginCompare = R"(# What the pipeline prints must be expected.jsonl.
execute_process(COMMAND ${FLOWRUN} run --quiet --plugin ${PLUGIN} ${CMAKE_CURRENT_LIST_DIR}/pipeline.yaml
  OUTPUT_VARIABLE printed RESULT_VARIABLE code)
file(READ ${CMAKE_CURRENT_LIST_DIR}/expected.jsonl expected)
if(NOT code EQUAL 0 OR NOT printed STREQUAL expected)
  message(FATAL_ERROR "exit code ${code}; printed\n${printed}expected\n${expected}")
endif()
)";

namespace {

constexpr PluginTemplate kTransform = {R"(#include <flowrun/plugin.hpp>

using namespace flowrun::plugin;

namespace {

class @Class@ final : public Transform {
 public:
  static Spec spec() {
    return Spec("@name@", "Adds a column twice as large as another.")
        .primary(column("@name@", "The column that is doubled; a double.").required())
        .example("Twice as much", "doubled: { from: numbers, @name@: x }", "k STRING, x DOUBLE");
  }
  explicit @Class@(const Options& options) : name_(options.text("@name@")) {}

  Schema bind(const Schema& input) override {
    column_ = input.find(name_, types::double_(), "@name@");
    return input.with({"@name@", types::double_()});
  }

  void apply(Batch batch, const Epoch&, Emitter& out) const override {
    const auto values = batch.values<double>(column_);
    Builder<double> doubled(batch.num_rows());
    for (int64_t row = 0; row < batch.num_rows(); ++row) {
      if (values.is_null(row)) {
        doubled.append_null();
      } else {
        doubled.append(2 * values[row]);
      }
    }
    batch.add(doubled.finish());
    out.emit(std::move(batch));
  }

 private:
  std::string name_;
  size_t column_ = 0;
};

}  // namespace

FLOWRUN_PLUGIN("@name@", "0.1.0", transform<@Class@>())
)",
                                       R"(name: @name@
trigger: available_now
nodes:
  numbers: { source: file, path: input.jsonl, format: json, schema: "k string, x double" }
  changed: { from: numbers, @name@: x }
  screen: { from: changed, sink: console, format: json }
)",
                                       R"({"k":"a","x":1.5,"@name@":3.0}
{"k":"b","x":2.0,"@name@":4.0}
{"k":"a","x":null,"@name@":null}
)"};

constexpr PluginTemplate kStateful = {R"(#include <flowrun/plugin.hpp>
#include <map>
#include <string>

using namespace flowrun::plugin;

namespace {

class @Class@ final : public Stateful {
 public:
  static Spec spec() {
    return Spec("@name@", "Numbers the rows of each key.")
        .primary(column("@name@", "The key; a string.").required())
        .example("Numbered", "numbered: { from: numbers, @name@: k }", "k STRING, x DOUBLE");
  }
  explicit @Class@(const Options& options) : name_(options.text("@name@")) {}

  Schema bind(const Schema& input) override {
    column_ = input.find(name_, types::string(), "@name@");
    return input.with({"@name@", types::bigint()});
  }

  void process(Batch batch, const Epoch&, Emitter& out) override {
    const auto keys = batch.values<std::string_view>(column_);
    Builder<int64_t> numbers(batch.num_rows());
    for (int64_t row = 0; row < batch.num_rows(); ++row)
      numbers.append(++counts_[keys.is_null(row) ? std::string() : std::string(keys[row])]);
    batch.add(numbers.finish());
    out.emit(std::move(batch));
  }

  void save(Writer& writer) const override {
    Builder<std::string_view> keys;
    Builder<int64_t> counts;
    for (const auto& [key, count] : counts_) {
      keys.append(key);
      counts.append(count);
    }
    writer.write("keys", {{"key", types::string()}, {"count", types::bigint()}},
                 Batch({keys.finish(), counts.finish()}));
  }
  void load(Reader& reader) override {
    reader.read("keys", [this](const Batch& rows) {
      for (int64_t i = 0; i < rows.num_rows(); ++i)
        counts_[std::string(rows.values<std::string_view>(0)[i])] = rows.values<int64_t>(1)[i];
    });
  }
  int64_t state_rows() const override { return static_cast<int64_t>(counts_.size()); }

 private:
  std::string name_;
  size_t column_ = 0;
  std::map<std::string, int64_t> counts_;
};

}  // namespace

FLOWRUN_PLUGIN("@name@", "0.1.0", stateful<@Class@>("one row per key, no bound but the number of keys"))
)",
                                      R"(name: @name@
trigger: available_now
nodes:
  numbers: { source: file, path: input.jsonl, format: json, schema: "k string, x double" }
  numbered: { from: numbers, @name@: k }
  screen: { from: numbered, sink: console, format: json }
)",
                                      R"({"k":"a","x":1.5,"@name@":1}
{"k":"b","x":2.0,"@name@":1}
{"k":"a","x":null,"@name@":2}
)"};

constexpr PluginTemplate kSource = {R"(#include <flowrun/plugin.hpp>
#include <string>

using namespace flowrun::plugin;

namespace {

class @Class@ final : public Source {
 public:
  static Spec spec() {
    return Spec("@name@", "Counts up to a number.")
        .option(integer("up_to", "The last number.").required().at_least(0))
        .example("Three numbers", "numbers: { source: @name@, up_to: 3 }", "");
  }
  explicit @Class@(const Options& options) : last_(options.integer("up_to")) {}

  Schema bind() override { return {{"n", types::bigint()}}; }
  void open(std::optional<std::string> offset) override { next_ = offset ? std::stoll(*offset) : 1; }
  Chunk read(int64_t) override {
    Builder<int64_t> numbers;
    while (next_ <= last_ && numbers.size() < 1000) numbers.append(next_++);
    Chunk chunk;
    chunk.mark = next_ > last_ ? FLOWRUN_STREAM_ENDS : FLOWRUN_MORE;
    chunk.rows = Batch({numbers.finish()});
    chunk.offset = std::to_string(next_);
    return chunk;
  }

 private:
  int64_t last_;
  int64_t next_ = 1;
};

}  // namespace

FLOWRUN_PLUGIN("@name@", "0.1.0", source<@Class@>(FLOWRUN_SOURCE_REPLAYABLE | FLOWRUN_SOURCE_FINITE))
)",
                                    R"(name: @name@
trigger: available_now
nodes:
  numbers: { source: @name@, up_to: 3 }
  screen: { from: numbers, sink: console, format: json }
)",
                                    R"({"n":1}
{"n":2}
{"n":3}
)"};

constexpr PluginTemplate kSink = {R"(#include <flowrun/plugin.hpp>
#include <cstdio>
#include <string>

using namespace flowrun::plugin;

namespace {

// Prints how many rows each epoch had. commit may come again after a restart: it must then change nothing.
class @Class@ final : public Sink {
 public:
  static Spec spec() {
    return Spec("@name@", "Prints how many rows came.")
        .example("How many", "total: { from: numbers, sink: @name@ }", "k STRING, x DOUBLE");
  }
  explicit @Class@(const Options&) {}

  void bind(const Schema&, const flowrun_sink_input&) override {}
  void open(std::optional<std::string>) override {}
  void write(int64_t, const Batch& batch) override { rows_ += batch.num_rows(); }
  std::string prepare(int64_t) override { return std::to_string(rows_); }
  void commit(int64_t, const std::string& token) override {
    if (rows_ == 0) return;
    std::printf("{\"rows\":%s}\n", token.c_str());
    rows_ = 0;
  }
  void abort(int64_t) override { rows_ = 0; }
  void close() override { std::fflush(stdout); }

 private:
  int64_t rows_ = 0;
};

}  // namespace

FLOWRUN_PLUGIN("@name@", "0.1.0", sink<@Class@>())
)",
                                  R"(name: @name@
trigger: available_now
nodes:
  numbers: { source: file, path: input.jsonl, format: json, schema: "k string, x double" }
  total: { from: numbers, sink: @name@ }
)",
                                  R"({"rows":3}
)"};

constexpr PluginTemplate kFunction = {R"(#include <flowrun/plugin.hpp>

FLOWRUN_PLUGIN("@name@", "0.1.0",
               function("@name@", "@name@(x): twice x.", [](double x) { return 2 * x; }))
)",
                                      R"(name: @name@
trigger: available_now
nodes:
  numbers: { source: file, path: input.jsonl, format: json, schema: "k string, x double" }
  changed: { from: numbers, select: ["@name@(x) as y"] }
  screen: { from: changed, sink: console, format: json }
)",
                                      R"({"y":3.0}
{"y":4.0}
{"y":null}
)"};

constexpr PluginTemplate kFormat = {R"(#include <algorithm>
#include <flowrun/plugin.hpp>
#include <memory>
#include <string>
#include <string_view>

using namespace flowrun::plugin;

namespace {

// A row as a line.
class @Class@Writer final : public RowWriter {
 public:
  @Class@Writer(Schema columns, std::string null_text)
      : columns_(std::move(columns)), null_text_(std::move(null_text)) {
    BatchTexts::check(columns_);  // throws for a type that it does not write
  }

  void write(const Batch& batch, std::string& out) override {
    const BatchTexts texts(columns_, batch);
    for (int64_t row = 0; row < batch.num_rows(); ++row) {
      for (size_t column = 0; column < columns_.size(); ++column) {
        if (column > 0) out += '|';
        append_value(texts, column, row, out);
      }
      out += '\n';
    }
  }

 private:
  void append_value(const BatchTexts& texts, size_t column, int64_t row, std::string& out) const {
    if (texts.is_null(column, row)) {
      out += null_text_;
      return;
    }
    std::string value;
    texts.append(column, row, value);
    if (value == null_text_ || value.find_first_of("|\n\r") != std::string::npos)
      throw Error::data("`" + value + "` cannot be written — a bar or a line end would part it");
    out += value;
  }

  Schema columns_;
  std::string null_text_;
};

// Values in the order of the columns, with a bar between two: a|1.5
class @Class@ final : public Format {
 public:
  static Spec spec() {
    return Spec("@name@", "Values parted by bars.")
        .option(text("null_text", "What stands for null.").with_default("-"))
        .example("Two values", "read: { from: lines, parse: @name@, schema: \"k string, x double\" }",
                 "value STRING", {"a|1.5", "b|-"});
  }
  explicit @Class@(const Options& options) : null_text_(options.text("null_text")) {}

  void bind(const Schema& columns) override {
    static_cast<void>(TextRows(columns));  // throws for a type that it does not read
    columns_ = columns;
  }

  RecordRows read(const Values<std::string_view>& records, const std::vector<bool>&) const override {
    RecordRows out;
    TextRows rows(columns_);
    for (int64_t i = 0; i < records.size(); ++i) {
      const std::string wrong = records.is_null(i) ? "" : read_record(records[i], rows);
      if (!wrong.empty()) out.bad.push_back({i, wrong});
      rows.end_row();  // null where nothing was set
    }
    out.rows = rows.finish();
    return out;
  }

  // Without it the format only reads; one that only writes has it and derives from nothing.
  std::unique_ptr<@Class@Writer> make_writer(const Schema& columns) const {
    return std::make_unique<@Class@Writer>(columns, null_text_);
  }

 private:
  // What is wrong with it; empty if nothing is.
  std::string read_record(std::string_view record, TextRows& row) const {
    std::string wrong;
    for (size_t column = 0; column < columns_.size(); ++column) {
      const std::string_view text = record.substr(0, record.find('|'));
      if (text != null_text_ && !row.set(column, text))
        wrong = "`" + std::string(text) + "` is no value of column `" + columns_[column].name + "`";
      if (text.size() == record.size() && column + 1 < columns_.size()) return "it has too few values";
      record.remove_prefix(std::min(text.size() + 1, record.size()));
    }
    return wrong;
  }

  std::string null_text_;
  Schema columns_;
};

}  // namespace

FLOWRUN_PLUGIN("@name@", "0.1.0", format<@Class@>())
)",
                                    R"(name: @name@
trigger: available_now
nodes:
  numbers: { source: file, path: input.jsonl, format: json, schema: "k string, x double" }
  lines: { from: numbers, select: ["concat_ws('|', k, coalesce(x, '-')) as value"] }
  read: { from: lines, parse: @name@, schema: "k string, x double" }
  screen: { from: read, sink: console, format: @name@ }
)",
                                    R"(a|1.5
b|2
a|-
)"};

}  // namespace

const PluginTemplate& plugin_template(std::string_view kind) {
  if (kind == "transform") return kTransform;
  if (kind == "stateful") return kStateful;
  if (kind == "source") return kSource;
  if (kind == "sink") return kSink;
  if (kind == "format") return kFormat;
  FLOWRUN_CHECK(kind == "function", "a kind that the command line lets through");
  return kFunction;
}

}  // namespace flowrun
