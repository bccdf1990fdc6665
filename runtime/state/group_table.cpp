#include "runtime/state/group_table.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <limits>

#include "runtime/columnar/builder.h"
#include "runtime/columnar/hash.h"

namespace flowrun {

namespace {

__extension__ typedef unsigned __int128 Product;

constexpr uint64_t kFirst = 0xa0761d6478bd642f;
constexpr uint64_t kSecond = 0xe7037ed1a0b428db;
constexpr uint64_t kNullWord = uint64_t{1} << 63;  // in values of up to 32 bits
constexpr uint64_t kNullText = ~uint64_t{0};       // no text has this size
constexpr uint64_t kNullHash = 0x8ebc6af09c88c6e3;
constexpr size_t kFirstSlots = 64;
constexpr size_t kTextBlock = 1 << 16;
// Tables beyond this many slots do not stay in the nearer caches: slots are fetched ahead.
constexpr size_t kPrefetchSlots = 1 << 15;
constexpr size_t kPrefetchDistance = 16;

uint64_t mix(uint64_t hash, uint64_t word) {
  const Product product = static_cast<Product>(hash ^ kFirst) * (word ^ kSecond);
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

// The word or words of a value; equal for values that group together.
template <class T>
std::array<uint64_t, sizeof(T) == 16 ? 2 : 1> words_of(T value) {
  if constexpr (std::is_same_v<T, CalendarInterval>) {
    return std::bit_cast<std::array<uint64_t, 2>>(value);
  } else if constexpr (std::is_same_v<T, Decimal128>) {
    return {static_cast<uint64_t>(value), static_cast<uint64_t>(static_cast<Product>(value) >> 64)};
  } else if constexpr (std::is_floating_point_v<T>) {
    const T canonical = std::isnan(value) ? std::numeric_limits<T>::quiet_NaN() : value + T{0};
    return {std::bit_cast<std::conditional_t<sizeof(T) == 4, uint32_t, uint64_t>>(canonical)};
  } else {
    return {static_cast<std::make_unsigned_t<T>>(value)};
  }
}

template <class T>
T value_of(const uint64_t* words) {
  if constexpr (std::is_same_v<T, CalendarInterval>) {
    return std::bit_cast<CalendarInterval>(std::array<uint64_t, 2>{words[0], words[1]});
  } else if constexpr (std::is_same_v<T, Decimal128>) {
    return static_cast<Decimal128>(static_cast<Product>(words[1]) << 64 | words[0]);
  } else if constexpr (std::is_floating_point_v<T>) {
    return std::bit_cast<T>(
        static_cast<std::conditional_t<sizeof(T) == 4, uint32_t, uint64_t>>(words[0]));
  } else {
    return static_cast<T>(words[0]);
  }
}

bool is_wide(TypeId id) { return value_width(id) == 16; }

}  // namespace

GroupTable::GroupTable(std::vector<Type> types) : types_(std::move(types)) {
  const bool one_number = types_.size() == 1 && value_width(types_[0].id()) == 8;
  for (const Type& type : types_) {
    const TypeId id = type.id();
    KeyPart part{ValueCodec(type, ValueCodec::Form::key), width_};
    part.nested = type.is_nested();
    part.text = part.nested || type.is_string_like();
    if (part.text) part.text_index = num_texts_++;
    width_ += part.text || is_wide(id) ? 2 : 1;
    if (!part.text && value_width(id) >= 8 && !one_number) part.null_bit = 1;
    parts_.push_back(std::move(part));
  }
  single_word_ = one_number;
  uint64_t next_bit = 1;
  for (KeyPart& part : parts_) {
    if (part.null_bit == 0) continue;
    part.null_bit = next_bit;
    next_bit <<= 1;
  }
  FLOWRUN_CHECK(parts_.size() <= 64, "a key has at most 64 columns");
  if (next_bit != 1) {
    ++width_;
    for (KeyPart& part : parts_) ++part.word;
  }
}

template <class T>
void GroupTable::encode_fixed(const KeyPart& part, const Column& column) {
  const std::span<const T> values = column.values<T>();
  uint64_t* out = encoded_words_.data() + part.word;
  for (size_t i = 0; i < rows_; ++i, out += width_) {
    if (column.is_null(static_cast<int64_t>(i))) {
      if (part.null_bit != 0) encoded_words_[i * width_] |= part.null_bit;
      out[0] = part.null_bit != 0 ? 0 : kNullWord;
      continue;
    }
    const auto words = words_of(values[i]);
    for (size_t w = 0; w < words.size(); ++w) out[w] = words[w];
  }
}

void GroupTable::encode_text(const KeyPart& part, size_t row, const StringView* view,
                             std::string_view text) {
  uint64_t* out = encoded_words_.data() + row * width_ + part.word;
  if (text.size() <= StringView::kInline) {
    const StringView short_view = view ? *view : StringView::inline_of(text);
    std::memcpy(out, &short_view, sizeof short_view);
    return;
  }
  uint32_t prefix;
  std::memcpy(&prefix, text.data(), sizeof prefix);
  out[0] = text.size() | uint64_t{prefix} << 32;
  out[1] = hash_text(kHashSeed, text);
  if (row_texts_.empty()) row_texts_.resize(rows_ * num_texts_);
  row_texts_[row * num_texts_ + part.text_index] = text;
}

void GroupTable::encode_part(const KeyPart& part, const Column& column) {
  const auto put_null = [&](size_t row) {
    uint64_t* out = encoded_words_.data() + row * width_ + part.word;
    out[0] = part.text ? kNullText : kNullWord;
  };
  if (part.nested) {
    for (size_t i = 0; i < rows_; ++i) {
      if (column.is_null(static_cast<int64_t>(i))) {
        put_null(i);
        continue;
      }
      std::string& bytes = encoded_values_.emplace_back();
      part.codec.append(column, static_cast<int64_t>(i), bytes);
      encode_text(part, i, nullptr, bytes);
    }
  } else if (part.text) {
    const std::span<const StringView> views = column.values<StringView>();
    for (size_t i = 0; i < rows_; ++i) {
      const auto row = static_cast<int64_t>(i);
      column.is_null(row) ? put_null(i) : encode_text(part, i, &views[i], column.string(row));
    }
  } else if (column.type().id() == TypeId::null) {
    for (size_t i = 0; i < rows_; ++i) put_null(i);
  } else if (column.type().id() == TypeId::boolean) {
    for (size_t i = 0; i < rows_; ++i) {
      const auto row = static_cast<int64_t>(i);
      if (column.is_null(row)) {
        put_null(i);
      } else {
        encoded_words_[i * width_ + part.word] = column.boolean(row) ? 1 : 0;
      }
    }
  } else {
    visit_fixed(column.type().id(),
                [&](auto tag) { encode_fixed<typename decltype(tag)::type>(part, column); });
  }
}

void GroupTable::encode(std::span<const ColumnPtr> keys, size_t rows) {
  FLOWRUN_CHECK(keys.size() == types_.size(), "a group table is given one column per key");
  rows_ = rows;
  row_texts_.clear();
  encoded_values_.clear();
  null_rows_ = single_word_ && keys[0]->null_count() > 0 ? keys[0].get() : nullptr;
  if (single_word_ && !keys[0]->type().is_floating()) {
    encoded_ = reinterpret_cast<const uint64_t*>(keys[0]->values<int64_t>().data());
    return;
  }
  encoded_words_.assign(rows * width_, 0);
  encoded_ = encoded_words_.data();
  if (rows == 0) return;
  for (size_t i = 0; i < keys.size(); ++i) encode_part(parts_[i], *keys[i]);
}

uint64_t GroupTable::hash_words(const uint64_t* words) const {
  uint64_t hash = kHashSeed;
  for (size_t i = 0; i < width_; ++i) hash = mix(hash, words[i]);
  return hash;
}

void GroupTable::hash_encoded() {
  row_hashes_.resize(rows_);
  if (width_ == 1) {
    for (size_t i = 0; i < rows_; ++i) row_hashes_[i] = mix(kHashSeed, encoded_[i]);
  } else {
    for (size_t i = 0; i < rows_; ++i) row_hashes_[i] = hash_words(encoded_ + i * width_);
  }
  for (size_t i = 0; null_rows_ && i < rows_; ++i) {
    if (null_rows_->is_null(static_cast<int64_t>(i))) row_hashes_[i] = kNullHash;
  }
}

bool GroupTable::same_texts(uint32_t group, const std::string_view* texts) const {
  for (size_t i = 0; i < num_texts_; ++i) {
    if (!texts[i].empty() && texts_[group * num_texts_ + i] != texts[i]) return false;
  }
  return true;
}

template <bool kAdd, size_t kWidth>
uint32_t GroupTable::probe_one(const uint64_t* words, uint64_t hash,
                               const std::string_view* texts) {
  const size_t width = kWidth == 0 ? width_ : kWidth;
  const auto tag = static_cast<uint32_t>(hash);
  const size_t mask = slots_.size() - 1;
  for (size_t at = hash >> shift_;; at = (at + 1) & mask) {
    const Slot slot = slots_[at];
    if (slot.group == kNoGroup) break;
    if (slot.tag != tag) continue;
    const uint64_t* known = words_.data() + slot.group * width;
    bool equal = true;
    for (size_t w = 0; w < width; ++w) equal &= known[w] == words[w];
    if (equal && (!texts || same_texts(slot.group, texts))) return slot.group;
  }
  if constexpr (kAdd) return add_group(words, hash, texts);
  return kNoGroup;
}

template <bool kAdd, size_t kWidth>
void GroupTable::probe_width(std::span<uint32_t> groups) {
  const size_t width = kWidth == 0 ? width_ : kWidth;
  const std::string_view* texts = row_texts_.empty() ? nullptr : row_texts_.data();
  for (size_t i = 0; i < rows_; ++i) {
    if (slots_.size() > kPrefetchSlots && i + kPrefetchDistance < rows_) {
      __builtin_prefetch(&slots_[row_hashes_[i + kPrefetchDistance] >> shift_]);
    }
    if (null_rows_ && null_rows_->is_null(static_cast<int64_t>(i))) {
      if (kAdd && null_group_ == kNoGroup) {
        const std::vector<uint64_t> none(width_, 0);
        null_group_ = add_group(none.data(), kNullHash, nullptr);
      }
      groups[i] = null_group_;
      continue;
    }
    groups[i] = probe_one<kAdd, kWidth>(encoded_ + i * width, row_hashes_[i],
                                        texts ? texts + i * num_texts_ : nullptr);
  }
}

template <bool kAdd>
void GroupTable::probe(std::span<uint32_t> groups) {
  if (slots_.empty()) grow();
  switch (width_) {
    case 1:
      return probe_width<kAdd, 1>(groups);
    case 2:
      return probe_width<kAdd, 2>(groups);
    case 3:
      return probe_width<kAdd, 3>(groups);
    case 4:
      return probe_width<kAdd, 4>(groups);
    default:
      return probe_width<kAdd, 0>(groups);
  }
}

void GroupTable::find_or_add(std::span<const ColumnPtr> keys, std::span<uint32_t> groups) {
  if (types_.empty() && size() == 1) {
    std::fill(groups.begin(), groups.end(), 0);
    return;
  }
  encode(keys, groups.size());
  hash_encoded();
  probe<true>(groups);
}

void GroupTable::find(std::span<const ColumnPtr> keys, std::span<uint32_t> groups) {
  encode(keys, groups.size());
  hash_encoded();
  probe<false>(groups);
}

void GroupTable::hash_rows(std::span<const ColumnPtr> keys, std::span<uint64_t> hashes) {
  encode(keys, hashes.size());
  hash_encoded();
  std::copy_n(row_hashes_.begin(), hashes.size(), hashes.begin());
}

void GroupTable::merge(const GroupTable& from, std::span<const uint32_t> from_groups,
                       std::span<uint32_t> groups) {
  if (slots_.empty()) grow();
  for (size_t i = 0; i < from_groups.size(); ++i) {
    const uint32_t group = from_groups[i];
    const uint64_t* words = from.words_.data() + group * width_;
    if (group == from.null_group_) {
      if (null_group_ == kNoGroup) null_group_ = add_group(words, kNullHash, nullptr);
      groups[i] = null_group_;
      continue;
    }
    const std::string_view* texts =
        from.has_texts_ ? from.texts_.data() + group * num_texts_ : nullptr;
    if (texts && !has_texts_) {
      has_texts_ = true;
      texts_.resize(size() * num_texts_);
    }
    groups[i] = probe_one<true, 0>(words, from.hashes_[group], texts);
  }
}

uint32_t GroupTable::add_group(const uint64_t* words, uint64_t hash,
                               const std::string_view* texts) {
  const auto group = static_cast<uint32_t>(size());
  FLOWRUN_CHECK(group != kNoGroup, "a group table has fewer than 2^32 groups");
  words_.insert(words_.end(), words, words + width_);
  hashes_.push_back(hash);
  if (texts && !has_texts_) {
    has_texts_ = true;
    texts_.resize(group * num_texts_);
  }
  for (size_t i = 0; has_texts_ && i < num_texts_; ++i)
    texts_.push_back(texts ? store(texts[i]) : std::string_view());
  if (hashes_.size() * 2 > slots_.size()) {
    grow();
  } else if (!single_word_ || hash != kNullHash) {
    insert_slot(hash, group);
  }
  return group;
}

void GroupTable::grow() {
  size_t slots = std::max(kFirstSlots, slots_.size());
  while (slots < hashes_.size() * 4) slots *= 2;
  slots_.assign(slots, Slot{});
  shift_ = 64 - std::countr_zero(slots);
  for (uint32_t group = 0; group < hashes_.size(); ++group) {
    if (!single_word_ || hashes_[group] != kNullHash) insert_slot(hashes_[group], group);
  }
}

void GroupTable::insert_slot(uint64_t hash, uint32_t group) {
  size_t at = hash >> shift_;
  while (slots_[at].group != kNoGroup) at = (at + 1) & (slots_.size() - 1);
  slots_[at] = {static_cast<uint32_t>(hash), group};
}

std::string_view GroupTable::store(std::string_view text) {
  if (text.empty()) return {};
  if (block_used_ + text.size() > block_size_) {
    block_size_ = std::max(kTextBlock, text.size());
    blocks_.push_back(std::make_unique_for_overwrite<char[]>(block_size_));
    block_bytes_ += static_cast<int64_t>(block_size_);
    block_used_ = 0;
  }
  char* place = blocks_.back().get() + block_used_;
  std::memcpy(place, text.data(), text.size());
  block_used_ += text.size();
  return {place, text.size()};
}

bool GroupTable::is_null(const KeyPart& part, uint32_t group) const {
  if (single_word_) return group == null_group_;
  const uint64_t* words = words_.data() + group * width_;
  if (part.null_bit != 0) return (words[0] & part.null_bit) != 0;
  return words[part.word] == (part.text ? kNullText : kNullWord);
}

std::string_view GroupTable::text_of(const KeyPart& part, uint32_t group) const {
  const uint64_t* words = words_.data() + group * width_ + part.word;
  const auto text_size = static_cast<uint32_t>(words[0]);
  if (text_size > StringView::kInline) return texts_[group * num_texts_ + part.text_index];
  return {reinterpret_cast<const char*>(words) + offsetof(StringView, inlined), text_size};
}

ColumnPtr GroupTable::key(size_t index, std::span<const uint32_t> groups) const {
  const KeyPart& part = parts_[index];
  const Type& type = types_[index];
  const std::unique_ptr<ColumnBuilder> builder = make_builder(type);
  builder->reserve(static_cast<int64_t>(groups.size()));
  const auto append_each = [&](auto append) {
    for (const uint32_t group : groups)
      is_null(part, group) ? builder->append_null() : append(group);
    return builder->finish();
  };
  const auto word = [&](uint32_t group) { return words_.data() + group * width_ + part.word; };
  if (part.nested)
    return append_each([&](uint32_t group) { part.codec.read(text_of(part, group), *builder); });
  if (part.text) {
    auto& texts = static_cast<StringBuilder&>(*builder);
    return append_each([&](uint32_t group) { texts.append(text_of(part, group)); });
  }
  if (type.id() == TypeId::null) return append_each([](uint32_t) {});
  if (type.id() == TypeId::boolean) {
    auto& booleans = static_cast<BooleanBuilder&>(*builder);
    return append_each([&](uint32_t group) { booleans.append(*word(group) != 0); });
  }
  return visit_fixed(type.id(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    auto& values = static_cast<FixedBuilder<T>&>(*builder);
    return append_each([&](uint32_t group) { values.append(value_of<T>(word(group))); });
  });
}

std::vector<ColumnPtr> GroupTable::keys(std::span<const uint32_t> groups) const {
  std::vector<ColumnPtr> columns;
  for (size_t i = 0; i < types_.size(); ++i) columns.push_back(key(i, groups));
  return columns;
}

void GroupTable::keep(std::span<const uint32_t> groups) {
  GroupTable kept(types_);
  kept.words_.reserve(groups.size() * width_);
  std::vector<uint32_t> numbers(groups.size());
  kept.merge(*this, groups, numbers);
  *this = std::move(kept);
}

void GroupTable::clear() {
  std::fill(slots_.begin(), slots_.end(), Slot{});
  words_.clear();
  hashes_.clear();
  texts_.clear();
  has_texts_ = false;
  null_group_ = kNoGroup;
  blocks_.clear();
  block_used_ = block_size_ = 0;
  block_bytes_ = 0;
}

int64_t GroupTable::memory_bytes() const {
  return block_bytes_ + static_cast<int64_t>(slots_.capacity() * sizeof(Slot) +
                                             words_.capacity() * sizeof(uint64_t) +
                                             hashes_.capacity() * sizeof(uint64_t) +
                                             texts_.capacity() * sizeof(std::string_view));
}

}  // namespace flowrun
