#include "runtime/operator/text_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "runtime/columnar/builder.h"
#include "runtime/format/transcoder.h"
#include "runtime/operator/source.h"

namespace flowrun {

namespace {

constexpr std::string_view kMark = "\xef\xbb\xbf";  // UTF-8's byte order mark

}  // namespace

size_t cut_lines(std::string_view text, bool at_end, std::vector<RecordPlace>& places) {
  const char* const begin = text.data();
  const char* const end = begin + text.size();
  const bool has_return = std::memchr(begin, '\r', text.size()) != nullptr;
  const auto put = [&](const char* from, const char* to) {
    places.push_back({static_cast<uint32_t>(from - begin), static_cast<uint32_t>(to - from)});
  };
  const char* at = begin;
  while (at < end) {
    const auto* stop =
        static_cast<const char*>(std::memchr(at, '\n', static_cast<size_t>(end - at)));
    const char* const line_end = stop ? stop : end;
    if (has_return) {
      const auto* carriage =
          static_cast<const char*>(std::memchr(at, '\r', static_cast<size_t>(line_end - at)));
      // One at the very end may have its LF in the next block.
      if (carriage && carriage + 1 == end && !at_end) break;
      if (carriage) {
        put(at, carriage);
        at = carriage + (carriage + 1 == stop ? 2 : 1);
        continue;
      }
    }
    if (!stop && !at_end) break;
    put(at, line_end);
    at = stop ? stop + 1 : end;
  }
  return static_cast<size_t>(at - begin);
}

TextFile::TextFile(std::string path, TextFileOptions options, Descriptor file)
    : path_(std::move(path)), options_(std::move(options)), file_(std::move(file)) {}
TextFile::TextFile(TextFile&&) noexcept = default;
TextFile& TextFile::operator=(TextFile&&) noexcept = default;
TextFile::~TextFile() = default;

Result<TextFile> TextFile::open(const std::string& path, TextFileOptions options) {
  Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return Error::from_errno(fmt::format("cannot read {}", path), errno);
  struct stat status {};
  if (fstat(file.get(), &status) == 0 && S_ISDIR(status.st_mode)) {
    return Error::io(fmt::format("cannot read {}: it is a folder", path));
  }
  posix_fadvise(file.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
  TextFile opened(path, std::move(options), std::move(file));
  if (!is_utf8_name(opened.options_.encoding)) {
    FLOWRUN_TRY(opened.transcoder_, Transcoder::make(opened.options_.encoding));
  }
  return opened;
}

Status TextFile::seek(int64_t position, int64_t line) {
  if (position == 0) return ok_status();
  if (!transcoder_) {
    if (lseek(file_.get(), position, SEEK_SET) < 0) {
      return Error::from_errno(fmt::format("cannot read {}", path_), errno);
    }
    fresh_ = false;
    position_ = position;
    bytes_read_ = position;
    line_ = line;
    return ok_status();
  }
  // In other charsets the records before are read again.
  while (line_ < line) {
    FLOWRUN_TRY(const Block block, next());
    if (block.at_end) break;
  }
  return ok_status();
}

Result<size_t> TextFile::read_some(char* to, size_t size) {
  while (true) {
    const ssize_t got = ::read(file_.get(), to, size);
    if (got >= 0) {
      if (got == 0) ended_ = true;
      bytes_read_ += got;
      return static_cast<size_t>(got);
    }
    if (errno != EINTR) return Error::from_errno(fmt::format("cannot read {}", path_), errno);
  }
}

Status TextFile::fill(Block& block) {
  const int64_t before = bytes_read_;
  // At least a byte more than waits, and a whole mark at the beginning.
  const size_t least = fresh_ ? kMark.size() : used_ + options_.block / 2 + 1;
  const size_t room = std::max(options_.block, least);
  BufferPtr larger = Buffer::allocate(room);
  if (used_ > 0) std::memcpy(larger->mutable_data(), data(), used_);
  block_ = std::move(larger);
  auto* const bytes = reinterpret_cast<char*>(block_->mutable_data());
  while (used_ < room && !ended_) {
    if (!transcoder_) {
      FLOWRUN_TRY(const size_t got, read_some(bytes + used_, room - used_));
      used_ += got;
      continue;
    }
    if (transcoded_.empty()) {
      std::string raw(room, '\0');
      FLOWRUN_TRY(const size_t got, read_some(raw.data(), raw.size()));
      transcoder_->append({raw.data(), got}, ended_, transcoded_);
    }
    const size_t taken = std::min(transcoded_.size(), room - used_);
    std::memcpy(bytes + used_, transcoded_.data(), taken);
    transcoded_.erase(0, taken);
    used_ += taken;
    if (ended_ && !transcoded_.empty()) break;
  }
  block.bytes += bytes_read_ - before;
  if (fresh_) drop_mark();
  return ok_status();
}

void TextFile::drop_mark() {
  fresh_ = false;
  if (!std::string_view(data(), used_).starts_with(kMark)) return;
  used_ -= kMark.size();
  std::memmove(block_->mutable_data(), data() + kMark.size(), used_);
  if (!transcoder_) position_ += std::ssize(kMark);
}

Result<TextFile::Block> TextFile::next() {
  Block block;
  block.first_line = line_;
  while (!block.values && block.too_long.empty()) {
    const bool exhausted = ended_ && transcoded_.empty();
    if (!exhausted) FLOWRUN_RETURN_IF_ERROR(fill(block));
    block.at_end = ended_ && transcoded_.empty();
    cut(block);
    if (block.at_end) break;
  }
  return block;
}

void TextFile::cut(Block& block) {
  if (!block_) return;
  places_.clear();
  size_t done = options_.cut({data(), used_}, block.at_end, places_);
  size_t first = 0;
  if (skipping_ && done > 0) {
    first = 1;
    skipping_ = false;
  }
  if (skipping_) done = used_;
  StringBuilder builder(Type::string());
  builder.reserve(static_cast<int64_t>(places_.size()));
  const uint32_t index = builder.share(block_);
  int64_t rejected = 0;
  for (size_t i = first; i < places_.size(); ++i) {
    const RecordPlace place = places_[i];
    if (place.size > options_.max_record) {
      block.too_long.push_back(
          {line_ + builder.size(), std::string(data() + place.offset, Rejection::kKeptBytes)});
      ++rejected;
      continue;
    }
    builder.append_shared({data() + place.offset, place.size}, index);
  }
  block.first_line = line_;
  line_ += builder.size() + rejected;
  if (builder.size() > 0) block.values = builder.finish();
  const size_t rest = used_ - done;
  position_ += static_cast<int64_t>(done);
  BufferPtr kept;
  if (rest > 0) {
    kept = Buffer::allocate(rest);
    std::memcpy(kept->mutable_data(), data() + done, rest);
  }
  block_->set_size(done);
  block_ = std::move(kept);
  used_ = rest;
  if (static_cast<int64_t>(used_) > options_.max_record && !block.at_end) reject(block);
}

// What waits is longer than a record may be: only its head is kept.
void TextFile::reject(Block& block) {
  block.too_long.push_back({line_++, std::string(data(), std::min(used_, Rejection::kKeptBytes))});
  position_ += static_cast<int64_t>(used_);
  used_ = 0;
  block_ = nullptr;
  skipping_ = true;
}

}  // namespace flowrun
