#include "runtime/state/aggregates/fractions.h"

#include <cmath>

namespace flowrun {

double number_at(const Column& column, int64_t row) {
  return visit_fixed(column.type().id(), [&](auto tag) -> double {
    using T = typename decltype(tag)::type;
    const T value = column.values<T>()[static_cast<size_t>(row)];
    if constexpr (std::is_same_v<T, Decimal128>) {
      return static_cast<double>(value) / std::pow(10.0, column.type().scale());
    } else if constexpr (std::is_same_v<T, CalendarInterval>) {
      return 0;
    } else {
      return static_cast<double>(value);
    }
  });
}

Result<Fractions> Fractions::from_constant(const ColumnPtr& constant) {
  const Error wrong = Error::invalid("takes a constant fraction from 0 to 1, or an array of them");
  if (!constant || constant->is_null(0)) return wrong;
  const bool is_array = constant->type().id() == TypeId::array;
  const Column& numbers = is_array ? *constant->child(0) : *constant;
  if (!numbers.type().is_numeric()) return wrong;
  std::vector<double> values;
  const int64_t begin = is_array ? constant->list_begin(0) : 0;
  const int64_t end = is_array ? constant->list_end(0) : 1;
  for (int64_t i = begin; i < end; ++i) {
    if (numbers.is_null(i)) return wrong;
    values.push_back(number_at(numbers, i));
    if (!(values.back() >= 0 && values.back() <= 1)) return wrong;
  }
  return Fractions(std::move(values), is_array);
}

}  // namespace flowrun
