#include "runtime/plugin/library.h"

#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>

namespace flowrun {
namespace {

namespace fs = std::filesystem;

// A folder of our own that nobody else can write to.
class Folder {
 public:
  Folder() {
    std::string name = (fs::temp_directory_path() / "flowrun-library-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()));
    path_ = name;
  }
  ~Folder() { fs::remove_all(path_); }
  [[nodiscard]] std::string add(const std::string& name) const {
    const fs::path file = path_ / name;
    std::ofstream(file) << "no library";
    ::chmod(file.c_str(), 0644);
    return file.string();
  }
  [[nodiscard]] std::string path() const { return path_.string(); }

 private:
  fs::path path_;
};

TEST_CASE("folders that are not absolute are no part of the path") {
  CHECK(PluginPath::parse("").folders.empty());
  CHECK(PluginPath::parse("here:./there::.").folders.empty());
  CHECK(PluginPath::parse("/a:here:/b").folders == std::vector<std::string>{"/a", "/b"});
}

TEST_CASE("a name is looked for in the path, in its order") {
  const Folder first;
  const Folder second;
  const std::string behind = second.add("clip.so");
  const PluginPath path{{first.path(), second.path()}};
  CHECK(find_library("clip", second.path(), path).value_or("") == behind);
  const std::string before = first.add("libclip.so");
  CHECK(find_library("clip", "", path).value_or("") == before);
  CHECK_FALSE(find_library("clip", second.path(), PluginPath{}));
}

TEST_CASE("a file is looked for beside the pipeline") {
  const Folder folder;
  const std::string file = folder.add("clip.so");
  const auto found = find_library("./clip.so", folder.path(), PluginPath{});
  REQUIRE(found);
  CHECK(fs::equivalent(*found, file));
}

TEST_CASE("what others can write to is not loaded") {
  const Folder folder;
  const std::string file = folder.add("clip.so");
  CHECK(check_library_rights(file));
  ::chmod(file.c_str(), 0666);
  CHECK_FALSE(check_library_rights(file));
  ::chmod(file.c_str(), 0644);
  ::chmod(folder.path().c_str(), 0777);
  CHECK_FALSE(check_library_rights(file));
}

TEST_CASE("what is no library tells the loader's words") {
  const Folder folder;
  const auto opened = open_library(folder.add("clip.so"));
  REQUIRE_FALSE(opened);
  CHECK(opened.error().message.find("clip.so") != std::string::npos);
}

}  // namespace
}  // namespace flowrun
