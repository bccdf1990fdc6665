#pragma once
// GroupTable: gives every distinct key a dense number, a batch at a time.
//
//   GroupTable table({Type::string(), Type::bigint()});
//   std::vector<uint32_t> groups(rows);
//   table.find_or_add(keys, groups);        // row i belongs to group groups[i]; new keys get the next numbers
//   std::vector<ColumnPtr> columns = table.keys(all_groups);
//
// Keys are equal as Spark groups them: null is a key of its own, NaN equals NaN, -0.0 equals 0.0, maps are
// equal whatever the order of their entries.
//
// How: every key column becomes a fixed number of 64-bit words (a number one, a text two: its StringView, or
// size, prefix and a hash of the content if it is longer than twelve bytes; nested values are encoded as
// bytes and taken as text), after one word that tells which columns are null. A group's words stand
// together in one array; an open-addressing table of (hash tag, group) points into it. Short keys are thus
// compared without following a pointer, and long texts only when everything else agrees.

#include <memory>
#include <span>
#include <vector>

#include "runtime/columnar/column.h"
#include "runtime/state/value_codec.h"

namespace flowrun {

// Not thread-safe.
class GroupTable {
 public:
  static constexpr uint32_t kNoGroup = 0xffffffff;

  explicit GroupTable(std::vector<Type> types);

  [[nodiscard]] const std::vector<Type>& types() const { return types_; }
  [[nodiscard]] size_t size() const { return hashes_.size(); }

  // REQUIRES: as many columns as types, each of its type, all groups.size() rows long.
  void find_or_add(std::span<const ColumnPtr> keys, std::span<uint32_t> groups);
  // As find_or_add; keys that are not there give kNoGroup.
  void find(std::span<const ColumnPtr> keys, std::span<uint32_t> groups);
  // The hash of a group's key: equal in all tables of the same types. Partition = hash % partitions.
  [[nodiscard]] uint64_t hash(uint32_t group) const { return hashes_[group]; }
  // Adds groups of another table of the same types; groups[i] is the number that from_groups[i] has here.
  void merge(const GroupTable& from, std::span<const uint32_t> from_groups, std::span<uint32_t> groups);

  // The keys of the named groups, a column per type.
  [[nodiscard]] std::vector<ColumnPtr> keys(std::span<const uint32_t> groups) const;
  // Keeps the named groups, renumbered 0, 1, ... in that order.
  void keep(std::span<const uint32_t> groups);
  // No groups; capacity stays.
  void clear();
  [[nodiscard]] int64_t memory_bytes() const;

 private:
  struct Slot {
    uint32_t tag;
    uint32_t group;  // kNoGroup: empty
  };
  // What one key column is in a row of words.
  struct KeyPart {
    Type type;
    size_t word;       // its first word
    bool text;         // two words; long content stands in texts_
    size_t text_index; // among the text columns
    bool encoded;      // nested: the text is the codec's bytes
    ValueCodec codec;
  };

  void encode(std::span<const ColumnPtr> keys, size_t rows);
  template <class T>
  void encode_fixed(const Column& column, size_t word);
  void encode_text(const Column& column, const KeyPart& part);
  void put_text(size_t row, const KeyPart& part, std::string_view text);
  // Words of row i: encoded_ + i * width_.
  template <size_t kWidth, bool kAdd>
  void probe(std::span<uint32_t> groups);
  template <bool kAdd>
  void probe_any(std::span<uint32_t> groups);
  uint32_t add_group(const uint64_t* words, uint64_t hash, std::span<const std::string_view> texts);
  [[nodiscard]] bool same_texts(const uint64_t* words, std::span<const std::string_view> texts, uint32_t group) const;
  [[nodiscard]] std::span<const std::string_view> texts_of(size_t row) const;
  void grow(size_t slots);
  void insert_slot(uint64_t hash, uint32_t group);
  std::string_view store(std::string_view text);
  [[nodiscard]] ColumnPtr key_column(const KeyPart& part, size_t index, std::span<const uint32_t> groups) const;
  [[nodiscard]] std::string_view text_at(const KeyPart& part, uint32_t group) const;

  std::vector<Type> types_;
  std::vector<KeyPart> parts_;
  size_t width_ = 0;      // words per key
  size_t num_texts_ = 0;  // text columns

  std::vector<Slot> slots_;
  size_t mask_ = 0;
  std::vector<uint64_t> words_;             // size() * width_
  std::vector<uint64_t> hashes_;
  std::vector<std::string_view> texts_;     // size() * num_texts_; empty views for short texts
  std::vector<std::unique_ptr<char[]>> blocks_;
  size_t block_used_ = 0;
  size_t block_size_ = 0;
  int64_t block_bytes_ = 0;

  // The batch at hand.
  std::vector<uint64_t> encoded_storage_;
  const uint64_t* encoded_ = nullptr;
  size_t rows_ = 0;
  bool long_texts_ = false;                 // some row has one: row_texts_ is filled
  std::vector<std::string_view> row_texts_; // rows_ * num_texts_
  std::vector<std::string> encoded_bytes_;  // nested keys of the batch
  std::vector<uint64_t> row_hashes_;
};

}  // namespace flowrun
