// sink: exec. A program started at the end of each epoch, with its rows on standard input.

#include <fmt/format.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "runtime/operator/child_process.h"
#include "runtime/operator/option_specs.h"
#include "runtime/operator/record_formats.h"

namespace flowrun {

namespace {

class ExecSink final : public Sink {
 public:
  ExecSink(std::vector<std::string> command, int64_t timeout, MakeRowText make_text)
      : command_(std::move(command)), timeout_(timeout), make_text_(std::move(make_text)) {}

  Status bind(const SinkInput& input) override {
    FLOWRUN_TRY(text_, make_text_(input.schema));
    return {};
  }
  [[nodiscard]] bool accepts(OutputMode, bool) const override { return true; }
  Status open(std::optional<Token>) override { return {}; }
  Status write(EpochId, const RecordBatch& batch) override {
    if (batch.num_rows() == 0) return {};
    if (!writer_) {
      FLOWRUN_TRY(writer_, text_->make_writer());
      FLOWRUN_RETURN_IF_ERROR(writer_->begin(rows_));
    }
    return writer_->write(batch, rows_);
  }
  Result<Token> prepare(EpochId) override { return Token{}; }
  Status commit(EpochId, const Token&) override {
    if (!writer_) return {};
    Status ran = writer_->end(rows_);
    if (ran) ran = run_program(command_, rows_, wakeup_, steady_now() + timeout_);
    forget_rows();
    return ran;
  }
  Status abort(EpochId) override {
    forget_rows();
    return {};
  }
  Status probe() override { return find_program(command_[0]); }
  void cancel() override { wakeup_.signal(); }
  [[nodiscard]] bool blocking() const override { return true; }
  [[nodiscard]] int64_t default_pace(OutputMode) const override { return 1'000'000; }
  [[nodiscard]] int64_t memory_bytes() const override {
    return static_cast<int64_t>(rows_.capacity());
  }
  [[nodiscard]] std::string describe() const override { return "exec " + command_[0]; }

 private:
  void forget_rows() {
    writer_.reset();
    rows_.clear();
  }

  std::vector<std::string> command_;
  int64_t timeout_;
  MakeRowText make_text_;
  std::unique_ptr<RowText> text_;
  std::unique_ptr<RowWriter> writer_;  // of the epoch, once it has rows
  Wakeup wakeup_;
  std::string rows_;  // of the epoch
};

OperatorSpec spec() {
  using namespace option;
  OperatorSpec spec;
  spec.name = "exec";
  spec.summary = "Starts a program at the end of each epoch that has rows, and gives it the rows.";
  spec.doc =
      "The program reads the epoch's rows on its standard input, as lines in the `format` asked "
      "for; "
      "what it writes on standard output is dropped. It is started without a shell, in the folder "
      "that flowrun runs in. When it ends with anything but 0, or takes longer than `timeout`, the "
      "run fails with what it said on standard error.\n\n"
      "A pipeline file that can start programs can do whatever you can do, so this is off: "
      "`flowrun "
      "run --allow-exec` allows it, and `check` and `explain` start nothing.\n\n"
      "Under the trigger `asap` it is started once a second at most, unless `every` says "
      "otherwise. "
      "Guarantee: at most once; an epoch's rows are given to one start of the program.";
  spec.options = together({
      {required(list_of(text("command",
                             "The program and its arguments: a path, or a name that is "
                             "looked up in PATH."))),
       duration("timeout", "How long it may run for one epoch.")
           .with_default("1 minute")
           .at_least(1000)},
      row_text_option_specs(),
  });
  spec.examples = {{"A message on the desktop when there are errors",
                    "lines: { source: socket, port: 9999 }\n"
                    "errors: { from: lines, filter: \"value like '%error%'\" }\n"
                    "tell: { from: errors, sink: exec, command: [notify-send, errors came], every: "
                    "1 minute }\n"}};
  return spec;
}

Result<std::unique_ptr<Sink>> make(const Options& options, const MakeContext& context) {
  const OptionValue& command = options.at("command");
  std::vector<std::string> words = options.texts("command");
  if (words.empty() || words[0].empty()) {
    return Error::invalid("the command is empty — write a program and its arguments")
        .at(command.position);
  }
  if (!context.allow_exec) {
    return Error::invalid(
               fmt::format("`{}` is not started — `flowrun run --allow-exec` allows a pipeline to "
                           "start programs",
                           words[0]))
        .at(command.position);
  }
  FLOWRUN_TRY(MakeRowText make_text, row_text_option(options, context));
  return std::make_unique<ExecSink>(std::move(words), options.integer_or("timeout", 60'000'000),
                                    std::move(make_text));
}

}  // namespace

void register_exec_sink(Registry& registry) { registry.add_sink(spec(), make); }

}  // namespace flowrun
