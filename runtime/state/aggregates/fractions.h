#pragma once
// Fractions: the constant argument of percentile and its kin, one number or an array of them.

#include <vector>

#include "runtime/base/status.h"
#include "runtime/columnar/builder.h"

namespace flowrun {

class Fractions {
 public:
  // An error unless it is a constant, from 0 to 1, or an array of such.
  static Result<Fractions> from_constant(const ColumnPtr& constant);
  static Fractions of(double fraction) { return Fractions({fraction}, false); }

  // What the argument is cast to: a double, or an array of them.
  [[nodiscard]] Type type() const { return result_of(Type::double_()); }
  // A value, or an array of values, one per fraction.
  [[nodiscard]] Type result_of(const Type& value) const {
    return is_array_ ? Type::array(value) : value;
  }
  // A row per group: append(place, fraction, builder) appends one value, or gives false where there
  // is none.
  template <class Append>
  [[nodiscard]] ColumnPtr build(const Type& result, size_t groups, Append append) const {
    const std::unique_ptr<ColumnBuilder> builder = make_builder(result);
    for (size_t place = 0; place < groups; ++place) {
      auto* array = is_array_ ? static_cast<ArrayBuilder*>(builder.get()) : nullptr;
      bool any = true;
      for (const double fraction : values_)
        any = any && append(place, fraction, array ? array->element() : *builder);
      if (!any) {
        builder->append_null();
      } else if (array) {
        array->append();
      }
    }
    return builder->finish();
  }

 private:
  Fractions(std::vector<double> values, bool is_array)
      : values_(std::move(values)), is_array_(is_array) {}

  std::vector<double> values_;
  bool is_array_;
};

// The value of a numeric constant's row as a double.
double number_at(const Column& column, int64_t row);

}  // namespace flowrun
