#include "runtime/state/aggregates/quantile_summary.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace flowrun {

namespace {

// NaN after all others, -0.0 before 0.0.
bool before(double a, double b) {
  if (std::isnan(b)) return !std::isnan(a);
  return a < b || (a == b && std::signbit(a) && !std::signbit(b));
}

}  // namespace

void QuantileSummary::flush(double relative_error) {
  if (head_.empty()) return;
  std::ranges::sort(head_, before);
  std::vector<Sample> merged;
  merged.reserve(samples_.size() + head_.size());
  size_t sample = 0;
  for (size_t i = 0; i < head_.size(); ++i) {
    while (sample < samples_.size() && !before(head_[i], samples_[sample].value))
      merged.push_back(samples_[sample++]);
    ++count_;
    const bool at_an_end = merged.empty() || (sample == samples_.size() && i + 1 == head_.size());
    const int64_t slack =
        at_an_end
            ? 0
            : static_cast<int64_t>(std::floor(2 * relative_error * static_cast<double>(count_)));
    merged.push_back({head_[i], 1, slack});
  }
  merged.insert(merged.end(), samples_.begin() + static_cast<std::ptrdiff_t>(sample),
                samples_.end());
  samples_ = std::move(merged);
  head_.clear();
  if (samples_.size() > kCompressAt) compress(2 * relative_error * static_cast<double>(count_));
}

void QuantileSummary::compress(double threshold) {
  if (samples_.empty()) return;
  std::vector<Sample> kept;
  Sample head = samples_.back();
  for (size_t i = samples_.size() - 1; i-- > 1;) {
    const Sample& sample = samples_[i];
    if (static_cast<double>(sample.gap + head.gap + head.slack) < threshold) {
      head.gap += sample.gap;
    } else {
      kept.push_back(head);
      head = sample;
    }
  }
  kept.push_back(head);
  if (samples_.size() > 1 && !before(head.value, samples_.front().value))
    kept.push_back(samples_.front());
  std::ranges::reverse(kept);
  samples_ = std::move(kept);
}

void QuantileSummary::merge(const QuantileSummary& other, double relative_error) {
  if (other.empty()) return;
  QuantileSummary right = other;
  right.flush(relative_error);
  flush(relative_error);
  if (count_ == 0) {
    *this = std::move(right);
    return;
  }
  // A sample between two of the other side takes on the doubt of that side.
  const auto doubt = [&](int64_t count) {
    return static_cast<int64_t>(std::floor(2 * relative_error * static_cast<double>(count)));
  };
  std::vector<Sample> merged;
  merged.reserve(samples_.size() + right.samples_.size());
  size_t i = 0;
  size_t j = 0;
  while (i < samples_.size() && j < right.samples_.size()) {
    const bool left = before(samples_[i].value, right.samples_[j].value);
    Sample next = left ? samples_[i++] : right.samples_[j++];
    if (left ? j > 0 : i > 0) next.slack += doubt(left ? right.count_ : count_);
    merged.push_back(next);
  }
  merged.insert(merged.end(), samples_.begin() + static_cast<std::ptrdiff_t>(i), samples_.end());
  merged.insert(merged.end(), right.samples_.begin() + static_cast<std::ptrdiff_t>(j),
                right.samples_.end());
  samples_ = std::move(merged);
  count_ += right.count_;
  if (samples_.size() > kCompressAt) compress(2 * relative_error * static_cast<double>(count_));
}

double QuantileSummary::query(double fraction, double relative_error) const {
  if (fraction <= relative_error) return samples_.front().value;
  if (fraction >= 1 - relative_error) return samples_.back().value;
  int64_t widest = 0;
  for (const Sample& sample : samples_) widest = std::max(widest, sample.gap + sample.slack);
  const double error = static_cast<double>(widest) / 2;
  const double rank = std::ceil(fraction * static_cast<double>(count_));
  int64_t least = 0;
  for (const Sample& sample : samples_) {
    least += sample.gap;
    if (static_cast<double>(least + sample.slack) - error <= rank &&
        rank <= static_cast<double>(least) + error) {
      return sample.value;
    }
  }
  return samples_.back().value;
}

void QuantileSummary::save(std::string& out) const {
  out.append(reinterpret_cast<const char*>(&count_), sizeof count_);
  out.append(reinterpret_cast<const char*>(samples_.data()), samples_.size() * sizeof(Sample));
}

QuantileSummary QuantileSummary::load(std::string_view bytes) {
  QuantileSummary summary;
  std::memcpy(&summary.count_, bytes.data(), sizeof summary.count_);
  bytes.remove_prefix(sizeof summary.count_);
  summary.samples_.resize(bytes.size() / sizeof(Sample));
  if (!bytes.empty()) {
    std::memcpy(static_cast<void*>(summary.samples_.data()), bytes.data(), bytes.size());
  }
  return summary;
}

}  // namespace flowrun
