// source: file. One file, or the files of a watched folder, as lines of text or as records.

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <deque>
#include <memory>
#include <utility>
#include <vector>

#include "runtime/format/csv_reader.h"
#include "runtime/operator/decode.h"
#include "runtime/operator/option_specs.h"
#include "runtime/operator/reader_options.h"
#include "runtime/operator/record_formats.h"
#include "runtime/operator/table_reader.h"
#include "runtime/operator/text_file.h"
#include "runtime/operator/watched_folder.h"

namespace flowrun {

namespace {

constexpr int64_t kLookPause = 100'000;  // between two looks at a folder, microseconds

OperatorSpec spec() {
  using namespace option;
  return {
      .name = "file",
      .kind = OperatorKind::source,
      .summary = "Reads a file, or the files that come into a folder",
      .doc =
          "A file is read once, to its end. A folder is watched for ever; its files are taken in "
          "the stated "
          "order, `max_files` to an epoch, sub-folders left out. Files whose names begin with `.` "
          "or `_` or end "
          "with `.tmp` are left alone, and so is one that is still being written: write elsewhere "
          "and rename. "
          "Replayable: after a restart reading goes on behind the last record of the last "
          "checkpoint. A file "
          "that comes into a folder out of order, before one already read, is read only while the "
          "run lasts.",
      .options = together(
          {{
               required(path("path", "a file or a folder")),
               word("format", {"text", "json", "csv"}, "text gives one column `value`")
                   .with_default("text")
                   .naming(NameRole::record_format),
               schema("schema",
                      "names and types of the columns; inferred or all strings without it"),
               integer("max_files", "files an epoch takes").with_default("1").at_least(1),
               word("order", {"name", "time"}, "which file of a folder comes first")
                   .with_default("name"),
               one_of("after",
                      "what becomes of a file of a folder once its rows are durable downstream",
                      {word("", {"keep", "delete"}, "left or removed"),
                       group("", "", {required(path("archive", "the folder it is moved to"))})}),
           },
           reader_option_specs()}),
      .ports = {"errors"},
      .examples = {{"Records of a folder, ten files at a time", R"(
readings:
  source: file
  path: in
  format: json
  schema: { id: bigint, v: double }
  max_files: 10
  after: { archive: done }
screen: { from: readings, sink: console }
)"}},
  };
}

struct FileSourceOptions {
  std::string path;
  int64_t max_files = 1;
  FileOrder order = FileOrder::name;
  bool remove = false;
  std::string archive;  // empty: none
  TextFileOptions text;
  RecordFormat format;
  SchemaPtr header_schema;  // of csv with a header that is checked or skipped; null otherwise
};

// Where reading stands: so many files are done, the last in order is `last`; `current` is read up
// to `byte`.
struct FilePlace {
  int64_t files = 0;
  FolderFile last;
  std::string current;
  int64_t byte = 0;
  int64_t line = 1;

  // Names hold no "/".
  [[nodiscard]] std::string text() const {
    return fmt::format("{}/{}/{}/{}/{}/{}", files, byte, line, last.modified, last.name, current);
  }
  static std::optional<FilePlace> parse(const std::string& text);
};

std::optional<FilePlace> FilePlace::parse(const std::string& text) {
  FilePlace place;
  size_t at = 0;
  const auto number = [&](int64_t& value) {
    const auto [end, error] = std::from_chars(text.data() + at, text.data() + text.size(), value);
    at = static_cast<size_t>(end - text.data());
    return error == std::errc() && at < text.size() && text[at++] == '/';
  };
  if (!number(place.files) || !number(place.byte) || !number(place.line) ||
      !number(place.last.modified)) {
    return std::nullopt;
  }
  const size_t name_end = text.find('/', at);
  if (name_end == std::string::npos) return std::nullopt;
  place.last.name = text.substr(at, name_end - at);
  place.current = text.substr(name_end + 1);
  return place;
}

class FileSource final : public Source {
 public:
  explicit FileSource(FileSourceOptions options)
      : options_(std::move(options)),
        schema_(Schema::make({{"value", Type::string()}})),
        folder_(options_.path, options_.order) {
    struct stat status {};
    is_folder_ = stat(options_.path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
  }

  Result<SchemaPtr> bind() override { return schema_; }
  Status open(std::optional<Offset> offset) override;
  Result<Chunk> read(Deadline deadline) override;
  void committed(const Offset& offset) override;
  void cancel() override { wakeup_.signal(); }
  void close() override { file_.reset(); }
  Status probe() override {
    const int rights = is_folder_ ? R_OK | X_OK : R_OK;
    if (::access(options_.path.c_str(), rights) == 0) return {};
    return Error::from_errno("cannot read " + options_.path, errno);
  }
  void stop_at_end() override { stops_at_end_ = true; }

  [[nodiscard]] std::string describe() const override {
    return fmt::format("{} {}", is_folder_ ? "folder" : "file", options_.path);
  }
  [[nodiscard]] bool marks_epochs() const override { return is_folder_; }
  [[nodiscard]] bool finite() const override { return !is_folder_; }
  [[nodiscard]] std::string guarantee() const override { return "replayable"; }

 private:
  Status open_file(const FolderFile& file, int64_t byte, int64_t line);
  Result<bool> next_file(int64_t deadline);
  Result<Chunk> read_block();
  Status check_unchanged();
  void finish_file(Chunk& chunk);
  [[nodiscard]] bool nothing_left() const {
    return !is_folder_ || (stops_at_end_ && folder_.empty());
  }
  [[nodiscard]] Chunk empty_chunk(Chunk::Mark mark) const {
    Chunk chunk;
    chunk.offset = {place_.text()};
    chunk.mark = mark;
    return chunk;
  }

  FileSourceOptions options_;
  SchemaPtr schema_;
  WatchedFolder folder_;
  bool is_folder_ = false;
  bool stops_at_end_ = false;
  bool looked_ = false;
  Wakeup wakeup_;
  FilePlace place_;
  FolderFile current_;
  std::string current_path_;
  std::optional<TextFile> file_;
  bool header_wanted_ = false;
  bool ended_ = false;
  int64_t files_in_epoch_ = 0;
  struct Done {
    int64_t number;
    std::string name;
  };
  std::deque<Done> done_;  // files read, not yet known to be durable downstream
};

Status FileSource::open(std::optional<Offset> offset) {
  if (wakeup_.signalled()) return Error::cancelled();
  if (offset) {
    auto place = FilePlace::parse(offset->text);
    if (!place) return Error::io(fmt::format("not an offset of {}: {}", describe(), offset->text));
    place_ = std::move(*place);
  }
  if (is_folder_) {
    folder_.taken_until(place_.last);
    return place_.current.empty()
               ? ok_status()
               : open_file(folder_.taken(place_.current), place_.byte, place_.line);
  }
  ended_ = place_.files > 0;
  return ended_ ? ok_status() : open_file({}, place_.byte, place_.line);
}

Status FileSource::open_file(const FolderFile& file, int64_t byte, int64_t line) {
  current_ = file;
  current_path_ = is_folder_ ? options_.path + "/" + file.name : options_.path;
  FLOWRUN_TRY(file_, TextFile::open(current_path_, options_.text));
  header_wanted_ = options_.header_schema && byte == 0;
  place_.current = file.name;
  return file_->seek(byte, line);
}

Result<Chunk> FileSource::read(Deadline deadline) {
  if (wakeup_.signalled()) return Error::cancelled();
  if (ended_) return empty_chunk(Chunk::Mark::stream_ends);
  if (!file_) {
    FLOWRUN_TRY(const bool found, next_file(deadline.monotonic));
    if (!found) return empty_chunk(stops_at_end_ ? Chunk::Mark::stream_ends : Chunk::Mark::idle);
  }
  return read_block();
}

// Opens the next file of the folder; false if the deadline passed first, or nothing is left.
Result<bool> FileSource::next_file(int64_t deadline) {
  while (folder_.empty()) {
    if (stops_at_end_ && looked_) {
      ended_ = true;
      return false;
    }
    FLOWRUN_RETURN_IF_ERROR(folder_.look(stops_at_end_));
    looked_ = true;
    if (!folder_.empty() || stops_at_end_) continue;
    if (steady_now() >= deadline) return false;
    pollfd wait{wakeup_.fd(), POLLIN, 0};
    if (poll(&wait, 1, poll_timeout(std::min(deadline, steady_now() + kLookPause))) > 0)
      return Error::cancelled();
  }
  FLOWRUN_RETURN_IF_ERROR(open_file(folder_.take(), 0, 1));
  return true;
}

Result<Chunk> FileSource::read_block() {
  FLOWRUN_TRY(TextFile::Block block, file_->next());
  Chunk chunk;
  chunk.bytes = block.bytes;
  if (header_wanted_) {
    FLOWRUN_RETURN_IF_ERROR(
        drop_header(block, *options_.header_schema, options_.format.csv, header_wanted_));
  }
  for (TextFile::TooLong& record : block.too_long) {
    chunk.rejected.push_back(
        {current_path_, fmt::format("line {}", record.line),
         fmt::format("a record is longer than max_record ({} bytes)", options_.text.max_record),
         std::move(record.head)});
  }
  if (block.values) {
    const int64_t rows = block.values->size();
    chunk.rows =
        RecordBatch(schema_, rows, {std::move(block.values)},
                    std::make_shared<const Origin>(Origin{current_path_, block.first_line}));
  }
  place_.byte = file_->position();
  place_.line = file_->next_line();
  if (block.at_end) {
    FLOWRUN_RETURN_IF_ERROR(check_unchanged());
    finish_file(chunk);
  }
  chunk.offset = {place_.text()};
  return chunk;
}

// A file that is cut while it is read gives half its rows: better to say so.
Status FileSource::check_unchanged() {
  struct stat status {};
  if (stat(current_path_.c_str(), &status) != 0 || options_.text.encoding != "UTF-8")
    return ok_status();
  if (status.st_size >= file_->position()) return ok_status();
  return Error::io(fmt::format("{} became shorter while it was read — write elsewhere and rename",
                               current_path_));
}

void FileSource::finish_file(Chunk& chunk) {
  file_.reset();
  ++place_.files;
  if (is_folder_ && (place_.last.name.empty() || folder_.before(place_.last, current_)))
    place_.last = current_;
  done_.push_back({place_.files, current_.name});
  place_.current.clear();
  place_.byte = 0;
  place_.line = 1;
  ended_ = nothing_left();
  // The last file ends its epoch like any other, also an empty one; the next read ends the stream.
  if (++files_in_epoch_ == options_.max_files || ended_) {
    chunk.mark = Chunk::Mark::epoch_ends;
    files_in_epoch_ = 0;
  }
}

void FileSource::committed(const Offset& offset) {
  const auto place = FilePlace::parse(offset.text);
  if (!place || !is_folder_) return;
  for (; !done_.empty() && done_.front().number <= place->files; done_.pop_front()) {
    const std::string path = options_.path + "/" + done_.front().name;
    // A file that somebody else took away meanwhile is gone as it should be.
    if (options_.remove) {
      std::remove(path.c_str());
    } else if (!options_.archive.empty()) {
      mkdir(options_.archive.c_str(), 0777);
      std::rename(path.c_str(), (options_.archive + "/" + done_.front().name).c_str());
    }
  }
}

// What only formats that are built in have: text cut their way, a schema from the data, a header.
Status use_built_in_format(const RecordFormat& format, FileSourceOptions& source,
                           SchemaPtr& schema) {
  source.format = format;
  source.text = text_file_options(format);
  if (!schema) {
    FLOWRUN_TRY(schema, infer_schema(source.path, source.order, format));
  }
  if (format.kind == RecordFormat::Kind::csv && format.csv.header) source.header_schema = schema;
  return ok_status();
}

Result<MadeSource> make(const Options& options, const MakeContext& context) {
  FileSourceOptions source;
  source.path = options.text("path");
  source.max_files = options.integer("max_files");
  source.order = options.text("order") == "time" ? FileOrder::time : FileOrder::name;
  source.text.max_record = options.integer("max_record");
  if (const OptionValue* after = options.find("after")) {
    source.remove = after->text == "delete";
    source.archive = options.group("after").text_or("archive", "");
  }
  const std::string& format = options.text("format");
  if (format == "text") return MadeSource{std::make_unique<FileSource>(std::move(source)), nullptr};

  DecodeOptions decode;
  decode.format = format;
  if (const OptionValue* schema = options.find("schema")) decode.schema = schema->schema;
  FLOWRUN_TRY(const RecordReading reading, RecordReading::of(format, options, context, true));
  if (const RecordFormat* built_in = reading.built_in())
    FLOWRUN_RETURN_IF_ERROR(use_built_in_format(*built_in, source, decode.schema));
  FLOWRUN_TRY(decode.make_reader, reading.reader_of(decode.schema));
  decode.corrupt = corrupt_records_option(options);
  decode.column.text = "value";
  if (options.has("corrupt_record")) decode.corrupt_column = options.text("corrupt_record");
  auto transform = make_decode(std::move(decode));
  return MadeSource{std::make_unique<FileSource>(std::move(source)), std::move(transform)};
}

}  // namespace

void register_file_source(Registry& registry) { registry.add_source(spec(), make); }

}  // namespace flowrun
