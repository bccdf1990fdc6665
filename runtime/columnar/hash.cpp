// The mixing step is the 64x64 -> 128 bit multiplication of wyhash (Wang Yi, public domain): strong
// enough for hash tables, and two or three cycles a value.
#include "runtime/columnar/hash.h"

#include <cmath>
#include <limits>
#include <vector>

namespace flowrun {

namespace {

__extension__ typedef unsigned __int128 Product;

constexpr uint64_t kFirst = 0xa0761d6478bd642f;
constexpr uint64_t kSecond = 0xe7037ed1a0b428db;
constexpr uint64_t kNull = 0x8ebc6af09c88c6e3;

uint64_t multiply(uint64_t a, uint64_t b) {
  const Product product = static_cast<Product>(a) * b;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

uint64_t mix(uint64_t hash, uint64_t word) { return multiply(hash ^ kFirst, word ^ kSecond); }

uint64_t mix(uint64_t hash, uint64_t low, uint64_t high) {
  return multiply(hash ^ low ^ kFirst, mix(low, high) ^ kSecond);
}

uint64_t load64(const char* bytes) {
  uint64_t word;
  std::memcpy(&word, bytes, sizeof word);
  return word;
}

uint64_t load32(const char* bytes) {
  uint32_t word;
  std::memcpy(&word, bytes, sizeof word);
  return word;
}

// The view's own bytes; those behind a short text are zero.
uint64_t hash_inline(uint64_t hash, const StringView& view) {
  return mix(hash, load64(view.inlined), load32(view.inlined + 8) | uint64_t{view.size} << 32);
}

// REQUIRES: more than StringView::kInline bytes. The last 16 are read whole, over some read before.
uint64_t hash_long(uint64_t hash, std::string_view text) {
  const char* at = text.data();
  size_t left = text.size();
  hash = mix(hash, left);
  for (; left > 16; left -= 16, at += 16)
    hash = multiply(hash ^ load64(at), load64(at + 8) ^ kFirst);
  const char* end = text.data() + text.size();
  if (text.size() >= 16) return mix(hash, load64(end - 16), load64(end - 8));
  return mix(hash, load64(text.data()), load64(end - 8));
}

uint64_t hash_view(uint64_t hash, const StringView& view, std::string_view text) {
  return view.is_inline() ? hash_inline(hash, view) : hash_long(hash, text);
}

template <class T>
uint64_t hash_value(uint64_t hash, T value) {
  if constexpr (std::is_floating_point_v<T>) {
    // One NaN, and no negative zero: adding 0.0 turns -0.0 into 0.0.
    const double canonical = std::isnan(value) ? std::numeric_limits<double>::quiet_NaN()
                                               : static_cast<double>(value) + 0.0;
    return mix(hash, std::bit_cast<uint64_t>(canonical));
  } else if constexpr (std::is_same_v<T, Decimal128>) {
    return mix(hash, static_cast<uint64_t>(value),
               static_cast<uint64_t>(static_cast<Product>(value) >> 64));
  } else if constexpr (std::is_same_v<T, CalendarInterval>) {
    const auto days = static_cast<uint64_t>(static_cast<uint32_t>(value.days));
    const auto months = static_cast<uint64_t>(static_cast<uint32_t>(value.months));
    return mix(hash, days << 32 | months, static_cast<uint64_t>(value.microseconds));
  } else {
    return mix(hash, static_cast<uint64_t>(static_cast<int64_t>(value)));
  }
}

// hash_of(hash, row) for valid rows, kNull for the others.
template <class HashOf>
void hash_each(const Column& column, std::span<uint64_t> hashes, HashOf hash_of) {
  if (column.null_count() == 0) {
    for (size_t i = 0; i < hashes.size(); ++i) hashes[i] = hash_of(hashes[i], i);
    return;
  }
  for (size_t i = 0; i < hashes.size(); ++i) {
    hashes[i] =
        column.is_null(static_cast<int64_t>(i)) ? mix(hashes[i], kNull) : hash_of(hashes[i], i);
  }
}

void hash_lists(const Column& column, std::span<uint64_t> hashes) {
  if (column.size() == 0) return;
  // Only the elements that the rows span: a slice may be a small part of its children.
  const int32_t first = column.list_begin(0);
  const int32_t last = column.list_end(column.size() - 1);
  std::vector<uint64_t> elements(static_cast<size_t>(last - first), kHashSeed);
  for (const ColumnPtr& child : column.children()) {
    hash_rows(*child->slice(first, last - first), elements);
  }
  hash_each(column, hashes, [&](uint64_t hash, size_t i) {
    const auto row = static_cast<int64_t>(i);
    const int32_t begin = column.list_begin(row);
    const int32_t end = column.list_end(row);
    hash = mix(hash, static_cast<uint64_t>(end - begin));
    for (int32_t e = begin; e < end; ++e)
      hash = mix(hash, elements[static_cast<size_t>(e - first)]);
    return hash;
  });
}

void hash_structs(const Column& column, std::span<uint64_t> hashes) {
  std::vector<uint64_t> before;
  if (column.null_count() > 0) before.assign(hashes.begin(), hashes.end());
  for (const ColumnPtr& child : column.children()) hash_rows(*child, hashes);
  for (size_t i = 0; i < before.size(); ++i) {
    if (column.is_null(static_cast<int64_t>(i))) hashes[i] = mix(before[i], kNull);
  }
}

}  // namespace

uint64_t hash_text(uint64_t hash, std::string_view text) {
  if (text.size() <= StringView::kInline) return hash_inline(hash, StringView::inline_of(text));
  return hash_long(hash, text);
}

void hash_rows(const Column& column, std::span<uint64_t> hashes) {
  FLOWRUN_CHECK(static_cast<int64_t>(hashes.size()) == column.size(),
                "there is a hash for each row");
  switch (column.type().id()) {
    case TypeId::null:
      for (uint64_t& hash : hashes) hash = mix(hash, kNull);
      break;
    case TypeId::boolean:
      hash_each(column, hashes, [&](uint64_t hash, size_t i) {
        return mix(hash, column.boolean(static_cast<int64_t>(i)) ? 1 : 0);
      });
      break;
    case TypeId::string:
    case TypeId::binary: {
      const StringView* views = column.values<StringView>().data();
      hash_each(column, hashes, [&](uint64_t hash, size_t i) {
        return hash_view(hash, views[i], column.string(static_cast<int64_t>(i)));
      });
      break;
    }
    case TypeId::array:
    case TypeId::map:
      hash_lists(column, hashes);
      break;
    case TypeId::struct_:
      hash_structs(column, hashes);
      break;
    default:
      visit_fixed(column.type().id(), [&](auto tag) {
        using T = typename decltype(tag)::type;
        const T* values = column.values<T>().data();
        hash_each(column, hashes,
                  [&](uint64_t hash, size_t i) { return hash_value(hash, values[i]); });
      });
  }
}

}  // namespace flowrun
