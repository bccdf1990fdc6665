#pragma once
// Random: numbers that are the same for the same seed on every machine (the standard distributions
// are not).

#include <cstdint>

namespace flowrun::simulate {

// SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014).
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}

  uint64_t next() {
    uint64_t z = (state_ += 0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }
  // From 0 to bound - 1. REQUIRES: 0 < bound < 2^32.
  uint64_t below(uint64_t bound) { return ((next() >> 32) * bound) >> 32; }
  // From 0 to 1, 1 excluded.
  double unit() { return static_cast<double>(next() >> 11) * 0x1p-53; }
  bool chance(double probability) { return probability > 0 && unit() < probability; }

 private:
  uint64_t state_;
};

}  // namespace flowrun::simulate
