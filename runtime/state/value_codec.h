#pragma once
// ValueCodec: one value of any type as bytes, and back.
//
//   ValueCodec codec(Type::array(Type::string()));
//   std::string bytes;
//   codec.append(*column, row, bytes);
//   codec.read(bytes, *builder);
//
// Bytes compare (unsigned, as std::string does) as the values do in Spark's order: nulls first, NaN
// greatest, nested values by their parts. That makes them keys, and what min and max of nested
// values keep.
//
// The bytes of a value:
//   null                      00
//   any other                 01, then:
//   boolean                   00 or 01
//   whole numbers, dates, times, decimals, intervals
//                             big-endian, sign bit flipped; a calendar interval as its three parts
//   real, double              big-endian bits, sign flipped when positive, all flipped when
//   negative string, binary            the text, 00 written as 00 FF, then 00 01 array, map per
//   element (key, then value) 01 and its bytes; then 00 struct                    its fields

#include <string>
#include <string_view>

#include "runtime/columnar/builder.h"

namespace flowrun {

// Immutable; thread-safe.
class ValueCodec {
 public:
  enum class Form : uint8_t {
    exact,  // what is read is what was written
    key,  // values that group together have equal bytes: -0.0 as 0.0, every NaN as one, maps sorted
          // by key with a null number in them as 0, as Spark has it
  };
  explicit ValueCodec(Type type, Form form = Form::exact) : type_(std::move(type)), form_(form) {}

  [[nodiscard]] const Type& type() const { return type_; }
  // Appends the bytes of one row. REQUIRES: column.type() == type().
  void append(const Column& column, int64_t row, std::string& out) const {
    append_value(column, row, out);
  }
  // Appends the value to the builder. REQUIRES: bytes made by append; builder.type() == type().
  void read(std::string_view bytes, ColumnBuilder& out) const { read_value(bytes, out); }
  // As read; takes what it reads off the front of `bytes`.
  void read_next(std::string_view& bytes, ColumnBuilder& out) const { read_value(bytes, out); }

 private:
  void append_value(const Column& column, int64_t row, std::string& out) const;
  void append_entries(const Column& column, int64_t row, std::string& out) const;
  static void read_value(std::string_view& bytes, ColumnBuilder& out);

  Type type_;
  Form form_;
};

}  // namespace flowrun
