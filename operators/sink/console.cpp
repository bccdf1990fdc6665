// sink: console. Results on the terminal, in Spark's frames or as JSON lines.

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "runtime/format/datetime.h"
#include "runtime/format/show.h"
#include "runtime/operator/option_specs.h"
#include "runtime/operator/record_formats.h"

namespace flowrun {

namespace {

constexpr int64_t kPace = 1'000'000;

struct Appearance {
  ShowOptions show;
  bool json = false;  // a line per row, in place of frames
  std::string title;  // stands above each frame; empty: nothing does
};

class ConsoleSink final : public Sink {
 public:
  ConsoleSink(Appearance appearance, MakeRowText make_text, const TimeZone& zone, Output& output)
      : appearance_(std::move(appearance)),
        make_text_(std::move(make_text)),
        zone_(zone),
        output_(output) {}

  Status bind(const SinkInput& input) override {
    schema_ = input.schema;
    mode_ = input.mode;
    accumulates_ = mode_ == OutputMode::complete && !input.aggregation;
    if (make_text_) {
      FLOWRUN_TRY(lines_, make_text_(schema_));
    } else if (appearance_.json) {
      lines_ = make_json_text(schema_, {.ignore_null_fields = false, .zone = &zone_});
    }
    return {};
  }
  // What a plugin's format writes is one text from the first row to the last: no result is printed
  // twice in it.
  [[nodiscard]] bool accepts(OutputMode mode, bool) const override {
    return !make_text_ || mode != OutputMode::complete;
  }
  Status open(std::optional<Token> last_committed) override;
  Status write(EpochId epoch, const RecordBatch& batch) override;
  Result<Token> prepare(EpochId) override {
    prepared_ = true;
    return Token{std::to_string(next_frame_ + 1)};
  }
  Status commit(EpochId epoch, const Token&) override;
  Status abort(EpochId) override {
    forget_rows();
    writer_.reset();
    return {};
  }
  // Nobody is left to be told that the last words did not get through.
  void close() override {
    if (!writer_ || !lines_->has_end() || !writer_->end(text_)) return;
    static_cast<void>(output_.write(text_));
  }

  [[nodiscard]] int64_t default_pace(OutputMode) const override { return kPace; }
  [[nodiscard]] int64_t memory_bytes() const override {
    return bytes_.load(std::memory_order_relaxed);
  }
  [[nodiscard]] std::vector<std::string> warnings() const override {
    if (!accumulates_ || !appearance_.json) return {};
    return {"prints the whole result each time, which grows with every row — use mode append"};
  }
  [[nodiscard]] std::string describe() const override {
    return fmt::format("console, {}", output_mode_name(mode_));
  }

 private:
  void forget_rows() {
    text_.clear();
    rows_.clear();
    num_rows_ = 0;
  }
  Status append_lines(const RecordBatch& batch);
  [[nodiscard]] std::string frame() const;

  Appearance appearance_;
  MakeRowText make_text_;  // empty: frames, or JSON
  const TimeZone& zone_;
  Output& output_;
  SchemaPtr schema_;
  OutputMode mode_ = OutputMode::append;
  bool accumulates_ = false;       // the result so far is what came so far
  std::vector<RecordBatch> rows_;  // as many as a frame shows, and one more
  int64_t num_rows_ = 0;
  std::unique_ptr<RowText> lines_;  // null: frames
  std::unique_ptr<RowWriter> writer_;
  std::string text_;    // the rows as lines
  EpochId epoch_ = -1;  // that the rows are of
  bool prepared_ = false;
  int64_t next_frame_ = 0;  // frames are numbered by what was printed, as Spark numbers batches
  std::atomic<int64_t> bytes_{0};
};

Status ConsoleSink::open(std::optional<Token> last_committed) {
  if (!last_committed) return {};
  const std::string& text = last_committed->text;
  std::from_chars(text.data(), text.data() + text.size(), next_frame_);
  return {};
}

Status ConsoleSink::write(EpochId epoch, const RecordBatch& batch) {
  if (mode_ == OutputMode::complete && !accumulates_ && epoch != epoch_) {
    forget_rows();
  }
  epoch_ = epoch;
  if (lines_) return append_lines(batch);
  const int64_t wanted = std::min(batch.num_rows(), appearance_.show.rows + 1 - num_rows_);
  if (wanted <= 0) return {};
  rows_.push_back(batch.slice(0, wanted));
  num_rows_ += wanted;
  return {};
}

Status ConsoleSink::append_lines(const RecordBatch& batch) {
  if (!writer_) {
    FLOWRUN_TRY(writer_, lines_->make_writer());
    FLOWRUN_RETURN_IF_ERROR(writer_->begin(text_));
  }
  FLOWRUN_RETURN_IF_ERROR(writer_->write(batch, text_));
  bytes_.store(std::ssize(text_), std::memory_order_relaxed);
  return {};
}

Status ConsoleSink::commit(EpochId epoch, const Token&) {
  // What was committed before a restart was printed then.
  if (!std::exchange(prepared_, false)) return {};
  const bool complete = mode_ == OutputMode::complete;
  if (complete && !accumulates_ && epoch != epoch_) forget_rows();
  if (lines_) {
    const std::string lines = accumulates_ ? text_ : std::exchange(text_, {});
    return lines.empty() ? Status() : output_.write(lines);
  }
  // As in Spark no batch is run when nothing came; a complete result is shown even if it is empty.
  if (!complete && rows_.empty()) return {};
  const std::string text = frame();
  ++next_frame_;
  if (!accumulates_) forget_rows();
  return output_.write(text);
}

std::string ConsoleSink::frame() const {
  std::string text = appearance_.title;
  text += batch_header(next_frame_);
  RecordBatch batch;
  if (rows_.empty()) {
    std::vector<ColumnPtr> columns;
    for (const Field& field : schema_->fields()) columns.push_back(null_column(field.type, 0));
    batch = RecordBatch(schema_, 0, std::move(columns));
  } else {
    batch = concatenate(std::span<const RecordBatch>(rows_));
  }
  text += show_frame(batch, appearance_.show, zone_);
  return text;
}

OperatorSpec spec() {
  using namespace option;
  OperatorSpec spec;
  spec.name = "console";
  spec.summary = "Prints results on standard output, in Spark's frames.";
  spec.doc =
      "Each frame has its number, counted from 0 by what this sink has "
      "printed. In append and update nothing is "
      "printed for an epoch without rows; in complete the result is printed "
      "each time. Frames of several console "
      "sinks never interleave, and each then has the node's name above it.\n\n"
      "Under the trigger `asap` a frame is printed once a second at most, "
      "unless `every` says otherwise.";
  spec.options = {
      integer("rows", "So many rows of a frame are shown.").with_default("20").at_least(0),
      rows("truncate", "Longer cells are cut to so many characters; false: they are not.")
          .with_default("20"),
      word("format", {"table", "json"}, "table: frames; json: every row as a line.")
          .with_default("table")
          .naming(NameRole::row_format),
      boolean("vertical", "One line per value, for rows that are too wide.").with_default("false"),
  };
  spec.examples = {
      {"Lines as they come, uncut, every three seconds",
       "lines: { source: socket, port: 9999 }\n"
       "screen: { from: lines, sink: console, truncate: false, every: 3 "
       "seconds }\n"},
  };
  return spec;
}

Result<std::unique_ptr<Sink>> make(const Options& options, const MakeContext& context) {
  Appearance appearance;
  appearance.show.rows = options.integer_or("rows", appearance.show.rows);
  appearance.show.truncate = options.integer_or("truncate", appearance.show.truncate);
  appearance.json = options.text_or("format", "table") == "json";
  appearance.show.vertical = options.boolean_or("vertical", false);
  if (context.console_is_shared) appearance.title = context.node + "\n";
  FLOWRUN_TRY(const TimeZone* zone, find_time_zone(context.expressions->timezone));
  MakeRowText make_text;
  if (plugged_format(options.text_or("format", "table"), context)) {
    FLOWRUN_TRY(make_text, row_text_option(options, context));
  }
  return std::make_unique<ConsoleSink>(std::move(appearance), std::move(make_text), *zone,
                                       *context.console);
}

}  // namespace

void register_console_sink(Registry& registry) { registry.add_sink(spec(), make); }

}  // namespace flowrun
