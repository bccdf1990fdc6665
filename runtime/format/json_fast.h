#pragma once
// JsonFast: plain JSON records straight into columns.
//
// simdjson finds where tokens stand, for a whole block of lines at once (its first stage: SIMD,
// UTF-8 and quotes checked); JsonFast walks those places once, record by record, guesses each key
// from the one before it, and writes values into the columns without a call per value. It is
// strict: at the first thing that is not plain JSON of the wanted types it gives the record up, and
// ExactJson decides what Spark makes of it.
//
// Not thread-safe.

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/format/column_filler.h"
#include "runtime/format/text_values.h"

namespace flowrun {

class JsonFast {
 public:
  // Longer blocks, and so longer records, are left to ExactJson.
  static constexpr size_t kMaxBlock = 1 << 20;

  struct Target {
    std::string name;
    ColumnFiller* filler;
  };
  // Targets, their fillers and `times` must outlive this.
  JsonFast(std::vector<Target> targets, const TextTimes& times);
  ~JsonFast();

  // Finds the tokens of `length` bytes, records apart by line ends. False: something is odd in
  // there; no record of it may be read (records may be indexed one by one instead). Sixteen bytes
  // behind the block must be readable. The block stands in data buffer `buffer` of the lines, from
  // `offset` on. REQUIRES: length <= kMaxBlock.
  [[nodiscard]] bool index(const char* data, size_t length, uint32_t buffer, uint32_t offset);

  // Reads the record at [begin, end) of the block into `row` of every target. Records in order,
  // each once. False: given up; the row may be half written.
  [[nodiscard]] bool read(uint32_t begin, uint32_t end, int64_t row);

 private:
  // A key that was seen, with its first bytes and the closing quote as two words to compare.
  struct Key {
    std::string name;
    uint64_t low = 0;
    uint64_t high = 0;
    uint64_t low_mask = 0;
    uint64_t high_mask = 0;
    int32_t target = -1;  // -1: nobody wants it
    uint32_t next = 0;    // the key that last came behind it
  };
  struct Indexer;
  struct FillerSink;
  struct BuilderSink;
  static constexpr int kMaxDepth = 64;
  static constexpr size_t kMaxKeys = 1024;

  uint32_t add_key(std::string_view name, int32_t target);
  [[nodiscard]] bool matches(const Key& key, const char* text) const;
  // The index of the key at the current token, or -1: given up.
  int64_t find_key(uint32_t previous);
  bool read_fields(int64_t row);
  bool read_value(const Target& target, int64_t row);
  template <class Sink>
  bool read_scalar(const Type& type, Sink sink);
  template <class T, class Sink>
  bool read_integer(const char* at, Sink& sink);
  template <class Sink>
  bool read_number(const Type& type, const char* at, Sink& sink);
  template <class Sink>
  bool read_from_string(const Type& type, const char* at, Sink& sink);
  bool read_nested(const Type& type, ColumnBuilder& builder, int depth);
  bool read_struct(const Type& type, ColumnBuilder& builder, int depth);
  bool read_array(const Type& type, ColumnBuilder& builder, int depth);
  bool read_map(const Type& type, ColumnBuilder& builder, int depth);
  bool skip_value(int depth);
  bool skip_members(char closer, int depth);
  // The content of the string at the current token; `escaped`: it holds a backslash. False: it is
  // none.
  bool string_content(const char* at, std::string_view& content, bool& escaped) const;
  bool plain_text(const char* at, std::string_view& text);
  // False behind the last token, where only what index() left as a fence can be looked at.
  [[nodiscard]] bool has_token() const { return next_ < fence_; }

  [[nodiscard]] char token() const { return data_[*next_]; }

  std::vector<Target> targets_;
  const TextTimes& times_;
  std::unique_ptr<Indexer> indexer_;
  const char* data_ = nullptr;
  uint32_t buffer_ = 0;
  uint32_t offset_ = 0;
  bool has_backslash_ = false;
  const uint32_t* next_ = nullptr;
  const uint32_t* fence_ = nullptr;
  std::vector<Key> keys_;
  std::map<std::string, uint32_t, std::less<>> key_index_;
  std::vector<int64_t> written_;  // the record that last wrote each target
  int64_t record_ = 0;
  std::string unescaped_;
};

}  // namespace flowrun
