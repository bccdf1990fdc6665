#include "plugins/kafka/spool.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <vector>

namespace kafka {

namespace fs = std::filesystem;
namespace sdk = flowrun::plugin;

namespace {

constexpr std::string_view kMagic = "flowrunkafka1\n";
constexpr uint32_t kEnd = 0xffffffff;
constexpr uint32_t kNull = 0xfffffffe;
constexpr const char* kSuffix = ".rows";

sdk::Error cannot(const std::string& what, const std::string& name) {
  return sdk::Error::io("cannot " + what + " " + name + ": " + std::strerror(errno));
}

// Without it a new name may be lost with the machine's power.
void sync_folder(const std::string& folder) {
  const int handle = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (handle < 0) throw cannot("open", folder);
  const int done = ::fsync(handle);
  ::close(handle);
  if (done != 0) throw cannot("sync", folder);
}

}  // namespace

std::string Spool::file_name(int64_t number) const {
  return folder_ + "/" + id_ + "-" + std::to_string(number) + kSuffix;
}

std::string Spool::draft_name() const { return folder_ + "/" + id_ + ".draft"; }

std::optional<int64_t> Spool::number_of(const std::string& name) const {
  const std::string prefix = id_ + "-";
  const size_t suffix = std::strlen(kSuffix);
  if (name.size() <= prefix.size() + suffix || name.compare(0, prefix.size(), prefix) != 0 ||
      name.compare(name.size() - suffix, suffix, kSuffix) != 0)
    return std::nullopt;
  int64_t number = 0;
  const char* end = name.data() + name.size() - suffix;
  const auto [read, code] = std::from_chars(name.data() + prefix.size(), end, number);
  return code == std::errc() && read == end ? std::optional(number) : std::nullopt;
}

void Spool::open(int64_t keep) {
  std::error_code error;
  fs::create_directories(folder_, error);
  if (error) throw sdk::Error::io("cannot make the folder " + folder_ + ": " + error.message());
  drop();
  for (const auto& entry : fs::directory_iterator(folder_)) {
    const std::optional<int64_t> number = number_of(entry.path().filename().string());
    if (number && *number != keep) fs::remove(entry.path(), error);
  }
}

void Spool::append(const Record& record) {
  if (!draft_) {
    draft_.reset(std::fopen(draft_name().c_str(), "wbe"));
    if (!draft_) throw cannot("write", draft_name());
    put(kMagic.data(), kMagic.size());
  }
  put_text(record.topic);
  put(&record.partition, sizeof record.partition);
  put_text(record.key);
  put_text(record.value);
  const auto headers = static_cast<uint32_t>(record.headers.size());
  put(&headers, sizeof headers);
  for (const auto& [name, value] : record.headers) {
    put_text(name);
    put_text(value);
  }
  ++count_;
}

void Spool::finish(int64_t number) {
  put(&kEnd, sizeof kEnd);
  put(&count_, sizeof count_);
  if (std::fflush(draft_.get()) != 0 || ::fsync(::fileno(draft_.get())) != 0)
    throw cannot("write", draft_name());
  draft_.reset();
  count_ = 0;
  if (std::rename(draft_name().c_str(), file_name(number).c_str()) != 0)
    throw cannot("write", file_name(number));
  sync_folder(folder_);
}

void Spool::drop() {
  draft_.reset();
  count_ = 0;
  std::remove(draft_name().c_str());
}

void Spool::remove(int64_t number) const { std::remove(file_name(number).c_str()); }

void Spool::put(const void* bytes, size_t size) {
  if (size > 0 && std::fwrite(bytes, 1, size, draft_.get()) != size)
    throw cannot("write", draft_name());
}

void Spool::put_text(const std::optional<std::string_view>& text) {
  const uint32_t size = text ? static_cast<uint32_t>(text->size()) : kNull;
  put(&size, sizeof size);
  if (text) put(text->data(), text->size());
}

Spool::Reader::Reader(std::string name)
    : name_(std::move(name)), file_(std::fopen(name_.c_str(), "rbe")) {
  if (!file_) throw cannot("read", name_);
  std::array<char, kMagic.size()> magic{};
  get(magic.data(), magic.size());
  if (std::string_view(magic.data(), magic.size()) != kMagic)
    throw sdk::Error::io(name_ + " holds no rows of this version");
}

void Spool::Reader::get(void* bytes, size_t size) {
  if (size > 0 && std::fread(bytes, 1, size, file_.get()) != size)
    throw sdk::Error::io(name_ + " is not whole");
}

// Appends the length and the bytes to text_; views are made when all of the record is there.
std::optional<size_t> Spool::Reader::get_text() {
  uint32_t size = 0;
  get(&size, sizeof size);
  if (size == kNull) return std::nullopt;
  const size_t at = text_.size();
  text_.resize(at + sizeof size + size);
  std::memcpy(text_.data() + at, &size, sizeof size);
  get(text_.data() + at + sizeof size, size);
  return at;
}

bool Spool::Reader::next(Record& record) {
  uint32_t size = 0;
  get(&size, sizeof size);
  if (size == kEnd) {
    uint64_t count = 0;
    get(&count, sizeof count);
    if (count != count_) throw sdk::Error::io(name_ + " is not whole");
    return false;
  }
  text_.assign(reinterpret_cast<const char*>(&size), sizeof size);
  text_.resize(sizeof size + size);
  get(text_.data() + sizeof size, size);
  get(&record.partition, sizeof record.partition);
  const std::optional<size_t> key = get_text();
  const std::optional<size_t> value = get_text();
  uint32_t headers = 0;
  get(&headers, sizeof headers);
  std::vector<std::pair<std::optional<size_t>, std::optional<size_t>>> places(headers);
  for (auto& [name, content] : places) {
    name = get_text();
    content = get_text();
  }
  const auto view = [this](std::optional<size_t> at) -> std::optional<std::string_view> {
    if (!at) return std::nullopt;
    uint32_t length = 0;
    std::memcpy(&length, text_.data() + *at, sizeof length);
    return std::string_view(text_).substr(*at + sizeof length, length);
  };
  record.topic = *view(0);
  record.key = view(key);
  record.value = view(value);
  record.headers.clear();
  for (const auto& [name, content] : places)
    record.headers.emplace_back(view(name).value_or(""), view(content));
  ++count_;
  return true;
}

}  // namespace kafka
