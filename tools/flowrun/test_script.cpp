#include "tools/flowrun/test_script.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <limits>

#include "runtime/base/suggest.h"
#include "runtime/columnar/builder.h"
#include "runtime/config/document.h"
#include "tools/flowrun/test_rows.h"

namespace flowrun {
namespace {

bool takes_lines(const Schema& schema) {
  return schema.num_fields() == 1 && schema.field(0).type.is_string_like();
}

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    lines.emplace_back(line);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

// Gives a test's rows in place of a real source's, which it only asks for its schema.
class ScriptedSource final : public Source {
 public:
  using MakeReal = std::function<Result<std::unique_ptr<Source>>(const std::string& path)>;
  // `make_real`: makes the same source read another file; empty if it reads none.
  ScriptedSource(TestScript& script, std::string name, std::unique_ptr<Source> real,
                 MakeReal make_real)
      : script_(script),
        name_(std::move(name)),
        real_(std::move(real)),
        make_real_(std::move(make_real)) {}

  Result<SchemaPtr> bind() override {
    FLOWRUN_TRY(schema_, real_->bind());
    return schema_;
  }
  Status open(std::optional<Offset>) override { return {}; }
  Result<Chunk> read(Deadline deadline) override;
  void cancel() override {}
  [[nodiscard]] std::string describe() const override { return real_->describe(); }
  void stop_at_end() override { ends_ = true; }
  [[nodiscard]] bool marks_epochs() const override { return true; }
  [[nodiscard]] bool finite() const override { return real_->finite(); }

 private:
  Status take(const TestInput& input);
  Status take_lines(const std::vector<std::string>& lines, const std::string& origin,
                    int64_t first_line);
  Status take_file(const TestInput& input);

  TestScript& script_;
  std::string name_;
  std::unique_ptr<Source> real_;
  MakeReal make_real_;
  SchemaPtr schema_;
  bool ends_ = false;
  bool taken_ = false;  // at this time
  std::deque<Chunk> waiting_;
  int64_t rows_ = 0;  // given so far
};

Result<Chunk> ScriptedSource::read(Deadline) {
  if (!taken_) {
    for (const TestInput* input : script_.take_due(name_)) {
      if (Status taken = take(*input); !taken) return std::move(taken.error()).at(input->position);
    }
    taken_ = true;
  }
  Chunk chunk;
  if (!waiting_.empty()) {
    chunk = std::move(waiting_.front());
    waiting_.pop_front();
  }
  chunk.mark = Chunk::Mark::more;
  if (!waiting_.empty()) return chunk;
  taken_ = false;
  const bool ends = ends_ || script_.test().ends || real_->finite();
  chunk.mark =
      ends && !script_.has_more(name_) ? Chunk::Mark::stream_ends : Chunk::Mark::epoch_ends;
  return chunk;
}

Status ScriptedSource::take(const TestInput& input) {
  if (!input.file.empty()) return take_file(input);
  std::vector<std::string> texts;
  for (const RawValue& row : input.rows) {
    const bool text = row.kind == RawValue::Kind::scalar && takes_lines(*schema_);
    const bool only_value = row.kind == RawValue::Kind::map && takes_lines(*schema_) &&
                            row.keys.size() == 1 && row.keys[0].text == schema_->field(0).name;
    texts.push_back(text ? row.text : only_value ? row.items[0].text : json_of(row));
  }
  return take_lines(texts, name_, rows_ + 1);
}

Status ScriptedSource::take_lines(const std::vector<std::string>& lines, const std::string& origin,
                                  int64_t first_line) {
  if (lines.empty()) return ok_status();
  Chunk chunk;
  if (takes_lines(*schema_)) {
    StringBuilder values(schema_->field(0).type);
    for (const std::string& line : lines) values.append(line);
    const auto count = static_cast<int64_t>(lines.size());
    chunk.rows = RecordBatch(schema_, count, {values.finish()},
                             std::make_shared<const Origin>(Origin{origin, first_line}));
  } else {
    FLOWRUN_TRY(chunk.rows, read_json_rows(lines, schema_));
  }
  rows_ += chunk.rows.num_rows();
  waiting_.push_back(std::move(chunk));
  return ok_status();
}

Status ScriptedSource::take_file(const TestInput& input) {
  if (!make_real_) {
    FLOWRUN_TRY(const std::string text, read_text_file(input.file, 0));
    return take_lines(lines_of(text), input.file_written, 1);
  }
  FLOWRUN_TRY(const std::unique_ptr<Source> reader, make_real_(input.file));
  FLOWRUN_RETURN_IF_ERROR(reader->bind());
  reader->stop_at_end();
  FLOWRUN_RETURN_IF_ERROR(reader->open(std::nullopt));
  while (true) {
    FLOWRUN_TRY(Chunk chunk, reader->read(Deadline{std::numeric_limits<int64_t>::max()}));
    const bool last = chunk.mark == Chunk::Mark::stream_ends;
    rows_ += chunk.rows.num_rows();
    if (const auto& origin = chunk.rows.origin()) {
      chunk.rows = RecordBatch(
          chunk.rows.schema(), chunk.rows.num_rows(), chunk.rows.columns(),
          std::make_shared<const Origin>(Origin{input.file_written, origin->first_line}));
    }
    if (chunk.rows.num_rows() > 0 || !chunk.rejected.empty()) waiting_.push_back(std::move(chunk));
    if (last) break;
  }
  reader->close();
  return ok_status();
}

// Keeps what a real sink would be given; asks that one only what it takes.
class RecordingSink final : public Sink {
 public:
  RecordingSink(TestScript& script, std::string name, std::unique_ptr<Sink> real)
      : script_(script), record_(script.sink(name)), real_(std::move(real)) {}

  Status bind(const SinkInput& input) override {
    record_.schema = with_distinct_names(*input.schema);
    record_.mode = input.mode;
    accumulates_ = input.mode == OutputMode::complete && !input.aggregation;
    return real_->bind(input);
  }
  [[nodiscard]] bool accepts(OutputMode mode, bool aggregation) const override {
    return real_->accepts(mode, aggregation);
  }
  Status open(std::optional<Token>) override { return {}; }
  Status write(EpochId, const RecordBatch& batch) override {
    const std::vector<std::string> rows = canonical_rows(batch.with_schema(record_.schema));
    rows_.insert(rows_.end(), rows.begin(), rows.end());
    return {};
  }
  Result<Token> prepare(EpochId) override { return Token{}; }
  Status commit(EpochId, const Token&) override {
    if (!rows_.empty()) record_.turns.push_back({script_.now(), rows_});
    if (!accumulates_) rows_.clear();
    return {};
  }
  Status abort(EpochId) override {
    rows_.clear();
    return {};
  }
  [[nodiscard]] int64_t default_pace(OutputMode mode) const override {
    return real_->default_pace(mode);
  }
  [[nodiscard]] std::string describe() const override { return real_->describe(); }
  [[nodiscard]] std::vector<std::string> warnings() const override { return real_->warnings(); }

 private:
  TestScript& script_;
  SinkRecord& record_;
  std::unique_ptr<Sink> real_;
  bool accumulates_ = false;
  std::vector<std::string> rows_;
};

// Makes the file source read `path`; empty for other sources.
ScriptedSource::MakeReal reading_files(const RegisteredOperator& entry, const Options& options,
                                       const MakeContext& context) {
  if (entry.spec.name != "file") return {};
  return [make = entry.make_source, options,
          context](const std::string& path) -> Result<std::unique_ptr<Source>> {
    Options changed = options;
    OptionValue value = options.at("path");
    value.text = path;
    changed.set("path", std::move(value));
    FLOWRUN_TRY(MadeSource made, make(changed, context));
    return std::move(made.source);
  };
}

}  // namespace

std::vector<std::string> rows_in_all(const SinkRecord& record) {
  std::vector<std::string> rows;
  for (const SinkRecord::Turn& turn : record.turns) {
    if (record.mode == OutputMode::complete) rows.clear();
    rows.insert(rows.end(), turn.rows.begin(), turn.rows.end());
  }
  return rows;
}

TestScript::TestScript(const PipelineTest& test) : test_(test), clock_(test.start) {}

Registry TestScript::operators(const Registry& real) {
  Registry registry;
  registry.share_formats(real);
  for (const RegisteredOperator* entry : real.all()) {
    if (entry->make_source) {
      registry.add_source(entry->spec,
                          [this, entry = *entry](const Options& options,
                                                 const MakeContext& context) -> Result<MadeSource> {
                            FLOWRUN_TRY(MadeSource made, entry.make_source(options, context));
                            sources_.insert(context.node);
                            made.source = std::make_unique<ScriptedSource>(
                                *this, context.node, std::move(made.source),
                                reading_files(entry, options, context));
                            return made;
                          });
    } else if (entry->make_sink) {
      registry.add_sink(
          entry->spec,
          [this, make = entry->make_sink](
              const Options& options, const MakeContext& context) -> Result<std::unique_ptr<Sink>> {
            FLOWRUN_TRY(auto sink, make(options, context));
            return std::make_unique<RecordingSink>(*this, context.node, std::move(sink));
          });
    } else if (entry->make_transform) {
      registry.add_transform(entry->spec, entry->make_transform);
    } else {
      registry.add_stateful(entry->spec, entry->make_stateful);
    }
  }
  return registry;
}

EngineOptions TestScript::engine_options() {
  EngineOptions options;
  options.allow_exec = true;  // nothing is opened
  options.clock = &clock_;
  options.next_time = [this](const Moment& moment) { return next_time(moment); };
  options.on_progress = [this](const Progress& progress) { progress_ = progress; };
  return options;
}

void TestScript::check_inputs(Diagnostics& diagnostics) const {
  const std::vector<std::string> known(sources_.begin(), sources_.end());
  for (const auto& [name, position] : test_.input_positions) {
    if (sources_.contains(name)) continue;
    std::string hint = did_you_mean(name, known);
    if (hint.empty()) hint = " — there are " + back_quoted_list(known);
    diagnostics.push_back(
        {Diagnostic::Severity::error,
         "the pipeline has no source " + back_quoted(name) + " that leads to a sink" + hint, "",
         position});
  }
}

std::vector<const TestInput*> TestScript::take_due(const std::string& source) {
  const std::lock_guard lock(mutex_);
  std::vector<const TestInput*> due;
  const auto found = test_.inputs.find(source);
  if (found == test_.inputs.end()) return due;
  size_t& taken = taken_[source];
  while (taken < found->second.size() && found->second[taken].at <= now())
    due.push_back(&found->second[taken++]);
  return due;
}

bool TestScript::has_more(const std::string& source) const {
  const std::lock_guard lock(mutex_);
  const auto found = test_.inputs.find(source);
  const auto taken = taken_.find(source);
  return found != test_.inputs.end() &&
         (taken == taken_.end() ? 0 : taken->second) < found->second.size();
}

// The first tick of a period that is not before `time` and behind the last epoch.
int64_t TestScript::on_grid(int64_t time, const Moment& moment) const {
  time = std::max(time, moment.now);
  if (moment.trigger.kind != Trigger::Kind::period) return time;
  const int64_t period = moment.trigger.period;
  const int64_t tick = test_.start + (time - test_.start + period - 1) / period * period;
  return tick == moment.now && started_ ? tick + period : tick;
}

std::optional<int64_t> TestScript::next_input(const Moment& moment) const {
  const std::lock_guard lock(mutex_);
  const bool in_one = moment.trigger.kind == Trigger::Kind::once;
  std::optional<int64_t> next;
  for (const auto& [source, inputs] : test_.inputs) {
    const auto taken = taken_.find(source);
    for (size_t i = taken == taken_.end() ? 0 : taken->second; i < inputs.size(); ++i) {
      const int64_t time = test_.start + inputs[i].at;
      if (!next || (in_one ? time > *next : time < *next)) next = time;
    }
  }
  return next;
}

bool TestScript::next_time(const Moment& moment) {
  std::optional<int64_t> time = next_input(moment);
  if (time) time = on_grid(*time, moment);
  if (moment.due) {
    const int64_t due = on_grid(*moment.due, moment);
    time = time ? std::min(*time, due) : due;
  }
  // Without input there is still a first epoch, in which the sources say that they have ended.
  if (!time && !started_) time = moment.now;
  started_ = true;
  if (test_.until && (!time || *time > test_.start + *test_.until)) {
    clock_.set(std::max(moment.now, test_.start + *test_.until));
    return false;
  }
  if (!time) return false;
  clock_.set(*time);
  return true;
}

}  // namespace flowrun
