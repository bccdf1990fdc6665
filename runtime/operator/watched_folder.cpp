#include "runtime/operator/watched_folder.h"

#include <dirent.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <memory>
#include <tuple>
#include <vector>

namespace flowrun {

namespace {

constexpr int64_t kSecond = 1'000'000'000;

bool left_alone(std::string_view name) {
  return name.starts_with('.') || name.starts_with('_') || name.ends_with(".tmp");
}

int64_t nanoseconds(const timespec& time) { return time.tv_sec * kSecond + time.tv_nsec; }

int64_t now() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

Result<std::vector<FolderFile>> list(const std::string& path) {
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(opendir(path.c_str()), closedir);
  if (!folder) return Error::from_errno(fmt::format("cannot read folder {}", path), errno);
  std::vector<FolderFile> files;
  while (const dirent* entry =
             readdir(folder.get())) {  // NOLINT(concurrency-mt-unsafe): a stream of our own
    const std::string name = entry->d_name;
    struct stat status {};
    // A file that vanished between the two calls is none.
    if (left_alone(name) || fstatat(dirfd(folder.get()), name.c_str(), &status, 0) != 0) continue;
    if (S_ISREG(status.st_mode))
      files.push_back({name, nanoseconds(status.st_mtim), status.st_size});
  }
  return files;
}

}  // namespace

bool WatchedFolder::before(const FolderFile& a, const FolderFile& b) const {
  if (order_ == FileOrder::name) return a.name < b.name;
  return std::tie(a.modified, a.name) < std::tie(b.modified, b.name);
}

bool WatchedFolder::settled(const FolderFile& file) const {
  if (now() - file.modified > kSecond) return true;
  const auto before = fresh_.find(file.name);
  return before != fresh_.end() && before->second.size == file.size &&
         before->second.modified == file.modified;
}

FolderFile WatchedFolder::taken(const std::string& name) {
  seen_.insert(name);
  FolderFile file{name};
  struct stat status {};
  if (stat((path_ + "/" + name).c_str(), &status) == 0) {
    file.modified = nanoseconds(status.st_mtim);
    file.size = status.st_size;
  }
  return file;
}

Status WatchedFolder::look(bool trusting) {
  FLOWRUN_TRY(const std::vector<FolderFile> files, list(path_));
  std::map<std::string, FolderFile> fresh;
  std::set<std::string> present;
  for (const FolderFile& file : files) {
    present.insert(file.name);
    if (seen_.contains(file.name) || (!last_.name.empty() && !before(last_, file))) continue;
    if (trusting || settled(file)) {
      seen_.insert(file.name);
      found_.push_back(file);
    } else {
      fresh.emplace(file.name, file);
    }
  }
  fresh_ = std::move(fresh);
  // What left the folder need not be remembered; what comes again under its name is another file.
  std::erase_if(seen_, [&](const std::string& name) { return !present.contains(name); });
  std::ranges::sort(found_, [&](const FolderFile& a, const FolderFile& b) { return before(a, b); });
  return ok_status();
}

FolderFile WatchedFolder::take() {
  FolderFile file = std::move(found_.front());
  found_.pop_front();
  return file;
}

}  // namespace flowrun
