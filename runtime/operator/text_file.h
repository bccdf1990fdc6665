#pragma once
// TextFile: a file as columns of texts, one record each, block by block.
//
//   FLOWRUN_TRY(TextFile file, TextFile::open("in.jsonl", {}));
//   while (true) {
//     FLOWRUN_TRY(TextFile::Block block, file.next());
//     if (block.at_end) break;
//   }
//
// The strings point into the block that was read: no byte is copied but the record that a block
// ends in. Lines end with LF, CR LF or CR, as in Spark; the last one needs no end. A byte order
// mark is left out. A record longer than the bound is handed out by its head only and never held
// whole.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/base/status.h"
#include "runtime/columnar/column.h"
#include "runtime/operator/tcp.h"

namespace flowrun {

class Transcoder;

// Where a record stands in a block.
struct RecordPlace {
  uint32_t offset;
  uint32_t size;
};

// Cuts `text` into records, appended to `places`, and returns how many bytes of it are done with.
// What remains is given again with more behind it. `at_end`: nothing more comes, so everything must
// be cut.
using CutRecords =
    std::function<size_t(std::string_view text, bool at_end, std::vector<RecordPlace>& places)>;

// Lines that end with LF, CR LF or CR.
size_t cut_lines(std::string_view text, bool at_end, std::vector<RecordPlace>& places);

struct TextFileOptions {
  std::string encoding = "UTF-8";
  int64_t max_record = 16 << 20;
  CutRecords cut = cut_lines;
  size_t block = 1 << 20;  // bytes read at a time
};

// Not thread-safe.
class TextFile {
 public:
  struct TooLong {
    int64_t line;
    std::string head;
  };
  struct Block {
    ColumnPtr values;        // string; null if there is none
    int64_t first_line = 0;  // number of the first record, from 1
    int64_t bytes = 0;       // read from the file for this block
    std::vector<TooLong> too_long;
    bool at_end = false;  // nothing comes behind this block
  };

  // Errors: `io`, naming the file; `invalid` for an unknown encoding.
  static Result<TextFile> open(const std::string& path, TextFileOptions options);
  TextFile(TextFile&&) noexcept;
  TextFile& operator=(TextFile&&) noexcept;
  ~TextFile();

  // Goes to where position() and next_line() once were.
  Status seek(int64_t position, int64_t line);
  Result<Block> next();

  // The byte behind the last record handed out, and the number of the one to come.
  [[nodiscard]] int64_t position() const { return position_; }
  [[nodiscard]] int64_t next_line() const { return line_; }

 private:
  TextFile(std::string path, TextFileOptions options, Descriptor file);
  // Makes room and reads; false at the end of the file.
  Status fill(Block& block);
  Result<size_t> read_some(char* to, size_t size);
  void cut(Block& block);
  void drop_mark();
  void reject(Block& block);
  [[nodiscard]] const char* data() const { return reinterpret_cast<const char*>(block_->data()); }

  std::string path_;
  TextFileOptions options_;
  Descriptor file_;
  std::unique_ptr<Transcoder> transcoder_;  // null for UTF-8
  std::string transcoded_;                  // not yet in a block
  BufferPtr block_;
  size_t used_ = 0;
  bool ended_ = false;     // the file has no more bytes
  bool skipping_ = false;  // to the end of a record that was too long
  bool fresh_ = true;      // at the first byte of the file
  int64_t bytes_read_ = 0;
  int64_t position_ = 0;
  int64_t line_ = 1;
  std::vector<RecordPlace> places_;
};

}  // namespace flowrun
