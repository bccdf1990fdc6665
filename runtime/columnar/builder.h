#pragma once
// Builders: rows in, a Column out. A builder is empty again after finish() and keeps no buffer.
//
//   FixedBuilder<int64_t> ids(Type::bigint());
//   ids.append(7);
//   ids.append_null();
//   ColumnPtr column = ids.finish();
//
// Not thread-safe. Generic code goes through ColumnBuilder; typed code casts once per column and
// then calls the non-virtual append of the final class.

#include <bit>
#include <memory>
#include <string_view>
#include <vector>

#include "runtime/columnar/column.h"

namespace flowrun {

class ColumnBuilder {
 public:
  virtual ~ColumnBuilder() = default;
  ColumnBuilder(const ColumnBuilder&) = delete;
  ColumnBuilder& operator=(const ColumnBuilder&) = delete;

  [[nodiscard]] const Type& type() const { return type_; }
  [[nodiscard]] int64_t size() const { return size_; }
  virtual void append_null() = 0;
  // A copy of one row. REQUIRES: source.type() == type().
  virtual void append_row(const Column& source, int64_t row) = 0;
  virtual void reserve(int64_t rows) { static_cast<void>(rows); }
  // Drops rows from the end. REQUIRES: size <= this->size().
  virtual void truncate(int64_t size) = 0;
  virtual ColumnPtr finish() = 0;

 protected:
  explicit ColumnBuilder(Type type) : type_(std::move(type)) {}

  // Marks row size_ and moves on. The bitmap exists only from the first null on.
  void push_valid() {
    if (validity_) push_bit(true);
    ++size_;
  }
  void push_null();
  void truncate_validity(int64_t size);
  // The common parts; the builder is empty again.
  Column::Parts take_parts();

  Type type_;
  int64_t size_ = 0;
  int64_t null_count_ = 0;
  BufferPtr validity_;

 private:
  void push_bit(bool valid);
};

std::unique_ptr<ColumnBuilder> make_builder(const Type& type);

// Grows `buffer` to hold at least `bytes`, keeping the first `used`; capacity doubles.
void grow_buffer(BufferPtr& buffer, size_t used, size_t bytes);

// Every fixed-width type but boolean; T is its physical type.
template <class T>
class FixedBuilder final : public ColumnBuilder {
 public:
  explicit FixedBuilder(Type type) : ColumnBuilder(std::move(type)) {}

  void append(T value) {
    if (size_ == capacity_) grow(size_ + 1);
    data_[size_] = value;
    push_valid();
  }
  void append_null() override {
    if (size_ == capacity_) grow(size_ + 1);
    data_[size_] = T{};
    push_null();
  }
  void append_row(const Column& source, int64_t row) override {
    source.is_null(row) ? append_null() : append(source.values<T>()[static_cast<size_t>(row)]);
  }
  void reserve(int64_t rows) override {
    if (size_ + rows > capacity_) grow(size_ + rows);
  }
  void truncate(int64_t size) override { truncate_validity(size); }
  [[nodiscard]] T at(int64_t i) const { return data_[i]; }
  ColumnPtr finish() override {
    if (!values_) grow(1);
    values_->set_size(static_cast<size_t>(size_) * sizeof(T));
    Column::Parts parts = take_parts();
    parts.values = std::move(values_);
    values_ = nullptr;
    data_ = nullptr;
    capacity_ = 0;
    return Column::make(std::move(parts));
  }

 private:
  void grow(int64_t rows) {
    grow_buffer(values_, static_cast<size_t>(size_) * sizeof(T),
                static_cast<size_t>(rows) * sizeof(T));
    data_ = reinterpret_cast<T*>(values_->mutable_data());
    capacity_ = static_cast<int64_t>(values_->capacity() / sizeof(T));
  }

  BufferPtr values_;
  T* data_ = nullptr;
  int64_t capacity_ = 0;
};

class BooleanBuilder final : public ColumnBuilder {
 public:
  explicit BooleanBuilder() : ColumnBuilder(Type::boolean()) {}
  void append(bool value);
  void append_null() override;
  void append_row(const Column& source, int64_t row) override {
    source.is_null(row) ? append_null() : append(source.boolean(row));
  }
  void truncate(int64_t size) override { truncate_validity(size); }
  ColumnPtr finish() override;

 private:
  BufferPtr values_;
};

// string and binary. Text is copied into buffers of its own unless it is appended as shared.
class StringBuilder final : public ColumnBuilder {
 public:
  explicit StringBuilder(Type type) : ColumnBuilder(std::move(type)) {}

  void append(std::string_view text);
  // Makes `buffer` one of the column's data buffers; the index is good until finish().
  uint32_t share(BufferPtr buffer);
  // Text that stands inside the shared buffer: no byte is copied (short text goes inline).
  void append_shared(std::string_view text, uint32_t buffer) {
    const Buffer& shared = *buffers_[buffer];
    const auto offset =
        static_cast<uint32_t>(reinterpret_cast<const uint8_t*>(text.data()) - shared.data());
    append_view(StringView::of(text, buffer, text.size() <= StringView::kInline ? 0 : offset));
  }
  void append_null() override;
  void append_row(const Column& source, int64_t row) override {
    source.is_null(row) ? append_null() : append(source.string(row));
  }
  void reserve(int64_t rows) override;
  void truncate(int64_t size) override { truncate_validity(size); }
  ColumnPtr finish() override;

 private:
  void append_view(const StringView& view) {
    if (size_ == capacity_) grow(size_ + 1);
    data_[size_] = view;
    push_valid();
  }
  void grow(int64_t rows);
  // A place for `bytes` in the buffer that copied text goes to.
  char* place(size_t bytes, uint32_t& buffer, uint32_t& offset);

  BufferPtr values_;
  StringView* data_ = nullptr;
  int64_t capacity_ = 0;
  std::vector<BufferPtr> buffers_;
  int32_t open_buffer_ = -1;  // index of the one that copied text goes to
  size_t open_used_ = 0;
};

// append() or append_null() closes a row that holds the elements appended to element() since the
// last.
class ArrayBuilder final : public ColumnBuilder {
 public:
  explicit ArrayBuilder(Type type);
  [[nodiscard]] ColumnBuilder& element() { return *element_; }
  void append();
  void append_null() override;
  void append_row(const Column& source, int64_t row) override;
  void truncate(int64_t size) override;
  ColumnPtr finish() override;

 private:
  std::unique_ptr<ColumnBuilder> element_;
  FixedBuilder<int32_t> offsets_;
};

// As ArrayBuilder, with as many keys as values appended per row. Keys are never null.
class MapBuilder final : public ColumnBuilder {
 public:
  explicit MapBuilder(Type type);
  [[nodiscard]] ColumnBuilder& key() { return *key_; }
  [[nodiscard]] ColumnBuilder& value() { return *value_; }
  void append();
  void append_null() override;
  void append_row(const Column& source, int64_t row) override;
  void truncate(int64_t size) override;
  ColumnPtr finish() override;

 private:
  std::unique_ptr<ColumnBuilder> key_;
  std::unique_ptr<ColumnBuilder> value_;
  FixedBuilder<int32_t> offsets_;
};

// append() closes a row for which every field was given one value; append_null() gives the fields
// nulls.
class StructBuilder final : public ColumnBuilder {
 public:
  explicit StructBuilder(Type type);
  [[nodiscard]] ColumnBuilder& field(size_t i) { return *fields_[i]; }
  [[nodiscard]] size_t num_fields() const { return fields_.size(); }
  void append();
  void append_null() override;
  void append_row(const Column& source, int64_t row) override;
  void truncate(int64_t size) override;
  ColumnPtr finish() override;

 private:
  std::vector<std::unique_ptr<ColumnBuilder>> fields_;
};

// The type null: rows without values.
class NullBuilder final : public ColumnBuilder {
 public:
  NullBuilder() : ColumnBuilder(Type::null()) {}
  void append_null() override { ++size_; }
  void append_row(const Column&, int64_t) override { ++size_; }
  void truncate(int64_t size) override { size_ = size; }
  ColumnPtr finish() override;
};

// A fixed number of rows written by index, for kernels: every row is written once, by set or
// set_null.
//
//   FixedWriter<double> out(Type::double_(), n);
//   for (...) valid ? out.set(i, x) : out.set_null(i);
//   return out.finish();
template <class T>
class FixedWriter {
 public:
  FixedWriter(Type type, int64_t size)
      : type_(std::move(type)),
        size_(size),
        values_(Buffer::allocate(static_cast<size_t>(size) * sizeof(T))) {
    data_ = reinterpret_cast<T*>(values_->mutable_data());
  }
  void set(int64_t i, T value) { data_[i] = value; }
  void set_null(int64_t i) {
    if (!validity_) make_validity();
    clear_bit(validity_->mutable_data(), i);
    ++null_count_;
    data_[i] = T{};
  }
  [[nodiscard]] T* data() { return data_; }
  // Rows null wherever `column` is; their values must have been set to anything. Call at most once,
  // first.
  void share_validity(const Column& column);
  ColumnPtr finish() {
    Column::Parts parts{.type = std::move(type_), .size = size_, .null_count = null_count_};
    parts.validity = std::move(validity_);
    parts.values = std::move(values_);
    return Column::make(std::move(parts));
  }

 private:
  void make_validity() {
    validity_ = Buffer::allocate(bitmap_bytes(size_));
    std::memset(validity_->mutable_data(), 0xff, bitmap_bytes(size_));
  }

  Type type_;
  int64_t size_;
  int64_t null_count_ = 0;
  BufferPtr values_;
  BufferPtr validity_;
  T* data_ = nullptr;
};

// The bits of `column`'s validity moved to offset 0; null when nothing is null.
BufferPtr copy_validity(const Column& column);

template <class T>
void FixedWriter<T>::share_validity(const Column& column) {
  validity_ = copy_validity(column);
  null_count_ = column.null_count();
}

}  // namespace flowrun
