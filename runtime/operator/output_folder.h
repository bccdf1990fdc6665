#pragma once
// OutputFolder: numbered files in a folder and the partitions below it, which grow by whole epochs
// and are visible only when they are whole.
//
//   OutputFolder folder({.folder = "out", .extension = "jsonl"});
//   FLOWRUN_RETURN_IF_ERROR(folder.open({}));
//   FLOWRUN_RETURN_IF_ERROR(folder.write("day=2026-03-01", "{\"a\":1}\n"));
//   FLOWRUN_TRY(Token token, folder.prepare());
//   FLOWRUN_RETURN_IF_ERROR(folder.commit(token));    // out/day=2026-03-01/00000000.jsonl
//
// Until it is whole a file is named `.NUMBER.EXTENSION.part`, and once epochs of it are committed
// `.NUMBER.EXTENSION.LENGTH.part`: so much of it belongs to them, whatever a crash leaves behind
// that. open() makes such files visible and removes the others. All partitions share the number,
// and become whole together: after each epoch, or when `roll_every` or `roll_size` is reached.
// Compressed files are members one after another, each of some text of one epoch.

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/operator/compressor.h"
#include "runtime/operator/sink.h"
#include "runtime/operator/tcp.h"

namespace flowrun {

struct OutputFolderOptions {
  std::filesystem::path folder;
  std::string extension;  // "jsonl", without that of the compression
  Compression compression = Compression::none;
  int64_t roll_every = 0;  // microseconds; both 0: a file per epoch
  int64_t roll_size = 0;   // bytes of all partitions' files as they stand on disk
  int64_t keep = 0;        // microseconds; older files are removed; 0: never
};

// Not thread-safe. Errors are `io` and name the file.
class OutputFolder {
 public:
  explicit OutputFolder(OutputFolderOptions options);

  // Makes the folder, locks it against a second writer and clears what an earlier run left. With a
  // token its files are kept, to be committed.
  Status open(std::optional<Token> last_committed);
  // True if the partition's file holds nothing yet: a header belongs before the next text.
  [[nodiscard]] bool begins(const std::string& partition) const {
    return !parts_.contains(partition);
  }
  // `partition` is a relative path, empty for the folder itself.
  Status write(const std::string& partition, std::string_view text);
  Result<Token> prepare();
  Status commit(const Token& token);
  Status abort();
  // Makes visible what is committed, and lets go of the folder.
  Status close();
  [[nodiscard]] int64_t memory_bytes() const;
  [[nodiscard]] const std::filesystem::path& path() const { return options_.folder; }

 private:
  // A file that is not whole yet.
  struct Part {
    std::filesystem::path path;
    std::filesystem::path final_path;
    Descriptor file;
    std::string buffer;     // text that is not written yet
    int64_t written = 0;    // bytes in the file
    int64_t committed = 0;  // of them, those of committed epochs
  };
  struct Name;  // of a file as this class makes it

  [[nodiscard]] bool rolls() const { return options_.roll_every > 0 || options_.roll_size > 0; }
  [[nodiscard]] std::string file_name(int64_t number) const;
  [[nodiscard]] std::optional<Name> parse_name(const std::string& name) const;
  template <class Visit>
  Status visit_files(Visit&& visit) const;
  Result<Part*> part_of(const std::string& partition);
  Status ensure_open(Part& part);
  Status flush(Part& part);
  Status publish(const std::filesystem::path& part, const std::filesystem::path& to) const;
  Status commit_file(const std::string& partition, int64_t number, int64_t length, bool whole);
  Status commit_left(const std::string& partition, int64_t number, int64_t length) const;
  Status remove_old();
  [[nodiscard]] bool whole_now() const;

  OutputFolderOptions options_;
  Descriptor lock_;  // the folder, locked against a second writer
  int64_t number_ = 0;
  int64_t began_at_ = 0;  // when the files of this number were begun
  int64_t removed_at_ = 0;
  std::unique_ptr<Compressor> compressor_;  // of all files: partitions may be many
  std::string packed_;                      // scratch
  std::map<std::string, Part> parts_;
};

}  // namespace flowrun
