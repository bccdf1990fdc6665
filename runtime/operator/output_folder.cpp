#include "runtime/operator/output_folder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <utility>
#include <vector>

namespace flowrun {

namespace {

namespace fs = std::filesystem;

constexpr size_t kWriteBytes = 1 << 20;
constexpr size_t kMostOpen = 256;  // files at a time
constexpr std::string_view kPartSuffix = ".part";
constexpr int64_t kLookForOld = 60'000'000;  // microseconds between two looks

Error cannot_write(const fs::path& path, int error) {
  return Error::from_errno(fmt::format("cannot write {}", path.string()), error);
}

Status sync_folder(const fs::path& folder) {
  const Descriptor opened(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!opened || fsync(opened.get()) != 0) return cannot_write(folder, errno);
  return {};
}

Status cut(const fs::path& path, int64_t length) {
  if (::truncate(path.c_str(), length) != 0) return cannot_write(path, errno);
  return {};
}

// What prepare() tells commit(): "NUMBER WHOLE", then a line "LENGTH PARTITION" for each file.
struct FolderToken {
  int64_t number = -1;
  bool whole = false;
  std::vector<std::pair<int64_t, std::string>> files;

  [[nodiscard]] std::string text() const {
    std::string out = fmt::format("{} {}", number, whole ? 1 : 0);
    for (const auto& [length, partition] : files) out += fmt::format("\n{} {}", length, partition);
    return out;
  }
  static FolderToken parse(std::string_view text) {
    FolderToken token;
    for (bool first = true; !text.empty(); first = false) {
      const std::string_view line = text.substr(0, text.find('\n'));
      text.remove_prefix(std::min(text.size(), line.size() + 1));
      int64_t number = 0;
      const char* const end = line.data() + line.size();
      const char* const after = std::from_chars(line.data(), end, number).ptr;
      const std::string rest(after == end ? after : after + 1, end);
      if (first) {
        token.number = number;
        token.whole = rest == "1";
      } else {
        token.files.emplace_back(number, rest);
      }
    }
    return token;
  }
};

}  // namespace

struct OutputFolder::Name {
  int64_t number = 0;
  bool part = false;
  int64_t committed = 0;  // of a part
};

OutputFolder::OutputFolder(OutputFolderOptions options)
    : options_(std::move(options)), compressor_(make_compressor(options_.compression)) {
  options_.extension += extension_of(options_.compression);
}

std::string OutputFolder::file_name(int64_t number) const {
  return fmt::format("{:08}.{}", number, options_.extension);
}

// Of a file that was written here: 00000007.jsonl, .00000007.jsonl.part, .00000007.jsonl.120.part.
std::optional<OutputFolder::Name> OutputFolder::parse_name(const std::string& name) const {
  Name parsed;
  std::string_view rest = name;
  parsed.part = rest.starts_with('.');
  if (parsed.part) {
    if (!rest.ends_with(kPartSuffix)) return std::nullopt;
    rest.remove_prefix(1);
    rest.remove_suffix(kPartSuffix.size());
  }
  const auto [after, error] =
      std::from_chars(rest.data(), rest.data() + rest.size(), parsed.number);
  if (error != std::errc()) return std::nullopt;
  rest.remove_prefix(static_cast<size_t>(after - rest.data()));
  const std::string extension = "." + options_.extension;
  if (!rest.starts_with(extension)) return std::nullopt;
  rest.remove_prefix(extension.size());
  if (parsed.part && rest.starts_with('.')) {
    const char* const end = rest.data() + rest.size();
    const char* const read = std::from_chars(rest.data() + 1, end, parsed.committed).ptr;
    rest.remove_prefix(static_cast<size_t>(read - rest.data()));
  }
  return rest.empty() ? std::optional(parsed) : std::nullopt;
}

// Every file that was written here, in the folder and its partitions.
template <class Visit>
Status OutputFolder::visit_files(Visit&& visit) const {
  std::error_code error;
  std::vector<std::pair<fs::path, Name>> files;
  for (fs::recursive_directory_iterator entry(options_.folder, error), end; !error && entry != end;
       entry.increment(error)) {
    if (entry->is_directory(error)) {
      const bool partition = entry->path().filename().string().find('=') != std::string::npos;
      if (!partition) entry.disable_recursion_pending();
    } else if (const auto name = parse_name(entry->path().filename().string())) {
      files.emplace_back(entry->path(), *name);
    }
  }
  if (error)
    return Error::from_errno(fmt::format("cannot list {}", options_.folder.string()),
                             error.value());
  for (const auto& [path, name] : files) FLOWRUN_RETURN_IF_ERROR(visit(path, name));
  return {};
}

Status OutputFolder::open(std::optional<Token> last_committed) {
  const fs::path& folder = options_.folder;
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) {
    return Error::from_errno(fmt::format("cannot make the folder {}", folder.string()),
                             error.value());
  }
  lock_ = Descriptor(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!lock_) return Error::from_errno(fmt::format("cannot open {}", folder.string()), errno);
  if (::access(folder.c_str(), W_OK) != 0)
    return Error::from_errno(fmt::format("cannot write to the folder {}", folder.string()), errno);
  if (flock(lock_.get(), LOCK_EX | LOCK_NB) != 0) {
    return Error::io(
        fmt::format("another file sink writes to {} — give each its own folder", folder.string()));
  }
  const FolderToken token =
      last_committed ? FolderToken::parse(last_committed->text) : FolderToken{};
  int64_t greatest = token.files.empty() ? -1 : token.number;
  Status cleared = visit_files([&](const fs::path& path, const Name& name) -> Status {
    if (name.part && !token.files.empty() && name.number == token.number) return {};
    if (name.part && (name.committed == 0 || last_committed)) {
      if (::unlink(path.c_str()) != 0) return cannot_write(path, errno);
      return {};
    }
    greatest = std::max(greatest, name.number);
    if (!name.part) return {};
    FLOWRUN_RETURN_IF_ERROR(cut(path, name.committed));
    return publish(path, path.parent_path() / file_name(name.number));
  });
  number_ = greatest + 1;
  return cleared;
}

Result<OutputFolder::Part*> OutputFolder::part_of(const std::string& partition) {
  if (const auto found = parts_.find(partition); found != parts_.end()) return &found->second;
  if (parts_.empty()) began_at_ = steady_now();
  const fs::path folder = partition.empty() ? options_.folder : options_.folder / partition;
  std::error_code error;
  if (!partition.empty()) fs::create_directories(folder, error);
  if (error) {
    return Error::from_errno(fmt::format("cannot make the folder {}", folder.string()),
                             error.value());
  }
  Part part;
  part.final_path = folder / file_name(number_);
  part.path = folder / fmt::format(".{}{}", file_name(number_), kPartSuffix);
  part.file = Descriptor(::open(part.path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
  if (!part.file) return cannot_write(part.final_path, errno);
  return &parts_.emplace(partition, std::move(part)).first->second;
}

// Many partitions take turns at the descriptors.
Status OutputFolder::ensure_open(Part& part) {
  if (part.file) return {};
  part.file = Descriptor(::open(part.path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
  if (!part.file) return cannot_write(part.final_path, errno);
  return {};
}

Status OutputFolder::write(const std::string& partition, std::string_view text) {
  if (parts_.size() >= kMostOpen && !parts_.contains(partition)) {
    for (auto& [key, other] : parts_) other.file.reset();
  }
  FLOWRUN_TRY(Part* const part, part_of(partition));
  part->buffer += text;
  return part->buffer.size() >= kWriteBytes ? flush(*part) : Status();
}

Status OutputFolder::flush(Part& part) {
  if (part.buffer.empty()) return {};
  FLOWRUN_RETURN_IF_ERROR(ensure_open(part));
  std::string_view left = part.buffer;
  if (compressor_) {
    packed_.clear();
    compressor_->append(part.buffer, packed_);
    compressor_->finish(packed_);
    left = packed_;
  }
  while (!left.empty()) {
    const ssize_t written = ::write(part.file.get(), left.data(), left.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return cannot_write(part.final_path, errno);
    left.remove_prefix(static_cast<size_t>(written));
    part.written += written;
  }
  part.buffer.clear();
  return {};
}

bool OutputFolder::whole_now() const {
  if (!rolls()) return true;
  if (options_.roll_every > 0 && steady_now() - began_at_ >= options_.roll_every) return true;
  int64_t size = 0;
  for (const auto& [partition, part] : parts_) size += part.written;
  return options_.roll_size > 0 && size >= options_.roll_size;
}

Result<Token> OutputFolder::prepare() {
  FolderToken token{number_, false, {}};
  for (auto& [partition, part] : parts_) {
    FLOWRUN_RETURN_IF_ERROR(flush(part));
    if (part.written > part.committed) {
      FLOWRUN_RETURN_IF_ERROR(ensure_open(part));
      if (fsync(part.file.get()) != 0) return cannot_write(part.final_path, errno);
    }
    token.files.emplace_back(part.written, partition);
    if (parts_.size() > kMostOpen) part.file.reset();
  }
  token.whole = whole_now();
  return Token{token.text()};
}

Status OutputFolder::commit(const Token& text) {
  const FolderToken token = FolderToken::parse(text.text);
  for (const auto& [length, partition] : token.files)
    FLOWRUN_RETURN_IF_ERROR(commit_file(partition, token.number, length, token.whole));
  if (token.whole && token.number == number_ && !token.files.empty()) {
    parts_.clear();
    ++number_;
  }
  return remove_old();
}

Status OutputFolder::commit_file(const std::string& partition, int64_t number, int64_t length,
                                 bool whole) {
  const auto found = number == number_ ? parts_.find(partition) : parts_.end();
  if (found == parts_.end()) return commit_left(partition, number, length);
  Part& part = found->second;
  if (whole) return publish(part.path, part.final_path);
  if (part.committed == length) return {};
  const fs::path marked =
      part.path.parent_path() / fmt::format(".{}.{}{}", file_name(number), length, kPartSuffix);
  FLOWRUN_RETURN_IF_ERROR(publish(part.path, marked));
  part.path = marked;
  part.committed = length;
  return {};
}

// What was prepared before a restart, or is committed for the second time.
Status OutputFolder::commit_left(const std::string& partition, int64_t number,
                                 int64_t length) const {
  const fs::path folder = partition.empty() ? options_.folder : options_.folder / partition;
  const fs::path final_path = folder / file_name(number);
  std::error_code error;
  if (fs::exists(final_path, error)) return {};
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    const auto name = parse_name(entry->path().filename().string());
    if (!name || !name->part || name->number != number) continue;
    const fs::path path = entry->path();
    FLOWRUN_RETURN_IF_ERROR(cut(path, length));
    return publish(path, final_path);
  }
  return cannot_write(final_path, ENOENT);
}

// Makes the rename durable.
Status OutputFolder::publish(const fs::path& part, const fs::path& to) const {
  if (::rename(part.c_str(), to.c_str()) != 0) return cannot_write(to, errno);
  return sync_folder(to.parent_path());
}

Status OutputFolder::abort() {
  for (auto part = parts_.begin(); part != parts_.end();) {
    Part& aborted = part->second;
    aborted.buffer.clear();
    aborted.file.reset();  // opened again for appending
    if (aborted.committed == 0) {
      ::unlink(aborted.path.c_str());  // the next open removes what cannot be removed now
      part = parts_.erase(part);
      continue;
    }
    FLOWRUN_RETURN_IF_ERROR(cut(aborted.path, aborted.committed));
    aborted.written = aborted.committed;
    ++part;
  }
  return {};
}

Status OutputFolder::close() {
  Status closed;
  for (auto& [partition, part] : parts_) {
    part.file.reset();
    if (part.committed == 0) continue;
    Status status = cut(part.path, part.committed);
    if (status) status = publish(part.path, part.final_path);
    if (closed && !status) closed = std::move(status);
  }
  parts_.clear();
  lock_.reset();
  return closed;
}

Status OutputFolder::remove_old() {
  if (options_.keep == 0 || steady_now() - removed_at_ < std::min(options_.keep, kLookForOld))
    return {};
  removed_at_ = steady_now();
  const auto oldest = fs::file_time_type::clock::now() - std::chrono::microseconds(options_.keep);
  return visit_files([&](const fs::path& path, const Name& name) -> Status {
    std::error_code error;
    if (name.part || fs::last_write_time(path, error) >= oldest || error) return {};
    if (!fs::remove(path, error) && error) return cannot_write(path, error.value());
    // Partitions that are empty now go with their last file.
    for (fs::path folder = path.parent_path();
         folder != options_.folder && fs::remove(folder, error);)
      folder = folder.parent_path();
    return {};
  });
}

int64_t OutputFolder::memory_bytes() const {
  int64_t bytes = 0;
  for (const auto& [partition, part] : parts_)
    bytes += static_cast<int64_t>(part.buffer.capacity());
  return bytes;
}

}  // namespace flowrun
