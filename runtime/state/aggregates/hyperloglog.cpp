#include "runtime/state/aggregates/hyperloglog.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace flowrun {

namespace {

constexpr int kLeastBits = 4;
constexpr int kMostBits = 24;
constexpr int kMostCorrectedBits = 18;
constexpr size_t kNeighbours = 6;
// Up to these estimates linear counting is the better one, for 4 to 18 register bits. They are
// Spark's: the eleventh of the paper is 11500.
constexpr std::array<double, 15> kLinearCountingUpTo = {
    10, 20, 40, 80, 220, 400, 900, 1800, 3100, 6500, 15500, 20000, 50000, 120000, 350000};

// The mean of the biases measured nearest to the estimate.
double bias_of(double estimate, int bits) {
  const HyperLogLogBias table = hyperloglog_bias(bits);
  const size_t count = table.estimates.size();
  const auto nearest = static_cast<size_t>(std::ranges::lower_bound(table.estimates, estimate) -
                                           table.estimates.begin());
  const auto distance = [&](size_t i) {
    const double difference = estimate - table.estimates[i];
    return difference * difference;
  };
  size_t low = nearest + 1 > kNeighbours ? nearest + 1 - kNeighbours : 0;
  size_t high = std::min(low + kNeighbours, count);
  for (; high < count && distance(high) < distance(low); ++low) ++high;
  double sum = 0;
  for (size_t i = low; i < high; ++i) sum += table.biases[i];
  return sum / static_cast<double>(high - low);
}

double alpha(int bits, double m) {
  switch (bits) {
    case 4:
      return 0.673;
    case 5:
      return 0.697;
    case 6:
      return 0.709;
    default:
      return 0.7213 / (1.0 + 1.079 / m);
  }
}

}  // namespace

int hyperloglog_register_bits(double deviation) {
  const int bits = static_cast<int>(std::ceil(2.0 * std::log(1.106 / deviation) / std::log(2.0)));
  return std::clamp(bits, kLeastBits, kMostBits);
}

int64_t hyperloglog_estimate(std::span<const uint8_t> registers, int bits) {
  const auto m = static_cast<double>(registers.size());
  double inverse = 0;
  double zeros = 0;
  for (const uint8_t run : registers) {
    inverse += std::ldexp(1.0, -run);
    zeros += run == 0 ? 1 : 0;
  }
  const double raw = alpha(bits, m) * m * m / inverse;
  const bool measured = bits <= kMostCorrectedBits;
  if (zeros > 0) {
    const double linear = m * std::log(m / zeros);
    const bool small = measured && linear <= kLinearCountingUpTo[static_cast<size_t>(bits) - 4];
    if (small || raw <= 2.5 * m) return std::llround(linear);
  }
  return std::llround(measured && raw < 5 * m ? raw - bias_of(raw, bits) : raw);
}

}  // namespace flowrun
