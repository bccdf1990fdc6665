#pragma once
// SinkSet: which sinks something leads to. Used to route what a stateful operator emits for one ask
// to the sinks that asked, and to skip the branches that lead to none of them.

#include <cstddef>
#include <cstdint>
#include <vector>

namespace flowrun {

class SinkSet {
 public:
  SinkSet() = default;
  explicit SinkSet(size_t num_sinks) : words_((num_sinks + 63) / 64, 0) {}

  void add(size_t sink) { words_[sink / 64] |= uint64_t{1} << (sink % 64); }
  [[nodiscard]] bool contains(size_t sink) const { return (words_[sink / 64] >> (sink % 64)) & 1; }
  [[nodiscard]] bool empty() const {
    for (const uint64_t word : words_) {
      if (word != 0) return false;
    }
    return true;
  }
  [[nodiscard]] bool intersects(const SinkSet& other) const {
    for (size_t i = 0; i < words_.size(); ++i) {
      if (words_[i] & other.words_[i]) return true;
    }
    return false;
  }
  SinkSet& operator|=(const SinkSet& other) {
    for (size_t i = 0; i < words_.size(); ++i) words_[i] |= other.words_[i];
    return *this;
  }
  friend bool operator==(const SinkSet&, const SinkSet&) = default;

 private:
  std::vector<uint64_t> words_;
};

}  // namespace flowrun
