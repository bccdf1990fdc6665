// sink: file. Rows as files in a folder, a file per epoch or per several, visible only when whole.

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "runtime/format/text.h"
#include "runtime/operator/option_specs.h"
#include "runtime/operator/output_folder.h"
#include "runtime/operator/record_formats.h"

namespace flowrun {

namespace {

constexpr int64_t kPace = 1'000'000;
constexpr int64_t kDay = 86'400'000'000;  // microseconds
constexpr int64_t kManyFiles = 10'000;    // a day
constexpr std::string_view kNoValue = "__HIVE_DEFAULT_PARTITION__";
constexpr uintmax_t kLeastSpace = 1 << 20;  // bytes on the disk below which probing complains

// As Spark writes names and values of partitions into paths.
void append_path_text(std::string_view text, std::string& out) {
  constexpr std::string_view kEscaped = "\"#%'*/:=?\\\x7f{[]^";
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || kEscaped.find(c) != std::string_view::npos) {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
}

class FileSink final : public Sink {
 public:
  FileSink(OutputFolderOptions folder, Options options, MakeRowText make_text, const TimeZone& zone)
      : settings_(std::move(folder)),
        options_(std::move(options)),
        make_text_(std::move(make_text)),
        zone_(zone) {}

  Status bind(const SinkInput& input) override;
  [[nodiscard]] bool accepts(OutputMode mode, bool) const override {
    return mode == OutputMode::append;
  }
  Status open(std::optional<Token> last_committed) override {
    return folder_->open(std::move(last_committed));
  }
  Status write(EpochId epoch, const RecordBatch& batch) override;
  Result<Token> prepare(EpochId) override;
  Status commit(EpochId, const Token& token) override;
  Status abort(EpochId) override { return folder_->abort(); }
  // What cannot be made visible now is so when the folder is opened again.
  void close() override { static_cast<void>(folder_->close()); }
  Status probe() override;
  [[nodiscard]] bool blocking() const override { return true; }
  [[nodiscard]] int64_t default_pace(OutputMode) const override { return kPace; }
  [[nodiscard]] int64_t memory_bytes() const override {
    return folder_ ? folder_->memory_bytes() : 0;
  }
  [[nodiscard]] std::string describe() const override {
    return fmt::format("file {} in {}", options_.text_or("format", "json"),
                       settings_.folder.string());
  }
  [[nodiscard]] std::vector<std::string> warnings() const override;

 private:
  Status bind_partitions(const SchemaPtr& schema);
  Status write_partition(const std::string& partition, const RecordBatch& batch);
  void append_partition(const RecordBatch& batch, int64_t row, std::string& out) const;
  [[nodiscard]] RecordBatch kept_columns(const RecordBatch& batch) const;

  OutputFolderOptions settings_;
  Options options_;
  MakeRowText make_text_;
  const TimeZone& zone_;
  std::unique_ptr<RowText> text_;
  std::map<std::string, std::unique_ptr<RowWriter>> writers_;  // of the open files, by partition
  std::unique_ptr<OutputFolder> folder_;
  std::vector<size_t> partition_columns_;
  std::vector<std::string> partition_keys_;  // "name=", as in the path
  std::vector<size_t> kept_columns_;         // those that are written, if there are partitions
  SchemaPtr kept_schema_;
  int64_t pace_ = 0;
  std::string written_;  // scratch
};

Status FileSink::bind(const SinkInput& input) {
  kept_schema_ = input.schema;
  pace_ = input.pace;
  FLOWRUN_RETURN_IF_ERROR(bind_partitions(input.schema));
  FLOWRUN_TRY(text_, make_text_(kept_schema_));
  if (const OptionValue* roll = options_.find("roll"); roll && text_->has_end()) {
    return Error::invalid(
               fmt::format("a file of format {} has an end, behind which nothing can be added — "
                           "leave out `roll`; `every:` makes fewer files",
                           options_.text_or("format", "json")))
        .at(roll->position);
  }
  OutputFolderOptions settings = settings_;
  settings.extension = text_->extension();
  folder_ = std::make_unique<OutputFolder>(std::move(settings));
  return {};
}

Status FileSink::bind_partitions(const SchemaPtr& schema) {
  const OptionValue* option = options_.find("partition_by");
  if (!option) return {};
  for (const OptionValue& name : option->items) {
    auto column = schema->find(name.text);
    if (!column) return std::move(column.error()).at(name.position);
    const Field& field = schema->field(*column);
    if (field.type.is_nested() || field.type.id() == TypeId::binary) {
      return Error::invalid(fmt::format("`{}` is {}, which cannot be part of a path — partition by "
                                        "a number, a text, a date or a timestamp",
                                        field.name, field.type.ddl()))
          .at(name.position);
    }
    partition_columns_.push_back(*column);
    std::string& key = partition_keys_.emplace_back();
    append_path_text(field.name, key);
    key += '=';
  }
  std::vector<Field> kept;
  for (size_t i = 0; i < schema->num_fields(); ++i) {
    if (std::ranges::count(partition_columns_, i) > 0) continue;
    kept_columns_.push_back(i);
    kept.push_back(schema->field(i));
  }
  if (kept.empty()) {
    return Error::invalid("no column is left to be written — partition by some of them only")
        .at(option->position);
  }
  kept_schema_ = Schema::make(std::move(kept));
  return {};
}

std::vector<std::string> FileSink::warnings() const {
  const bool by_size = settings_.roll_size > 0 && settings_.roll_every == 0;
  const int64_t each = std::max(pace_, settings_.roll_every);
  if (by_size || each == 0 || kDay / each <= kManyFiles) return {};
  return {fmt::format("up to {} files a day{} — add `roll: {{ every: 1 minute }}` or `every:`",
                      kDay / each, partition_columns_.empty() ? "" : " and partition")};
}

// The folder, or the nearest one above it that is there and in which it would be made.
Status FileSink::probe() {
  namespace fs = std::filesystem;
  std::error_code ignored;
  fs::path there = fs::absolute(settings_.folder, ignored).lexically_normal();
  while (!fs::exists(there, ignored) && there.has_relative_path()) there = there.parent_path();
  if (!fs::is_directory(there, ignored))
    return Error::io(fmt::format("cannot make the folder {}: {} is no folder",
                                 settings_.folder.string(), there.string()));
  if (::access(there.c_str(), W_OK | X_OK) != 0)
    return Error::from_errno(fmt::format("cannot write to the folder {}", there.string()), errno);
  const fs::space_info space = fs::space(there, ignored);
  if (!ignored && space.available < kLeastSpace)
    return Error::io(
        fmt::format("{} is full: {} KiB are left", there.string(), space.available >> 10));
  return {};
}

Status FileSink::write(EpochId, const RecordBatch& batch) {
  if (batch.num_rows() == 0) return {};
  if (partition_columns_.empty()) return write_partition("", batch);
  std::map<std::string, std::vector<int32_t>> rows;
  std::string partition;
  for (int64_t row = 0; row < batch.num_rows(); ++row) {
    partition.clear();
    append_partition(batch, row, partition);
    rows[partition].push_back(static_cast<int32_t>(row));
  }
  const RecordBatch kept = kept_columns(batch);
  for (const auto& [path, indices] : rows)
    FLOWRUN_RETURN_IF_ERROR(write_partition(path, kept.take(indices)));
  return {};
}

RecordBatch FileSink::kept_columns(const RecordBatch& batch) const {
  std::vector<ColumnPtr> columns;
  for (const size_t column : kept_columns_) columns.push_back(batch.column(column));
  return {kept_schema_, batch.num_rows(), std::move(columns)};
}

void FileSink::append_partition(const RecordBatch& batch, int64_t row, std::string& out) const {
  std::string value;
  for (size_t i = 0; i < partition_columns_.size(); ++i) {
    const Column& column = *batch.column(partition_columns_[i]);
    value.clear();
    if (column.is_valid(row)) append_text(column, row, zone_, value);
    if (i > 0) out += '/';
    out += partition_keys_[i];
    value.empty() ? out.append(kNoValue) : (append_path_text(value, out), out);
  }
}

Status FileSink::write_partition(const std::string& partition, const RecordBatch& batch) {
  written_.clear();
  std::unique_ptr<RowWriter>& writer = writers_[partition];
  if (folder_->begins(partition)) {
    FLOWRUN_TRY(writer, text_->make_writer());
    FLOWRUN_RETURN_IF_ERROR(writer->begin(written_));
  }
  FLOWRUN_RETURN_IF_ERROR(writer->write(batch, written_));
  return folder_->write(partition, written_);
}

Result<Token> FileSink::prepare(EpochId) {
  if (text_->has_end()) {
    for (const auto& [partition, writer] : writers_) {
      written_.clear();
      FLOWRUN_RETURN_IF_ERROR(writer->end(written_));
      FLOWRUN_RETURN_IF_ERROR(folder_->write(partition, written_));
    }
    writers_.clear();
  }
  return folder_->prepare();
}

Status FileSink::commit(EpochId, const Token& token) {
  FLOWRUN_RETURN_IF_ERROR(folder_->commit(token));
  std::erase_if(writers_, [this](const auto& entry) { return folder_->begins(entry.first); });
  return {};
}

OperatorSpec spec() {
  using namespace option;
  OperatorSpec spec;
  spec.name = "file";
  spec.summary =
      "Writes files into a folder, one per epoch or per several, each visible when whole.";
  spec.doc =
      "Files are numbered: `00000000.jsonl`, `00000001.jsonl`, ... An epoch without rows makes no "
      "file. Until its epoch is committed a file has a name that begins with a dot; then it is "
      "written through to the disk and renamed. A folder that holds such files already is added "
      "to, "
      "and two sinks cannot share one.\n\n"
      "With `roll: { every: 1 minute, size: 128 MiB }` a file is added to by whole epochs, and is "
      "renamed at the end of the first epoch after that time, or that has made it so large, and "
      "when "
      "the run ends; after a crash, when the folder is opened again, it holds the epochs that were "
      "committed.\n\n"
      "With `partition_by: [day, kind]` rows go to folders `day=2026-03-01/kind=a`, as Spark's "
      "partitionBy writes them, and those columns are left out of the files. Null and the empty "
      "text "
      "are `__HIVE_DEFAULT_PARTITION__`.\n\n"
      "Compressed files (`.gz`, `.zst`) are members one after another, which tools read as one.\n\n"
      "Takes mode append only: what is in a file is never changed. Guarantee: exactly once with "
      "checkpoints; without, a crash loses the epoch that was running.\n\n"
      "Under the trigger `asap` an epoch is written once a second at most, unless `every` says "
      "otherwise. `check` warns when there may be more than 10,000 files a day.";
  spec.options = together(
      {{required(path("path", "The folder; it is made if it is not there.")),
        group("roll",
              "When a file is whole, in place of after each epoch: by time, by size, or by both, "
              "whichever comes first.",
              {duration("every", "How long a file is added to.").at_least(1000),
               bytes("size", "How large a file grows, as it stands on disk.").at_least(1)}),
        list_of(column("partition_by", "Columns whose values name folders.")),
        word("compression", {"none", "gzip", "zstd"}, "How files are packed.").with_default("none"),
        duration("keep", "Files that were last written longer ago are removed.").at_least(1000)},
       row_text_option_specs()});
  spec.examples = {
      {"A CSV file every ten seconds",
       "lines: { source: socket, port: 9999 }\n"
       "archive: { from: lines, sink: file, path: out/lines, format: csv, header: true, every: 10 "
       "seconds }\n"},
      {"A month of packed files by kind",
       "lines: { source: socket, port: 9999 }\n"
       "parsed: { from: lines, parse: json, schema: \"kind string, v double\" }\n"
       "archive: { from: parsed, sink: file, path: out/kinds, partition_by: [kind], compression: "
       "zstd, roll: { every: 10 minutes, size: 128 MiB }, keep: 30 days }\n"}};
  return spec;
}

Result<std::unique_ptr<Sink>> make(const Options& options, const MakeContext& context) {
  OutputFolderOptions settings;
  settings.folder = options.text("path");
  if (const OptionValue* given = options.find("roll")) {
    const Options roll = options.group("roll");
    settings.roll_every = roll.integer_or("every", 0);
    settings.roll_size = roll.integer_or("size", 0);
    if (roll.values().empty())
      return Error::invalid("`roll` says nothing — write `roll: { every: 1 minute }`")
          .at(given->position);
  }
  const std::string compression = options.text_or("compression", "none");
  if (compression == "gzip") settings.compression = Compression::gzip;
  if (compression == "zstd") settings.compression = Compression::zstd;
  settings.keep = options.integer_or("keep", 0);
  FLOWRUN_TRY(const TimeZone* zone, find_time_zone(context.expressions->timezone));
  FLOWRUN_TRY(MakeRowText make_text, row_text_option(options, context));
  return std::make_unique<FileSink>(std::move(settings), options, std::move(make_text), *zone);
}

}  // namespace

void register_file_sink(Registry& registry) { registry.add_sink(spec(), make); }

}  // namespace flowrun
