// tdigest: quantiles of any number of values in little memory (T. Dunning, O. Ertl: Computing
// extremely accurate quantiles using t-digests, 2019; the merging variant, scale function k1).
#include <algorithm>
#include <cmath>
#include <flowrun/plugin.hpp>
#include <string>
#include <vector>

using namespace flowrun::plugin;

namespace {

constexpr double kCompression = 200;
constexpr size_t kBuffered = 1000;  // values that wait to be merged

struct Centroid {
  double mean;
  double weight;
};

class Digest {
 public:
  static Spec spec() {
    return {
        "tdigest",
        "tdigest(x, q): about the q-quantile of the finite x; most exact near q = 0 and q = 1."};
  }

  // The quantile wanted is the last one that is not null.
  void add(std::optional<double> value, std::optional<double> quantile) {
    if (quantile) quantile_ = *quantile;
    if (!value || !std::isfinite(*value)) return;
    buffer_.push_back({*value, 1});
    if (buffer_.size() >= kBuffered) compress();
  }

  void merge(const Digest& other) {
    if (!std::isnan(other.quantile_)) quantile_ = other.quantile_;
    buffer_.insert(buffer_.end(), other.centroids_.begin(), other.centroids_.end());
    buffer_.insert(buffer_.end(), other.buffer_.begin(), other.buffer_.end());
    compress();
  }

  std::optional<double> result() const {
    Digest whole = *this;
    whole.compress();
    if (whole.centroids_.empty() || !(quantile_ >= 0 && quantile_ <= 1)) return std::nullopt;
    return whole.quantile();
  }

  std::string save() const {
    Digest whole = *this;
    whole.compress();
    std::string bytes(reinterpret_cast<const char*>(&quantile_), sizeof quantile_);
    bytes.append(reinterpret_cast<const char*>(whole.centroids_.data()),
                 whole.centroids_.size() * sizeof(Centroid));
    return bytes;
  }

  void load(std::string_view bytes) {
    std::memcpy(&quantile_, bytes.data(), sizeof quantile_);
    bytes.remove_prefix(sizeof quantile_);
    centroids_.resize(bytes.size() / sizeof(Centroid));
    if (!bytes.empty()) std::memcpy(centroids_.data(), bytes.data(), bytes.size());
  }

  size_t bytes() const { return (centroids_.capacity() + buffer_.capacity()) * sizeof(Centroid); }

 private:
  // The scale function and its inverse: how much weight a centroid at quantile q may have.
  static double scale(double q) {
    return kCompression / (2 * M_PI) * std::asin(2 * std::clamp(q, 0.0, 1.0) - 1);
  }
  static double unscale(double k) {
    return (std::sin(std::min(k * 2 * M_PI / kCompression, M_PI / 2)) + 1) / 2;
  }

  void compress() {
    if (buffer_.empty()) return;
    buffer_.insert(buffer_.end(), centroids_.begin(), centroids_.end());
    std::stable_sort(buffer_.begin(), buffer_.end(),
                     [](const Centroid& a, const Centroid& b) { return a.mean < b.mean; });
    double total = 0;
    for (const Centroid& each : buffer_) total += each.weight;
    centroids_.clear();
    double before = 0;
    double limit = total * unscale(scale(0) + 1);
    for (const Centroid& next : buffer_) {
      const bool fits =
          !centroids_.empty() && before + centroids_.back().weight + next.weight <= limit;
      if (fits) {
        Centroid& last = centroids_.back();
        last.weight += next.weight;
        if (last.mean != next.mean)
          last.mean += (next.mean - last.mean) * next.weight / last.weight;
        continue;
      }
      if (!centroids_.empty()) {
        before += centroids_.back().weight;
        limit = total * unscale(scale(before / total) + 1);
      }
      centroids_.push_back(next);
    }
    buffer_.clear();
  }

  // Between the middles of two centroids the quantile rises evenly.
  double quantile() const {
    double total = 0;
    for (const Centroid& each : centroids_) total += each.weight;
    const double wanted = quantile_ * total;
    double middle = centroids_[0].weight / 2;
    if (wanted <= middle) return centroids_[0].mean;
    for (size_t i = 0; i + 1 < centroids_.size(); ++i) {
      const double step = (centroids_[i].weight + centroids_[i + 1].weight) / 2;
      if (wanted <= middle + step) {
        const double share = (wanted - middle) / step;
        const double from = centroids_[i].mean;
        const double to = centroids_[i + 1].mean;
        return from == to ? from : from + share * (to - from);
      }
      middle += step;
    }
    return centroids_.back().mean;
  }

  double quantile_ = std::nan("");
  std::vector<Centroid> centroids_;
  std::vector<Centroid> buffer_;
};

}  // namespace

FLOWRUN_PLUGIN("tdigest", "1.0.0", aggregate<Digest, double, double, double>())
