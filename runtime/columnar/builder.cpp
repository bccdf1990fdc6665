#include "runtime/columnar/builder.h"

#include <algorithm>

namespace flowrun {

namespace {

constexpr size_t kSmallestBuffer = 1024;
constexpr size_t kTextBuffer = 64 << 10;

void append_list(const Column& source, int64_t row, size_t child, ColumnBuilder& builder) {
  for (int32_t e = source.list_begin(row); e < source.list_end(row); ++e)
    builder.append_row(*source.child(child), e);
}

int32_t offset_of(const ColumnBuilder& builder) { return static_cast<int32_t>(builder.size()); }

}  // namespace

void grow_buffer(BufferPtr& buffer, size_t used, size_t bytes) {
  const size_t capacity = std::max({bytes, kSmallestBuffer, buffer ? buffer->capacity() * 2 : 0});
  BufferPtr grown = Buffer::allocate(capacity);
  if (used > 0) std::memcpy(grown->mutable_data(), buffer->data(), used);
  buffer = std::move(grown);
}

void ColumnBuilder::push_bit(bool valid) {
  const size_t bytes = bitmap_bytes(size_ + 1);
  if (bytes > validity_->capacity()) grow_buffer(validity_, bitmap_bytes(size_), bytes);
  put_bit(validity_->mutable_data(), size_, valid);
}

void ColumnBuilder::push_null() {
  if (!validity_) {
    validity_ = Buffer::allocate(std::max(bitmap_bytes(size_ + 1), size_t{128}));
    std::memset(validity_->mutable_data(), 0xff, bitmap_bytes(size_));
  }
  push_bit(false);
  ++size_;
  ++null_count_;
}

void ColumnBuilder::truncate_validity(int64_t size) {
  if (validity_) null_count_ = size - count_set_bits(validity_->data(), 0, size);
  size_ = size;
}

Column::Parts ColumnBuilder::take_parts() {
  Column::Parts parts{.type = type_, .size = size_, .null_count = null_count_};
  if (null_count_ > 0) parts.validity = std::move(validity_);
  validity_ = nullptr;
  size_ = 0;
  null_count_ = 0;
  return parts;
}

void BooleanBuilder::append(bool value) {
  const size_t bytes = bitmap_bytes(size_ + 1);
  if (!values_ || bytes > values_->capacity()) grow_buffer(values_, bitmap_bytes(size_), bytes);
  put_bit(values_->mutable_data(), size_, value);
  push_valid();
}

void BooleanBuilder::append_null() {
  append(false);
  --size_;
  push_null();
}

ColumnPtr BooleanBuilder::finish() {
  if (!values_) grow_buffer(values_, 0, 1);
  values_->set_size(bitmap_bytes(size_));
  Column::Parts parts = take_parts();
  parts.values = std::move(values_);
  values_ = nullptr;
  return Column::make(std::move(parts));
}

void StringBuilder::grow(int64_t rows) {
  grow_buffer(values_, static_cast<size_t>(size_) * sizeof(StringView),
              static_cast<size_t>(rows) * sizeof(StringView));
  data_ = reinterpret_cast<StringView*>(values_->mutable_data());
  capacity_ = static_cast<int64_t>(values_->capacity() / sizeof(StringView));
}

void StringBuilder::reserve(int64_t rows) {
  if (size_ + rows > capacity_) grow(size_ + rows);
}

char* StringBuilder::place(size_t bytes, uint32_t& buffer, uint32_t& offset) {
  if (open_buffer_ < 0 ||
      open_used_ + bytes > buffers_[static_cast<size_t>(open_buffer_)]->capacity()) {
    const size_t before =
        open_buffer_ < 0 ? 0 : buffers_[static_cast<size_t>(open_buffer_)]->capacity();
    if (open_buffer_ >= 0) buffers_[static_cast<size_t>(open_buffer_)]->set_size(open_used_);
    const size_t wanted = std::clamp(before * 2, kSmallestBuffer, kTextBuffer);
    buffers_.push_back(Buffer::allocate(std::max(bytes, wanted)));
    open_buffer_ = static_cast<int32_t>(buffers_.size()) - 1;
    open_used_ = 0;
  }
  buffer = static_cast<uint32_t>(open_buffer_);
  offset = static_cast<uint32_t>(open_used_);
  open_used_ += bytes;
  return reinterpret_cast<char*>(buffers_[buffer]->mutable_data()) + offset;
}

void StringBuilder::append(std::string_view text) {
  if (text.size() <= StringView::kInline) {
    append_view(StringView::inline_of(text));
    return;
  }
  uint32_t buffer = 0;
  uint32_t offset = 0;
  std::memcpy(place(text.size(), buffer, offset), text.data(), text.size());
  append_view(StringView::of(text, buffer, offset));
}

uint32_t StringBuilder::share(BufferPtr buffer) {
  const auto found = std::ranges::find(buffers_, buffer);
  if (found != buffers_.end()) return static_cast<uint32_t>(found - buffers_.begin());
  buffers_.push_back(std::move(buffer));
  return static_cast<uint32_t>(buffers_.size() - 1);
}

void StringBuilder::append_null() {
  if (size_ == capacity_) grow(size_ + 1);
  data_[size_] = StringView{};
  push_null();
}

ColumnPtr StringBuilder::finish() {
  if (!values_) grow(1);
  if (open_buffer_ >= 0) buffers_[static_cast<size_t>(open_buffer_)]->set_size(open_used_);
  values_->set_size(static_cast<size_t>(size_) * sizeof(StringView));
  Column::Parts parts = take_parts();
  parts.values = std::move(values_);
  parts.data_buffers = std::move(buffers_);
  values_ = nullptr;
  data_ = nullptr;
  capacity_ = 0;
  buffers_.clear();
  open_buffer_ = -1;
  open_used_ = 0;
  return Column::make(std::move(parts));
}

ArrayBuilder::ArrayBuilder(Type type)
    : ColumnBuilder(std::move(type)),
      element_(make_builder(type_.element())),
      offsets_(Type::integer()) {
  offsets_.append(0);
}

void ArrayBuilder::append() {
  offsets_.append(offset_of(*element_));
  push_valid();
}

void ArrayBuilder::append_null() {
  offsets_.append(offset_of(*element_));
  push_null();
}

void ArrayBuilder::append_row(const Column& source, int64_t row) {
  if (source.is_null(row)) return append_null();
  append_list(source, row, 0, *element_);
  append();
}

void ArrayBuilder::truncate(int64_t size) {
  offsets_.truncate(size + 1);
  truncate_validity(size);
  element_->truncate(offsets_.at(size));
}

ColumnPtr ArrayBuilder::finish() {
  Column::Parts parts = take_parts();
  parts.values = offsets_.finish()->parts().values;
  parts.children.push_back(element_->finish());
  offsets_.append(0);
  return Column::make(std::move(parts));
}

MapBuilder::MapBuilder(Type type)
    : ColumnBuilder(std::move(type)),
      key_(make_builder(type_.key())),
      value_(make_builder(type_.value())),
      offsets_(Type::integer()) {
  offsets_.append(0);
}

void MapBuilder::append() {
  FLOWRUN_DCHECK(key_->size() == value_->size(), "a map has as many keys as values");
  offsets_.append(offset_of(*key_));
  push_valid();
}

void MapBuilder::append_null() {
  offsets_.append(offset_of(*key_));
  push_null();
}

void MapBuilder::append_row(const Column& source, int64_t row) {
  if (source.is_null(row)) return append_null();
  append_list(source, row, 0, *key_);
  append_list(source, row, 1, *value_);
  append();
}

void MapBuilder::truncate(int64_t size) {
  offsets_.truncate(size + 1);
  truncate_validity(size);
  key_->truncate(offsets_.at(size));
  value_->truncate(offsets_.at(size));
}

ColumnPtr MapBuilder::finish() {
  Column::Parts parts = take_parts();
  parts.values = offsets_.finish()->parts().values;
  parts.children.push_back(key_->finish());
  parts.children.push_back(value_->finish());
  offsets_.append(0);
  return Column::make(std::move(parts));
}

StructBuilder::StructBuilder(Type type) : ColumnBuilder(std::move(type)) {
  for (const Field& field : type_.fields()) fields_.push_back(make_builder(field.type));
}

void StructBuilder::append() { push_valid(); }

void StructBuilder::append_null() {
  for (const auto& field : fields_) field->append_null();
  push_null();
}

void StructBuilder::append_row(const Column& source, int64_t row) {
  if (source.is_null(row)) return append_null();
  for (size_t i = 0; i < fields_.size(); ++i) fields_[i]->append_row(*source.child(i), row);
  append();
}

void StructBuilder::truncate(int64_t size) {
  for (const auto& field : fields_) field->truncate(size);
  truncate_validity(size);
}

ColumnPtr StructBuilder::finish() {
  Column::Parts parts = take_parts();
  for (const auto& field : fields_) {
    parts.children.push_back(field->finish());
    FLOWRUN_DCHECK(parts.children.back()->size() == parts.size,
                   "every field of a struct was given one value per row");
  }
  return Column::make(std::move(parts));
}

ColumnPtr NullBuilder::finish() {
  const int64_t size = size_;
  size_ = 0;
  return null_column(type_, size);
}

std::unique_ptr<ColumnBuilder> make_builder(const Type& type) {
  switch (type.id()) {
    case TypeId::null:
      return std::make_unique<NullBuilder>();
    case TypeId::boolean:
      return std::make_unique<BooleanBuilder>();
    case TypeId::string:
    case TypeId::binary:
      return std::make_unique<StringBuilder>(type);
    case TypeId::array:
      return std::make_unique<ArrayBuilder>(type);
    case TypeId::map:
      return std::make_unique<MapBuilder>(type);
    case TypeId::struct_:
      return std::make_unique<StructBuilder>(type);
    default:
      return visit_fixed(type.id(), [&](auto tag) -> std::unique_ptr<ColumnBuilder> {
        return std::make_unique<FixedBuilder<typename decltype(tag)::type>>(type);
      });
  }
}

BufferPtr copy_validity(const Column& column) {
  const uint8_t* bits = column.validity_bits();
  if (!bits) return nullptr;
  BufferPtr copy = Buffer::allocate(bitmap_bytes(column.size()));
  copy_bits(bits, column.parts().offset, column.size(), copy->mutable_data(), 0);
  return copy;
}

}  // namespace flowrun
