#pragma once
// QuantileSummary: order statistics within a relative error, in bounded memory.
//
// Greenwald and Khanna, "Space-efficient Online Computation of Quantile Summaries" (2001), with
// Spark's buffer and thresholds, so that small inputs give the very element that Spark gives.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace flowrun {

class QuantileSummary {
 public:
  void insert(double value, double relative_error) {
    head_.push_back(value);
    if (head_.size() >= kHeadSize) flush(relative_error);
  }
  void merge(const QuantileSummary& other, double relative_error);
  [[nodiscard]] bool empty() const { return count_ == 0 && head_.empty(); }
  // Puts buffered values into the samples; queries need it done.
  void flush(double relative_error);
  // An element whose rank is that of the fraction, within the error. REQUIRES: flushed, not empty.
  [[nodiscard]] double query(double fraction, double relative_error) const;
  [[nodiscard]] int64_t memory_bytes() const {
    return static_cast<int64_t>(sizeof(*this) + head_.capacity() * sizeof(double) +
                                samples_.capacity() * sizeof(Sample));
  }
  // REQUIRES: flushed.
  void save(std::string& out) const;
  static QuantileSummary load(std::string_view bytes);

 private:
  static constexpr size_t kHeadSize = 50'000;
  static constexpr size_t kCompressAt = 10'000;

  // `gap` is the rank's least distance to the sample before, `slack` the doubt about it.
  struct Sample {
    double value;
    int64_t gap;
    int64_t slack;
  };
  void compress(double threshold);

  std::vector<Sample> samples_;  // ascending
  std::vector<double> head_;     // not yet among them
  int64_t count_ = 0;            // of the values in samples_
};

}  // namespace flowrun
