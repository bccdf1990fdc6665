#pragma once
// The parts of which runtime/expr/cast.cpp is made: one function per kind of target, and the loops
// they share.

#include <limits>
#include <optional>

#include "runtime/columnar/builder.h"
#include "runtime/expr/cast.h"

namespace flowrun {

enum class CastMode : uint8_t {
  plain,    // wrap and saturate
  checked,  // TRY_CAST: null instead
};

struct CastRequest {
  const Column& column;
  const Type& to;
  const TimeZone& zone;
  CastMode mode;

  [[nodiscard]] const Type& from() const { return column.type(); }
  [[nodiscard]] bool checked() const { return mode == CastMode::checked; }
};

// REQUIRES of each: neither type is null, and they differ.
Result<ColumnPtr> cast_to_integral(const CastRequest& request);
Result<ColumnPtr> cast_to_floating(const CastRequest& request);
Result<ColumnPtr> cast_to_decimal(const CastRequest& request);
Result<ColumnPtr> cast_to_boolean(const CastRequest& request);
Result<ColumnPtr> cast_to_date(const CastRequest& request);
Result<ColumnPtr> cast_to_timestamp(const CastRequest& request);
Result<ColumnPtr> cast_to_interval(const CastRequest& request);
Result<ColumnPtr> cast_to_string(const CastRequest& request);
Result<ColumnPtr> cast_to_binary(const CastRequest& request);

// Text as a number, by the rules of UTF8String.toLong and Double.parseDouble.
std::optional<int64_t> parse_integer(std::string_view text, bool allow_fraction);
template <class T>
std::optional<T> parse_floating(std::string_view text);
std::optional<bool> parse_boolean(std::string_view text);

// Java's narrowing of a double to an int or a long: NaN is 0, the rest saturates.
template <class Out>
Out saturate(double value) {
  constexpr double kAbove = -static_cast<double>(std::numeric_limits<Out>::min());  // 2^31, 2^63
  if (!(value > -kAbove)) return value != value ? Out{0} : std::numeric_limits<Out>::min();
  return value >= kAbove ? std::numeric_limits<Out>::max() : static_cast<Out>(value);
}

// Code for every row, nulls too (its argument is then anything): the fast loop.
template <class Out, class In, class Code>
ColumnPtr cast_all(const Column& column, const Type& to, const Code& code) {
  FixedWriter<Out> writer(to, column.size());
  writer.share_validity(column);
  Out* out = writer.data();
  const In* in = column.values<In>().data();
  const int64_t rows = column.size();
  for (int64_t i = 0; i < rows; ++i) out[i] = code(in[i]);
  return writer.finish();
}

// Code that answers an optional, for rows that are not null. `value(i)` gives a row's value.
template <class Out, class Value, class Code>
ColumnPtr cast_rows(const Column& column, const Type& to, const Value& value, const Code& code) {
  FixedWriter<Out> writer(to, column.size());
  writer.share_validity(column);
  for (int64_t i = 0; i < column.size(); ++i) {
    if (column.is_null(i)) {
      writer.set(i, Out{});
    } else if (const std::optional<Out> result = code(value(i))) {
      writer.set(i, *result);
    } else {
      writer.set_null(i);
    }
  }
  return writer.finish();
}

template <class Out, class In, class Code>
ColumnPtr cast_some(const Column& column, const Type& to, const Code& code) {
  const std::span<const In> in = column.values<In>();
  return cast_rows<Out>(
      column, to, [in](int64_t i) { return in[static_cast<size_t>(i)]; }, code);
}

template <class Out, class Code>
ColumnPtr cast_text(const Column& column, const Type& to, const Code& code) {
  return cast_rows<Out>(
      column, to, [&column](int64_t i) { return column.string(i); }, code);
}

template <class Out, class Code>
ColumnPtr cast_bits(const Column& column, const Type& to, const Code& code) {
  return cast_rows<Out>(
      column, to, [&column](int64_t i) { return column.boolean(i); },
      [&code](bool value) { return std::optional<Out>(code(value)); });
}

}  // namespace flowrun
