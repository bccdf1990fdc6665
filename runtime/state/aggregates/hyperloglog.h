#pragma once
// HyperLogLog++ with Spark's hash and Spark's corrections, so that its estimates are Spark's.
//
// A sketch is 2^bits registers of one byte. A value's 64-bit hash chooses a register by its highest
// bits; the register keeps the longest run of zeros that was seen behind them, plus one.

#include <bit>
#include <cstdint>
#include <span>

namespace flowrun {

// For an estimate whose relative standard deviation is at most this.
int hyperloglog_register_bits(double deviation);

inline void hyperloglog_add(uint64_t hash, int bits, std::span<uint8_t> registers) {
  const auto run =
      static_cast<uint8_t>(std::countl_zero(hash << bits | uint64_t{1} << (bits - 1)) + 1);
  uint8_t& held = registers[hash >> (64 - bits)];
  if (run > held) held = run;
}

// About how many distinct hashes were added.
int64_t hyperloglog_estimate(std::span<const uint8_t> registers, int bits);

// Raw estimates, ascending, and what each is too large by; empty where none were measured.
struct HyperLogLogBias {
  std::span<const double> estimates;
  std::span<const double> biases;
};
HyperLogLogBias hyperloglog_bias(int register_bits);

}  // namespace flowrun
