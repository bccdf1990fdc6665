#pragma once
// Murmur 3 and xxHash of rows, bit by bit as Spark computes them: hash(), xxhash64(), and whatever
// must agree with Spark about what a hash is.
//
//   int64_t hash = RowHasher<XxHash>::value(column, row, 42);   // xxhash64(x)

#include <array>
#include <bit>
#include <cstring>
#include <limits>
#include <string_view>

#include "runtime/columnar/column.h"

namespace flowrun {

namespace row_hash_detail {

template <class T>
T load(const char* bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof(T));
  return value;
}

// BigInteger.toByteArray: the fewest bytes of the two's complement, the highest first.
inline std::string_view big_endian(Decimal128 value, std::array<char, 16>& bytes) {
  for (size_t i = bytes.size(); i-- > 0; value >>= 8) bytes[i] = static_cast<char>(value & 0xff);
  size_t first = 0;
  while (first + 1 < bytes.size() && (bytes[first] == 0 || bytes[first] == '\xff') &&
         (bytes[first] < 0) == (bytes[first + 1] < 0)) {
    ++first;
  }
  return {bytes.data() + first, bytes.size() - first};
}

}  // namespace row_hash_detail

// Murmur3_x86_32 as Spark has it: bytes behind the last word are mixed one by one.
struct Murmur {
  using Hash = int32_t;

  static uint32_t mix_block(uint32_t block) {
    return std::rotl(block * 0xcc9e2d51U, 15) * 0x1b873593U;
  }
  static uint32_t mix(uint32_t hash, uint32_t block) {
    return std::rotl(hash ^ mix_block(block), 13) * 5 + 0xe6546b64U;
  }
  static int32_t finish(uint32_t hash, uint32_t length) {
    hash ^= length;
    hash = (hash ^ hash >> 16) * 0x85ebca6bU;
    hash = (hash ^ hash >> 13) * 0xc2b2ae35U;
    return static_cast<int32_t>(hash ^ hash >> 16);
  }
  static int32_t of_int(int32_t value, int32_t seed) {
    return finish(mix(static_cast<uint32_t>(seed), static_cast<uint32_t>(value)), 4);
  }
  static int32_t of_long(int64_t value, int32_t seed) {
    const auto bits = static_cast<uint64_t>(value);
    return finish(mix(mix(static_cast<uint32_t>(seed), static_cast<uint32_t>(bits)),
                      static_cast<uint32_t>(bits >> 32)),
                  8);
  }
  static int32_t of_bytes(std::string_view bytes, int32_t seed) {
    auto hash = static_cast<uint32_t>(seed);
    size_t at = 0;
    for (; at + 4 <= bytes.size(); at += 4)
      hash = mix(hash, row_hash_detail::load<uint32_t>(bytes.data() + at));
    for (; at < bytes.size(); ++at) {
      hash = mix(hash,
                 static_cast<uint32_t>(static_cast<int32_t>(static_cast<signed char>(bytes[at]))));
    }
    return finish(hash, static_cast<uint32_t>(bytes.size()));
  }
};

struct XxHash {
  using Hash = int64_t;
  static constexpr uint64_t kPrime1 = 0x9E3779B185EBCA87ULL;
  static constexpr uint64_t kPrime2 = 0xC2B2AE3D27D4EB4FULL;
  static constexpr uint64_t kPrime3 = 0x165667B19E3779F9ULL;
  static constexpr uint64_t kPrime4 = 0x85EBCA77C2B2AE63ULL;
  static constexpr uint64_t kPrime5 = 0x27D4EB2F165667C5ULL;

  static int64_t finish(uint64_t hash) {
    hash = (hash ^ hash >> 33) * kPrime2;
    hash = (hash ^ hash >> 29) * kPrime3;
    return static_cast<int64_t>(hash ^ hash >> 32);
  }
  static uint64_t mix_long(uint64_t hash, uint64_t word) {
    return std::rotl(hash ^ std::rotl(word * kPrime2, 31) * kPrime1, 27) * kPrime1 + kPrime4;
  }
  static uint64_t mix_int(uint64_t hash, uint32_t word) {
    return std::rotl(hash ^ word * kPrime1, 23) * kPrime2 + kPrime3;
  }
  static int64_t of_int(int32_t value, int64_t seed) {
    return finish(mix_int(static_cast<uint64_t>(seed) + kPrime5 + 4, static_cast<uint32_t>(value)));
  }
  static int64_t of_long(int64_t value, int64_t seed) {
    return finish(
        mix_long(static_cast<uint64_t>(seed) + kPrime5 + 8, static_cast<uint64_t>(value)));
  }
  static uint64_t of_blocks(std::string_view bytes, uint64_t seed) {
    std::array<uint64_t, 4> lanes{seed + kPrime1 + kPrime2, seed + kPrime2, seed, seed - kPrime1};
    for (size_t at = 0; at + 32 <= bytes.size(); at += 32) {
      for (size_t lane = 0; lane < 4; ++lane) {
        lanes[lane] =
            std::rotl(lanes[lane] +
                          row_hash_detail::load<uint64_t>(bytes.data() + at + 8 * lane) * kPrime2,
                      31) *
            kPrime1;
      }
    }
    uint64_t hash = std::rotl(lanes[0], 1) + std::rotl(lanes[1], 7) + std::rotl(lanes[2], 12) +
                    std::rotl(lanes[3], 18);
    for (const uint64_t lane : lanes)
      hash = (hash ^ std::rotl(lane * kPrime2, 31) * kPrime1) * kPrime1 + kPrime4;
    return hash;
  }
  static int64_t of_bytes(std::string_view bytes, int64_t seed) {
    const auto start = static_cast<uint64_t>(seed);
    uint64_t hash = (bytes.size() >= 32 ? of_blocks(bytes, start) : start + kPrime5) + bytes.size();
    size_t at = bytes.size() / 32 * 32;
    for (; at + 8 <= bytes.size(); at += 8)
      hash = mix_long(hash, row_hash_detail::load<uint64_t>(bytes.data() + at));
    if (at + 4 <= bytes.size()) {
      hash = mix_int(hash, row_hash_detail::load<uint32_t>(bytes.data() + at));
      at += 4;
    }
    for (; at < bytes.size(); ++at)
      hash = std::rotl(hash ^ static_cast<unsigned char>(bytes[at]) * kPrime5, 11) * kPrime1;
    return finish(hash);
  }
};

// The hash of a row, the columns' hashes chained: each is the seed of the next. Nulls leave it as
// it is.
template <class Algorithm>
class RowHasher {
 public:
  using Hash = typename Algorithm::Hash;

  static Hash value(const Column& column, int64_t row, Hash seed) {
    if (column.is_null(row)) return seed;
    const TypeId id = column.type().id();
    switch (id) {
      case TypeId::boolean:
        return Algorithm::of_int(column.boolean(row) ? 1 : 0, seed);
      case TypeId::string:
      case TypeId::binary:
        return Algorithm::of_bytes(column.string(row), seed);
      case TypeId::array:
        for (int32_t i = column.list_begin(row); i < column.list_end(row); ++i)
          seed = value(*column.child(0), i, seed);
        return seed;
      case TypeId::map:
        for (int32_t i = column.list_begin(row); i < column.list_end(row); ++i)
          seed = value(*column.child(1), i, value(*column.child(0), i, seed));
        return seed;
      case TypeId::struct_:
        for (const ColumnPtr& child : column.children()) seed = value(*child, row, seed);
        return seed;
      default:
        return visit_fixed(id, [&](auto tag) {
          using T = typename decltype(tag)::type;
          return fixed(column.type(), column.values<T>()[static_cast<size_t>(row)], seed);
        });
    }
  }

 private:
  template <class T>
  static Hash fixed(const Type& type, T value, Hash seed) {
    if constexpr (std::is_same_v<T, Decimal128>) {
      constexpr int kLongDigits = 18;
      if (type.precision() <= kLongDigits)
        return Algorithm::of_long(static_cast<int64_t>(value), seed);
      std::array<char, 16> bytes{};
      return Algorithm::of_bytes(row_hash_detail::big_endian(value, bytes), seed);
    } else if constexpr (std::is_same_v<T, CalendarInterval>) {
      return Algorithm::of_int(
          value.months,
          Algorithm::of_int(value.days, Algorithm::of_long(value.microseconds, seed)));
    } else if constexpr (std::is_same_v<T, float>) {
      const float same = value == 0       ? 0.0F
                         : value != value ? std::numeric_limits<float>::quiet_NaN()
                                          : value;
      return Algorithm::of_int(std::bit_cast<int32_t>(same), seed);
    } else if constexpr (std::is_same_v<T, double>) {
      const double same = value == 0       ? 0.0
                          : value != value ? std::numeric_limits<double>::quiet_NaN()
                                           : value;
      return Algorithm::of_long(std::bit_cast<int64_t>(same), seed);
    } else if constexpr (sizeof(T) == sizeof(int64_t)) {
      return Algorithm::of_long(value, seed);
    } else {
      return Algorithm::of_int(value, seed);
    }
  }
};

}  // namespace flowrun
