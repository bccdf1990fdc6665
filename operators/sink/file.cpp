// sink: file. One file per epoch in a folder, visible only when whole.

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <filesystem>
#include <memory>
#include <utility>
#include <vector>

#include "runtime/operator/option_specs.h"
#include "runtime/operator/registry.h"
#include "runtime/operator/row_text.h"
#include "runtime/operator/tcp.h"

namespace flowrun {

namespace {

namespace fs = std::filesystem;

constexpr int64_t kPace = 1'000'000;
constexpr size_t kWriteBytes = 1 << 20;
constexpr std::string_view kPartSuffix = ".part";

// A file's number: epochs that give rows to a fresh folder are its epochs; a folder that holds
// files already goes on behind them.
struct FileToken {
  int64_t number = -1;  // the greatest number committed, or to be committed by this token
  bool has_file = false;

  [[nodiscard]] std::string text() const { return fmt::format("{} {}", number, has_file ? 1 : 0); }
  static FileToken parse(const std::string& text) {
    FileToken token;
    const char* const end = text.data() + text.size();
    const char* const space = std::from_chars(text.data(), end, token.number).ptr;
    token.has_file = space + 1 < end && space[1] == '1';
    return token;
  }
};

class FileSink final : public Sink {
 public:
  FileSink(fs::path folder, Options options, const TimeZone& zone)
      : folder_(std::move(folder)), options_(std::move(options)), zone_(zone) {}

  Status bind(const SinkInput& input) override {
    FLOWRUN_TRY(text_, make_row_text(options_, input.schema, zone_));
    return {};
  }
  [[nodiscard]] bool accepts(OutputMode mode, bool) const override {
    return mode == OutputMode::append;
  }
  Status open(std::optional<Token> last_committed) override;
  Status write(EpochId epoch, const RecordBatch& batch) override;
  Result<Token> prepare(EpochId epoch) override;
  Status commit(EpochId epoch, const Token& token) override;
  Status abort(EpochId epoch) override;
  void close() override { lock_.reset(); }
  [[nodiscard]] bool blocking() const override { return true; }
  [[nodiscard]] int64_t default_pace(OutputMode) const override { return kPace; }
  [[nodiscard]] std::string describe() const override {
    return fmt::format("file {} in {}", options_.text_or("format", "json"), folder_.string());
  }

 private:
  [[nodiscard]] fs::path path_of(int64_t number) const {
    return folder_ / fmt::format("{:08}.{}", number, text_->extension());
  }
  // Where the file stands until it is whole. Readers of folders leave dot files alone.
  [[nodiscard]] fs::path part_of(int64_t number) const {
    return folder_ / fmt::format(".{:08}.{}{}", number, text_->extension(), kPartSuffix);
  }
  Result<int64_t> greatest_number() const;
  Status remove_parts(const FileToken& token);
  Status flush();
  Status sync_folder() const;
  [[nodiscard]] Error write_error(int error_number) const {
    return Error::from_errno(fmt::format("cannot write {}", path_of(number_).string()),
                             error_number);
  }

  fs::path folder_;
  Options options_;
  const TimeZone& zone_;
  std::unique_ptr<RowText> text_;
  Descriptor lock_;                  // the folder, locked against a second writer
  int64_t number_ = 0;               // of the file that is being written, or the next
  std::optional<int64_t> prepared_;  // a whole file that waits for its commit
  Descriptor file_;
  std::string buffer_;
};

Status FileSink::open(std::optional<Token> last_committed) {
  std::error_code error;
  fs::create_directories(folder_, error);
  if (error) {
    return Error::from_errno(fmt::format("cannot make the folder {}", folder_.string()),
                             error.value());
  }
  lock_ = Descriptor(::open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!lock_) return Error::from_errno(fmt::format("cannot open {}", folder_.string()), errno);
  if (::access(folder_.c_str(), W_OK) != 0) {
    return Error::from_errno(fmt::format("cannot write to the folder {}", folder_.string()), errno);
  }
  if (flock(lock_.get(), LOCK_EX | LOCK_NB) != 0) {
    return Error::io(
        fmt::format("another file sink writes to {} — give each its own folder", folder_.string()));
  }
  const FileToken token = last_committed ? FileToken::parse(last_committed->text) : FileToken{};
  FLOWRUN_TRY(const int64_t greatest, greatest_number());
  number_ = std::max(token.number, greatest) + 1;
  return remove_parts(token);
}

Result<int64_t> FileSink::greatest_number() const {
  std::error_code error;
  int64_t greatest = -1;
  for (fs::directory_iterator entry(folder_, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    int64_t number = -1;
    const auto [rest, failed] = std::from_chars(name.data(), name.data() + name.size(), number);
    if (failed == std::errc() && *rest == '.') greatest = std::max(greatest, number);
  }
  if (error)
    return Error::from_errno(fmt::format("cannot list {}", folder_.string()), error.value());
  return greatest;
}

// What an earlier run left unfinished, but for the file that is to be committed again.
Status FileSink::remove_parts(const FileToken& token) {
  const fs::path kept = token.has_file ? part_of(token.number) : fs::path();
  std::error_code error;
  std::vector<fs::path> stale;
  for (fs::directory_iterator entry(folder_, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (name.starts_with('.') && name.ends_with(kPartSuffix) && entry->path() != kept)
      stale.push_back(entry->path());
  }
  for (const fs::path& path : stale) {
    if (!error) fs::remove(path, error);
  }
  if (error)
    return Error::from_errno(fmt::format("cannot clear {}", folder_.string()), error.value());
  return {};
}

Status FileSink::write(EpochId, const RecordBatch& batch) {
  if (batch.num_rows() == 0) return {};
  if (!file_) {
    file_ = Descriptor(
        ::open(part_of(number_).c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
    if (!file_) return write_error(errno);
    buffer_.clear();
    text_->append_header(buffer_);
  }
  text_->append_lines(batch, buffer_);
  return buffer_.size() >= kWriteBytes ? flush() : Status();
}

Status FileSink::flush() {
  std::string_view left = buffer_;
  while (!left.empty()) {
    const ssize_t written = ::write(file_.get(), left.data(), left.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return write_error(errno);
    left.remove_prefix(static_cast<size_t>(written));
  }
  buffer_.clear();
  return {};
}

Result<Token> FileSink::prepare(EpochId) {
  if (!file_) return Token{FileToken{number_ - 1, false}.text()};
  FLOWRUN_RETURN_IF_ERROR(flush());
  if (fsync(file_.get()) != 0) return write_error(errno);
  file_.reset();
  prepared_ = number_++;
  return Token{FileToken{*prepared_, true}.text()};
}

Status FileSink::commit(EpochId, const Token& text) {
  const FileToken token = FileToken::parse(text.text);
  prepared_.reset();
  if (!token.has_file) return {};
  const fs::path path = path_of(token.number);
  if (::rename(part_of(token.number).c_str(), path.c_str()) != 0) {
    // Committed before a restart already.
    if (errno == ENOENT && fs::exists(path)) return {};
    return Error::from_errno(fmt::format("cannot write {}", path.string()), errno);
  }
  return sync_folder();
}

// Makes the rename durable.
Status FileSink::sync_folder() const {
  if (fsync(lock_.get()) != 0)
    return Error::from_errno(fmt::format("cannot write {}", folder_.string()), errno);
  return {};
}

Status FileSink::abort(EpochId) {
  file_.reset();
  buffer_.clear();
  std::error_code ignored;  // the next open removes what cannot be removed now
  fs::remove(part_of(number_), ignored);
  if (prepared_) fs::remove(part_of(*prepared_), ignored);
  prepared_.reset();
  return {};
}

OperatorSpec spec() {
  using namespace option;
  OperatorSpec spec;
  spec.name = "file";
  spec.summary = "Writes a file per epoch into a folder, each visible only when it is whole.";
  spec.doc =
      "Files are numbered: `00000000.jsonl`, `00000001.jsonl`, ... An epoch without rows makes no "
      "file. Until its "
      "epoch is committed a file has a name that begins with a dot; then it is written through to "
      "the disk and "
      "renamed. A folder that holds such files already is added to, and two sinks cannot share "
      "one.\n\n"
      "Takes mode append only: what is in a file is never changed. Guarantee: exactly once with "
      "checkpoints; "
      "without, a crash loses the epoch that was running.\n\n"
      "Under the trigger `asap` a file is written once a second at most, unless `every` says "
      "otherwise.";
  spec.options = together({{required(path("path", "The folder; it is made if it is not there."))},
                           row_text_option_specs()});
  spec.examples = {{"A CSV file every ten seconds",
                    "lines: { source: socket, port: 9999 }\n"
                    "archive: { from: lines, sink: file, path: out/lines, format: csv, header: "
                    "true, every: 10 seconds }\n"}};
  return spec;
}

Result<std::unique_ptr<Sink>> make(const Options& options, const MakeContext& context) {
  FLOWRUN_TRY(const TimeZone* zone, find_time_zone(context.expressions->timezone));
  return std::make_unique<FileSink>(options.text("path"), options, *zone);
}

}  // namespace

void register_file_sink(Registry& registry) { registry.add_sink(spec(), make); }

}  // namespace flowrun
