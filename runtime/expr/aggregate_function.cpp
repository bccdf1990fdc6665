#include "runtime/expr/aggregate_function.h"

namespace flowrun {

std::string AggregateFunction::column_name(std::span<const std::string> arguments,
                                           bool distinct) const {
  std::string text = name() + (distinct ? "(DISTINCT " : "(");
  for (size_t i = 0; i < arguments.size(); ++i) text += (i == 0 ? "" : ", ") + arguments[i];
  return text + ")";
}

}  // namespace flowrun
