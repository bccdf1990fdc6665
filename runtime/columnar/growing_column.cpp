#include "runtime/columnar/growing_column.h"

#include <algorithm>
#include <limits>

#include "runtime/columnar/builder.h"

namespace flowrun {

namespace {

constexpr size_t kFirstTextBlock = 1 << 10;
constexpr size_t kTextBlock = 1 << 20;

// Makes room for `bytes`, of which `used` are kept.
void reserve(BufferPtr& buffer, size_t used, size_t bytes) {
  if (!buffer || buffer->capacity() < bytes) grow_buffer(buffer, used, bytes);
}

}  // namespace

GrowingColumn::GrowingColumn(Type type) : type_(std::move(type)) {
  for (const Field& field : type_.fields()) children_.emplace_back(field.type);
  if (type_.id() == TypeId::array || type_.id() == TypeId::map) {
    reserve(values_, 0, sizeof(int32_t));
    *reinterpret_cast<int32_t*>(values_->mutable_data()) = 0;
  }
}

void GrowingColumn::append_nulls(int64_t rows) {
  const std::vector<int32_t> none(static_cast<size_t>(rows), -1);
  append(*null_column(type_, 0), none);
}

void GrowingColumn::append(const Column& source, std::span<const int32_t> rows) {
  append_validity(source, rows);
  switch (type_.id()) {
    case TypeId::null:
      break;
    case TypeId::string:
    case TypeId::binary:
      append_texts(source, rows);
      break;
    case TypeId::array:
    case TypeId::map:
      append_lists(source, rows);
      break;
    case TypeId::struct_:
      for (size_t i = 0; i < children_.size(); ++i) children_[i].append(*source.child(i), rows);
      break;
    default:
      append_values(source, rows);
  }
  size_ += static_cast<int64_t>(rows.size());
}

void GrowingColumn::append_validity(const Column& source, std::span<const int32_t> rows) {
  const bool missing = std::ranges::any_of(rows, [](int32_t row) { return row < 0; });
  if (source.null_count() == 0 && !missing && !validity_) return;
  const auto end = size_ + static_cast<int64_t>(rows.size());
  const bool first = !validity_;
  reserve(validity_, first ? 0 : bitmap_bytes(size_), bitmap_bytes(end));
  uint8_t* bits = validity_->mutable_data();
  if (first) std::memset(bits, 0xff, bitmap_bytes(size_));
  for (size_t i = 0; i < rows.size(); ++i) {
    const bool valid = rows[i] >= 0 && source.is_valid(rows[i]);
    put_bit(bits, size_ + static_cast<int64_t>(i), valid);
    null_count_ += valid ? 0 : 1;
  }
}

void GrowingColumn::append_values(const Column& source, std::span<const int32_t> rows) {
  const auto used = static_cast<size_t>(size_);
  if (type_.id() == TypeId::boolean) {
    reserve(values_, bitmap_bytes(size_), bitmap_bytes(size_ + static_cast<int64_t>(rows.size())));
    for (size_t i = 0; i < rows.size(); ++i)
      put_bit(values_->mutable_data(), static_cast<int64_t>(used + i),
              rows[i] >= 0 && source.boolean(rows[i]));
    return;
  }
  visit_fixed(type_.id(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    reserve(values_, used * sizeof(T), (used + rows.size()) * sizeof(T));
    T* out = reinterpret_cast<T*>(values_->mutable_data()) + used;
    const T* in = source.values<T>().data();
    for (size_t i = 0; i < rows.size(); ++i) out[i] = rows[i] < 0 ? T{} : in[rows[i]];
  });
}

StringView GrowingColumn::store(std::string_view text) {
  if (texts_.empty() || text_used_ + text.size() > texts_.back()->capacity()) {
    const size_t before = texts_.empty() ? 0 : texts_.back()->capacity();
    texts_.push_back(Buffer::allocate(
        std::max(text.size(), std::clamp(before * 2, kFirstTextBlock, kTextBlock))));
    text_used_ = 0;
  }
  std::memcpy(texts_.back()->mutable_data() + text_used_, text.data(), text.size());
  const StringView view = StringView::of(text, static_cast<uint32_t>(texts_.size() - 1),
                                         static_cast<uint32_t>(text_used_));
  text_used_ += text.size();
  return view;
}

void GrowingColumn::append_texts(const Column& source, std::span<const int32_t> rows) {
  const auto used = static_cast<size_t>(size_);
  reserve(values_, used * sizeof(StringView), (used + rows.size()) * sizeof(StringView));
  auto* out = reinterpret_cast<StringView*>(values_->mutable_data()) + used;
  const StringView* in = source.values<StringView>().data();
  for (size_t i = 0; i < rows.size(); ++i) {
    const int32_t row = rows[i];
    if (row < 0 || source.is_null(row)) {
      out[i] = StringView{};
    } else {
      out[i] = in[row].is_inline() ? in[row] : store(source.string(row));
    }
  }
}

void GrowingColumn::append_lists(const Column& source, std::span<const int32_t> rows) {
  const auto used = static_cast<size_t>(size_) + 1;
  reserve(values_, used * sizeof(int32_t), (used + rows.size()) * sizeof(int32_t));
  auto* ends = reinterpret_cast<int32_t*>(values_->mutable_data()) + used;
  std::vector<int32_t> elements;
  int64_t end = ends[-1];
  for (size_t i = 0; i < rows.size(); ++i) {
    const int32_t row = rows[i];
    if (row >= 0 && source.is_valid(row)) {
      for (int32_t e = source.list_begin(row); e < source.list_end(row); ++e) elements.push_back(e);
      end += source.list_end(row) - source.list_begin(row);
      FLOWRUN_CHECK(end <= std::numeric_limits<int32_t>::max(),
                    "a column holds less than 2^31 elements");
    }
    ends[i] = static_cast<int32_t>(end);
  }
  for (size_t i = 0; i < children_.size(); ++i) children_[i].append(*source.child(i), elements);
}

ColumnPtr GrowingColumn::view() const {
  if (size_ == 0 || type_.id() == TypeId::null) return null_column(type_, size_);
  Column::Parts parts{.type = type_, .size = size_, .null_count = null_count_};
  if (null_count_ > 0) parts.validity = validity_;
  parts.values = values_;
  parts.data_buffers = texts_;
  for (const GrowingColumn& child : children_) parts.children.push_back(child.view());
  return Column::make(std::move(parts));
}

int64_t GrowingColumn::memory_bytes() const {
  int64_t bytes = 0;
  const auto add = [&](const BufferPtr& buffer) {
    if (buffer) bytes += static_cast<int64_t>(buffer->capacity());
  };
  add(validity_);
  add(values_);
  for (const BufferPtr& block : texts_) add(block);
  for (const GrowingColumn& child : children_) bytes += child.memory_bytes();
  return bytes;
}

}  // namespace flowrun
