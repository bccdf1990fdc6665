#pragma once
// Loops over columns in a form that the compiler turns into vector code: a constant operand is
// hoisted out of the loop, and conditions are packed into bitmaps 64 rows at a time.

#include <cstdint>
#include <cstring>

#include "runtime/columnar/buffer.h"
#include "runtime/expr/datum.h"

namespace flowrun {

// out[i] = op(a[i], b[i]) for rows [0, rows).
template <class A, class B, class R, class Op>
void binary_loop(const Datum& a, const Datum& b, int64_t rows, R* out, const Op& op) {
  const A* x = a.column->values<A>().data();
  const B* y = b.column->values<B>().data();
  if (a.constant && b.constant) {
    for (int64_t i = 0; i < rows; ++i) out[i] = op(x[0], y[0]);
  } else if (b.constant) {
    const B fixed = y[0];
    for (int64_t i = 0; i < rows; ++i) out[i] = op(x[i], fixed);
  } else if (a.constant) {
    const A fixed = x[0];
    for (int64_t i = 0; i < rows; ++i) out[i] = op(fixed, y[i]);
  } else {
    for (int64_t i = 0; i < rows; ++i) out[i] = op(x[i], y[i]);
  }
}

// Bit i of `bits` = test(i) for rows [0, rows).
template <class Test>
void fill_bits(int64_t rows, uint8_t* bits, const Test& test) {
  constexpr int64_t kBlock = 64;
  uint8_t bytes[kBlock];
  for (int64_t begin = 0; begin < rows; begin += kBlock) {
    const int64_t length = rows - begin < kBlock ? rows - begin : kBlock;
    if (length < kBlock) std::memset(bytes, 0, sizeof bytes);
    for (int64_t i = 0; i < length; ++i) bytes[i] = test(begin + i) ? 1 : 0;
    for (int64_t byte = 0; byte * 8 < length; ++byte) {
      uint64_t eight;
      std::memcpy(&eight, bytes + byte * 8, sizeof eight);
      // Gathers the lowest bits of eight bytes into one byte, the first byte's as bit 0.
      bits[begin / 8 + byte] = static_cast<uint8_t>((eight * 0x0102040810204080ULL) >> 56);
    }
  }
}

// As binary_loop, with conditions for results.
template <class T, class Op>
void binary_bits(const Datum& a, const Datum& b, int64_t rows, uint8_t* bits, const Op& op) {
  const T* x = a.column->values<T>().data();
  const T* y = b.column->values<T>().data();
  if (a.constant && b.constant) {
    fill_bits(rows, bits, [=](int64_t) { return op(x[0], y[0]); });
  } else if (b.constant) {
    fill_bits(rows, bits, [=, fixed = y[0]](int64_t i) { return op(x[i], fixed); });
  } else if (a.constant) {
    fill_bits(rows, bits, [=, fixed = x[0]](int64_t i) { return op(fixed, y[i]); });
  } else {
    fill_bits(rows, bits, [=](int64_t i) { return op(x[i], y[i]); });
  }
}

// A boolean column of these bits and nulls.
inline ColumnPtr boolean_column(int64_t rows, BufferPtr bits, NullMask mask) {
  Column::Parts parts{.type = Type::boolean(), .size = rows, .null_count = mask.null_count};
  parts.validity = std::move(mask.bits);
  parts.values = std::move(bits);
  return Column::make(std::move(parts));
}

}  // namespace flowrun
