#pragma once
// ColumnFiller: a column that readers fill row by row, in place and without a virtual call.
//
// Unlike a builder it lets a row be written again, so that a record which turns out broken halfway
// costs nothing to take back. Room is made by begin(); rows are numbered by the caller.
//
//   ColumnFiller filler(Type::bigint());
//   filler.begin(lines.size(), lines);
//   filler.set<int64_t>(0, 7);
//   filler.set_null(1);
//   ColumnPtr column = filler.finish(2);

#include <memory>
#include <string_view>
#include <vector>

#include "runtime/columnar/builder.h"

namespace flowrun {

class ColumnFiller {
 public:
  explicit ColumnFiller(Type type);

  [[nodiscard]] const Type& type() const { return type_; }
  // Room for `rows` rows; text may be shared with the data buffers of `lines`.
  void begin(int64_t rows, const Column& lines);
  // Makes room for more; what is written stays.
  void grow(int64_t rows);

  // REQUIRES: row < room, T is the physical type.
  template <class T>
  void set(int64_t row, T value) {
    static_cast<T*>(static_cast<void*>(data_))[row] = value;
    if (validity_) mark_valid(row);
  }
  void set_boolean(int64_t row, bool value) {
    put_bit(data_, row, value);
    if (validity_) mark_valid(row);
  }
  // Text that is copied.
  void set_text(int64_t row, std::string_view text);
  // Text of `size` bytes at `offset` of data buffer `buffer` of the lines. The sixteen bytes behind
  // its start must be readable.
  void set_shared_text(int64_t row, const char* text, uint32_t size, uint32_t buffer,
                       uint32_t offset) {
    auto& view = static_cast<StringView*>(static_cast<void*>(data_))[row];
    view.size = size;
    if (size <= StringView::kInline) {
      copy_short(text, size, view.inlined);
    } else {
      std::memcpy(view.outside.prefix, text, 4);
      view.outside.buffer = buffer;
      view.outside.offset = offset;
    }
    if (validity_) mark_valid(row);
  }
  void set_null(int64_t row);

  // Nested types only: rows are appended to the builder, one per row in order; cut() takes back.
  [[nodiscard]] ColumnBuilder* nested() { return nested_.get(); }
  void cut(int64_t rows) {
    if (nested_ && nested_->size() > rows) nested_->truncate(rows);
  }
  // Drops what a nested row left behind when it was given up halfway.
  void abandon(int64_t rows) {
    if (nested_) nested_->truncate(rows);
  }

  // The first `rows` rows; empty again.
  ColumnPtr finish(int64_t rows);

 private:
  static void copy_short(const char* text, uint32_t size, char* out) {
    static constexpr uint64_t kMasks[9] = {
        0,           0xff,         0xffff,         0xffffff,
        0xffffffff,  0xffffffffff, 0xffffffffffff, 0xffffffffffffff,
        ~uint64_t{0}};
    uint64_t low;
    uint32_t high;
    std::memcpy(&low, text, 8);
    std::memcpy(&high, text + 8, 4);
    low &= kMasks[size < 8 ? size : 8];
    high &= static_cast<uint32_t>(kMasks[size > 8 ? size - 8 : 0]);
    std::memcpy(out, &low, 8);
    std::memcpy(out + 8, &high, 4);
  }
  void mark_valid(int64_t row) { set_bit(validity_->mutable_data(), row); }
  [[nodiscard]] size_t bytes_for(int64_t rows) const;

  Type type_;
  size_t width_;  // 0: boolean
  bool text_;
  std::unique_ptr<ColumnBuilder> nested_;
  int64_t room_ = 0;
  BufferPtr values_;
  uint8_t* data_ = nullptr;
  BufferPtr validity_;
  std::vector<BufferPtr> shared_;  // the data buffers of the lines, then our own
  size_t num_lent_ = 0;
  size_t used_ = 0;  // bytes of the last one of our own
};

}  // namespace flowrun
