#pragma once
// WatchedFolder: the files of a folder in a stated order, each once, none half written.
//
// Left alone: sub-folders, names that begin with "." or "_" or end with ".tmp", and files that were
// written to within the last second until two looks find them the same.

#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>

#include "runtime/base/status.h"

namespace flowrun {

struct FolderFile {
  std::string name;
  int64_t modified = 0;  // nanoseconds since 1970
  int64_t size = 0;
};

enum class FileOrder : uint8_t { name, time };

// Not thread-safe.
class WatchedFolder {
 public:
  WatchedFolder(std::string path, FileOrder order) : path_(std::move(path)), order_(order) {}

  // Files up to this one, in order, count as taken.
  void taken_until(FolderFile last) { last_ = std::move(last); }
  // The file of that name, which counts as taken from now on.
  FolderFile taken(const std::string& name);
  // Looks at the folder. `trusting`: what is there now is taken as it is, without a second look.
  // Errors: `io`, naming the folder.
  Status look(bool trusting);
  // Found and not yet taken.
  [[nodiscard]] bool empty() const { return found_.empty(); }
  FolderFile take();
  // Negative if `a` comes before `b`.
  [[nodiscard]] bool before(const FolderFile& a, const FolderFile& b) const;
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  [[nodiscard]] bool settled(const FolderFile& file) const;

  std::string path_;
  FileOrder order_;
  FolderFile last_;
  std::set<std::string> seen_;               // in found_, or taken since the start
  std::map<std::string, FolderFile> fresh_;  // as the last look saw them, perhaps half written
  std::deque<FolderFile> found_;
};

}  // namespace flowrun
