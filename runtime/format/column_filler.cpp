#include "runtime/format/column_filler.h"

namespace flowrun {

namespace {

constexpr size_t kTextBuffer = 64 << 10;

size_t width_of(const Type& type) {
  if (type.is_string_like()) return sizeof(StringView);
  return type.id() == TypeId::boolean || type.is_nested() || type.id() == TypeId::null
             ? 0
             : value_width(type.id());
}

}  // namespace

ColumnFiller::ColumnFiller(Type type)
    : type_(std::move(type)), width_(width_of(type_)), text_(type_.is_string_like()) {
  if (type_.is_nested() || type_.id() == TypeId::null) nested_ = make_builder(type_);
}

size_t ColumnFiller::bytes_for(int64_t rows) const {
  return width_ == 0 ? bitmap_bytes(rows) : static_cast<size_t>(rows) * width_;
}

void ColumnFiller::begin(int64_t rows, const Column& lines) {
  room_ = rows;
  validity_ = nullptr;
  if (nested_) return;
  values_ = Buffer::allocate(bytes_for(rows));
  data_ = values_->mutable_data();
  if (text_) {
    shared_ = lines.parts().data_buffers;
    num_lent_ = shared_.size();
    used_ = 0;
  }
}

void ColumnFiller::grow(int64_t rows) {
  if (rows <= room_) return;
  rows = std::max(rows, room_ * 2);
  if (!nested_) {
    grow_buffer(values_, bytes_for(room_), bytes_for(rows));
    data_ = values_->mutable_data();
    if (validity_) {
      BufferPtr larger = Buffer::allocate(bitmap_bytes(rows));
      std::memset(larger->mutable_data(), 0xff, bitmap_bytes(rows));
      std::memcpy(larger->mutable_data(), validity_->data(), bitmap_bytes(room_));
      validity_ = std::move(larger);
    }
  }
  room_ = rows;
}

void ColumnFiller::set_text(int64_t row, std::string_view text) {
  auto& view = reinterpret_cast<StringView*>(data_)[row];
  if (validity_) mark_valid(row);
  if (text.size() <= StringView::kInline) {
    view = StringView::inline_of(text);
    return;
  }
  if (shared_.size() == num_lent_ || used_ + text.size() > shared_.back()->capacity()) {
    if (shared_.size() > num_lent_) shared_.back()->set_size(used_);
    shared_.push_back(Buffer::allocate(std::max(text.size(), kTextBuffer)));
    used_ = 0;
  }
  std::memcpy(shared_.back()->mutable_data() + used_, text.data(), text.size());
  view =
      StringView::of(text, static_cast<uint32_t>(shared_.size() - 1), static_cast<uint32_t>(used_));
  used_ += text.size();
}

void ColumnFiller::set_null(int64_t row) {
  if (nested_) return nested_->append_null();
  if (!validity_) {
    validity_ = Buffer::allocate(bitmap_bytes(room_));
    std::memset(validity_->mutable_data(), 0xff, bitmap_bytes(room_));
  }
  clear_bit(validity_->mutable_data(), row);
  if (width_ == 0) {
    clear_bit(data_, row);
  } else {
    std::memset(data_ + static_cast<size_t>(row) * width_, 0, width_);
  }
}

ColumnPtr ColumnFiller::finish(int64_t rows) {
  if (nested_) return nested_->finish();
  values_->set_size(bytes_for(rows));
  Column::Parts parts{.type = type_, .size = rows, .null_count = validity_ ? -1 : 0};
  if (validity_) validity_->set_size(bitmap_bytes(rows));
  parts.validity = std::move(validity_);
  parts.values = std::move(values_);
  if (text_ && shared_.size() > num_lent_) shared_.back()->set_size(used_);
  parts.data_buffers = std::move(shared_);
  shared_.clear();
  values_ = nullptr;
  validity_ = nullptr;
  data_ = nullptr;
  return Column::make(std::move(parts));
}

}  // namespace flowrun
