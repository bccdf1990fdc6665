#include "runtime/expr/list_values.h"

#include <cstring>

namespace flowrun {

ListAssembler::ListAssembler(int64_t rows) { offsets_.reserve(static_cast<size_t>(rows) + 1); }

void ListAssembler::null_row() {
  places_.resize(static_cast<size_t>(offsets_.back()));
  nulls_.push_back(static_cast<int64_t>(offsets_.size()) - 1);
  close_row();
}

ColumnPtr ListAssembler::elements(std::span<const ColumnPtr> sources) const {
  return take(sources.size() == 1 ? *sources[0] : *concatenate(sources), places_);
}

ColumnPtr ListAssembler::finish(const Type& type, std::vector<ColumnPtr> children) const {
  const auto rows = static_cast<int64_t>(offsets_.size()) - 1;
  Column::Parts parts{
      .type = type, .size = rows, .null_count = static_cast<int64_t>(nulls_.size())};
  parts.values = Buffer::allocate(offsets_.size() * sizeof(int32_t));
  std::memcpy(parts.values->mutable_data(), offsets_.data(), offsets_.size() * sizeof(int32_t));
  if (!nulls_.empty()) {
    parts.validity = Buffer::allocate(bitmap_bytes(rows));
    std::memset(parts.validity->mutable_data(), 0xff, bitmap_bytes(rows));
    for (const int64_t row : nulls_) clear_bit(parts.validity->mutable_data(), row);
  }
  parts.children = std::move(children);
  return Column::make(std::move(parts));
}

}  // namespace flowrun
