#pragma once
// GroupTable: gives every distinct key a dense number, a batch at a time.
//
//   GroupTable table({Type::string(), Type::bigint()});
//   std::vector<uint32_t> groups(rows);
//   table.find_or_add(keys, groups);        // row i belongs to group groups[i]; new keys get the
//   next numbers std::vector<ColumnPtr> columns = table.keys(all_groups);
//
// Keys are equal as Spark groups them: null is a key of its own, NaN equals NaN, -0.0 equals 0.0,
// maps are equal whatever the order of their entries. The table returns the key as it stood in the
// first such row, but -0.0 as 0.0.
//
// How: every key becomes a fixed number of 64-bit words (a number one, a decimal two, a text two:
// the bytes of its StringView, or size, prefix and a hash of the content if it is longer than
// twelve bytes; nested values are encoded as bytes and taken as text). A group's words stand
// together in one array; an open-addressing table of (hash tag, group) points into it. Short keys
// are thus compared without following a pointer, and long texts only when all else agrees.

#include <deque>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "runtime/columnar/column.h"
#include "runtime/state/value_codec.h"

namespace flowrun {

// Not thread-safe; const members may be called from several threads while nobody calls others.
class GroupTable {
 public:
  static constexpr uint32_t kNoGroup = 0xffffffff;

  explicit GroupTable(std::vector<Type> types);
  GroupTable(GroupTable&&) noexcept = default;
  GroupTable& operator=(GroupTable&&) noexcept = default;

  [[nodiscard]] const std::vector<Type>& types() const { return types_; }
  [[nodiscard]] size_t size() const { return hashes_.size(); }

  // REQUIRES: as many columns as types, each of its type and groups.size() rows long.
  void find_or_add(std::span<const ColumnPtr> keys, std::span<uint32_t> groups);
  // As find_or_add; keys that are not there give kNoGroup.
  void find(std::span<const ColumnPtr> keys, std::span<uint32_t> groups);
  // hashes[i] becomes what hash() is of the key in row i.
  void hash_rows(std::span<const ColumnPtr> keys, std::span<uint64_t> hashes);
  // The hash of a group's key: equal in all tables of the same types. Partition = hash %
  // partitions.
  [[nodiscard]] uint64_t hash(uint32_t group) const { return hashes_[group]; }
  // Adds groups of another table of the same types; groups[i] is the number that from_groups[i] has
  // here.
  void merge(const GroupTable& from, std::span<const uint32_t> from_groups,
             std::span<uint32_t> groups);

  // The keys of the named groups, a column per type.
  [[nodiscard]] std::vector<ColumnPtr> keys(std::span<const uint32_t> groups) const;
  // One column of them.
  [[nodiscard]] ColumnPtr key(size_t index, std::span<const uint32_t> groups) const;
  // Keeps the named groups, renumbered 0, 1, ... in that order.
  void keep(std::span<const uint32_t> groups);
  // No groups; capacity stays.
  void clear();
  [[nodiscard]] int64_t memory_bytes() const;

 private:
  struct Slot {
    uint32_t tag = 0;
    uint32_t group = kNoGroup;  // kNoGroup: empty
  };
  // Where one key column stands in a row of words.
  struct KeyPart {
    ValueCodec codec;
    size_t word;          // its first
    bool text = false;    // two words; long content stands in texts_
    bool nested = false;  // text, made by the codec
    size_t text_index = 0;
    uint64_t null_bit = 0;  // in word 0; 0: nulls have a word value of their own
  };

  void encode(std::span<const ColumnPtr> keys, size_t rows);
  void encode_part(const KeyPart& part, const Column& column);
  template <class T>
  void encode_fixed(const KeyPart& part, const Column& column);
  void encode_text(const KeyPart& part, size_t row, const StringView* view, std::string_view text);
  void hash_encoded();
  [[nodiscard]] uint64_t hash_words(const uint64_t* words) const;
  template <bool kAdd>
  void probe(std::span<uint32_t> groups);
  template <bool kAdd, size_t kWidth>
  void probe_width(std::span<uint32_t> groups);
  // The group of a key, which is added if it is new and kAdd is set.
  template <bool kAdd, size_t kWidth>
  uint32_t probe_one(const uint64_t* words, uint64_t hash, const std::string_view* texts);
  uint32_t add_group(const uint64_t* words, uint64_t hash, const std::string_view* texts);
  [[nodiscard]] bool same_texts(uint32_t group, const std::string_view* texts) const;
  void grow();
  void insert_slot(uint64_t hash, uint32_t group);
  std::string_view store(std::string_view text);
  [[nodiscard]] bool is_null(const KeyPart& part, uint32_t group) const;
  [[nodiscard]] std::string_view text_of(const KeyPart& part, uint32_t group) const;

  std::vector<Type> types_;
  std::vector<KeyPart> parts_;
  size_t width_ = 0;  // words per key
  size_t num_texts_ = 0;
  bool single_word_ = false;  // one number: nulls are the group null_group_, not a word

  std::vector<Slot> slots_;
  int shift_ = 64;               // slot = hash >> shift_
  std::vector<uint64_t> words_;  // size() * width_
  std::vector<uint64_t> hashes_;
  std::vector<std::string_view>
      texts_;  // size() * num_texts_ once there is a long text; empty for short ones
  bool has_texts_ = false;
  uint32_t null_group_ = kNoGroup;
  std::vector<std::unique_ptr<char[]>> blocks_;
  size_t block_used_ = 0;
  size_t block_size_ = 0;
  int64_t block_bytes_ = 0;

  // The batch at hand.
  size_t rows_ = 0;
  const uint64_t* encoded_ = nullptr;  // rows_ * width_
  std::vector<uint64_t> encoded_words_;
  std::vector<uint64_t> row_hashes_;
  std::vector<std::string_view>
      row_texts_;                      // rows_ * num_texts_ once there is a long text in the batch
  const Column* null_rows_ = nullptr;  // single_word_: the column, if it has nulls
  std::deque<std::string> encoded_values_;  // nested keys
};

}  // namespace flowrun
