#include "runtime/columnar/row_bits.h"

#include <algorithm>
#include <bit>

namespace flowrun {

namespace {

constexpr int64_t kWord = 64;

// `count` <= 64 bits from bit `offset` on; the bits above them are zero.
uint64_t load_bits(const uint8_t* bits, int64_t offset, int64_t count) {
  const int64_t shift = offset % 8;
  const int64_t bytes = (shift + count + 7) / 8;
  uint64_t word = 0;
  std::memcpy(&word, bits + offset / 8, static_cast<size_t>(std::min<int64_t>(bytes, 8)));
  word >>= shift;
  if (bytes == 9) word |= static_cast<uint64_t>(bits[offset / 8 + 8]) << (kWord - shift);
  return count == kWord ? word : word & ((uint64_t{1} << count) - 1);
}

void copy_bits(const uint8_t* from, int64_t offset, int64_t size, RowBits& bits) {
  for (int64_t at = 0; at < size; at += kWord) {
    bits[static_cast<size_t>(at / kWord)] =
        load_bits(from, offset + at, std::min(kWord, size - at));
  }
}

void and_bits(const uint8_t* from, int64_t offset, int64_t size, RowBits& bits) {
  for (int64_t at = 0; at < size; at += kWord) {
    bits[static_cast<size_t>(at / kWord)] &=
        load_bits(from, offset + at, std::min(kWord, size - at));
  }
}

template <class T>
void clear_nan(std::span<const T> values, RowBits& bits) {
  const auto size = static_cast<int64_t>(values.size());
  for (int64_t at = 0; at < size; at += kWord) {
    uint64_t nan = 0;
    const int64_t count = std::min(kWord, size - at);
    for (int64_t i = 0; i < count; ++i) {
      const T value = values[static_cast<size_t>(at + i)];
      nan |= static_cast<uint64_t>(value != value) << i;
    }
    bits[static_cast<size_t>(at / kWord)] &= ~nan;
  }
}

template <class T>
bool has_nan(std::span<const T> values) {
  bool any = false;
  for (const T value : values) any |= value != value;
  return any;
}

void fill(int64_t size, RowBits& bits) {
  bits.assign(static_cast<size_t>((size + kWord - 1) / kWord), ~uint64_t{0});
  if (size % kWord != 0) bits.back() = (uint64_t{1} << (size % kWord)) - 1;
}

}  // namespace

void true_rows(const Column& column, RowBits& bits) {
  bits.assign(static_cast<size_t>((column.size() + kWord - 1) / kWord), 0);
  if (column.null_count() == column.size()) return;
  const Column::Parts& parts = column.parts();
  copy_bits(parts.values->data(), parts.offset, column.size(), bits);
  if (const uint8_t* valid = column.validity_bits())
    and_bits(valid, parts.offset, column.size(), bits);
}

void present_rows(const Column& column, RowBits& bits) {
  fill(column.size(), bits);
  if (column.null_count() == column.size()) return bits.assign(bits.size(), 0);
  if (const uint8_t* valid = column.validity_bits()) {
    and_bits(valid, column.parts().offset, column.size(), bits);
  }
  if (column.type().id() == TypeId::double_) clear_nan(column.values<double>(), bits);
  if (column.type().id() == TypeId::real) clear_nan(column.values<float>(), bits);
}

bool may_miss(const Column& column) {
  if (column.null_count() > 0) return true;
  if (column.type().id() == TypeId::double_) return has_nan(column.values<double>());
  return column.type().id() == TypeId::real && has_nan(column.values<float>());
}

void append_rows(const RowBits& bits, std::vector<int32_t>& rows) {
  for (size_t w = 0; w < bits.size(); ++w) {
    const auto base = static_cast<int32_t>(w * kWord);
    if (bits[w] == ~uint64_t{0}) {
      for (int32_t i = 0; i < kWord; ++i) rows.push_back(base + i);
      continue;
    }
    for (uint64_t word = bits[w]; word != 0; word &= word - 1)
      rows.push_back(base + std::countr_zero(word));
  }
}

}  // namespace flowrun
